"""Use cases about persons, their accounts and roles."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.outbox import post
from trainings.core.permissions import Permission, Role
from trainings.core.text import normalise_email, sort_key
from trainings.organisations.models import Organisation
from trainings.people.mails import email_changed_mail, password_changed_mail
from trainings.people.models import Account, OrganisationContact, Person, PersonRole
from trainings.people.queries import (
    active_organisation,
    admin_ids,
    organisations_for_email,
    person_by_email,
)

ELEVATED_ROLES = frozenset({Role.COORDINATOR, Role.ADMIN})


def create_person(
    session: Session,
    actor: Actor,
    *,
    email: str,
    given_name: str,
    family_name: str,
    title: str = "",
    organisation_id: int,
    unit: str = "",
    function: str = "",
    now: datetime,
) -> Person:
    """Add a person without an account, such as somebody whom a colleague registers.

    Args:
        session: the open transaction.
        actor: who adds; somebody who adds themselves is not known yet.
        email: work address; belongs to one living person.
        given_name: as registered.
        family_name: as registered.
        title: such as „Dr.“, may be empty.
        organisation_id: an authority that is neither merged nor retired.
        unit: part of the organisation, free text.
        function: what the person does there, free text.
        now: the present instant.

    Raises:
        DomainError: `email_taken` or `organisation_unknown`.

    """
    address = normalise_email(email)
    if person_by_email(session, address) is not None:
        raise _email_taken()
    person = Person(
        key=secrets.token_urlsafe(16),
        email=address,
        given_name=given_name,
        family_name=family_name,
        title=title,
        sort_key=sort_key(f"{family_name} {given_name}"),
        organisation_id=require_organisation(session, organisation_id).id,
        unit=unit,
        function=function,
        created_at=now,
        roles=[PersonRole(role=Role.PARTICIPANT)],
    )
    session.add(person)
    try:
        session.flush()
    except IntegrityError as error:
        # Somebody else was quicker; the partial unique index on living persons stands behind us.
        raise _email_taken() from error
    audit.record(session, actor, "person_created", person, now, organisation_id=organisation_id)
    return person


def join(
    session: Session,
    *,
    email: str,
    given_name: str,
    family_name: str,
    title: str,
    organisation_id: int,
    unit: str,
    function: str,
    now: datetime,
) -> Account:
    """Add oneself, after the address was verified: a person with an account.

    Raises:
        DomainError: as `create_person`; `foreign_organisation` if the address belongs to others.

    """
    allowed = {organisation.id for organisation in organisations_for_email(session, email)}
    if organisation_id not in allowed:
        raise _foreign_organisation()
    person = create_person(
        session,
        Actor(),
        email=email,
        given_name=given_name,
        family_name=family_name,
        title=title,
        organisation_id=organisation_id,
        unit=unit,
        function=function,
        now=now,
    )
    person.informed_at = now
    return open_account(session, person.id, now)


def open_account(session: Session, person_id: int, now: datetime) -> Account:
    """Return the account of a person; opens one for those whom others registered.

    Raises:
        DomainError: `not_found`, 404.

    """
    person = lock_person(session, person_id)
    if person.account is None:
        person.account = Account(created_at=now)
        person.informed_at = person.informed_at or now
        session.flush()
        audit.record(session, Actor(person_id), "account_opened", person.account, now)
    return person.account


def update_person(
    session: Session,
    actor: Actor,
    person_id: int,
    *,
    given_name: str,
    family_name: str,
    title: str,
    organisation_id: int,
    unit: str,
    function: str,
    now: datetime,
) -> Person:
    """Change what is known of a person; registrations keep what was true when they were made.

    People change their own data and choose an organisation to which their address may belong; the
    office changes anybody's and chooses freely.

    Raises:
        DomainError: `not_found` for a foreign person, `organisation_unknown`,
            `foreign_organisation`.

    """
    by_office = actor.may(Permission.OFFICE)
    if not by_office and actor.person_id != person_id:
        raise not_found()
    person = lock_person(session, person_id)
    if organisation_id != person.organisation_id:
        require_organisation(session, organisation_id)
        mine = organisations_for_email(session, person.email)
        if not by_office and organisation_id not in {organisation.id for organisation in mine}:
            raise _foreign_organisation()
    person.given_name = given_name
    person.family_name = family_name
    person.title = title
    person.sort_key = sort_key(f"{family_name} {given_name}")
    person.organisation_id = organisation_id
    person.unit = unit
    person.function = function
    audit.record(session, actor, "person_updated", person, now, organisation_id=organisation_id)
    return person


def change_email(session: Session, actor: Actor, person_id: int, email: str, now: datetime) -> None:
    """Give a person another work address, after a marriage or a move to another authority.

    Whoever reads the new address can log in as this person from then on. So every cookie loses its
    worth, the former address is told, and only the administration changes the address of somebody
    who works in the office.

    Args:
        session: the open transaction.
        actor: of the office.
        person_id: whose address.
        email: the new one; the same one changes nothing.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `not_allowed`, `email_taken`.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    person = lock_person(session, person_id)
    address = normalise_email(email)
    if address == person.email:
        return
    if {row.role for row in person.roles} & ELEVATED_ROLES and not actor.may(Permission.ADMINISTER):
        raise DomainError(
            "not_allowed",
            "Die E-Mail-Adresse dieser Person ändert nur die Verwaltung, weil sie selbst in der "
            "Geschäftsstelle arbeitet.",
            field="email",
            status=403,
        )
    if person_by_email(session, address) is not None:
        raise _email_taken()
    former = person.email
    person.email = address
    try:
        session.flush()
    except IntegrityError as error:
        raise _email_taken() from error
    if person.account is not None:
        person.account.epoch += 1
    post(
        session,
        kind="email_changed",
        to=former,
        name=person.name,
        mail=email_changed_mail(),
        now=now,
    )
    audit.record(session, actor, "email_changed", person, now)


def set_roles(
    session: Session, actor: Actor, person_id: int, roles: Collection[Role], now: datetime
) -> None:
    """Replace the roles of a person.

    The office gives the roles of participants, contacts and trainers; only the administration gives
    or takes those of the office itself. The last administrator stays.

    Raises:
        DomainError: `not_found`, `not_allowed`, `last_admin`, `still_contact`.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    _lock_persons(session, {person_id, *admin_ids(session)})
    person = lock_person(session, person_id)
    wanted = frozenset(roles)
    held = frozenset(row.role for row in person.roles)
    changed = wanted ^ held
    if changed & ELEVATED_ROLES and not actor.may(Permission.ADMINISTER):
        raise DomainError(
            "not_allowed",
            "Die Rollen Koordination und Verwaltung vergibt und entzieht nur die Verwaltung.",
            field="roles",
            status=403,
        )
    if Role.ADMIN in held - wanted and admin_ids(session) <= {person_id}:
        raise DomainError(
            "last_admin",
            "Das ist die letzte Person mit der Rolle Verwaltung. Bitte geben Sie die Rolle erst "
            "einer anderen Person.",
            field="roles",
        )
    if Role.CONTACT in held - wanted and is_contact(session, person_id):
        raise DomainError(
            "still_contact",
            "Diese Person ist noch Ansprechperson einer Organisation. Bitte entfernen Sie sie "
            "zuerst dort.",
            field="roles",
        )
    if changed:
        replace_roles(person, wanted)
        names = ",".join(sorted(wanted))
        audit.record(session, actor, "roles_set", person, now, roles=names)


def set_password(
    session: Session, actor: Actor, password_hash: str | None, now: datetime
) -> Account:
    """Set, change or remove one's own password; logs out everywhere else.

    Args:
        session: the open transaction.
        actor: whose password it is.
        password_hash: from `hash_password`, made before the transaction since it takes long; None
            removes the password.
        now: the present instant.

    Raises:
        DomainError: `not_found` for somebody without an account.

    """
    account = _own_account(session, actor)
    account.password_hash = password_hash
    account.epoch += 1
    post(
        session,
        kind="password_changed",
        to=account.person.email,
        name=account.person.name,
        mail=password_changed_mail(removed=password_hash is None),
        now=now,
    )
    action = "password_set" if password_hash else "password_removed"
    audit.record(session, actor, action, account, now)
    return account


def log_out_everywhere(session: Session, actor: Actor, now: datetime) -> None:
    """Make every cookie of one's account worthless.

    Raises:
        DomainError: `not_found` for somebody without an account.

    """
    account = _own_account(session, actor)
    account.epoch += 1
    audit.record(session, actor, "logged_out_everywhere", account, now)


def _lock_persons(session: Session, person_ids: Collection[int]) -> None:
    session.execute(
        select(Person.id)
        .where(Person.id.in_(person_ids))
        .order_by(Person.id)
        .with_for_update(key_share=True)
    )


def lock_person(session: Session, person_id: int) -> Person:
    """Lock a living person.

    Raises:
        DomainError: `not_found`.

    """
    person = session.scalar(
        select(Person)
        .where(Person.id == person_id, Person.anonymised_at.is_(None))
        .with_for_update(key_share=True)
    )
    if person is None:
        raise not_found()
    return person


def _own_account(session: Session, actor: Actor) -> Account:
    if actor.person_id is None:
        raise not_found()
    account = lock_person(session, actor.person_id).account
    if account is None:
        raise not_found()
    return account


def replace_roles(person: Person, wanted: frozenset[Role]) -> None:
    """Give a person these roles and no others."""
    kept = [row for row in person.roles if row.role in wanted]
    missing = wanted - {row.role for row in kept}
    person.roles = [*kept, *(PersonRole(role=role) for role in sorted(missing))]


def is_contact(session: Session, person_id: int) -> bool:
    """Say whether somebody is contact of any organisation."""
    found = select(OrganisationContact.person_id).where(OrganisationContact.person_id == person_id)
    return session.scalar(found.limit(1)) is not None


def require_organisation(session: Session, organisation_id: int) -> Organisation:
    """Return an organisation that people may choose.

    Raises:
        DomainError: `organisation_unknown`.

    """
    organisation = active_organisation(session, organisation_id)
    if organisation is None:
        raise DomainError(
            "organisation_unknown",
            "Diese Organisation steht nicht mehr zur Wahl. Bitte wählen Sie eine andere.",
            field="organisation_id",
        )
    return organisation


def _foreign_organisation() -> DomainError:
    return DomainError(
        "foreign_organisation",
        "Zu dieser Organisation passt Ihre E-Mail-Adresse nicht. Bitte wählen Sie eine andere, "
        "oder wenden Sie sich an die Geschäftsstelle.",
        field="organisation_id",
    )


def _email_taken() -> DomainError:
    return DomainError(
        "email_taken",
        "Unter dieser E-Mail-Adresse ist schon eine Person erfasst.",
        field="email",
    )
