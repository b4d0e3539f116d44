"""Several people hand their places to one colleague at the same moment; some give theirs back."""

from __future__ import annotations

from collections import Counter
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw
from trainings.registrations.substitution import substitute

pytestmark = pytest.mark.both_databases
HOLDERS = 8
NEW = "neu@essen.example"
State = RegistrationState


def hand_over(actor: Actor, registration_id: int, email: str) -> State:
    with transaction() as session:
        new = substitute(
            session,
            actor,
            registration_id,
            given_name="Ayşe",
            family_name="Yılmaz",
            email=email,
            now=NOW,
        )
        return new.state


def give_back(actor: Actor, registration_id: int, _email: str) -> State:
    with transaction() as session:
        return withdraw(session, actor, registration_id, NOW).state


@pytest.fixture
def holders(app: Flask) -> list[tuple[Actor, int]]:
    """People with a place each, all of one organisation."""
    with transaction() as session:
        home = make_organisation(session, "Stadt Essen", domains=("essen.example",))
        event_id = make_event(session, capacity=HOLDERS).id
        make_person(session, home, email="bekannt@essen.example")
        actors = [actor_for(make_person(session, home)) for _ in range(HOLDERS)]
    found = []
    for actor in actors:
        with transaction() as session:
            found.append((actor, register(session, actor, event_id, now=NOW).id))
    return found


@pytest.mark.parametrize("email", [NEW, "bekannt@essen.example"])
def test_a_colleague_gets_one_place_and_everybody_else_keeps_theirs(
    app: Flask, holders: list[tuple[Actor, int]], email: str
) -> None:
    results = run_together(app, [partial(hand_over, *holder, email) for holder in holders])
    refusals = Counter(result.code for result in results if isinstance(result, DomainError))
    assert results.count(State.PLACED) == 1
    assert set(refusals) <= {"already_registered", "email_taken"}
    assert refusals.total() == HOLDERS - 1
    states = Counter(db.session.scalars(select(Registration.state)))
    assert states == {State.PLACED: HOLDERS, State.SUBSTITUTED: 1}
    assert db.session.scalar(select(func.count()).where(Person.email == email)) == 1


def test_a_place_is_handed_over_or_given_back_and_never_both(
    app: Flask, holders: list[tuple[Actor, int]]
) -> None:
    (actor, registration_id), *_ = holders
    ways = [hand_over, give_back] * 4
    results = run_together(
        app,
        [
            partial(way, actor, registration_id, f"n{number}@essen.example")
            for number, way in enumerate(ways)
        ],
    )
    done = [result for result in results if not isinstance(result, BaseException)]
    assert len(done) == 1
    codes = {result.code for result in results if isinstance(result, DomainError)}
    assert codes <= {"no_place_to_hand_over", "not_registered"}
    assert all(isinstance(result, (State, DomainError)) for result in results)
