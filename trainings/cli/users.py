"""`trainings user`: the first account of an installation, and help when nobody can log in."""

from __future__ import annotations

from datetime import datetime

import click
from flask.cli import with_appcontext
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.forms import is_email_address
from trainings.core.permissions import ROLE_NAMES, Role
from trainings.core.settings import current_settings
from trainings.core.text import (
    clean,
    is_registered_name,
    normalise_email,
    sort_key,
)
from trainings.organisations.models import Level, Organisation, OrganisationKind, Partnership
from trainings.people.models import Person, PersonRole
from trainings.people.operations import create_person, open_account
from trainings.people.queries import person_by_email
from trainings.people.rules import split_name

LONGEST_NAME = 80


@click.group()
def user() -> None:
    """Legt Konten an."""


@user.command()
@click.option("--email", required=True, help="Dienstliche E-Mail-Adresse.")
@click.option("--name", required=True, help="Vor- und Familienname, in dieser Reihenfolge.")
@click.option(
    "--role",
    "roles",
    required=True,
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    help="Rolle; mehrfach für mehrere.",
)
@click.option("--organisation", help="Name oder Kurzname; sonst die Geschäftsstelle.")
@with_appcontext
def create(email: str, name: str, roles: tuple[str, ...], organisation: str | None) -> None:
    """Legt ein Konto an, oder gibt einer bekannten Person die Rolle dazu."""
    wanted = frozenset(Role(role) for role in roles)
    with transaction() as session:
        person = create_user(
            session, email=email, name=name, roles=wanted, organisation=organisation, now=utc_now()
        )
        held = ", ".join(ROLE_NAMES[row.role] for row in person.roles)
        click.echo(f"{person.name} ({person.email}) hat jetzt ein Konto. Rollen: {held}.")
    click.echo("Eingeloggt wird mit einem Code, den die Anwendung an diese Adresse schickt.")


def create_user(
    session: Session,
    *,
    email: str,
    name: str,
    roles: frozenset[Role],
    organisation: str | None,
    now: datetime,
) -> Person:
    """Make sure that somebody has an account with these roles; what is there already stays.

    Args:
        session: the open transaction.
        email: work address; a living person who has it is taken.
        name: given and family name of somebody new, in this order, a title in front.
        roles: to hold beside those that the person has.
        organisation: name or short name of an authority; None for the office's own, which is
            created if it is missing.
        now: the present instant.

    Raises:
        DomainError: `bad_email`, `bad_name`, `organisation_unknown`.

    """
    person = person_by_email(session, email)
    if person is None:
        title, given_name, family_name = _split(clean(name))
        person = create_person(
            session,
            SYSTEM,
            email=_checked(email),
            title=title,
            given_name=given_name,
            family_name=family_name,
            organisation_id=_organisation(session, organisation).id,
            now=now,
        )
    open_account(session, person.id, now)
    missing = roles - {row.role for row in person.roles}
    if missing:
        person.roles.extend(PersonRole(role=role) for role in sorted(missing))
        names = ",".join(sorted(row.role for row in person.roles))
        record(session, SYSTEM, "roles_set", person, now, roles=names)
    return person


def _checked(email: str) -> str:
    address = normalise_email(email)
    if not is_email_address(address):
        raise DomainError("bad_email", f"„{address}“ ist keine E-Mail-Adresse.")
    return address


def _split(name: str) -> tuple[str, str, str]:
    """Return title, given name and family name of „Dr. Jördis Kałuża“."""
    title, given_name, family_name = split_name(name)
    parts = (given_name, family_name)
    if not all(is_registered_name(part) and len(part) <= LONGEST_NAME for part in parts):
        raise DomainError("bad_name", "Bitte geben Sie Vor- und Familiennamen an.")
    return title, given_name, family_name


def _organisation(session: Session, name: str | None) -> Organisation:
    wanted = name or current_settings().office
    found = session.scalar(
        select(Organisation)
        .where(
            or_(Organisation.name == wanted, Organisation.short_name == wanted),
            Organisation.level == Level.AUTHORITY,
            Organisation.merged_into_id.is_(None),
            Organisation.retired_at.is_(None),
        )
        .order_by(Organisation.id)
        .limit(1)
    )
    if found is not None:
        return found
    if name:
        raise DomainError("organisation_unknown", f"Eine Behörde „{name}“ gibt es nicht.")
    own = Organisation(
        level=Level.AUTHORITY,
        name=wanted,
        short_name=wanted[:60],
        sort_key=sort_key(wanted),
        kind=OrganisationKind.OTHER,
        partnership=Partnership.NONE,
    )
    session.add(own)
    session.flush()
    return own
