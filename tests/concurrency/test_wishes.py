"""Dates of one wish that become free together: one place, whoever is quicker, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together, without_immediate
from tests.conftest import NOW
from tests.factories import actor_for, make_person
from tests.registrations.demand import Course, mails_to, open_wishes, registration_id, states_of
from trainings.cli.checks.registrations import histories_lead_to_the_states
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.details import Policy
from trainings.registrations import places
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.offer_operations import accept_offer
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
State = RegistrationState
PLACED, WAITING, WITHDRAWN = State.PLACED, State.WAITING, State.WITHDRAWN


def accept(course: Course, number: int) -> None:
    mine = registration_id(course.actor, course.events[number])
    with transaction() as session:
        accept_offer(session, course.actor, mine, NOW)


def both_offered() -> Course:
    """Two offers that came before the person said that one of the dates will do."""
    course = Course(policy=Policy(offer_days=2))
    for number in range(2):
        with transaction() as session:
            register(session, course.actor, course.events[number], now=NOW)
        course.give_back(number)
    course.wish(0, 1)
    return course


def test_two_dates_become_free_at_the_same_time(app: Flask) -> None:
    course = Course()
    course.wish(0, 1, 2)
    results = run_together(app, [partial(course.give_back, number) for number in range(3)])
    assert results == [None, None, None]
    assert Counter(course.states()) == {PLACED: 1, WITHDRAWN: 2}
    assert open_wishes(course.actor.person_id) == []


def test_two_offers_are_accepted_at_the_same_time(app: Flask) -> None:
    course = both_offered()
    results = run_together(app, [partial(accept, course, number) for number in range(2)])
    assert sorted(getattr(result, "code", "") for result in results) == ["", "placed_elsewhere"]
    assert Counter(course.states()) == {PLACED: 1, WITHDRAWN: 1}


def test_many_wish_for_the_same_dates_at_the_same_time(app: Flask) -> None:
    """Each locks all dates: nobody waits for somebody who waits for them."""
    course = Course(full=0)
    with transaction() as session:
        people = [actor_for(make_person(session)) for _ in range(8)]
    results = run_together(
        app,
        [
            partial(course.wish, *((0, 1, 2) if number % 2 else (2, 1, 0)), actor=actor)
            for number, actor in enumerate(people)
        ],
    )
    assert [result for result in results if isinstance(result, BaseException)] == []
    found = Counter(tuple(sorted(states_of(actor.person_id))) for actor in people)
    assert found == {(PLACED,): 3, (WAITING,) * 3: 5}


def test_the_same_person_wishes_and_registers_at_the_same_time(app: Flask) -> None:
    course = Course(full=0)

    def register_for_the_last() -> None:
        with transaction() as session:
            register(session, course.actor, course.events[2], now=NOW)

    results = run_together(app, [partial(course.wish, 0, 1), register_for_the_last])
    refused = [result.code for result in results if isinstance(result, DomainError)]
    # Whoever registers by hand for a further date may have both; a wish never adds one.
    assert refused in ([], ["already_placed"])
    assert course.states().count(PLACED) == 2 - len(refused)


def test_without_the_lock_on_the_person_one_wish_is_promised_two_places(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: nothing else keeps the two dates apart."""
    course = Course()
    course.wish(0, 1)
    if backend == "sqlite":
        _show_the_race_on_sqlite(app, course)
        return
    both_have_looked = threading.Barrier(2)
    look = places.wish_and_others

    def look_and_wait(session: Session, registration: Registration) -> object:
        found = look(session, registration)
        both_have_looked.wait(60)
        return found

    monkeypatch.setattr(places, "wish_and_others", look_and_wait)
    monkeypatch.setattr(places, "lock_persons", lambda *_: None)
    results = run_together(app, [partial(course.give_back, number) for number in range(2)])
    assert results == [None, None]
    kinds = [kind for kind, _ in mails_to(course.actor.person_id)]
    assert kinds.count("registration_promoted") == 2
    assert histories_lead_to_the_states(db.session(), NOW) != []


def _show_the_race_on_sqlite(app: Flask, course: Course) -> None:
    """Without IMMEDIATE, SQLite refuses whoever has read before somebody else wrote."""
    both_have_read = threading.Barrier(2)

    def read_then_give_back(number: int) -> None:
        holder = course.holders[number]
        mine = registration_id(holder, course.events[number])
        with transaction() as session:
            session.execute(select(Registration.id)).all()
            both_have_read.wait(60)
            withdraw(session, holder, mine, NOW)

    with without_immediate():
        results = run_together(app, [partial(read_then_give_back, number) for number in range(2)])
    assert sum(isinstance(result, OperationalError) for result in results) == 1
