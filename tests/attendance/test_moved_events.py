"""Events that lose half days after something was recorded for them."""

from __future__ import annotations

from datetime import datetime, time

import pytest
from flask import Flask

from tests.attendance.door.test_sync_operations import Door, make_door
from tests.attendance.factories import THURSDAY
from tests.attendance.phone import recording
from tests.factories import berlin
from trainings.attendance.models import WalkIn
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event
from trainings.events.rules import SessionPlan
from trainings.registrations.event_move_operations import move_event

pytestmark = pytest.mark.both_databases

EARLY = berlin(THURSDAY, 8)
"""On the first day, before it begins: attendance is recorded already, and it can be moved yet."""


@pytest.fixture
def door(app: Flask) -> Door:
    return make_door()


def shorten(door: Door, now: datetime) -> None:
    """Keep the first half day alone."""
    with transaction() as session:
        event = session.get_one(Event, door.event_id)
        move_event(
            session, SYSTEM, door.event_id,
            sessions=[SessionPlan(THURSDAY, time(9), time(12), "Vormittag")],
            venue_id=event.venue_id, room_id=event.room_id, now=now,
        )  # fmt: skip


def session_count(door: Door) -> int:
    db.session.rollback()
    return len(db.session.get_one(Event, door.event_id, populate_existing=True).sessions)


def test_a_half_day_with_refused_recordings_alone_can_be_dropped(door: Door) -> None:
    friday = {"session": door.sessions[2]}
    assert door.sync(door.seen(at=EARLY, **friday), now=EARLY) == ["too_early"]
    shorten(door, EARLY)
    assert session_count(door) == 1
    assert [(row.session_id, row.reason) for row in door.refused()] == [(None, "too_early")]


@pytest.mark.parametrize("kind", ["seen", "walk_in"])
def test_a_half_day_with_recordings_stays(door: Door, kind: str) -> None:
    afternoon = {"session": door.sessions[1]}
    guest = recording("walk_in", door.sessions[1], EARLY, name="Gast", organisation="")
    sent = guest if kind == "walk_in" else door.seen(at=EARLY, **afternoon)
    door.sync(sent, now=EARLY)
    with pytest.raises(DomainError) as caught:
        shorten(door, EARLY)
    assert (caught.value.code, caught.value.field) == ("session_in_use", "sessions")
    assert session_count(door) == 4
    assert db.session.query(WalkIn).count() == (kind == "walk_in")
