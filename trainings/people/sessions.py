"""Who is logged in: what a cookie stands for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import session as cookie
from flask_login import UserMixin, current_user, login_user
from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from trainings.core.actors import VISITOR, Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Account, Person, PersonRole, full_name

VERIFIED_FOR = timedelta(minutes=30)
PROOF_LASTS = timedelta(minutes=30)
# So many tabs may each wait for a code of their own.
MOST_REQUESTS = 3
_PROVED_AT = "proved_at"
_REQUESTS = "login_requests"
_VERIFIED = "verified"


_PARENT = aliased(Organisation)
# Every request runs it: it is built once, and reads columns instead of rows of the models.
_LOGGED_IN = (
    select(
        Account.epoch,
        Account.person_id,
        Person.title,
        Person.given_name,
        Person.family_name,
        Person.email,
        Person.unit,
        PersonRole.role,
        Organisation.name.label("organisation"),
        Person.organisation_id,
        Organisation.level,
        Organisation.parent_id,
        _PARENT.parent_id.label("grandparent_id"),
    )
    .join(Person, Account.person_id == Person.id)
    .join(Organisation, Person.organisation_id == Organisation.id)
    .outerjoin(_PARENT, Organisation.parent_id == _PARENT.id)
    .outerjoin(PersonRole, PersonRole.person_id == Person.id)
    .where(Account.id == bindparam("account_id"), Account.disabled_at.is_(None))
)


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
    rows = db.session.execute(_LOGGED_IN, {"account_id": int(account_part)}).all()
    if not rows or rows[0].epoch != int(epoch_part):
        return None
    row = rows[0]
    return LoggedIn(
        account_id=int(account_part),
        epoch=row.epoch,
        actor=Actor(
            person_id=row.person_id,
            organisation_ids=tuple(
                filter(None, (row.organisation_id, row.parent_id, row.grandparent_id))
            ),
            roles=frozenset(row.role for row in rows if row.role),
            in_unit=row.level is Level.UNIT,
        ),
        name=full_name(row.title, row.given_name, row.family_name),
        email=row.email,
        organisation=row.organisation,
        unit=row.unit,
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
