from __future__ import annotations

from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest
from flask import Flask

from tests.factories import make_event, make_person, make_venue
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.bookings import check_bookings
from trainings.events.models import EventState, EventTrainer
from trainings.events.rules import SessionPlan

pytestmark = pytest.mark.both_databases
DAY = date(2026, 4, 16)
MORNING = SessionPlan(DAY, time(9), time(12, 15))


@pytest.fixture
def booked(app: Flask) -> dict[str, int]:
    """One published event with trainer and room on 16.04.2026, 9:00–12:15 and 13:15–16:30."""
    with transaction() as session:
        venue = make_venue(session)
        person = make_person(
            session, given_name="Jördis", family_name="Kałuża", roles=(Role.TRAINER,)
        )
        event = make_event(session, first_day=DAY, days=1, venue=venue)
        event.number = "2026-006"
        event.trainers.append(EventTrainer(person_id=person.id))
        session.flush()
        return {"event": event.id, "person": person.id, "room": venue.rooms[0].id}


def check(**named: Any) -> None:
    wanted = {"event_id": None, "trainer_ids": [], "room_id": None, "sessions": [MORNING]}
    with transaction() as session:
        check_bookings(session, **{**wanted, **named})


def test_room_booked_twice_names_day_and_other_event(booked: dict[str, int]) -> None:
    with pytest.raises(DomainError, match="room_booked") as refusal:
        check(room_id=booked["room"])
    assert (
        refusal.value.sentence
        == "Raum 304 ist am Do.,\u00a016.04.2026 schon belegt durch 2026-006."
    )


def test_trainer_booked_twice_names_person_day_and_other_event(booked: dict[str, int]) -> None:
    with pytest.raises(DomainError, match="trainer_booked") as refusal:
        check(trainer_ids=[booked["person"]])
    assert refusal.value.sentence.startswith("Jördis Kałuża ist am Do.,\u00a016.04.2026")


def test_event_does_not_conflict_with_itself(booked: dict[str, int]) -> None:
    check(event_id=booked["event"], room_id=booked["room"], trainer_ids=[booked["person"]])


@pytest.mark.parametrize(
    "plan",
    [
        replace(MORNING, day=date(2026, 4, 17)),
        SessionPlan(DAY, time(12, 15), time(13, 15)),
        SessionPlan(DAY, time(7), time(9)),
        SessionPlan(DAY, time(16, 30), time(18)),
    ],
)
def test_other_day_and_touching_times_are_free(booked: dict[str, int], plan: SessionPlan) -> None:
    check(room_id=booked["room"], trainer_ids=[booked["person"]], sessions=[plan])


@pytest.mark.parametrize(
    ("state", "free"),
    [
        (EventState.DRAFT, False),
        (EventState.PUBLISHED, False),
        (EventState.HELD, True),
        (EventState.CANCELLED, True),
    ],
)
def test_drafts_and_published_events_occupy_held_and_cancelled_ones_do_not(
    app: Flask, state: EventState, free: bool
) -> None:
    with transaction() as session:
        venue = make_venue(session)
        make_event(session, first_day=DAY, days=1, venue=venue, state=state)
        room = venue.rooms[0].id
    if free:
        check(room_id=room)
    else:
        with pytest.raises(DomainError, match="room_booked"):
            check(room_id=room)
