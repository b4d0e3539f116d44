"""Who is logged in: what a cookie stands for."""

from __future__ import annotations

from dataclasses import dataclass

from flask_login import UserMixin, current_user
from sqlalchemy import select
from sqlalchemy.orm import aliased

from trainings.core.actors import VISITOR, Actor
from trainings.core.database import db
from trainings.core.permissions import Role
from trainings.organisations.models import Organisation
from trainings.people.models import Account, Person, PersonRole


@dataclass(frozen=True)
class LoggedIn(UserMixin):  # type: ignore[misc]
    """The person behind a cookie: plain values, so that no page loads more than this once.

    Attributes:
        account_id: the account.
        epoch: the account's epoch; an older cookie no longer counts.
        actor: for operations.
        name: „Dr. Jördis Kałuża“.
        email: work address.
        organisation: name of the organisation.
        unit: part of the organisation, may be empty.

    """

    account_id: int
    epoch: int
    actor: Actor
    name: str
    email: str
    organisation: str
    unit: str

    def get_id(self) -> str:
        """Return what the cookie holds."""
        return f"{self.account_id}:{self.epoch}"


def load_logged_in(cookie_id: str) -> LoggedIn | None:
    """Return who is logged in, in one statement; None if the cookie no longer counts."""
    account_part, _, epoch_part = cookie_id.partition(":")
    if not (account_part.isdecimal() and epoch_part.isdecimal()):
        return None
    parent = aliased(Organisation)
    grandparent = aliased(Organisation)
    rows = db.session.execute(
        select(
            Account.epoch,
            Person,
            Organisation.name,
            Organisation.id,
            parent.id,
            grandparent.id,
            PersonRole.role,
        )
        .join(Person, Account.person_id == Person.id)
        .join(Organisation, Person.organisation_id == Organisation.id)
        .outerjoin(parent, Organisation.parent_id == parent.id)
        .outerjoin(grandparent, parent.parent_id == grandparent.id)
        .outerjoin(PersonRole, PersonRole.person_id == Person.id)
        .where(Account.id == int(account_part), Account.disabled_at.is_(None))
    ).all()
    if not rows or rows[0][0] != int(epoch_part):
        return None
    person: Person = rows[0][1]
    return LoggedIn(
        account_id=int(account_part),
        epoch=int(epoch_part),
        actor=Actor(
            person_id=person.id,
            organisation_ids=tuple(value for value in rows[0][3:6] if value is not None),
            roles=frozenset(Role(row[6]) for row in rows if row[6]),
        ),
        name=person.name,
        email=person.email,
        organisation=rows[0][2],
        unit=person.unit,
    )


def logged_in() -> LoggedIn | None:
    """Return who is logged in in this request."""
    return current_user if current_user.is_authenticated else None


def current_actor() -> Actor:
    """Return on whose behalf this request acts."""
    user = logged_in()
    return user.actor if user else VISITOR
