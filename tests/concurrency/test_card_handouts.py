"""Two hands that give the same person a card, make the same box, or take the last cards."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask

from tests.concurrency.threads import run_together
from tests.factories import actor_for
from tests.inventory.factories import new_key
from tests.inventory.handouts.factories import (
    AT,
    BEFORE,
    Course,
    add_trainer,
    in_box,
    make_course,
    moved,
)
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.inventory.handouts.operations import take_along
from trainings.inventory.handouts.tap_operations import give_to, take_back_from

pytestmark = pytest.mark.both_databases


def take(course: Course, actor: Actor, quantity: int) -> int:
    with transaction() as session:
        return take_along(
            session, actor, course.event, {course.card: quantity},
            store_id=course.store, trainer_id=actor.person_id or 0, key=new_key(), now=BEFORE,
        )  # fmt: skip


def give(actor: Actor, person: int) -> int:
    with transaction() as session:
        return give_to(session, actor, person, AT)


def take_back(actor: Actor, person: int) -> int:
    with transaction() as session:
        return take_back_from(session, actor, person, AT)


@pytest.mark.parametrize("boxes", [1, 2])
def test_two_trainers_who_tap_the_same_person_hand_out_one_card(app: Flask, boxes: int) -> None:
    with transaction() as session:
        course = make_course(session)
        trainers = [course.trainer_actor, actor_for(add_trainer(session, course))]
    for actor in trainers[:boxes]:
        take(course, actor, 10)
    for person in course.people:
        results = run_together(app, [partial(give, actor, person) for actor in trainers] * 3)
        assert sorted(map(str, results)) == ["0"] * 5 + ["1"]
    given = [row for row in moved(db.session(), course) if row.registration_id]
    assert [row.registration_id for row in given] == course.people
    results = run_together(app, [partial(take_back, actor, person) for actor in trainers] * 3)
    assert sorted(map(str, results)) == ["0"] * 5 + ["1"]


def test_a_box_that_is_needed_by_many_at_once_is_made_once(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
    results = run_together(app, [partial(take, course, course.trainer_actor, 5)] * 6)
    assert results == [5] * 6
    assert in_box(db.session(), course) == [30, 0]


def test_the_last_card_of_a_box_goes_to_one_person(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
    take(course, course.trainer_actor, 1)
    results = run_together(
        app, [partial(give, course.trainer_actor, person) for person in course.people]
    )
    late = [found.code for found in results if isinstance(found, DomainError)]
    assert (results.count(1), late) == (1, ["not_enough"] * 2)
    assert in_box(db.session(), course) == [0, 0]
