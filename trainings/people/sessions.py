"""Who is logged in: what a cookie stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import session as cookie
from flask_login import UserMixin, current_user, login_user
from sqlalchemy import select
from sqlalchemy.orm import aliased

from trainings.core.actors import VISITOR, Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.permissions import Role
from trainings.organisations.models import Organisation
from trainings.people.models import Account, Person, PersonRole

VERIFIED_FOR = timedelta(minutes=30)
PROOF_LASTS = timedelta(minutes=30)
# So many tabs may each wait for a code of their own.
MOST_REQUESTS = 3
_PROVED_AT = "proved_at"
_REQUESTS = "login_requests"
_VERIFIED = "verified"


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


def begin_session(account_id: int, epoch: int, now: datetime) -> None:
    """Log in: the cookie starts anew, so nothing from before the login lives on in it."""
    cookie.clear()
    cookie.permanent = True
    user = load_logged_in(f"{account_id}:{epoch}")
    if user is not None:
        login_user(user)
        cookie[_PROVED_AT] = int(now.timestamp())


def end_session() -> None:
    """Log out: forget everything that the cookie holds."""
    cookie.clear()


def proved_recently(now: datetime) -> bool:
    """Say whether the person logged in within the last 30 minutes, in this browser.

    Asked before a password is set: whoever finds an unattended browser must not be able to.
    """
    return _is_within(cookie.get(_PROVED_AT), PROOF_LASTS, now)


def remember_request(key: str) -> None:
    """Tie a request to log in to this browser."""
    others = [other for other in requests_of_browser() if other != key]
    cookie[_REQUESTS] = [*others, key][-MOST_REQUESTS:]


def requests_of_browser() -> list[str]:
    """Return the keys of the requests that this browser made, the newest last."""
    return list(cookie.get(_REQUESTS, ()))


def remember_verified(email: str, next_url: str, now: datetime) -> None:
    """Keep for 30 minutes that somebody unknown has shown a mailbox to be theirs."""
    cookie.clear()
    cookie[_VERIFIED] = [email, next_url, int(now.timestamp())]


def verified_email() -> str | None:
    """Return the address that somebody who is not known yet has verified in this browser."""
    verified = cookie.get(_VERIFIED)
    if verified and _is_within(verified[2], VERIFIED_FOR, utc_now()):
        return str(verified[0])
    return None


def verified_next_url() -> str:
    """Return where somebody who verified an address wanted to go."""
    verified = cookie.get(_VERIFIED)
    return str(verified[1]) if verified else ""


def _is_within(seconds: int | None, span: timedelta, now: datetime) -> bool:
    return seconds is not None and now.timestamp() < seconds + span.total_seconds()
