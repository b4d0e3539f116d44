"""Recording attendance: by name, everybody at once, by ticket, and taking it back.

Each of these locks the registrations that it marks, by ascending id, before it reads their marks
and whether the attendance is closed: of two people who mark the same person at once, the second one
sees what the first one recorded, and nobody records what somebody else has just closed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.access import EventAccess, access_columns, event_access
from trainings.attendance.ledger import Ledger, Recorded, on_page
from trainings.attendance.models import AttendanceMark, RecordingKind, new_batch
from trainings.attendance.reads import has_ticket, load_sessions
from trainings.attendance.rules import (
    NOTHING,
    THERE,
    Answer,
    Change,
    Entry,
    Mark,
    SessionTime,
    check_minutes,
    is_undone,
    last_step,
    session_of_today,
)
from trainings.attendance.wording import refusal
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event
from trainings.registrations.models import ATTENDING, Registration, RegistrationState


def record_attendance(
    session: Session,
    actor: Actor,
    registration_id: int,
    session_id: int,
    mark: Mark,
    *,
    now: datetime,
    late: int | None = None,
    early: int | None = None,
) -> Recorded:
    """Record whether somebody is there; None takes the record back to "not recorded".

    The same mark again at once changes nothing and writes nothing, so a form that is sent twice is
    harmless without a key of its own.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or somebody of the office.
        registration_id: whose attendance.
        session_id: a session of the same event.
        mark: the new mark.
        now: the present instant.
        late: minutes after the begin, with `PRESENT` only; None leaves those of who is there.
        early: minutes before the end, likewise.

    Raises:
        DomainError: `not_found` for what is foreign to the actor; `wrong_minutes`; else the code of
            an `Answer`.

    """
    seat = _lock_seat(session, actor, Registration.id == registration_id)
    if seat is None or not seat.access.allowed:
        raise not_found()
    own = _own_session(session, seat.access, session_id)
    chosen = _check(seat.access, seat.state, own, now)
    cell = (registration_id, chosen.id)
    ledger = Ledger(session, [registration_id], [chosen.id])
    before = ledger.entry(cell) if mark is AttendanceMark.PRESENT else NOTHING
    says = Entry(
        mark,
        before.late if late is None else late,
        before.early if early is None else early,
    )
    return ledger.record(
        cell,
        RecordingKind.SET,
        check_minutes(says, chosen),
        on_page(actor, now),
    )


def record_by_ticket(
    session: Session, actor: Actor, ticket: str, session_id: int | None, now: datetime
) -> Recorded:
    """Record the holder of a ticket as present.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or somebody of the office.
        ticket: code as scanned or typed.
        session_id: the session that the page showed; None: today's, by the clock.
        now: the present instant.

    Raises:
        DomainError: with the code of an `Answer`, such as `unknown_ticket` or `other_event`, which
            reveal nothing about the holder; `not_found` for a session of another event.

    """
    seat = _lock_seat(session, actor, has_ticket(ticket))
    if seat is None:
        raise refusal(Answer.UNKNOWN)
    if not seat.access.allowed:
        raise refusal(Answer.OTHER_EVENT)
    if session_id is None:
        meant = session_of_today(load_sessions(session, seat.access.event_id), now)
    else:
        meant = _own_session(session, seat.access, session_id)
    chosen = _check(seat.access, seat.state, meant, now)
    cell = (seat.registration_id, chosen.id)
    return Ledger(session, [cell[0]], [cell[1]]).record(
        cell,
        RecordingKind.SEEN,
        THERE,
        on_page(actor, now),
    )


def record_all_present(
    session: Session, actor: Actor, event_id: int, session_id: int, now: datetime
) -> tuple[int, ...]:
    """Record everybody as present who is not recorded yet, as one step that can be undone.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or somebody of the office.
        event_id: the event.
        session_id: one of its sessions.
        now: the present instant.

    Returns:
        The ids of the registrations that were recorded now.

    Raises:
        DomainError: as `record_attendance`.

    """
    people = lock_attending(session, event_id)
    _, chosen = open_session(session, actor, event_id, session_id, now)
    ledger = Ledger(session, people, [chosen.id])
    missing = tuple(found for found in people if ledger.entry((found, chosen.id)) == NOTHING)
    batch = new_batch()
    for registration_id in missing:
        ledger.record(
            (registration_id, chosen.id),
            RecordingKind.FILL,
            THERE,
            on_page(actor, now, batch),
        )
    return missing


def undo_last(
    session: Session,
    actor: Actor,
    event_id: int,
    session_id: int,
    now: datetime,
    *,
    batch: str | None = None,
) -> tuple[Change, ...]:
    """Take back the actor's last step in a session that is still in force.

    Args:
        session: the open transaction.
        actor: who takes back the own step.
        event_id: the event.
        session_id: one of its sessions.
        now: the present instant.
        batch: the step that the page showed; a second press of the same button does nothing.

    Returns:
        The changes that were taken back; none if this step was taken back before.

    Raises:
        DomainError: `nothing_to_undo`, `step_superseded`, or as `record_attendance`.

    """
    people = lock_attending(session, event_id)
    _, chosen = open_session(session, actor, event_id, session_id, now)
    ledger = Ledger(session, people, [chosen.id])
    changes = ledger.changes(chosen.id)
    if batch is not None and is_undone(changes, batch):
        return ()
    taken_back = last_step(changes, actor.person_id)
    if not taken_back:
        raise DomainError(
            "nothing_to_undo", "In diesem Termin gibt es nichts, was Sie zurücknehmen können."
        )
    if batch is not None and taken_back[0].batch != batch:
        raise DomainError(
            "step_superseded",
            "Inzwischen ist etwas anderes erfasst worden. Bitte prüfen Sie die Liste, bevor Sie "
            "etwas zurücknehmen.",
        )
    undoing = new_batch()
    for change in taken_back:
        ledger.undo(
            (change.registration_id, chosen.id),
            change.key,
            on_page(actor, now, undoing),
        )
    return taken_back


@dataclass(frozen=True)
class _Seat:
    registration_id: int
    state: RegistrationState
    access: EventAccess


def _lock_seat(session: Session, actor: Actor, which: ColumnElement[bool]) -> _Seat | None:
    locked = session.scalar(select(Registration.id).where(which).with_for_update(key_share=True))
    if locked is None:
        return None
    # Only now, in a statement of its own: one that waits for a lock reads the other tables as they
    # were before it waited, and would miss that the attendance was closed meanwhile.
    row = session.execute(
        select(Registration.state, *access_columns(actor))
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.id == locked)
    ).one()
    return _Seat(locked, row[0], EventAccess(actor, *tuple(row)[1:]))


def lock_attending(session: Session, event_id: int, others: Select[int] | None = None) -> list[int]:
    """Lock the registrations of all who take part in an event, by ascending id; return the ids.

    Args:
        session: the open transaction.
        event_id: the event.
        others: ids of more events, locked in the same order: two that are locked one after the
            other by two who work at once would wait for each other.

    """
    which: ColumnElement[bool] = Registration.event_id == event_id
    if others is not None:
        which = or_(which, Registration.event_id.in_(others))
    return list(
        session.scalars(
            select(Registration.id)
            .where(which, Registration.state.in_(ATTENDING))
            .order_by(Registration.id)
            .with_for_update(key_share=True)
        )
    )


def _own_session(session: Session, access: EventAccess, session_id: int) -> SessionTime:
    for found in load_sessions(session, access.event_id):
        if found.id == session_id:
            return found
    raise not_found()


def open_session(
    session: Session, actor: Actor, event_id: int, session_id: int, now: datetime
) -> tuple[EventAccess, SessionTime]:
    """Return a session in which attendance may be recorded now, and what the actor may do there.

    Raises:
        DomainError: `not_found`, or the code of an `Answer`.

    """
    access = event_access(session, actor, event_id)
    own = _own_session(session, access, session_id)
    return access, _check(access, RegistrationState.PLACED, own, now)


def _check(
    access: EventAccess, place: RegistrationState, meant: SessionTime | None, now: datetime
) -> SessionTime:
    day = meant.day if meant else None
    answer = access.answer(day, now, place)
    if answer is not Answer.READY or meant is None:
        raise refusal(answer, day)
    return meant
