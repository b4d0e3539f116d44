"""Answers to offers that meet each other, time, and changes: threads that really commit."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
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
from trainings.events.details import Policy
from trainings.office import sweeps
from trainings.registrations import offer_operations, places
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.offer_operations import accept_offer, decline_offer
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
State = RegistrationState
WAITERS = 6


class Course:
    """One place, given back and offered to the first of those who wait."""

    def __init__(self) -> None:
        with transaction() as session:
            self.event_id = make_event(
                session, capacity=1, minimum=0, policy=Policy(offer_days=2)
            ).id
            self.actors = [actor_for(make_person(session)) for _ in range(1 + WAITERS)]
        for actor in self.actors:
            with transaction() as session:
                register(session, actor, self.event_id, now=NOW)
        with transaction() as session:
            withdraw(session, self.actors[0], self.registration(0).id, NOW)
        self.offered = self.registration(1).id
        until = self.registration(1).offer_until
        assert until is not None
        self.until = until
        db.session.remove()

    def registration(self, who: int) -> Registration:
        return db.session.scalars(
            select(Registration).where(Registration.person_id == self.actors[who].person_id)
        ).one()

    def answer(self, operation: Callable[..., object]) -> None:
        with transaction() as session:
            operation(session, self.actors[1], self.offered, self.until - timedelta(seconds=1))

    def states(self) -> list[State]:
        db.session.remove()
        return [self.registration(who).state for who in range(1 + WAITERS)]

    def seated(self) -> int:
        return Counter(state in (State.PLACED, State.OFFERED) for state in self.states())[True]


def refusals(results: list[object]) -> list[str]:
    return [result.code for result in results if isinstance(result, DomainError)]


def test_one_offer_is_accepted_once(app: Flask) -> None:
    course = Course()
    results = run_together(app, [partial(course.answer, accept_offer)] * 8)
    assert refusals(results) == ["accepted_before"] * 7
    assert course.states()[1] is State.PLACED
    assert course.seated() == 1


def test_accepting_and_declining_together(app: Flask) -> None:
    course = Course()
    both = [partial(course.answer, accept_offer), partial(course.answer, decline_offer)]
    results = run_together(app, both * 4)
    assert len(refusals(results)) == 7
    assert course.states()[1] in (State.PLACED, State.WITHDRAWN)
    assert course.seated() == 1


def test_an_offer_runs_out_while_it_is_accepted(app: Flask) -> None:
    """The place has one owner: who accepted in time, or who was offered it next."""
    course = Course()
    sweep = partial(sweeps.expire_offers, course.until)
    results = run_together(app, [partial(course.answer, accept_offer), sweep, sweep])
    accepted = results[0] is None
    assert course.states()[1] is (State.PLACED if accepted else State.WAITING)
    assert course.states()[2] is (State.WAITING if accepted else State.OFFERED)
    assert course.seated() == 1


def test_more_places_during_a_rush(app: Flask) -> None:
    """Nobody who comes now overtakes those who wait, and no place is given twice."""
    course = Course()
    with transaction() as session:
        newcomers = [actor_for(make_person(session)) for _ in range(6)]

    def come(actor: Actor) -> None:
        with transaction() as session:
            register(session, actor, course.event_id, now=NOW)

    def enlarge() -> None:
        with transaction() as session:
            change_capacity(
                session, SYSTEM, course.event_id, capacity=4, organisation_limit=None, now=NOW
            )

    results = run_together(app, [enlarge, *(partial(come, actor) for actor in newcomers)])
    assert results == [None] * 7
    assert course.states()[1:] == [State.OFFERED] * 4 + [State.WAITING] * 2
    everybody = Counter(db.session.scalars(select(Registration.state)))
    assert everybody[State.OFFERED] + everybody[State.PLACED] == 4


def test_without_the_lock_an_offer_is_accepted_and_passed_on(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: accepted by one, and offered to the next as well."""
    course = Course()
    if backend == "sqlite":
        _show_the_race_on_sqlite(app, course)
        return
    both_have_looked = threading.Barrier(2)

    def after_both(look: Callable[..., object]) -> Callable[..., object]:
        first = iter([True])

        def look_and_wait(*args: object) -> object:
            if next(first, False):
                both_have_looked.wait(60)
            return look(*args)

        return look_and_wait

    for name in ("begins_at", "last_rank"):
        plain = getattr(offer_operations, name)
        monkeypatch.setattr(offer_operations, name, after_both(plain))
    monkeypatch.setattr(places, "lock_persons", lambda *_: None)
    monkeypatch.setattr(
        places, "lock_pool", lambda session, event_id: session.get_one(places.Event, event_id)
    )
    sweep = partial(sweeps.expire_offers, course.until)
    results = run_together(app, [partial(course.answer, accept_offer), sweep])
    assert results == [None, 1]
    assert course.states()[2] is State.OFFERED
    told = {change.to_state for change in course.registration(1).history[-2:]}
    assert told == {State.PLACED, State.WAITING}


def _show_the_race_on_sqlite(app: Flask, course: Course) -> None:
    """Without IMMEDIATE, SQLite refuses whoever has read before somebody else wrote."""
    both_have_read = threading.Barrier(2)

    def read_then_accept() -> None:
        with transaction() as session:
            session.execute(select(Registration.id)).all()
            both_have_read.wait(60)
            accept_offer(session, course.actors[1], course.offered, NOW)

    with without_immediate():
        results = run_together(app, [read_then_accept] * 2)
    assert Counter(map(type, results)) == {type(None): 1, OperationalError: 1}
