"""A contact registers several people at once: what would become of each, and doing it.

Looking ahead only reads. Registering is one transaction for each person, so that the locks are
taken in their order and one refusal costs nobody else the place.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import and_, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Admission, Event
from trainings.organisations.models import Level, Organisation
from trainings.people.models import OrganisationContact, Person
from trainings.people.operations import create_person
from trainings.people.queries import (
    authorities_for_emails,
    organisations_for_email,
    person_by_email,
)
from trainings.registrations.affiliation import authority_and_unit
from trainings.registrations.collective_rules import ListedPerson, repeated
from trainings.registrations.deciders import Decider
from trainings.registrations.models import ACTIVE, Registration
from trainings.registrations.operations import register
from trainings.registrations.place_queries import chain, load_places, load_queue, seats_elsewhere
from trainings.registrations.rules import Seeker, next_places

NOBODY = 0
"""Stands for the people of the list in the queue; no row has this id."""


class Outlook(StrEnum):
    """What would become of somebody on the list."""

    PLACE = "place"
    WAITING = "waiting"
    ADMISSION = "admission"
    OWN_REQUEST = "own_request"
    TWICE = "twice"
    ALREADY = "already"
    FOREIGN = "foreign"
    LEADS = "leads"
    OVERLAP = "overlap"


POSSIBLE = frozenset({Outlook.PLACE, Outlook.WAITING, Outlook.ADMISSION, Outlook.OWN_REQUEST})
"""With these the person can be registered."""


@dataclass(frozen=True)
class Forecast:
    """What would become of one row.

    Attributes:
        outlook: what.
        is_known: somebody with this address is known already.

    """

    outlook: Outlook
    is_known: bool


def organisations_of_contact(session: Session, actor: Actor) -> list[Organisation]:
    """Return the authorities and units for which somebody speaks, by name; one statement.

    Who speaks for a group does so for its authorities.
    """
    mine = select(OrganisationContact.organisation_id).where(
        OrganisationContact.person_id == actor.person_id
    )
    return list(
        session.scalars(
            select(Organisation)
            .where(
                Organisation.level != Level.GROUP,
                Organisation.retired_at.is_(None),
                Organisation.merged_into_id.is_(None),
                Organisation.id.in_(mine)
                | and_(
                    Organisation.level == Level.AUTHORITY,
                    Organisation.parent_id.in_(mine),
                ),
            )
            .options(joinedload(Organisation.parent))
            .order_by(Organisation.sort_key, Organisation.id)
        )
    )


def look_ahead(
    session: Session,
    actor: Actor,
    event: Event,
    people: Sequence[ListedPerson],
    now: datetime,
    *,
    organisations: Sequence[Organisation],
    chosen: Organisation,
) -> list[Forecast]:
    """Say what would become of each of these people, one after the other; at most seven statements.

    Args:
        session: for reading.
        actor: a contact.
        event: open for registration, loaded with its pool and its trainers.
        people: with names and addresses that can be stored.
        now: the present instant.
        organisations: for which the contact speaks.
        chosen: the one of them to which people belong who are not known yet.

    """
    emails = [person.email for person in people]
    known = _known_people(session, event, emails)
    above = _authority(chosen)
    hindrances = _hindrances(
        session, actor, event, emails, known, scope={one.id for one in organisations}, above=above
    )
    outlooks: dict[int, Outlook] = {}
    seekers = []
    for position, email in enumerate(emails):
        hindrance, row = hindrances[position], known.get(email)
        if hindrance is not None:
            outlooks[position] = hindrance
        elif row is not None and row.person.id == actor.person_id and event.needs_release:
            outlooks[position] = Outlook.OWN_REQUEST
        else:
            authority = authority_and_unit(row.person)[0] if row else above
            seekers.append(Seeker(position, NOBODY, chain(authority.id, authority.parent_id)))
    served = _served(session, event, seekers, now)
    by_office = event.admission is Admission.BY_OFFICE and event.admitted_at is None
    otherwise = Outlook.ADMISSION if by_office else Outlook.WAITING
    return [
        Forecast(
            outlooks.get(position) or (Outlook.PLACE if position in served else otherwise),
            email in known,
        )
        for position, email in enumerate(emails)
    ]


def register_colleague(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    organisation_id: int,
    person: ListedPerson,
    now: datetime,
) -> Registration:
    """Register somebody of one's own organisation; that releases the request as well.

    A contact's own request is released by a deputy, like everybody else's.

    Args:
        session: the open transaction.
        actor: a contact.
        event_id: the event; the contact must be able to see it.
        organisation_id: to which somebody who is not known yet belongs.
        person: whom; what is known of somebody stays as it is.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `foreign_organisation`; as `create_person` and `register`.

    """
    organisations = {one.id: one for one in organisations_of_contact(session, actor)}
    organisation = organisations.get(organisation_id)
    if organisation is None or not actor.may(Permission.ORGANISATION):
        raise not_found()
    whom = person_by_email(session, person.email)
    if whom is None:
        authority = _authority(organisation)
        if authority.id not in {one.id for one in organisations_for_email(session, person.email)}:
            raise _foreign()
        whom = create_person(
            session,
            actor,
            email=person.email,
            given_name=person.given_name,
            family_name=person.family_name,
            organisation_id=organisation_id,
            unit=person.unit,
            function=person.function,
            now=now,
        )
    elif whom.id != actor.person_id and not _is_of(whom, organisations):
        raise _foreign()
    decider = None
    if whom.id != actor.person_id:
        contact = session.get_one(Person, actor.person_id)
        decider = Decider(contact.name, contact.function, contact.id)
    return register(session, actor, event_id, person_id=whom.id, released_by=decider, now=now)


@dataclass(frozen=True)
class _Known:
    person: Person
    is_registered: bool


def _known_people(session: Session, event: Event, emails: Iterable[str]) -> dict[str, _Known]:
    """Load who of these is known, and whether they are registered for the event, by address."""
    rows = session.execute(
        select(Person, Registration.id)
        .outerjoin(
            Registration,
            and_(
                Registration.person_id == Person.id,
                Registration.pool_id == event.pool_id,
                Registration.state.in_(ACTIVE),
            ),
        )
        .where(Person.email.in_(list(emails)), Person.anonymised_at.is_(None))
        .options(joinedload(Person.organisation).joinedload(Organisation.parent))
    )
    return {
        person.email: _Known(person, registration_id is not None)
        for person, registration_id in rows
    }


def _hindrances(
    session: Session,
    actor: Actor,
    event: Event,
    emails: Sequence[str],
    known: Mapping[str, _Known],
    *,
    scope: Collection[int],
    above: Organisation,
) -> list[Outlook | None]:
    """Say of each address why nobody can be registered by it, or None; at most three statements."""
    owners = authorities_for_emails(session, [email for email in emails if email not in known])
    sitting = seats_elsewhere(session, event.id, [row.person.id for row in known.values()])
    leading = {trainer.person_id for trainer in event.trainers}
    twice = repeated(emails)

    def judge(position: int, email: str) -> Outlook | None:
        row = known.get(email)
        is_own = row and (row.person.id == actor.person_id or _is_of(row.person, scope))
        if row and is_own and row.is_registered:
            return Outlook.ALREADY
        if position in twice:
            return Outlook.TWICE
        if row is None:
            return None if above.id in owners[email] else Outlook.FOREIGN
        if not is_own:
            return Outlook.FOREIGN
        if row.person.id in leading:
            return Outlook.LEADS
        return Outlook.OVERLAP if row.person.id in sitting else None

    return [judge(position, email) for position, email in enumerate(emails)]


def _served(
    session: Session, event: Event, seekers: Sequence[Seeker], now: datetime
) -> frozenset[int]:
    """Return the positions of those who would get a place at once, behind everybody who waits."""
    if event.admission is Admission.BY_OFFICE and event.admitted_at is None:
        return frozenset()
    queue = load_queue(session, event)
    chosen = next_places(load_places(session, event.pool, now), [*queue, *seekers])
    return frozenset(seeker.id for seeker in chosen if seeker.person_id == NOBODY)


def _authority(organisation: Organisation) -> Organisation:
    if organisation.level is Level.UNIT and organisation.parent is not None:
        return organisation.parent
    return organisation


def _is_of(person: Person, organisation_ids: Collection[int]) -> bool:
    """Say whether somebody belongs to one of these organisations or to a unit below it."""
    own = person.organisation
    return own.id in organisation_ids or own.parent_id in organisation_ids


def _foreign() -> DomainError:
    return DomainError(
        "foreign_organisation",
        "Diese Adresse gehört nicht zu Ihrer Organisation. Bitte prüfen Sie sie, oder wenden Sie "
        "sich an die Geschäftsstelle.",
        field="email",
    )
