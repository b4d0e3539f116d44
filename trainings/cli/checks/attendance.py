"""Invariants of the attendance: marks follow from recordings, people without a registration end."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.ledger import entry_of
from trainings.attendance.models import Attendance, WalkIn
from trainings.attendance.reads import load_all_changes
from trainings.attendance.rules import NOTHING, Change, Entry, fold
from trainings.registrations.models import Registration


def marks_equal_their_recordings(session: Session, _now: datetime) -> list[str]:
    """Every mark, minutes included, is what its recordings come to."""
    recordings: dict[tuple[int, int], list[Change]] = defaultdict(list)
    for change in load_all_changes(session):
        recordings[change.registration_id, change.session_id].append(change)
    stored: dict[tuple[int, int], Entry] = {
        (row.registration_id, row.session_id): entry_of(row)
        for row in session.scalars(select(Attendance))
    }
    return [
        f"Anmeldung {registration_id}: Die Anwesenheit am Termin {session_id} stimmt nicht mit dem "
        "überein, was erfasst wurde."
        for registration_id, session_id in sorted(recordings.keys() | stored.keys())
        if stored.get((registration_id, session_id), NOTHING)
        != fold(recordings[registration_id, session_id])[0]
    ]


def walk_ins_are_settled_once(session: Session, _now: datetime) -> list[str]:
    """Whoever came without a registration is completed at the same event, or dismissed."""
    rows = session.scalars(
        select(WalkIn.id)
        .outerjoin(Registration, WalkIn.registration_id == Registration.id)
        .where(
            or_(
                and_(WalkIn.registration_id.is_not(None), WalkIn.dismissed_at.is_not(None)),
                Registration.event_id != WalkIn.event_id,
            )
        )
        .order_by(WalkIn.id)
    )
    return [
        f"Erfassung {row} ohne Anmeldung ist zugleich verworfen, oder sie ist einer Anmeldung zu "
        "einer anderen Veranstaltung zugeordnet."
        for row in rows
    ]
