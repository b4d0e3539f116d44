"""Many people at once for few places: threads that really commit, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import date, time
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from tests.concurrency.threads import run_together, without_immediate
from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventTrainer
from trainings.events.rules import SessionPlan
from trainings.registrations import event_move_operations, places
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
THREADS = 16
PLACED, WAITING = RegistrationState.PLACED, RegistrationState.WAITING


def make_people(count: int) -> list[Actor]:
    with transaction() as session:
        return [actor_for(make_person(session)) for _ in range(count)]


def make_events(count: int, capacity: int = 1) -> list[int]:
    with transaction() as session:
        return [make_event(session, capacity=capacity, minimum=0).id for _ in range(count)]


def take_place(actor: Actor, event_id: int) -> RegistrationState:
    with transaction() as session:
        return register(session, actor, event_id, now=NOW).state


def stored_states() -> Counter[RegistrationState]:
    db.session.remove()
    return Counter(db.session.scalars(select(Registration.state)))


def test_sixteen_people_for_the_last_place(app: Flask) -> None:
    people, (event_id,) = make_people(THREADS), make_events(1)
    results = run_together(app, [partial(take_place, actor, event_id) for actor in people])
    assert Counter(results) == {PLACED: 1, WAITING: THREADS - 1}
    assert stored_states() == {PLACED: 1, WAITING: THREADS - 1}


def test_ranks_on_the_list_are_given_once_each(app: Flask) -> None:
    people, (event_id,) = make_people(THREADS), make_events(1)
    run_together(app, [partial(take_place, actor, event_id) for actor in people])
    ranks = db.session.scalars(select(Registration.rank)).all()
    assert sorted(ranks) == list(range(1, THREADS + 1))


def test_one_person_in_two_overlapping_events(app: Flask) -> None:
    (person,), events = make_people(1), make_events(2)
    wanted = events * (THREADS // 2)
    results = run_together(app, [partial(take_place, person, event_id) for event_id in wanted])
    refusals = [result.code for result in results if isinstance(result, DomainError)]
    assert results.count(PLACED) == 1
    assert set(refusals) <= {"overlap", "already_registered"}
    assert len(refusals) == THREADS - 1
    assert stored_states() == {PLACED: 1}


def test_the_same_person_registers_many_times_at_once(app: Flask) -> None:
    (person,), (event_id,) = make_people(1), make_events(1)
    results = run_together(app, [partial(take_place, person, event_id)] * THREADS)
    codes = Counter(r.code for r in results if isinstance(r, DomainError))
    assert codes == {"already_registered": THREADS - 1}
    assert stored_states() == {PLACED: 1}


def test_places_given_back_together_serve_the_first_of_the_list(app: Flask) -> None:
    """Withdrawals of two overlapping events promote the same person once only."""
    first, second = make_events(2)
    holders, waiter, others = make_people(2), make_people(1)[0], make_people(2)
    for holder, event_id in zip(holders, (first, second), strict=True):
        take_place(holder, event_id)
    for event_id in (first, second):
        assert take_place(waiter, event_id) is WAITING
    for other, event_id in zip(others, (first, second), strict=True):
        take_place(other, event_id)

    def give_back(actor: Actor) -> None:
        with transaction() as session:
            row = session.scalars(
                select(Registration).where(Registration.person_id == actor.person_id)
            ).one()
            withdraw(session, actor, row.id, NOW)

    results = run_together(app, [partial(give_back, holder) for holder in holders])
    assert results == [None, None]
    db.session.remove()
    mine = db.session.scalars(
        select(Registration.state).where(Registration.person_id == waiter.person_id)
    ).all()
    assert Counter(mine) == {PLACED: 1, WAITING: 1}
    assert stored_states()[PLACED] == 2


def without_lock(monkeypatch: pytest.MonkeyPatch, together: int) -> Callable[[], None]:
    """Take the locks away, and let all see the free place before anybody takes it."""
    plain_places = places.load_places
    all_have_looked = threading.Barrier(together)

    def look_and_wait(*args: object) -> object:
        found = plain_places(*args)  # type: ignore[arg-type]
        all_have_looked.wait(60)
        return found

    monkeypatch.setattr(places, "load_places", look_and_wait)
    monkeypatch.setattr(places, "lock_persons", lambda *_: None)
    monkeypatch.setattr(
        places, "lock_pool", lambda session, event_id: session.get_one(places.Event, event_id)
    )
    return all_have_looked.abort


def test_without_the_lock_the_last_place_is_given_many_times(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: nothing else keeps the people apart."""
    people, (event_id,) = make_people(4), make_events(1)
    if backend == "sqlite":
        _show_the_race_on_sqlite(app, people, event_id)
        return
    without_lock(monkeypatch, len(people))
    results = run_together(app, [partial(take_place, actor, event_id) for actor in people])
    assert results == [PLACED] * len(people)
    assert stored_states() == {PLACED: len(people)}


def _show_the_race_on_sqlite(app: Flask, people: list[Actor], event_id: int) -> None:
    """Without IMMEDIATE, SQLite refuses whoever has read before somebody else wrote."""
    all_have_read = threading.Barrier(len(people))

    def read_then_register(actor: Actor) -> RegistrationState:
        with transaction() as session:
            session.execute(select(Registration.id)).all()
            all_have_read.wait(60)
            return register(session, actor, event_id, now=NOW).state

    with without_immediate():
        results = run_together(app, [partial(read_then_register, actor) for actor in people])
    failed = [result for result in results if isinstance(result, OperationalError)]
    assert len(failed) == len(people) - 1


@pytest.mark.postgresql_only
@pytest.mark.parametrize("newcomer", ["participant", "trainer"])
def test_moving_is_refused_if_somebody_joined_between_looking_and_locking(
    app: Flask, monkeypatch: pytest.MonkeyPatch, newcomer: str
) -> None:
    (person,), (event_id,) = make_people(1), make_events(1, capacity=12)
    lock = places.lock_people_and_rooms

    def join_event() -> None:
        with transaction() as session:
            if newcomer == "participant":
                register(session, person, event_id, now=NOW)
            else:
                session.add(EventTrainer(event_id=event_id, person_id=person.person_id))

    def let_somebody_in_first(*args: object, **kwargs: object) -> None:
        monkeypatch.setattr(places, "lock_people_and_rooms", lock)
        assert run_together(app, [join_event]) == [None]
        lock(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(places, "lock_people_and_rooms", let_somebody_in_first)
    plan = SessionPlan(date(2026, 5, 20), time(9), time(12))
    with pytest.raises(DomainError, match="changed_meanwhile"), transaction() as session:
        event_move_operations.move_event(
            session, SYSTEM, event_id, sessions=[plan], venue_id=None, room_id=None, now=NOW
        )
    assert db.session.get_one(Event, event_id).first_day == date(2026, 4, 16)
