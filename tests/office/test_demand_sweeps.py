"""New dates for those who wish for any, and the end of wishes: each sweep may run again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from tests.registered import make_registration
from tests.registrations.demand import (
    DAY,
    Course,
    everything,
    mails_to,
    make_dates,
    make_template,
    open_wishes,
    reasons_of,
    registration_id,
    states_of,
)
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.events.details import Policy
from trainings.events.models import (
    Admission,
    Event,
    EventHost,
    EventState,
    EventTemplate,
    Visibility,
)
from trainings.office.demand_sweeps import end_idle_wishes, serve_wishes
from trainings.office.sweeps import expire_waiting_lists, serve_waiting_lists
from trainings.people.models import Person
from trainings.registrations.demand_operations import express_wish
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


class Demand:
    """A format without any date, and people who wish for the next one, in this order."""

    def __init__(self, people: int = 3) -> None:
        with transaction() as session:
            self.template_id = make_template(session).id
            self.actors = [actor_for(make_person(session)) for _ in range(people)]
        for number, actor in enumerate(reversed(self.actors)):
            # The one who was added last wishes first.
            self.wish(actor, number)

    def wish(self, actor: Actor, minutes: int = 0) -> None:
        with transaction() as session:
            express_wish(
                session,
                actor,
                self.template_id,
                event_ids=[],
                next_free=True,
                now=NOW + timedelta(minutes=minutes),
            )

    def add_date(self, **values: object) -> int:
        with transaction() as session:
            template = session.get_one(EventTemplate, self.template_id)
            (event,) = make_dates(session, template, 1, **{"policy": OFFERS, **values})
            return event.id

    def states(self) -> list[list[RegistrationState]]:
        return [states_of(actor.person_id) for actor in self.actors]


LATER = NOW + timedelta(hours=1)


def changes_nothing_more() -> bool:
    before = everything()
    done = serve_wishes(LATER) + end_idle_wishes(LATER)
    return done == 0 and everything() == before


def test_a_new_date_is_offered_in_the_order_of_the_wishes(app: Flask) -> None:
    demand = Demand()
    event_id = demand.add_date()
    assert serve_wishes(LATER) == 3
    assert demand.states() == [[WAITING], [WAITING], [OFFERED]]
    order = db.session.scalars(
        select(Registration.person_id).where(Registration.event_id == event_id).order_by("rank")
    ).all()
    assert order == [actor.person_id for actor in reversed(demand.actors)]
    assert reasons_of(demand.actors[0].person_id) == [["next_free"]]
    assert [mails_to(actor.person_id)[-1][0] for actor in demand.actors] == [
        "wish_new_date",
        "wish_new_date",
        "registration_offered",
    ]
    assert changes_nothing_more()


def test_where_the_office_admits_the_mail_promises_no_waiting_list(app: Flask) -> None:
    demand = Demand(1)
    demand.add_date(policy=Policy(offer_days=0, admission=Admission.BY_OFFICE))
    serve_wishes(LATER)
    kind, mail = mails_to(demand.actors[0].person_id)[-1]
    assert kind == "wish_new_date"
    assert "entscheidet die Geschäftsstelle nach dem Anmeldeschluss" in mail.paragraphs[1]
    assert "Warteliste" not in " ".join(mail.paragraphs)


def test_whoever_waited_there_before_comes_first(app: Flask) -> None:
    demand = Demand(1)
    event_id = demand.add_date()
    with transaction() as session:
        make_registration(
            session, session.get_one(Event, event_id), make_person(session), state=WAITING
        )
    serve_wishes(LATER)
    assert demand.states() == [[WAITING]]


def test_a_place_fulfils_the_wish_and_ends_the_other_dates(app: Flask) -> None:
    demand = Demand(1)
    events = [demand.add_date(policy=Policy(offer_days=0)), demand.add_date(first_day=DAY)]
    with transaction() as session:
        first = session.get_one(Event, events[0])
        first.first_day = first.last_day = DAY - timedelta(days=7)
        for part, day in zip(first.sessions, (7, 7, 6, 6), strict=True):
            part.day = DAY - timedelta(days=day)
    assert serve_wishes(LATER) == 1
    assert demand.states() == [[PLACED]]
    assert open_wishes(demand.actors[0].person_id) == []
    assert changes_nothing_more()


@pytest.mark.parametrize(
    "change",
    [
        {"opens_at": LATER + timedelta(hours=1)},
        {"closes_at": LATER},
        {"state": EventState.DRAFT},
        {"state": EventState.CANCELLED},
        {"visibility": Visibility.INVITATION},
        {"visibility": Visibility.IN_HOUSE},
        {"template_id": None},
    ],
)
def test_a_date_that_is_not_open_to_somebody_is_none(app: Flask, change: dict[str, object]) -> None:
    demand = Demand(1)
    event_id = demand.add_date()
    with transaction() as session:
        event = session.get_one(Event, event_id)
        for name, value in change.items():
            setattr(event, name, value)
    assert serve_wishes(LATER) == 0
    assert demand.states() == [[]]


def test_an_in_house_date_serves_the_people_of_its_organisation(app: Flask) -> None:
    demand = Demand(1)
    event_id = demand.add_date(visibility=Visibility.IN_HOUSE)
    with transaction() as session:
        organisation_id = demand.actors[0].organisation_ids[0]
        session.add(EventHost(event_id=event_id, organisation_id=organisation_id))
        other = make_organisation(session, "Kreis Fern")
        stranger = actor_for(make_person(session, other))
    demand.wish(stranger)
    assert serve_wishes(LATER) == 1
    assert states_of(stranger.person_id) == []


def test_who_sits_elsewhere_at_that_time_is_skipped_and_the_next_one_is_not(app: Flask) -> None:
    demand = Demand(2)
    with transaction() as session:
        elsewhere = make_event(session, first_day=DAY - timedelta(days=1))
        register(session, demand.actors[1], elsewhere.id, now=NOW)
    demand.add_date()
    assert serve_wishes(LATER) == 1
    assert demand.states() == [[OFFERED], [PLACED]]


def test_somebody_who_left_a_date_is_not_put_there_again(app: Flask) -> None:
    demand = Demand(1)
    event_id = demand.add_date()
    serve_wishes(LATER)
    with transaction() as session:
        withdraw(session, demand.actors[0], registration_id(demand.actors[0], event_id), LATER)
    assert changes_nothing_more()
    assert demand.states() == [[WITHDRAWN]]
    assert len(open_wishes(demand.actors[0].person_id)) == 1


def test_somebody_who_got_a_place_otherwise_is_not_registered_again(app: Flask) -> None:
    """A place that no registration of the person's own led to, such as a substitute's."""
    demand = Demand(1)
    first = demand.add_date()
    demand.add_date(first_day=DAY + timedelta(weeks=1))
    with transaction() as session:
        person = session.get_one(Event, first)
        make_registration(session, person, session.get_one(Person, demand.actors[0].person_id))
    assert serve_wishes(LATER) == 0
    assert demand.states() == [[PLACED]]


def test_where_a_release_is_needed_the_organisation_is_asked_first(app: Flask) -> None:
    demand = Demand(1)
    demand.add_date(policy=Policy(needs_release=True))
    assert serve_wishes(LATER) == 1
    assert demand.states() == [[State.AWAITING_RELEASE]]
    assert "freigeben" in mails_to(demand.actors[0].person_id)[-1][1].paragraphs[1]


# The end of wishes


def test_a_wish_ends_when_all_its_events_have_begun(app: Flask) -> None:
    course = Course()
    course.wish(0, 1)
    for number in (0, 1):
        assert end_idle_wishes(LATER) == 0
        begun = NOW.replace(month=4, day=16 + 7 * number, hour=10)
        expire_waiting_lists(begun)
        assert len(open_wishes(course.actor.person_id)) == 1
    assert end_idle_wishes(begun) == 1
    assert open_wishes(course.actor.person_id) == []
    assert end_idle_wishes(begun) == 0


def test_a_wish_for_the_next_free_date_outlives_its_dates(app: Flask) -> None:
    course = Course()
    course.wish(next_free=True)
    end = NOW + timedelta(days=90)
    expire_waiting_lists(end)
    assert end_idle_wishes(end) == 0
    assert len(open_wishes(course.actor.person_id)) == 1


def test_the_sweep_of_waiting_lists_gives_one_place_for_two_free_ones(app: Flask) -> None:
    course = Course()
    course.wish(0, 1)
    with transaction() as session:
        for event_id in course.events[:2]:
            session.get_one(Event, event_id).pool.capacity = 2
    assert serve_waiting_lists(LATER) == 1
    assert course.states() == [PLACED, WITHDRAWN]
