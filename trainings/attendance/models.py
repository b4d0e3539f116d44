"""Tables of the attendance: what is recorded, what is not settled, what is certified."""

from __future__ import annotations

import secrets
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.retention import Retention, personal
from trainings.events.models import Event, EventSession
from trainings.registrations.models import Registration


class AttendanceMark(StrEnum):
    """What was recorded; no row at all means "not recorded"."""

    PRESENT = "present"
    ABSENT = "absent"
    EXCUSED = "excused"


class RecordingKind(StrEnum):
    """What a recording says; the rules fold these into one mark."""

    SET = "set"
    """Somebody chose this mark for this person, with minutes or without."""
    SEEN = "seen"
    """The ticket was read: present, unless that is recorded already."""
    FILL = "fill"
    """„Alle übrigen anwesend“: present, unless anything is recorded already."""
    UNDO = "undo"
    """Takes back one other recording."""
    WALK_IN = "walk_in"
    """Somebody came without a registration; only ever refused or kept as a `WalkIn`."""


class CertificateKind(StrEnum):
    """Which paper somebody gets."""

    CERTIFICATE = "certificate"
    STATEMENT = "statement"


class VoidReason(StrEnum):
    """Why a certificate is no longer valid."""

    CORRECTED = "corrected"
    """The attendance, or what the paper says, was corrected; another one may replace it."""
    WITHDRAWN = "withdrawn"
    """The office took it back."""


MARK_NAMES = {
    AttendanceMark.PRESENT: "da",
    AttendanceMark.ABSENT: "fehlt",
    AttendanceMark.EXCUSED: "entschuldigt",
}
CERTIFICATE_NAMES = {
    CertificateKind.CERTIFICATE: "Teilnahmebescheinigung",
    CertificateKind.STATEMENT: "Bescheinigung über die besuchten Stunden",
}


BATCH_BYTES = 8
KEY_LENGTH = 36
LONGEST_MINUTES = 24 * 60


def new_batch() -> str:
    """Return a random name for the changes that belong together."""
    return secrets.token_hex(BATCH_BYTES)


class Attendance(Base):
    """The attendance of one registration at one session: what its recordings come to."""

    __tablename__ = "attendances"
    __table_args__ = (
        UniqueConstraint("registration_id", "session_id"),
        CheckConstraint("late_minutes >= 0", name="late_minutes_not_negative"),
        CheckConstraint("early_minutes >= 0", name="early_minutes_not_negative"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    mark: Mapped[AttendanceMark] = mapped_column(choice(AttendanceMark))
    late_minutes: Mapped[int] = mapped_column(default=0)
    """How much later than the session's begin somebody came; only with `PRESENT`."""
    early_minutes: Mapped[int] = mapped_column(default=0)
    """How much before the session's end somebody left; only with `PRESENT`."""

    registration: Mapped[Registration] = relationship()
    session: Mapped[EventSession] = relationship()


class AttendanceChange(Base):
    """One recording or correction: what it says, the old value, who and when.

    It is the audit of the attendance, and the list that `rules.fold` turns into a mark: only ever
    added, ids and codes only. Closing an event takes the time of day out of it, not the order.
    """

    __tablename__ = "attendance_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    """Given by whoever records, so that a recording that arrives twice is known."""
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    kind: Mapped[RecordingKind] = mapped_column(choice(RecordingKind))
    at: Mapped[datetime]
    """When it was recorded, on a phone without a network before it arrived; orders the fold."""
    received_at: Mapped[datetime]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    old_mark: Mapped[AttendanceMark | None] = mapped_column(choice(AttendanceMark, "old_mark"))
    old_late_minutes: Mapped[int] = mapped_column(default=0)
    old_early_minutes: Mapped[int] = mapped_column(default=0)
    new_mark: Mapped[AttendanceMark | None] = mapped_column(choice(AttendanceMark, "new_mark"))
    """What the recording says; an undo: what it led back to."""
    new_late_minutes: Mapped[int] = mapped_column(default=0)
    new_early_minutes: Mapped[int] = mapped_column(default=0)
    batch: Mapped[str] = mapped_column(String(2 * BATCH_BYTES), default=new_batch)
    """Random; the same for all changes that one press of a button made."""
    undoes_key: Mapped[str | None] = mapped_column(String(KEY_LENGTH), unique=True)
    """The recording that this one took back; each can be taken back once."""


class RefusedRecording(Base):
    """A recording from a phone that could not be taken as it was: kept until the office settled it.

    Nothing is dropped silently: the trainer reads why, the office can take it over or dismiss it.
    """

    __tablename__ = "refused_recordings"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int | None] = mapped_column(ForeignKey("event_sessions.id"))
    kind: Mapped[RecordingKind] = mapped_column(choice(RecordingKind))
    mark: Mapped[AttendanceMark | None] = mapped_column(choice(AttendanceMark))
    late_minutes: Mapped[int] = mapped_column(default=0)
    early_minutes: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(160), default="", info=personal(Retention.DOOR))
    """Of somebody without a registration, as typed at the door."""
    organisation: Mapped[str] = mapped_column(
        String(160), default="", info=personal(Retention.DOOR)
    )
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    actor_person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[str] = mapped_column(String(48))
    """The code of an `Answer`."""
    settled_at: Mapped[datetime | None]
    settled_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))

    session: Mapped[EventSession | None] = relationship(backref="refused_recordings")
    """A half day that is dropped takes its reference with it: nothing here keeps it from going."""


class WalkIn(Base):
    """Somebody who came without a registration, until the office completes or dismisses it."""

    __tablename__ = "walk_ins"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    name: Mapped[str] = mapped_column(String(160), info=personal(Retention.DOOR))
    organisation: Mapped[str] = mapped_column(
        String(160), default="", info=personal(Retention.DOOR)
    )
    at: Mapped[datetime]
    received_at: Mapped[datetime]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), unique=True)
    """Set when the office has completed it."""
    dismissed_at: Mapped[datetime | None]

    event: Mapped[Event] = relationship()
    sessions: Mapped[list[WalkInSession]] = relationship(cascade="all, delete-orphan")


class WalkInSession(Base):
    """A session that somebody without a registration was present at."""

    __tablename__ = "walk_in_sessions"

    walk_in_id: Mapped[int] = mapped_column(ForeignKey("walk_ins.id"), primary_key=True)
    session_id: Mapped[int] = mapped_column(
        ForeignKey("event_sessions.id"), primary_key=True, index=True
    )


class AttendanceClosing(Base):
    """One step of closing or reopening an event's attendance; the last one counts."""

    __tablename__ = "attendance_closings"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    at: Mapped[datetime]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    is_closed: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(300), default="")
    """Why it was opened again, in the office's words."""


class MadeUpSession(Base):
    """A session made up at another event, by a decision of the office: it counts as attended."""

    __tablename__ = "made_up_sessions"
    __table_args__ = (UniqueConstraint("registration_id", "session_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    """The one that was missed."""
    made_up_at_id: Mapped[int] = mapped_column(ForeignKey("event_sessions.id"), index=True)
    """The one at another event that the person attended instead."""
    decided_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))


class Certificate(Base):
    """A paper that was issued, with what it says; a correction voids it and issues another."""

    __tablename__ = "certificates"
    __table_args__ = (
        UniqueConstraint("event_id", "running"),
        CheckConstraint("attended_minutes >= 0", name="attended_minutes_not_negative"),
        Index(None, "registration_id", "voided_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"))
    running: Mapped[int]
    """Number within the event, given under a lock; it is never given again."""
    number: Mapped[str] = mapped_column(String(32), unique=True)
    """„SIKO-2026-014-007“."""
    code: Mapped[str] = mapped_column(String(32), unique=True)
    """Random; whoever holds the paper can verify it with this."""
    kind: Mapped[CertificateKind] = mapped_column(choice(CertificateKind))
    content: Mapped[dict[str, Any] | None] = mapped_column(
        JSON(none_as_null=True), info=personal(Retention.CERTIFICATE)
    )
    """What the paper says, as it was; None: no longer stored."""
    attended_minutes: Mapped[int]
    planned_minutes: Mapped[int]
    issued_at: Mapped[datetime]
    issued_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[str] = mapped_column(String(300), default="")
    """Why the office issued it below the share."""
    voided_at: Mapped[datetime | None]
    void_reason: Mapped[VoidReason | None] = mapped_column(choice(VoidReason))
    void_note: Mapped[str] = mapped_column(
        String(300), default="", info=personal(Retention.CERTIFICATE)
    )
    """Why the office took it back, in its words; the person reads it as well."""
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("certificates.id"))

    event: Mapped[Event] = relationship()
    registration: Mapped[Registration] = relationship()
    replaced_by: Mapped[Certificate | None] = relationship(remote_side="Certificate.id")


class DoorReminder(Base):
    """The mail to a trainer on the day before, with the page that works without a network."""

    __tablename__ = "door_reminders"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    sent_at: Mapped[datetime]


class ClosingReminder(Base):
    """The mail to a trainer some days after an event whose attendance is not closed yet."""

    __tablename__ = "closing_reminders"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    sent_at: Mapped[datetime]
