"""How much of one person waits for the office at an event: nobody can fill its tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.door.sync_rules import Recording
from trainings.attendance.models import RecordingKind, RefusedRecording, WalkIn
from trainings.attendance.rules import REPEATED_WITHIN
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day

MOST_OPEN_REFUSALS = 500
MOST_NOTES = 500
"""People without a registration about whom the office has not decided, taken back or not."""
COMPLETED, DISMISSED = "walk_in_completed", "walk_in_dismissed"
"""What the audit calls the office's decisions; taking back at the door is none."""
TOO_MANY_NOTES = (
    "Sie haben zu dieser Veranstaltung schon zu viele Personen ohne Anmeldung erfasst oder "
    "zurückgenommen. Gespeichert ist nichts: Bitte wenden Sie sich an die Geschäftsstelle."
)


def count_notes(session: Session, event_id: int, person_id: int | None) -> int:
    """Return how many people without a registration somebody noted whom the office has not settled.

    The caller has locked the person, so that two requests at once do not both take the last one.
    """
    settled = select(AuditEntry.id).where(
        AuditEntry.subject_type == WalkIn.__tablename__,
        AuditEntry.subject_id == WalkIn.id,
        AuditEntry.action.in_((COMPLETED, DISMISSED)),
    )
    notes = select(func.count(WalkIn.id)).where(
        WalkIn.event_id == event_id,
        WalkIn.actor_person_id == person_id,
        WalkIn.registration_id.is_(None),
        ~settled.exists(),
    )
    return session.scalar(notes) or 0


class Refusals:
    """What somebody's phone was refused at an event, with what this request adds."""

    def __init__(
        self,
        known: Iterable[RefusedRecording],
        event_id: int,
        sender_id: int,
        session_ids: Collection[int],
    ) -> None:
        """Choose what is the sender's at this event.

        Args:
            known: what was refused before, of others and at other events too.
            event_id: the event.
            sender_id: whose phone.
            session_ids: the half days of the event.

        """
        self._sender_id, self._session_ids = sender_id, session_ids
        self._known = [
            row for row in known if row.event_id == event_id and row.actor_person_id == sender_id
        ]
        self.new: list[RefusedRecording] = []

    @property
    def full(self) -> bool:
        """Whether no more is kept; what the sender took back counts, too."""
        left = [row for row in self._known if row.settled_by_id in (None, self._sender_id)]
        return len(left) >= MOST_OPEN_REFUSALS

    def add(self, row: RefusedRecording) -> None:
        """Keep another one."""
        self.new.append(row)
        self._known.append(row)

    def open_scan(
        self, recording: Recording, registration_id: int | None
    ) -> RefusedRecording | None:
        """Return the same scan if it waits for the office: one line for it is enough."""
        for row in self._known:
            if row.settled_at is None and self._is_same_scan(recording, registration_id, row):
                return row
        return None

    def settled_scan(
        self, recording: Recording, registration_id: int | None
    ) -> RefusedRecording | None:
        """Return the refusal of the same scan that is settled already.

        What was decided about one of them was decided about both; a scan that was made after the
        decision is a new one.
        """
        if recording.kind is not RecordingKind.SEEN:
            return None
        for row in self._known:
            if row.settled_at is None or recording.at > row.settled_at:
                continue
            if self._is_same_scan(recording, registration_id, row):
                return row
        return None

    def _is_same_scan(
        self, recording: Recording, registration_id: int | None, row: RefusedRecording
    ) -> bool:
        """Say whether a code was held before the camera once more."""
        if is_day_only(row.at) and is_day_only(row.received_at):
            # Closing left no more of it.
            near = berlin_day(row.at) == berlin_day(recording.at)
        else:
            near = abs(row.at - recording.at) <= REPEATED_WITHIN
        session_id = recording.session_id if recording.session_id in self._session_ids else None
        return (
            near
            and recording.kind is row.kind is RecordingKind.SEEN
            and registration_id == row.registration_id
            and session_id == row.session_id
        )
