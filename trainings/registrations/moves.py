"""Taking a registration to another state, with its history; the pool is locked by the caller."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.errors import DomainError
from trainings.events.models import Event
from trainings.registrations.models import (
    ACTIVE,
    Registration,
    RegistrationChange,
    RegistrationState,
    Wish,
    WishedRegistration,
)
from trainings.registrations.rules import check_move

# No letters or digits that look alike; 12 of 31 are 59 bits, and a ticket alone opens nothing:
# only somebody who may record attendance can use it.
TICKET_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
TICKET_LENGTH = 12


def move(
    session: Session,
    registration: Registration,
    to: RegistrationState,
    actor: Actor,
    *,
    reason: str,
    now: datetime,
    note: str = "",
) -> None:
    """Take a registration to another state and note who, when and why.

    Args:
        session: the open transaction; the pool is locked.
        registration: whose.
        to: the new state.
        actor: who moves it.
        reason: stable code for the history.
        now: the present instant.
        note: the office's reason in its words, or the rule that decided.

    Raises:
        DomainError: `illegal_move`.

    """
    old = registration.state
    check_move(old, to)
    registration.state = to
    registration.state_since = now
    registration.spent_ticket = registration.ticket
    registration.ticket = new_ticket() if to is RegistrationState.PLACED else None
    registration.offer_until = None
    note_change(session, registration, old, actor, reason=reason, now=now, note=note)


def note_change(
    session: Session,
    registration: Registration,
    old: RegistrationState | None,
    actor: Actor,
    *,
    reason: str,
    now: datetime,
    note: str = "",
) -> None:
    """Add a row to the history of a registration."""
    session.add(
        RegistrationChange(
            registration=registration,
            at=now,
            actor_person_id=actor.person_id,
            from_state=old,
            to_state=registration.state,
            reason=reason,
            note=note,
        )
    )


def last_rank(session: Session, pool_id: int) -> int:
    """Return the highest rank that was given in a pool, 0 in an empty one."""
    highest = select(func.max(Registration.rank)).where(Registration.pool_id == pool_id)
    return session.scalar(highest) or 0


_LINK, _OTHER_LINK = aliased(WishedRegistration), aliased(WishedRegistration)
_WISH_AND_OTHERS = (
    select(Wish, Registration, Event.first_day, Event.last_day)
    .join(_LINK, _LINK.wish_id == Wish.id)
    .outerjoin(
        _OTHER_LINK,
        and_(
            _OTHER_LINK.wish_id == Wish.id,
            _OTHER_LINK.registration_id != _LINK.registration_id,
        ),
    )
    .outerjoin(
        Registration,
        and_(Registration.id == _OTHER_LINK.registration_id, Registration.state.in_(ACTIVE)),
    )
    .outerjoin(Event, Registration.event_id == Event.id)
    .where(_LINK.registration_id == bindparam("registration_id"))
    .order_by(Event.first_day, Registration.id)
    .execution_options(populate_existing=True)
)


@dataclass(frozen=True)
class OtherDate:
    """What somebody asked for by the same wish, and the days of its event."""

    registration: Registration
    days: tuple[date, date]


def wish_and_others(
    session: Session, registration: Registration
) -> tuple[Wish | None, list[OtherDate]]:
    """Load the wish that a registration serves, and what else is active for it."""
    session.flush()
    rows = session.execute(_WISH_AND_OTHERS, {"registration_id": registration.id}).all()
    wish = rows[0][0] if rows else None
    return wish, [
        OtherDate(other, (first_day, last_day))
        for _, other, first_day, last_day in rows
        if other is not None
    ]


def end_wait(session: Session, registration: Registration, actor: Actor, now: datetime) -> None:
    """End what somebody waits for or is offered, now that there is a place by the same wish."""
    to = RegistrationState.WITHDRAWN
    move(session, registration, to, actor, reason="placed_elsewhere", now=now)


def placed_elsewhere() -> DomainError:
    """Return the refusal of a second place by the same wish."""
    return DomainError(
        "placed_elsewhere",
        "Sie haben inzwischen an einem anderen der gewünschten Termine einen Platz. Möchten Sie "
        "lieber diesen Termin, geben Sie bitte zuerst den anderen Platz zurück.",
    )


def new_ticket() -> str:
    """Return a random ticket code."""
    return "".join(secrets.choice(TICKET_LETTERS) for _ in range(TICKET_LENGTH))
