"""Tables of the attendance."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.events.models import EventSession
from trainings.registrations.models import Registration


class AttendanceMark(StrEnum):
    """What was recorded; no row at all means "not recorded"."""

    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"


MARK_NAMES = {
    AttendanceMark.PRESENT: "da",
    AttendanceMark.ABSENT: "fehlt",
    AttendanceMark.EXCUSED: "entschuldigt",
}


BATCH_BYTES = 8


def new_batch() -> str:
    """Return a random name for the changes that belong together."""
    return secrets.token_hex(BATCH_BYTES)


class Attendance(Base):
    """The attendance of one registration at one session."""

    __tablename__ = "attendances"
    __table_args__ = (UniqueConstraint("registration_id", "session_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    mark: Mapped[AttendanceMark] = mapped_column(choice(AttendanceMark))

    registration: Mapped[Registration] = relationship()
    session: Mapped[EventSession] = relationship()


class AttendanceChange(Base):
    """One recording or correction: the old and the new mark, who and when.

    It is the audit of the attendance: only ever added, ids and codes only.
    """

    __tablename__ = "attendance_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    at: Mapped[datetime]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    old_mark: Mapped[AttendanceMark | None] = mapped_column(choice(AttendanceMark, "old_mark"))
    new_mark: Mapped[AttendanceMark | None] = mapped_column(choice(AttendanceMark, "new_mark"))
    batch: Mapped[str] = mapped_column(String(2 * BATCH_BYTES), default=new_batch)
    """Random; the same for all changes that one press of a button made."""
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("attendance_changes.id"), unique=True)
    """The change that this one took back; each can be taken back once."""
