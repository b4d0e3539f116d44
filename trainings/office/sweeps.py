"""What happens by itself when time passes: each function is one sweep.

Those that change events take one transaction for each: with the locks of several events at once,
a person of the second would be locked after the pool of the first, against the order of locks.

`trainings jobs` runs them again and again; each may run any number of times, in any number of
processes.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Delete, delete, exists, select
from sqlalchemy.orm import Session

from trainings.attendance.models import Attendance, AttendanceMark
from trainings.core.actors import SYSTEM
from trainings.core.clock import berlin_day, berlin_instant
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.idempotency import SubmittedForm
from trainings.events.models import Event, EventSession, EventState
from trainings.events.operations import mark_held
from trainings.registrations import mails, offer_operations
from trainings.registrations.models import Need, Registration, RegistrationState
from trainings.registrations.moves import move
from trainings.registrations.places import LockedPlaces, with_places

NEEDS_KEPT_FOR = timedelta(days=30)
FORMS_KEPT_FOR = timedelta(days=2)
_UNDECIDED = (
    RegistrationState.AWAITING_RELEASE,
    RegistrationState.WAITING,
    RegistrationState.OFFERED,
)


def close_past_events(now: datetime) -> int:
    """Mark events as held whose last session has ended and to which somebody came.

    An event for which nobody was recorded as present stays open: whether it was held is for the
    office to say.

    Returns:
        How many were closed.

    """
    somebody_came = exists().where(
        Attendance.session_id == EventSession.id,
        EventSession.event_id == Event.id,
        Attendance.mark == AttendanceMark.PRESENT,
    )
    candidates = db.session.execute(
        select(Event.id, EventSession.day, EventSession.ends)
        .join(EventSession, EventSession.event_id == Event.id)
        .where(
            Event.state == EventState.PUBLISHED, Event.last_day <= berlin_day(now), somebody_came
        )
    ).all()
    ends: dict[int, datetime] = {}
    for event_id, day, at in candidates:
        end = berlin_instant(day, at)
        ends[event_id] = max(end, ends.get(event_id, end))
    over = sorted(event_id for event_id, end in ends.items() if end <= now)
    return sum(_close(event_id, now) for event_id in over)


def _close(event_id: int, now: datetime) -> int:
    try:
        with transaction() as session:
            mark_held(session, SYSTEM, event_id, now)
    except DomainError:
        return 0  # the office or another sweep was quicker
    return 1


def serve_waiting_lists(now: datetime) -> int:
    """Give places to those who wait: a contingent may have run out, and nobody was there to see.

    Returns:
        How many got a place.

    """
    waiting = _events_with(RegistrationState.WAITING)
    return sum(
        _in_transaction(event_id, now, _serve) for event_id, begins_at in waiting if now < begins_at
    )


def _serve(places: LockedPlaces) -> int:
    if places.event.state is not EventState.PUBLISHED:
        return 0
    served = places.fill(SYSTEM, "promoted")
    mails.served(places.session, served, places.now, ended=places.ended)
    return len(served)


def expire_offers(now: datetime) -> int:
    """End the offers that have run out, each event in a transaction of its own.

    Returns:
        How many ended.

    """
    events = db.session.scalars(
        select(Registration.event_id)
        .where(Registration.state == RegistrationState.OFFERED, Registration.offer_until <= now)
        .distinct()
        .order_by(Registration.event_id)
    ).all()
    return sum(
        _in_transaction(event_id, now, offer_operations.expire_offers) for event_id in events
    )


def expire_waiting_lists(now: datetime) -> int:
    """End the requests that were not served when their event began.

    Returns:
        How many ended.

    """
    undecided = _events_with(*_UNDECIDED)
    return sum(
        _in_transaction(event_id, now, _expire)
        for event_id, begins_at in undecided
        if begins_at <= now
    )


def _expire(places: LockedPlaces) -> int:
    undecided = places.session.scalars(
        select(Registration)
        .where(Registration.event_id == places.event.id, Registration.state.in_(_UNDECIDED))
        .execution_options(populate_existing=True)
    ).all()
    places.hold(registration.person_id for registration in undecided)
    for registration in undecided:
        move(
            places.session,
            registration,
            RegistrationState.EXPIRED,
            SYSTEM,
            reason="event_began",
            now=places.now,
        )
    return len(undecided)


def _in_transaction(event_id: int, now: datetime, work: Callable[[LockedPlaces], int]) -> int:
    with transaction() as session:
        return with_places(session, event_id, (), now, work)


def _events_with(*states: RegistrationState) -> list[tuple[int, datetime]]:
    """Return the events that have registrations in these states, with their first instant."""
    waited_for = exists().where(
        Registration.event_id == EventSession.event_id, Registration.state.in_(states)
    )
    rows = db.session.execute(
        select(EventSession.event_id, EventSession.day, EventSession.begins).where(waited_for)
    )
    first: dict[int, datetime] = {}
    for event_id, day, at in rows:
        begin = berlin_instant(day, at)
        first[event_id] = min(begin, first.get(event_id, begin))
    return sorted(first.items())


def delete_needs(session: Session, now: datetime) -> int:
    """Delete what people needed, 30 days after the last day of the event; return how many."""
    over = (
        select(Registration.id)
        .join(Event, Registration.event_id == Event.id)
        .where(Event.last_day < berlin_day(now - NEEDS_KEPT_FOR))
    )
    return _deleted(session, delete(Need).where(Need.registration_id.in_(over)))


def forget_submitted_forms(session: Session, now: datetime) -> int:
    """Delete keys of forms that nobody will submit a second time; return how many."""
    return _deleted(session, delete(SubmittedForm).where(SubmittedForm.at < now - FORMS_KEPT_FOR))


def _deleted(session: Session, statement: Delete) -> int:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return int(result.rowcount)  # type: ignore[attr-defined]
