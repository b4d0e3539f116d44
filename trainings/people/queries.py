"""Named reads about people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trainings.core.permissions import Role
from trainings.core.text import normalise_email, sort_key
from trainings.organisations.models import Level, Organisation, OrganisationDomain
from trainings.people.models import Account, OrganisationContact, Person, PersonRole
from trainings.people.rules import mail_domains


@dataclass(frozen=True)
class Credentials:
    """What logging in by password needs to know of an account."""

    account_id: int
    password_hash: str | None


def person_by_email(session: Session, email: str) -> Person | None:
    """Return the living person with an address, however it is written."""
    return session.scalar(
        select(Person).where(Person.email == normalise_email(email), Person.anonymised_at.is_(None))
    )


def credentials(session: Session, email: str) -> Credentials | None:
    """Return the usable account of a living person."""
    row = session.execute(
        select(Account.id, Account.password_hash)
        .join(Person, Account.person_id == Person.id)
        .where(Person.email == email, Person.anonymised_at.is_(None), Account.disabled_at.is_(None))
    ).first()
    return Credentials(row[0], row[1]) if row else None


def organisations_for_email(session: Session, email: str) -> list[Organisation]:
    """Return the authorities whose people may have this address, in order of their names.

    The most specific domain that anybody owns decides: `jobcenter.stadt.example` before
    `stadt.example`. A domain of a group counts for its authorities, one of a unit for the authority
    above it. Merged and retired organisations are left out. At most two statements.
    """
    found = authorities_for_emails(session, [email])[email]
    return sorted(found.values(), key=lambda organisation: organisation.sort_key)


def authorities_for_emails(
    session: Session, emails: Iterable[str]
) -> dict[str, dict[int, Organisation]]:
    """Return what `organisations_for_email` does, by address and id; at most two statements."""
    domains = {email: mail_domains(normalise_email(email)) for email in emails}
    every = {domain for own in domains.values() for domain in own}
    owners: dict[str, list[Organisation]] = defaultdict(list)
    rows = session.execute(
        select(OrganisationDomain.domain, Organisation)
        .join(Organisation, OrganisationDomain.organisation_id == Organisation.id)
        .where(OrganisationDomain.domain.in_(every), *_active())
    )
    for domain, organisation in rows:
        owners[domain].append(organisation)
    # The domains of an address begin with the most specific one.
    closest = {
        email: next((owners[domain] for domain in own if domain in owners), [])
        for email, own in domains.items()
    }
    relatives = _authorities_around(session, [one for found in owners.values() for one in found])
    return {
        email: {
            authority.id: authority
            for owner in found
            for authority in ([owner] if owner.level is Level.AUTHORITY else relatives[owner.id])
        }
        for email, found in closest.items()
    }


def _authorities_around(
    session: Session, owners: Sequence[Organisation]
) -> dict[int, list[Organisation]]:
    """Return the authorities below groups and above units, by the id of the group or the unit."""
    groups = {owner.id for owner in owners if owner.level is Level.GROUP}
    units = {owner.id: owner.parent_id for owner in owners if owner.level is Level.UNIT}
    around: dict[int, list[Organisation]] = defaultdict(list)
    if not groups and not units:
        return around
    relatives = session.scalars(
        select(Organisation).where(
            or_(Organisation.parent_id.in_(groups), Organisation.id.in_(units.values())),
            Organisation.level == Level.AUTHORITY,
            *_active(),
        )
    )
    for authority in relatives:
        if authority.parent_id in groups:
            around[authority.parent_id].append(authority)
        for unit_id, parent_id in units.items():
            if parent_id == authority.id:
                around[unit_id].append(authority)
    return around


def _active() -> tuple[ColumnElement[bool], ...]:
    return Organisation.retired_at.is_(None), Organisation.merged_into_id.is_(None)


def active_organisation(session: Session, organisation_id: int) -> Organisation | None:
    """Return an organisation that people may still choose."""
    return session.scalar(
        select(Organisation).where(Organisation.id == organisation_id, *_active())
    )


def person_with_organisation(session: Session, person_id: int) -> Person | None:
    """Return a living person with organisation, account and roles, in two statements."""
    return session.scalar(
        select(Person)
        .where(Person.id == person_id, Person.anonymised_at.is_(None))
        .options(
            joinedload(Person.organisation),
            joinedload(Person.account),
            selectinload(Person.roles),
        )
    )


def contacts_of(session: Session, organisation_ids: Iterable[int]) -> list[OrganisationContact]:
    """Return the contacts of organisations with their persons, deputies last, by name."""
    return list(
        session.scalars(
            select(OrganisationContact)
            .join(Person, OrganisationContact.person_id == Person.id)
            .where(OrganisationContact.organisation_id.in_(list(organisation_ids)))
            .options(joinedload(OrganisationContact.person))
            .order_by(
                OrganisationContact.organisation_id,
                OrganisationContact.is_deputy,
                Person.sort_key,
                Person.id,
            )
        )
    )


def find_people(
    session: Session, text: str, *, limit: int, offset: int = 0
) -> tuple[list[Person], int]:
    """Search living persons by name or address.

    Args:
        session: for reading.
        text: every word must occur in the name or the address; empty finds everybody.
        limit: most rows.
        offset: rows that are skipped.

    Returns:
        The persons with organisation and roles, by name, and how many there are in all; three
        statements.

    """
    conditions: list[ColumnElement[bool]] = [Person.anonymised_at.is_(None)]
    for word in text.split():
        by_address = Person.email.contains(normalise_email(word), autoescape=True)
        name = sort_key(word)
        by_name = Person.sort_key.contains(name, autoescape=True)
        conditions.append(or_(by_name, by_address) if name else by_address)
    total = session.scalar(select(func.count()).select_from(Person).where(*conditions)) or 0
    people = session.scalars(
        select(Person)
        .where(*conditions)
        .options(joinedload(Person.organisation), selectinload(Person.roles))
        .order_by(Person.sort_key, Person.id)
        .limit(limit)
        .offset(offset)
    )
    return list(people), total


def admin_ids(session: Session) -> set[int]:
    """Return the persons who administer the application and can log in."""
    return set(
        session.scalars(
            select(Person.id)
            .join(PersonRole, PersonRole.person_id == Person.id)
            .outerjoin(Account, Account.person_id == Person.id)
            .where(
                PersonRole.role == Role.ADMIN,
                Person.anonymised_at.is_(None),
                Account.disabled_at.is_(None),
            )
        )
    )
