"""What the office has made of the recordings that somebody's phone was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from trainings.attendance.door.limits import MOST_OPEN_REFUSALS
from trainings.attendance.door.refused_operations import DISMISSED, TAKEN_OVER
from trainings.attendance.models import RefusedRecording
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day

_OUTCOMES = {TAKEN_OVER: "taken_over", DISMISSED: "dismissed"}


@dataclass(frozen=True)
class Settled:
    """A refused recording that the office has settled; it says nothing about anybody.

    Attributes:
        key: of the recording.
        outcome: `taken_over` or `dismissed`.
        day: when.

    """

    key: str
    outcome: str
    day: date


def settled_refusals(session: Session, event_id: int, person_id: int | None) -> tuple[Settled, ...]:
    """Return what the office has settled of somebody's recordings at an event; one statement.

    What was taken back at the door is not among them: nobody of the office decided that. A phone
    keeps what was refused until a day after the event, so the latest are enough.

    Args:
        session: for reading.
        event_id: the event.
        person_id: whose phone.

    """
    rows = session.execute(
        select(RefusedRecording.key, AuditEntry.action, AuditEntry.at)
        .join(
            AuditEntry,
            and_(
                AuditEntry.subject_type == RefusedRecording.__tablename__,
                AuditEntry.subject_id == RefusedRecording.id,
                AuditEntry.action.in_(_OUTCOMES),
            ),
        )
        .where(
            RefusedRecording.event_id == event_id,
            RefusedRecording.actor_person_id == person_id,
        )
        .order_by(AuditEntry.id.desc())
        .limit(MOST_OPEN_REFUSALS)
    )
    return tuple(Settled(key, _OUTCOMES[action], berlin_day(at)) for key, action, at in rows)
