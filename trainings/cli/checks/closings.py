"""Invariants of attendances that are closed."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.access import closed_event
from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.models import AttendanceChange
from trainings.events.models import Event, EventSession


def closed_attendance_keeps_no_times(session: Session, _now: datetime) -> list[str]:
    """Nothing is recorded after closing, and no time of day stays of what was recorded before."""
    rows = session.execute(
        select(Event.number, AttendanceChange.at, AttendanceChange.received_at)
        .join(EventSession, EventSession.event_id == Event.id)
        .join(AttendanceChange, AttendanceChange.session_id == EventSession.id)
        .where(closed_event())
    )
    found = {number for number, *times in rows if not all(map(is_day_only, times))}
    return [
        f"Die Anwesenheit von {number} ist abgeschlossen, aber es gibt noch Uhrzeiten dazu."
        for number in sorted(found)
    ]
