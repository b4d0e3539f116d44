"""Closing the attendance of an event, and opening it again.

Closing locks the event's pool, then all who take part by ascending id (and in events for which
sessions were made up here, whose papers may change), and decides after that.
Recordings lock the same registrations before they ask whether the attendance is closed: so of a
recording and a closing at the same moment either the recording comes first, and is part of what is
closed, or it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from trainings.attendance.access import EventAccess, closed_event, event_access
from trainings.attendance.certificates.operations import (
    issue_certificates,
    lock_certified,
    lock_decisions,
)
from trainings.attendance.closing.rules import begin_of_day, days_in_order
from trainings.attendance.models import (
    AttendanceChange,
    AttendanceClosing,
    RefusedRecording,
    WalkIn,
)
from trainings.attendance.reads import load_sessions
from trainings.attendance.rules import Answer, SessionTime
from trainings.attendance.wording import refusal
from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_instant
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import instant
from trainings.events.models import Event, EventSession, EventState

DOOR_KEPT_FOR = timedelta(days=30)
"""How long names from the door are kept after closing (`Retention.DOOR`)."""


_ANSWERS = {
    EventState.DRAFT: Answer.EVENT_DRAFT,
    EventState.CANCELLED: Answer.EVENT_CANCELLED,
}


def close_attendance(session: Session, actor: Actor, event_id: int, now: datetime) -> bool:
    """Close the attendance: nothing is recorded any more, times are deleted, papers are issued.

    What is not recorded stays so. Closing twice does nothing.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or somebody of the office.
        event_id: the event.
        now: the present instant.

    Returns:
        Whether it was open before.

    Raises:
        DomainError: `not_found`, also for a foreign event; or what `check_closing` refuses.

    """
    access = _lock(session, actor, event_id)
    if access.closed:
        return False
    check_closing(access.state, load_sessions(session, event_id), now)
    _add_step(session, actor, event_id, now, is_closed=True)
    _forget_times(session, event_id)
    issue_certificates(session, actor, event_id, now)
    return True


def reopen_attendance(
    session: Session, actor: Actor, event_id: int, reason: str, now: datetime
) -> None:
    """Open a closed attendance again, for corrections; the times of day do not come back.

    Args:
        session: the open transaction.
        actor: somebody of the office.
        event_id: the event.
        reason: in the office's words; it is kept.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for a trainer; `not_closed`; `reason_missing`.

    """
    access = _lock(session, actor, event_id)
    if not access.by_office:
        raise not_found()
    if not access.closed:
        raise DomainError(
            "not_closed", "Die Anwesenheit ist schon offen. Sie können gleich korrigieren."
        )
    if not reason:
        raise DomainError(
            "reason_missing", "Bitte nennen Sie einen Grund.", field="reason", status=422
        )
    _add_step(session, actor, event_id, now, is_closed=False, reason=reason)


def delete_door_names(session: Session, now: datetime) -> int:
    """Delete what people were called who came without a registration, 30 days after closing.

    Returns:
        How many rows were blanked.

    """
    last = (
        select(AttendanceClosing.at)
        .where(AttendanceClosing.event_id == Event.id)
        .order_by(AttendanceClosing.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    over = select(Event.id).where(closed_event(), last < now - DOOR_KEPT_FOR)
    blanked = 0
    for table in (WalkIn, RefusedRecording):
        named = or_(table.name != "", table.organisation != "")
        ids = list(session.scalars(select(table.id).where(table.event_id.in_(over), named)))
        _forget_times_of(session, table, table.id.in_(ids))
        session.execute(
            update(table)
            .where(table.id.in_(ids))
            .values(name="", organisation="")
            .execution_options(synchronize_session=False)
        )
        blanked += len(ids)
    return blanked


def check_closing(state: EventState, sessions: Sequence[SessionTime], now: datetime) -> None:
    """Refuse to close the attendance of an event whose last session has not begun.

    Args:
        state: of the event.
        sessions: of the event, in order of time.
        now: the present instant.

    Raises:
        DomainError: `event_draft`, `event_cancelled` or `too_early_to_close`.

    """
    if state in _ANSWERS:
        raise refusal(_ANSWERS[state])
    begins = berlin_instant(sessions[-1].day, sessions[-1].begins) if sessions else None
    if begins is None or now < begins:
        when = f"beginnt am {instant(begins)}" if begins else "ist noch nicht geplant"
        raise DomainError(
            "too_early_to_close",
            f"Der letzte Termin {when}. Abschließen lässt sich die Anwesenheit, sobald er begonnen "
            "hat.",
        )


def _lock(session: Session, actor: Actor, event_id: int) -> EventAccess:
    lock_decisions(session, [event_id])
    # Before the registrations, as a phone's queue does: their times are taken away below.
    for table in (RefusedRecording, WalkIn):
        session.execute(
            select(table.id)
            .where(table.event_id == event_id)
            .order_by(table.id)
            .with_for_update(key_share=True)
        )
    lock_certified(session, event_id)
    return event_access(session, actor, event_id)


def _add_step(
    session: Session,
    actor: Actor,
    event_id: int,
    now: datetime,
    *,
    is_closed: bool,
    reason: str = "",
) -> None:
    session.add(
        AttendanceClosing(
            event_id=event_id,
            at=now,
            actor_person_id=actor.person_id,
            is_closed=is_closed,
            reason=reason,
        )
    )
    action = "attendance_closed" if is_closed else "attendance_reopened"
    record(session, actor, action, session.get_one(Event, event_id), now)
    session.flush()


def _forget_times(session: Session, event_id: int) -> None:
    own = select(EventSession.id).where(EventSession.event_id == event_id)
    recorded = session.execute(
        select(
            AttendanceChange.id,
            AttendanceChange.at,
            AttendanceChange.key,
            AttendanceChange.received_at,
        ).where(AttendanceChange.session_id.in_(own))
    ).all()
    kept = days_in_order((row.id, row.at, row.key) for row in recorded)
    _write_times(
        session,
        AttendanceChange,
        [(row.id, kept[row.id], begin_of_day(row.received_at)) for row in recorded],
    )
    settled = or_(WalkIn.registration_id.is_not(None), WalkIn.dismissed_at.is_not(None))
    _forget_times_of(session, WalkIn, WalkIn.event_id == event_id, settled)
    _forget_times_of(
        session,
        RefusedRecording,
        RefusedRecording.event_id == event_id,
        RefusedRecording.settled_at.is_not(None),
    )


def _forget_times_of(
    session: Session, table: type[WalkIn] | type[RefusedRecording], *which: ColumnElement[bool]
) -> None:
    rows = session.execute(select(table.id, table.at, table.received_at).where(*which)).all()
    _write_times(
        session, table, [(row[0], begin_of_day(row[1]), begin_of_day(row[2])) for row in rows]
    )


def _write_times(session: Session, table: Any, rows: list[tuple[int, datetime, datetime]]) -> None:
    if rows:
        session.execute(
            update(table),
            [{"id": row_id, "at": at, "received_at": received} for row_id, at, received in rows],
        )
