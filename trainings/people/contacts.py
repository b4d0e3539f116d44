"""Use cases about who speaks for an organisation."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.permissions import Permission, Role
from trainings.organisations.models import Organisation
from trainings.people.models import OrganisationContact
from trainings.people.operations import (
    is_contact,
    lock_person,
    replace_roles,
    require_organisation,
)


def set_contact(
    session: Session,
    actor: Actor,
    organisation_id: int,
    person_id: int,
    *,
    is_deputy: bool,
    now: datetime,
) -> None:
    """Make a person the contact of an organisation, or its deputy; gives the role as well.

    Raises:
        DomainError: `not_found`, `organisation_unknown`.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    person = lock_person(session, person_id)
    organisation = require_organisation(session, organisation_id)
    contact = session.get(OrganisationContact, (organisation_id, person_id))
    if contact is None:
        session.add(
            OrganisationContact(
                organisation_id=organisation_id, person_id=person_id, is_deputy=is_deputy
            )
        )
    else:
        contact.is_deputy = is_deputy
    replace_roles(person, frozenset(row.role for row in person.roles) | {Role.CONTACT})
    audit.record(
        session,
        actor,
        "contact_set",
        organisation,
        now,
        person_id=person_id,
        is_deputy=is_deputy,
    )


def remove_contact(
    session: Session, actor: Actor, organisation_id: int, person_id: int, now: datetime
) -> None:
    """Take a contact from an organisation, and the role from who is nobody's contact any more.

    Raises:
        DomainError: `not_found` if the person is no contact there.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    person = lock_person(session, person_id)
    contact = session.get(OrganisationContact, (organisation_id, person_id))
    if contact is None:
        raise not_found()
    session.delete(contact)
    session.flush()
    if not is_contact(session, person_id):
        replace_roles(person, frozenset(row.role for row in person.roles) - {Role.CONTACT})
    organisation = session.get_one(Organisation, organisation_id)
    audit.record(session, actor, "contact_removed", organisation, now, person_id=person_id)
