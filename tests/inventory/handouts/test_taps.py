"""One card for one person at a tap, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.attendance.factories import make_registration
from tests.factories import actor_for
from tests.inventory.factories import fill, make_card, new_key
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
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventState
from trainings.inventory.handouts.operations import plan_cards, take_along
from trainings.inventory.handouts.tap_operations import give_to, take_back_from, tap
from trainings.inventory.models import Edition, PlaceKind, Store
from trainings.registrations.models import Registration, RegistrationState

pytestmark = pytest.mark.both_databases


def take(session: Session, course: Course, quantity: int, actor: Actor | None = None) -> None:
    actor = actor or course.trainer_actor
    take_along(
        session, actor, course.event, {course.card: quantity},
        store_id=course.store, trainer_id=actor.person_id or 0, key=new_key(), now=BEFORE,
    )  # fmt: skip


def refused(session: Session, actor: Actor, registration_id: int) -> str:
    with pytest.raises(DomainError) as refusal:
        give_to(session, actor, registration_id, AT)
    return refusal.value.code


def test_a_tap_hands_out_one_card_and_a_second_one_nothing(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        assert [give_to(session, course.trainer_actor, course.people[0], AT) for _ in "ab"] == [
            1,
            0,
        ]
        last = moved(session, course)[-1]
        assert (last.target, last.quantity) == (PlaceKind.EVENT, 1)
        assert last.registration_id == course.people[0]
        assert in_box(session, course) == [4, 0]


def test_undo_is_a_reversal_and_the_card_can_be_given_again(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        person, actor = course.people[0], course.trainer_actor
        for _ in range(2):
            assert give_to(session, actor, person, AT) == 1
            assert [take_back_from(session, actor, person, AT) for _ in "ab"] == [1, 0]
        assert in_box(session, course) == [5, 0]
        given = [row for row in moved(session, course) if row.registration_id]
        assert [row.reverses_id for row in given] == [None, given[0].id, None, given[2].id]


def test_every_planned_card_is_given_or_a_chosen_one(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        sibling = make_card(session, "Schwesterkarte")
        fill(session, session.get_one(Store, course.store), sibling.editions[0], 10)
        plan_cards(
            session, course.office_actor, course.event, {course.card: 5, sibling.id: 5}, BEFORE
        )
        take_along(
            session, course.trainer_actor, course.event, {course.card: 5, sibling.id: 5},
            store_id=course.store, trainer_id=course.trainer, key=new_key(), now=BEFORE,
        )  # fmt: skip
        first, second, _ = course.people
        actor = course.trainer_actor
        assert give_to(session, actor, first, AT) == 2
        assert give_to(session, actor, second, AT, card_type_id=sibling.id) == 1
        assert give_to(session, actor, second, AT) == 1
        assert take_back_from(session, actor, first, AT, card_type_id=sibling.id) == 1
        assert give_to(session, actor, first, AT, card_type_id=course.card) == 0


def test_the_own_box_is_used_first_then_that_of_another_trainer(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        second = add_trainer(session, course)
        take(session, course, 5)
        take(session, course, 1, actor_for(second))
        for person in course.people[:2]:
            give_to(session, actor_for(second), person, AT)
        assert (in_box(session, course), in_box(session, course, second.id)) == ([4, 0], [0, 0])


def test_another_trainer_may_take_a_tap_back(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 1)
        give_to(session, course.trainer_actor, course.people[0], AT)
        colleague = actor_for(add_trainer(session, course))
        assert take_back_from(session, colleague, course.people[0], AT) == 1
        assert in_box(session, course) == [1, 0]


def test_the_office_gives_from_its_store_where_nobody_has_a_box(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        plan_cards(session, course.office_actor, course.event, {course.card: 5}, BEFORE)
        assert refused(session, course.trainer_actor, course.people[0]) == "no_box"
        assert give_to(session, course.office_actor, course.people[0], AT) == 1
        assert moved(session, course)[0].source_store_id == course.store


def test_an_empty_box_is_refused_with_a_sentence(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        assert refused(session, course.trainer_actor, course.people[0]) == "no_cards"
        take(session, course, 1)
        give_to(session, course.trainer_actor, course.people[0], AT)
        with pytest.raises(DomainError) as refusal:
            give_to(session, course.trainer_actor, course.people[1], AT)
        assert "In „Box Jördis Kałuża“ ist keine Karte mehr von" in refusal.value.sentence


def test_a_withdrawn_edition_is_not_given(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 2)
        session.get_one(Edition, course.editions[0]).withdrawn_at = AT
        session.flush()
        assert refused(session, course.trainer_actor, course.people[0]) == "not_enough"


@pytest.mark.parametrize("state", [RegistrationState.WITHDRAWN, RegistrationState.WAITING])
def test_only_who_takes_part_gets_a_card(app: Flask, state: RegistrationState) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 2)
        session.get_one(Registration, course.people[0]).state = state
        session.flush()
        assert refused(session, course.trainer_actor, course.people[0]) == "not_attending"


def test_who_came_without_a_registration_gets_a_card(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 1)
        guest = make_registration(
            session, session.get_one(Event, course.event), state=RegistrationState.WALK_IN
        )
        assert give_to(session, course.trainer_actor, guest.id, AT) == 1


def test_foreign_people_and_other_times_are_refused(app: Flask) -> None:
    with transaction() as session:
        course, other = make_course(session), make_course(session)
        take(session, course, 2)
        take(session, other, 2)
        assert refused(session, course.trainer_actor, other.people[0]) == "not_found"
        for gets in (True, False):
            with pytest.raises(DomainError, match="not_found"):
                tap(session, other.office_actor, course.event, other.people[0], AT, gets=gets)
        with pytest.raises(DomainError, match="too_early"):
            give_to(session, course.trainer_actor, course.people[0], AT - timedelta(days=1))
        session.get_one(Event, course.event).state = EventState.CANCELLED
        session.flush()
        assert refused(session, course.trainer_actor, course.people[0]) == "event_cancelled"
