"""A trainer who is put into two events at the same time by many hands gets into one of them."""

from __future__ import annotations

import threading
from datetime import date
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.factories import make_event, make_person
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events import bookings
from trainings.events.models import Event, EventState, EventTrainer
from trainings.events.operations import next_event_number
from trainings.events.planning import set_trainers

pytestmark = pytest.mark.both_databases
DAY = date(2026, 4, 16)
THREADS = 16


@pytest.fixture
def trainer(app: Flask) -> int:
    with transaction() as session:
        return make_person(session, roles=(Role.TRAINER,)).id


def make_events(count: int) -> list[int]:
    with transaction() as session:
        return [
            make_event(session, first_day=DAY, days=1, state=EventState.DRAFT).id
            for _ in range(count)
        ]


def put(trainer: int, event_id: int) -> int:
    with transaction() as session:
        set_trainers(session, SYSTEM, event_id, [trainer], NOW)
    return event_id


def events_of(trainer: int) -> int:
    statement = select(func.count()).select_from(EventTrainer)
    return db.session.scalar(statement.where(EventTrainer.person_id == trainer)) or 0


def test_trainer_gets_into_one_of_many_events_at_the_same_time(app: Flask, trainer: int) -> None:
    events = make_events(THREADS)
    results = run_together(app, [partial(put, trainer, event_id) for event_id in events])
    winners = [result for result in results if isinstance(result, int)]
    refusals = [result.code for result in results if isinstance(result, DomainError)]
    assert len(winners) == 1
    assert refusals == ["trainer_booked"] * (THREADS - 1)
    assert events_of(trainer) == 1


def test_two_events_wanted_by_sixteen_hands(app: Flask, trainer: int) -> None:
    first, second = make_events(2)
    wanted = [first, second] * (THREADS // 2)
    results = run_together(app, [partial(put, trainer, event_id) for event_id in wanted])
    winners = {result for result in results if isinstance(result, int)}
    assert len(winners) == 1
    assert events_of(trainer) == 1
    assert {r.code for r in results if isinstance(r, DomainError)} == {"trainer_booked"}


def test_without_the_lock_both_events_get_the_trainer(
    app: Flask, trainer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: nothing else keeps the two apart."""
    first, second = make_events(2)
    monkeypatch.setattr(bookings, "lock_people_and_rooms", lambda *_, **__: None)
    both_have_looked = threading.Barrier(2)

    def check_then_wait(session: Session, event_id: int) -> int:
        event = session.get_one(Event, event_id)
        plans = [
            bookings.SessionPlan(row.day, row.begins, row.ends, row.label) for row in event.sessions
        ]
        bookings.check_bookings(
            session, event_id=event_id, trainer_ids=[trainer], room_id=None, sessions=plans
        )
        both_have_looked.wait(60)
        return event_id

    def put_without_lock(event_id: int) -> int:
        # On SQLite the lock is BEGIN IMMEDIATE; without it, looking and writing are two steps.
        if db.engine.dialect.name == "sqlite":
            check_then_wait(db.session(), event_id)
            with transaction() as session:
                session.add(EventTrainer(event_id=event_id, person_id=trainer))
        else:
            with transaction() as session:
                check_then_wait(session, event_id)
                session.add(EventTrainer(event_id=event_id, person_id=trainer))
        return event_id

    results = run_together(app, [partial(put_without_lock, event) for event in (first, second)])
    assert results == [first, second]
    assert events_of(trainer) == 2


def test_numbers_are_given_once_each(app: Flask) -> None:
    def take() -> str:
        with transaction() as session:
            return next_event_number(session, 2026)

    results = run_together(app, [take] * THREADS)
    assert sorted(map(str, results)) == [f"2026-{number:03d}" for number in range(1, THREADS + 1)]
