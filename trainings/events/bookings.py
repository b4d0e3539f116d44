"""Who and what an event occupies: nobody teaches, and no room serves, twice at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import Row, Select, select
from sqlalchemy.orm import Session

from trainings.core.errors import DomainError, not_found
from trainings.core.formats import long_date
from trainings.events.models import (
    Event,
    EventSession,
    EventTrainer,
    Pool,
    Room,
)
from trainings.events.rules import LIVE_STATES, SessionPlan, first_overlap
from trainings.people.models import Person


def lock_people_and_rooms(
    session: Session, *, person_ids: Iterable[int], room_ids: Iterable[int]
) -> None:
    """Lock trainers, then rooms, each by ascending id (docs/architecture.md, "Locks").

    On SQLite the transaction is alone anyway, and the words FOR UPDATE are left out.
    """
    for table, ids in ((Person, sorted(set(person_ids))), (Room, sorted(set(room_ids)))):
        if ids:
            session.execute(
                select(table.id)
                .where(table.id.in_(ids))
                .order_by(table.id)
                .with_for_update(key_share=True)
            )


def lock_event(
    session: Session,
    event_id: int,
    *,
    trainer_ids: Iterable[int] = (),
    room_id: int | None = None,
) -> Event:
    """Lock an event with all that it occupies or will occupy, and return it as it is now.

    The event's lock is the row of its pool, which everything takes that can change who sits where.

    Args:
        session: the open transaction.
        event_id: the event.
        trainer_ids: trainers that it is about to get.
        room_id: the room that it is about to get.

    Raises:
        DomainError: `not_found`, or `changed_meanwhile` when somebody else gave it another trainer
            or room between looking and locking.

    """
    trainers, room = _occupied(session, event_id)
    persons = {*trainers, *trainer_ids}
    rooms = {number for number in (room, room_id) if number is not None}
    lock_people_and_rooms(session, person_ids=persons, room_ids=rooms)
    session.execute(
        select(Pool.id)
        .join(Event, Event.pool_id == Pool.id)
        .where(Event.id == event_id)
        .with_for_update(of=Pool, key_share=True)
    )
    trainers, room = _occupied(session, event_id)
    if not trainers <= persons or (room is not None and room not in rooms):
        # Locking them now would break the order of locks.
        raise DomainError(
            "changed_meanwhile",
            "Jemand hat gleichzeitig mit Ihnen die Leitung oder den Raum geändert. Bitte laden "
            "Sie die Seite neu und prüfen Sie, was jetzt gilt.",
        )
    event = session.scalar(
        select(Event).where(Event.id == event_id).execution_options(populate_existing=True)
    )
    if event is None:
        raise not_found()
    return event


def _occupied(session: Session, event_id: int) -> tuple[frozenset[int], int | None]:
    rows = session.execute(
        select(Event.room_id, EventTrainer.person_id)
        .outerjoin(EventTrainer, EventTrainer.event_id == Event.id)
        .where(Event.id == event_id)
    ).all()
    if not rows:
        raise not_found()
    trainers = frozenset(row.person_id for row in rows if row.person_id is not None)
    return trainers, rows[0].room_id


def check_bookings(
    session: Session,
    *,
    event_id: int | None,
    trainer_ids: Iterable[int],
    room_id: int | None,
    sessions: Sequence[SessionPlan],
) -> None:
    """Refuse trainers or a room that another draft or published event has at the same time.

    Takes the locks on trainers and room; who also locks the event calls `lock_event` before.

    Args:
        session: the open transaction.
        event_id: the event itself, which is no conflict; None for one that is not stored yet.
        trainer_ids: trainers wanted.
        room_id: room wanted, or None.
        sessions: when they are wanted.

    Raises:
        DomainError: `trainer_booked` (field `trainers`) or `room_booked` (field `place`), naming
            the day and the other event.

    """
    trainers = sorted(set(trainer_ids))
    rooms = [] if room_id is None else [room_id]
    lock_people_and_rooms(session, person_ids=trainers, room_ids=rooms)
    days = {plan.day for plan in sessions}
    if trainers:
        wanted = (
            _others(event_id, days)
            .add_columns(EventTrainer.person_id)
            .join(EventTrainer, EventTrainer.event_id == Event.id)
            .where(EventTrainer.person_id.in_(trainers))
        )
        conflict = _conflict(session, wanted, sessions)
        if conflict is not None:
            person = session.get_one(Person, conflict[1].person_id)
            raise _booked("trainer_booked", "trainers", person.name, conflict)
    if room_id is not None:
        wanted = _others(event_id, days).where(Event.room_id == room_id)
        conflict = _conflict(session, wanted, sessions)
        if conflict is not None:
            name = session.get_one(Room, room_id).name
            raise _booked("room_booked", "place", name, conflict)


def _others(event_id: int | None, days: Iterable[object]) -> Select[*tuple[object, ...]]:
    statement = (
        select(Event.number, EventSession.day, EventSession.begins, EventSession.ends)
        .join(EventSession, EventSession.event_id == Event.id)
        .where(Event.state.in_(LIVE_STATES), EventSession.day.in_(days))
        .order_by(EventSession.day, EventSession.begins, Event.number)
    )
    return statement if event_id is None else statement.where(Event.id != event_id)


def _conflict(
    session: Session, statement: Select[*tuple[object, ...]], sessions: Sequence[SessionPlan]
) -> tuple[SessionPlan, Row[*tuple[object, ...]]] | None:
    for row in session.execute(statement):
        other = SessionPlan(row.day, row.begins, row.ends)
        planned = first_overlap(sessions, [other])
        if planned is not None:
            return planned, row
    return None


def _booked(
    code: str, field: str, name: str, conflict: tuple[SessionPlan, Row[*tuple[object, ...]]]
) -> DomainError:
    planned, row = conflict
    return DomainError(
        code,
        f"{name} ist am {long_date(planned.day)} schon belegt durch {row.number}.",
        field=field,
    )
