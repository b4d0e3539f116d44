"""Who is asked: those who attended, as several operations and pages load them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session

from trainings.attendance.models import Attendance, AttendanceMark
from trainings.attendance.reads import TAKES_PART
from trainings.registrations.models import Registration


def attended(event_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Return the condition that a registration of an event has at least one attended session."""
    return (
        (Registration.event_id == event_id)
        & TAKES_PART
        & exists().where(
            Attendance.registration_id == Registration.id,
            Attendance.mark == AttendanceMark.PRESENT,
        )
    )


def count_attended(session: Session, event_id: int) -> int:
    """Return how many people attended an event; one statement."""
    return (
        session.scalar(select(func.count()).select_from(Registration).where(attended(event_id)))
        or 0
    )
