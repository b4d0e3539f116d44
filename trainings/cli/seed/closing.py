"""Closes the attendance of what lies in the past, as trainers do some days later."""

from __future__ import annotations

from datetime import time, timedelta

from sqlalchemy import delete, select

from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.rules import TRAINERS_CORRECT_FOR
from trainings.cli.seed.files import Loading
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, berlin_instant
from trainings.core.outbox import OutgoingMail
from trainings.events.models import Event, EventState

DAYS_AFTER = timedelta(days=3)


def close_history(loading: Loading) -> None:
    """Close every event that was held so long ago that its trainers no longer correct it.

    Its certificates are issued with that. Their mails are taken out again: nobody in the
    demonstration waits for hundreds of letters from years ago.
    """
    session = loading.session
    before = berlin_day(loading.now) - TRAINERS_CORRECT_FOR
    held = session.scalars(
        select(Event)
        .where(Event.state == EventState.HELD, Event.last_day < before)
        .order_by(Event.last_day, Event.id)
    )
    coordinator = Actor(person_id=loading.coordinator.id, is_system=True)
    for event in list(held):
        closed_at = berlin_instant(event.last_day + DAYS_AFTER, time(9))
        close_attendance(session, coordinator, event.id, closed_at)
    session.execute(delete(OutgoingMail))
