"""An event is moved onto the time of another: a place goes before a place that is offered."""

from __future__ import annotations

from datetime import date, time

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person
from tests.registered import make_registration
from tests.registrations.demand import mails_to, reasons_of, registration_id, states_of
from trainings.cli.checks.registrations import nobody_sits_in_two_events_at_once
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.events.details import Policy
from trainings.events.models import Event
from trainings.events.rules import SessionPlan
from trainings.office.sweeps import serve_waiting_lists
from trainings.registrations.event_move_operations import move_event
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
State = RegistrationState
WAITING, OFFERED, PLACED, WITHDRAWN = (
    State.WAITING,
    State.OFFERED,
    State.PLACED,
    State.WITHDRAWN,
)
OFFERS = Policy(offer_days=2)
OTHER_DAY = date(2026, 5, 20)


class TwoEvents:
    """Somebody with a place in the first event is offered one in the second; another one waits."""

    def __init__(self, *, seat: RegistrationState = PLACED) -> None:
        with transaction() as session:
            first = make_event(session, days=1, capacity=1, minimum=0, policy=OFFERS)
            second = make_event(
                session, first_day=OTHER_DAY, days=1, capacity=1, minimum=0, policy=OFFERS
            )
            self.first, self.second = first.id, second.id
            people = [make_person(session) for _ in range(4)]
            self.person, self.next_one, holder, self.behind = map(actor_for, people)
            if seat is not PLACED:
                make_registration(session, first, people[3])
            make_registration(session, second, people[2])
        for actor, event_id in (
            (self.person, self.first),
            (self.person, self.second),
            (self.next_one, self.second),
        ):
            with transaction() as session:
                register(session, actor, event_id, now=NOW)
        self.give_back(holder, self.second)
        if seat is not PLACED:
            self.give_back(self.behind, self.first)

    def give_back(self, actor: object, event_id: int) -> None:
        with transaction() as session:
            withdraw(session, actor, registration_id(actor, event_id), NOW)  # type: ignore[arg-type]

    def move(self) -> int:
        db.session.remove()
        venue_id = db.session.get_one(Event, self.first).venue_id
        with transaction() as session:
            return move_event(
                session, SYSTEM, self.first, sessions=[SessionPlan(OTHER_DAY, time(10), time(11))],
                venue_id=venue_id, room_id=None, now=NOW,
            )  # fmt: skip

    def states(self) -> list[list[RegistrationState]]:
        return [states_of(actor.person_id) for actor in (self.person, self.next_one)]


def test_the_place_stays_and_the_offer_elsewhere_goes_to_the_next_one(app: Flask) -> None:
    world = TwoEvents()
    assert world.states() == [[PLACED, OFFERED], [WAITING]]
    assert world.move() == 1
    assert world.states() == [[PLACED, WAITING], [OFFERED]]
    assert reasons_of(world.person.person_id)[1] == ["requested", "offered", "offer_gave_way"]
    db.session.remove()
    assert nobody_sits_in_two_events_at_once(db.session(), NOW) == []
    kinds = [kind for kind, _ in mails_to(world.person.person_id)]
    assert kinds[-2:] == ["offer_gave_way", "event_moved"]
    assert mails_to(world.next_one.person_id)[-1][0] == "registration_offered"


def test_whose_offer_gave_way_keeps_the_rank_and_is_served_after_giving_the_place_back(
    app: Flask,
) -> None:
    world = TwoEvents()
    rank = db.session.get_one(Registration, registration_id(world.person, world.second)).rank
    world.move()
    db.session.remove()
    mine = registration_id(world.person, world.second)
    assert db.session.get_one(Registration, mine).rank == rank
    world.give_back(world.next_one, world.second)
    assert serve_waiting_lists(NOW) == 0
    world.give_back(world.person, world.first)
    assert serve_waiting_lists(NOW) == 1
    assert world.states()[0] == [WITHDRAWN, OFFERED]


def test_of_two_offers_the_one_in_the_event_that_was_moved_ends(app: Flask) -> None:
    world = TwoEvents(seat=OFFERED)
    assert world.states() == [[OFFERED, OFFERED], [WAITING]]
    world.move()
    assert sorted(world.states()[0]) == [OFFERED, WITHDRAWN]
    assert world.states()[1] == [WAITING]
    db.session.remove()
    assert nobody_sits_in_two_events_at_once(db.session(), NOW) == []
