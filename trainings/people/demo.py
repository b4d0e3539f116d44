"""The logins of the demonstration: one for each role, with one published password."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.permissions import ROLE_NAMES, Role
from trainings.people.models import Account, Person

PASSWORD = "Demonstration-2026"  # noqa: S105 – published on purpose, and only set where DEMO=1

# Keys in seed/people.csv, which the loader keeps for these persons; each holds the one role.
ROLES = {
    "demo-teilnahme": Role.PARTICIPANT,
    "demo-fortbildung": Role.CONTACT,
    "demo-training": Role.TRAINER,
    "demo-koordination": Role.COORDINATOR,
    "demo-verwaltung": Role.ADMIN,
}


@dataclass(frozen=True)
class DemoLogin:
    """A login as the terminal and the login page show it."""

    role: str
    name: str
    email: str


def demo_logins(session: Session) -> list[DemoLogin]:
    """Return the logins of the data set that exist with a password, one per role."""
    found = {
        person.key: person
        for person in session.scalars(
            select(Person)
            .join(Account, Account.person_id == Person.id)
            .where(Person.key.in_(ROLES), Account.password_hash.is_not(None))
        )
    }
    return [
        DemoLogin(ROLE_NAMES[role], found[key].name, found[key].email)
        for key, role in ROLES.items()
        if key in found
    ]
