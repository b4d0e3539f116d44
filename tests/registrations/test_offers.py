"""Offers from the waiting list and changes of its order, against both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, berlin, make_event, make_person, make_venue
from tests.people.mailbox import letters
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, MissedOffer, ShortNotice
from trainings.events.rules import SessionPlan
from trainings.office import sweeps
from trainings.registrations.event_move_operations import move_event
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.models import Registration, RegistrationChange, RegistrationState
from trainings.registrations.offer_operations import (
    accept_offer,
    decline_offer,
    move_in_queue,
    place_by_office,
)
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
State = RegistrationState
OFFERS = Policy(offer_days=2)


class Course:
    """A course with one place, taken by the first person; the others wait, in order."""

    def __init__(self, people: int = 4, policy: Policy = OFFERS, capacity: int = 1) -> None:
        with transaction() as session:
            self.event_id = make_event(
                session, capacity=capacity, minimum=0, policy=policy, venue=make_venue(session)
            ).id
            self.office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
            self.actors = [actor_for(make_person(session)) for _ in range(people)]
        for actor in self.actors:
            with transaction() as session:
                register(session, actor, self.event_id, now=NOW)

    def row(self, who: int) -> Registration:
        db.session.expire_all()
        return db.session.scalars(
            select(Registration).where(
                Registration.person_id == self.actors[who].person_id,
                Registration.event_id == self.event_id,
            )
        ).one()

    def states(self) -> list[State]:
        return [self.row(who).state for who in range(len(self.actors))]

    def give_back(self, who: int, now: datetime = NOW) -> None:
        with transaction() as session:
            withdraw(session, self.actors[who], self.row(who).id, now)

    def answer(self, operation: Callable[..., object], who: int, now: datetime = NOW) -> None:
        with transaction() as session:
            operation(session, self.actors[who], self.row(who).id, now)

    def until(self, who: int) -> datetime:
        until = self.row(who).offer_until
        assert until is not None
        return until

    def reasons(self, who: int) -> list[tuple[str, str]]:
        rows = db.session.execute(
            select(RegistrationChange.reason, RegistrationChange.note)
            .where(RegistrationChange.registration_id == self.row(who).id)
            .order_by(RegistrationChange.id)
        )
        return [(row.reason, row.note) for row in rows]


def code_of(operation: Callable[[], object]) -> str:
    with pytest.raises(DomainError) as caught:
        operation()
    return caught.value.code


def test_a_place_given_back_is_offered_to_the_first(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    assert course.states() == [State.WITHDRAWN, State.OFFERED, State.WAITING, State.WAITING]
    assert course.until(1) > NOW
    assert course.row(1).ticket is None
    assert letters()[-1].subject.startswith("Platz frei, bitte antworten")
    assert letters()[-1].link.startswith("/aktion/")


def test_whoever_asks_now_gets_a_free_place_without_an_offer(app: Flask) -> None:
    course = Course(people=1)
    assert course.states() == [State.PLACED]


def test_an_accepted_offer_is_a_place_with_a_ticket(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    course.answer(accept_offer, 1)
    registration = course.row(1)
    assert registration.state is State.PLACED
    assert registration.ticket is not None
    assert registration.offer_until is None
    assert code_of(lambda: course.answer(accept_offer, 1)) == "accepted_before"


def test_a_declined_offer_goes_to_the_next_one(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    course.answer(decline_offer, 1)
    assert course.states() == [State.WITHDRAWN, State.WITHDRAWN, State.OFFERED, State.WAITING]
    with pytest.raises(DomainError) as caught:
        course.answer(accept_offer, 1)
    assert caught.value.code == "offer_over"
    assert caught.value.sentence.startswith("Sie haben diesen Platz schon abgelehnt.")


def test_nobody_accepts_after_the_offer_ran_out(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    until = course.until(1)
    with pytest.raises(DomainError) as caught:
        course.answer(accept_offer, 1, until)
    assert caught.value.code == "offer_over"
    assert "„Meine Anmeldungen“" in caught.value.sentence
    course.answer(accept_offer, 1, until - timedelta(microseconds=1))
    assert course.states()[1] is State.PLACED


def test_an_offer_that_runs_out_goes_on_and_its_owner_to_the_end(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    assert sweeps.expire_offers(course.until(1) - timedelta(microseconds=1)) == 0
    assert sweeps.expire_offers(course.until(1)) == 1
    assert course.states() == [State.WITHDRAWN, State.WAITING, State.OFFERED, State.WAITING]
    assert course.row(1).rank > course.row(3).rank
    assert sweeps.expire_offers(NOW + timedelta(days=1)) == 0
    assert "abgelaufen" in next(
        letter.subject for letter in letters() if letter.subject.startswith("Das Platzangebot")
    )


def test_the_last_one_on_the_list_is_not_asked_for_ever(app: Flask) -> None:
    course = Course(people=2)
    course.give_back(0)
    for _ in range(2):
        sweeps.expire_offers(course.until(1))
    assert course.states() == [State.WITHDRAWN, State.EXPIRED]


def test_where_it_says_so_whoever_lets_an_offer_pass_leaves(app: Flask) -> None:
    course = Course(policy=Policy(missed_offer=MissedOffer.LEAVES))
    course.give_back(0)
    sweeps.expire_offers(course.until(1))
    assert course.states() == [State.WITHDRAWN, State.EXPIRED, State.OFFERED, State.WAITING]


def test_without_time_for_an_offer_the_next_one_moves_up(app: Flask) -> None:
    course = Course(policy=Policy(short_notice=ShortNotice.AUTOMATIC))
    course.give_back(0, berlin(date(2026, 4, 15), 14))
    assert course.states()[1] is State.PLACED


def test_without_time_for_an_offer_the_office_decides(app: Flask) -> None:
    course = Course(policy=Policy(short_notice=ShortNotice.OFFICE))
    eve = berlin(date(2026, 4, 15), 14)
    course.give_back(0, eve)
    assert course.states()[1:] == [State.WAITING] * 3
    with transaction() as session:
        newcomer = actor_for(make_person(session))
        assert register(session, newcomer, course.event_id, now=eve).state is State.WAITING
    with transaction() as session:
        place_by_office(
            session, course.office, course.row(2).id, reason="Fährt nur 5 Minuten", now=eve
        )
    assert course.states()[1:] == [State.WAITING, State.PLACED, State.WAITING]
    assert ("placed_by_office", "Fährt nur 5 Minuten") in course.reasons(2)


def test_more_places_are_offered_in_order(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        change_capacity(
            session, course.office, course.event_id, capacity=3, organisation_limit=None, now=NOW
        )
    assert course.states() == [State.PLACED, State.OFFERED, State.OFFERED, State.WAITING]


def test_an_offered_place_is_taken(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    with transaction() as session:
        newcomer = actor_for(make_person(session))
        assert register(session, newcomer, course.event_id, now=NOW).state is State.WAITING


def test_the_office_changes_the_order_with_a_reason(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        move_in_queue(
            session, course.office, course.row(3).id, position=1, reason="Sagte im März ab",
            now=NOW,
        )  # fmt: skip
    ranks = [course.row(who).rank for who in (3, 1, 2)]
    assert ranks == sorted(ranks)
    assert course.reasons(3)[-1] == ("moved_by_office", "Sagte im März ab")
    course.give_back(0)
    assert course.states()[1:] == [State.WAITING, State.WAITING, State.OFFERED]


@pytest.mark.parametrize("operation", ["move", "place"])
def test_the_office_acts_with_a_reason_and_nobody_else(app: Flask, operation: str) -> None:
    course = Course()

    def act(actor: Actor, who: int, reason: str) -> None:
        with transaction() as session:
            registration_id = course.row(who).id
            if operation == "move":
                move_in_queue(session, actor, registration_id, position=1, reason=reason, now=NOW)
            else:
                place_by_office(session, actor, registration_id, reason=reason, now=NOW)

    assert code_of(lambda: act(course.actors[3], 3, "Bitte")) == "not_found"
    assert code_of(lambda: act(course.office, 3, "  ")) == "reason_missing"
    assert code_of(lambda: act(course.office, 0, "Bitte")) == "not_waiting"
    if operation == "place":
        assert code_of(lambda: act(course.office, 3, "Bitte")) == "no_place"


def test_the_office_gives_no_place_before_it_admits(app: Flask) -> None:
    course = Course(people=1, policy=Policy(admission=Admission.BY_OFFICE))

    def place() -> None:
        with transaction() as session:
            place_by_office(session, course.office, course.row(0).id, reason="Bitte", now=NOW)

    assert code_of(place) == "admission_pending"


def test_the_office_seats_nobody_twice_at_the_same_time(app: Flask) -> None:
    course = Course(policy=Policy(short_notice=ShortNotice.OFFICE))
    with transaction() as session:
        other = make_event(session).id
        register(session, course.actors[1], other, now=NOW)
    eve = berlin(date(2026, 4, 15), 14)
    course.give_back(0, eve)

    def place() -> None:
        with transaction() as session:
            place_by_office(session, course.office, course.row(1).id, reason="Bitte", now=eve)

    assert code_of(place) == "overlap"


def test_a_cancelled_event_ends_its_offers(app: Flask) -> None:
    course = Course()
    course.give_back(0)
    until = course.until(1)
    with transaction() as session:
        session.get_one(Event, course.event_id).state = "cancelled"  # type: ignore[assignment]
    assert sweeps.expire_offers(until) == 0


def test_an_offer_ends_before_the_event_that_was_moved_earlier(app: Flask) -> None:
    course = Course(policy=Policy(offer_days=20))
    course.give_back(0)
    assert course.until(1) > berlin(date(2026, 3, 25), 12)
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        move_event(
            session, course.office, event.id, venue_id=event.venue_id, room_id=event.room_id,
            sessions=[SessionPlan(date(2026, 3, 18), time(9), time(16))], now=NOW,
        )  # fmt: skip
    assert course.until(1) == berlin(date(2026, 3, 17), 12)
