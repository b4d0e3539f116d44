"""Planning, taking along, handing out as a sum, bringing back, correcting."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import actor_for, make_person
from tests.inventory.factories import balance, make_store, new_key
from tests.inventory.handouts.factories import (
    AT,
    BEFORE,
    Course,
    add_trainer,
    box_of,
    in_box,
    make_course,
    moved,
)
from trainings.core.actors import Actor
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState, EventTrainer
from trainings.inventory.handouts import operations
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.queries import event_page
from trainings.inventory.models import Edition, Movement, Store, StoreKind

pytestmark = pytest.mark.both_databases


def take(session: Session, course: Course, quantity: int, **values: object) -> int:
    given: dict[str, object] = {
        "actor": course.trainer_actor, "store_id": course.store, "trainer_id": course.trainer,
        "key": new_key(), "now": BEFORE, **values,
    }  # fmt: skip
    actor = given.pop("actor")
    return operations.take_along(session, actor, course.event, {course.card: quantity}, **given)  # type: ignore[arg-type]


def hand_out(session: Session, course: Course, quantity: int, **values: object) -> int:
    box = box_of(session, course.trainer)
    given: dict[str, object] = {
        "actor": course.trainer_actor, "store_id": box.id if box else 0,
        "key": new_key(), "now": AT, **values,
    }  # fmt: skip
    actor = given.pop("actor")
    return operations.hand_out(session, actor, course.event, {course.card: quantity}, **given)  # type: ignore[arg-type]


def bring_back(session: Session, course: Course, quantity: int, **values: object) -> int:
    box = box_of(session, course.trainer)
    given: dict[str, object] = {
        "actor": course.trainer_actor, "box_id": box.id if box else 0, "store_id": course.store,
        "key": new_key(), "now": AT, **values,
    }  # fmt: skip
    actor = given.pop("actor")
    return operations.bring_back(session, actor, course.event, {course.card: quantity}, **given)  # type: ignore[arg-type]


def code(work: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as refusal:
        work()
    assert refusal.value.sentence
    return refusal.value.code


def counts(session: Session, course: Course, actor: Actor | None = None) -> tuple[int, ...]:
    cards = event_page(session, actor or course.office_actor, course.number).cards
    (card,) = (each for each in cards if each.id == course.card)
    made = card.counts
    return card.planned, made.taken, made.handed_out, made.returned, card.rest


def set_state(session: Session, course: Course, state: EventState) -> None:
    session.get_one(Event, course.event).state = state
    session.flush()


def test_the_way_of_the_cards_from_the_store_to_the_event_and_back(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        operations.plan_cards(session, course.office_actor, course.event, {course.card: 12}, BEFORE)
        assert take(session, course, 15) == 15
        assert counts(session, course) == (12, 15, 0, 0, 15)
        assert hand_out(session, course, 11) == 11
        assert counts(session, course, course.trainer_actor) == (12, 15, 11, 0, 4)
        assert bring_back(session, course, 3) == 3
        assert counts(session, course) == (12, 15, 11, 3, 1)
        assert in_box(session, course) == [1, 0]


def test_the_oldest_edition_leaves_first_over_several_movements(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 120)
        assert in_box(session, course) == [100, 20]
        hand_out(session, course, 110)
        assert in_box(session, course) == [0, 10]
        assert [row.quantity for row in moved(session, course)] == [100, 20, 100, 10]


def test_a_box_is_made_once_and_belongs_to_its_trainer(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 1)
        take(session, course, 1)
        boxes = session.scalars(select(Store).where(Store.kind == StoreKind.BOX)).all()
        assert [box.person_id for box in boxes] == [course.trainer]


def test_one_key_books_once(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        for _ in range(2):
            take(session, course, 5, key="same")
        assert in_box(session, course) == [5, 0]


def test_a_box_that_is_short_says_how_many_there_are(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 3)
        with pytest.raises(DomainError) as refusal:
            hand_out(session, course, 4)
        assert "sind nur noch 3 Karten" in refusal.value.sentence
        assert refusal.value.field == f"card_{course.card}"
        assert "buchen Sie zuerst, was mitgenommen wurde" in refusal.value.sentence
        with pytest.raises(DomainError, match="not_enough") as refusal:
            take(session, course, 198)
        assert "höchstens 197 an, oder wählen Sie ein anderes Lager" in refusal.value.sentence
        assert code(lambda: bring_back(session, course, 4)) == "not_enough"


@pytest.mark.parametrize(("quantity", "refused"), [(0, "nothing_chosen"), (-1, "bad_quantity"),
                                                   (10**12, "bad_quantity")])  # fmt: skip
def test_a_quantity_is_a_number_of_cards(app: Flask, quantity: int, refused: str) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 3)
        for work in (take, hand_out, bring_back):
            assert code(lambda work=work: work(session, course, quantity)) == refused  # type: ignore[misc]


def test_trainers_touch_their_own_events_their_own_box_and_stores_of_the_office(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        partner = make_store(session, "Lager Herne", kind=StoreKind.PARTNER)
        second = add_trainer(session, course)
        stranger = make_person(session, roles=(Role.TRAINER,))
        for refused in (
            lambda: take(session, course, 1, store_id=partner.id),
            lambda: take(session, course, 1, trainer_id=second.id),
            lambda: take(session, course, 1, actor=actor_for(stranger), trainer_id=stranger.id),
            lambda: hand_out(session, course, 1, store_id=course.store),
            lambda: hand_out(session, course, 1, actor=actor_for(stranger)),
            lambda: bring_back(session, course, 1, actor=actor_for(second)),
            lambda: bring_back(session, course, 1, store_id=partner.id),
            lambda: bring_back(session, course, 1, box_id=course.store),
        ):
            assert code(refused) == "not_found"
        assert hand_out(session, course, 1, actor=actor_for(second)) == 1


def test_the_office_takes_from_anywhere_for_anybody(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        office, second = course.office_actor, add_trainer(session, course)
        take(session, course, 9, actor=office, trainer_id=second.id)
        assert hand_out(session, course, 2, actor=office, store_id=course.store) == 2
        assert counts(session, course) == (0, 9, 2, 0, 9)
        box = box_of(session, second.id)
        assert box is not None
        take(session, course, 4, actor=office, store_id=box.id)
        assert in_box(session, course, second.id) == [5, 0]
        assert in_box(session, course) == [4, 0]
        assert counts(session, course) == (0, 9, 2, 0, 9)


def test_a_replaced_trainer_brings_the_cards_back_and_sees_no_names(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        colleague = add_trainer(session, course)
        take(session, course, 5, actor=actor_for(colleague), trainer_id=colleague.id)
        session.delete(session.get_one(EventTrainer, (course.event, course.trainer)))
        session.flush()
        page = event_page(session, course.trainer_actor, course.number)
        assert (page.people, [box.person_id for box in page.boxes]) == ([], [course.trainer])
        assert code(lambda: take(session, course, 1)) == "not_found"
        assert code(lambda: hand_out(session, course, 1)) == "not_found"
        assert bring_back(session, course, 5) == 5


def test_planning_is_for_drafts_and_published_events(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)

        def plan(quantity: int) -> None:
            operations.plan_cards(
                session, course.office_actor, course.event, {course.card: quantity}, BEFORE
            )

        for state in (EventState.DRAFT, EventState.PUBLISHED):
            set_state(session, course, state)
            plan(20)
        assert session.get_one(EventCards, (course.event, course.card)).planned == 20
        assert code(lambda: plan(-1)) == "bad_quantity"
        plan(0)
        assert counts(session, course)[0] == 0
        for state in (EventState.HELD, EventState.CANCELLED):
            set_state(session, course, state)
            assert code(lambda: plan(5)) == "finished"


def test_a_draft_with_a_plan_can_be_deleted(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        operations.plan_cards(session, course.office_actor, course.event, {course.card: 12}, BEFORE)
        operations.forget_plan(session, course.event)
        assert session.scalars(select(EventCards)).all() == []


def test_a_cancelled_event_only_gets_its_cards_back(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        set_state(session, course, EventState.CANCELLED)
        assert code(lambda: take(session, course, 1)) == "event_cancelled"
        assert code(lambda: hand_out(session, course, 1)) == "event_cancelled"
        assert bring_back(session, course, 5) == 5


def test_nothing_is_taken_to_a_draft_or_handed_out_before_the_first_day(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        set_state(session, course, EventState.DRAFT)
        assert code(lambda: take(session, course, 1)) == "event_draft"
        set_state(session, course, EventState.PUBLISHED)
        take(session, course, 1)
        assert code(lambda: hand_out(session, course, 1, now=BEFORE)) == "too_early"


def test_an_event_that_is_moved_keeps_its_cards_until_the_new_day(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 5)
        event = session.get_one(Event, course.event)
        event.first_day = event.last_day = AT.date().replace(day=26)
        session.flush()
        assert code(lambda: hand_out(session, course, 1)) == "too_early"
        assert counts(session, course) == (0, 5, 0, 0, 5)
        assert hand_out(session, course, 1, now=AT.replace(day=26)) == 1


def test_a_wrong_sum_is_taken_back_and_booked_anew(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 20)
        hand_out(session, course, 19)
        wrong = moved(session, course)[-1]

        def undo(actor: Actor) -> Movement:
            return operations.undo_movement(
                session, actor, course.event, wrong.id, key=new_key(), now=AT
            )

        stranger = actor_for(add_trainer(session, course))
        assert code(lambda: undo(stranger)) == "not_found"
        assert undo(course.trainer_actor).reverses_id == wrong.id
        assert code(lambda: undo(course.office_actor)) == "already_reversed"
        hand_out(session, course, 9)
        assert counts(session, course) == (0, 20, 9, 0, 11)


def test_movements_of_other_events_are_not_taken_back_here(app: Flask) -> None:
    with transaction() as session:
        course, other = make_course(session), make_course(session)
        take(session, other, 2)
        foreign = moved(session, other)[0]
        assert code(
            lambda: operations.undo_movement(
                session, course.office_actor, course.event, foreign.id, key=new_key(), now=AT
            )
        ) == "not_found"  # fmt: skip


def test_withdrawn_cards_are_not_handed_out_and_come_back_first(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        take(session, course, 105)
        old, new = (session.get_one(Edition, edition) for edition in course.editions)
        old.withdrawn_at = AT
        session.flush()
        with pytest.raises(DomainError, match="not_enough") as refusal:
            hand_out(session, course, 6)
        assert "100 sind zurückgezogen" in refusal.value.sentence
        hand_out(session, course, 2)
        bring_back(session, course, 101)
        assert in_box(session, course) == [0, 2]
        store = session.get_one(Store, course.store)
        assert (balance(session, store, old), balance(session, store, new)) == (100, 96)


def test_what_stays_in_the_box_belongs_to_the_latest_event(app: Flask) -> None:
    with transaction() as session:
        course = make_course(session)
        later = make_course(session, first_day=AT.date().replace(day=20))
        session.add(EventTrainer(event_id=later.event, person_id=course.trainer))
        session.flush()
        take(session, course, 10)
        hand_out(session, course, 4)
        assert counts(session, course)[-1] == 6
        operations.hand_out(
            session, course.office_actor, later.event, {course.card: 5},
            store_id=box_of(session, course.trainer).id, key=new_key(),  # type: ignore[union-attr]
            now=AT.replace(day=20),
        )  # fmt: skip
        assert counts(session, course)[-1] == 1
