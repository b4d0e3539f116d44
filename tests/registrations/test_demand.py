"""Several dates for one place: whoever gets one of them waits for no other."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from tests.registered import make_registration
from tests.registrations.demand import (
    DAY,
    Course,
    mails_to,
    make_template,
    open_wishes,
    reasons_of,
    registration_id,
    states_of,
)
from trainings.core.actors import VISITOR, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.details import Policy, apply_policy
from trainings.events.models import Admission, Event, EventTemplate, EventTrainer, Visibility
from trainings.office.sweeps import serve_waiting_lists
from trainings.organisations.models import Level
from trainings.registrations.demand_operations import end_wish, express_wish
from trainings.registrations.explain import explain_own, explain_to_office
from trainings.registrations.models import (
    Contingent,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
    Wish,
    WishedRegistration,
)
from trainings.registrations.offer_operations import (
    accept_offer,
    decline_offer,
    place_by_office,
)
from trainings.registrations.operations import register
from trainings.registrations.queries import my_registrations

pytestmark = pytest.mark.both_databases
State = RegistrationState
WAITING, PLACED, OFFERED, WITHDRAWN = (
    State.WAITING,
    State.PLACED,
    State.OFFERED,
    State.WITHDRAWN,
)
OFFERS = Policy(offer_days=2)


def refusal_of(course: Course, *numbers: int, next_free: bool = False) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        course.wish(*numbers, next_free=next_free)
    return refusal.value


def accept(course: Course, number: int, now: datetime = NOW) -> None:
    with transaction() as session:
        accept_offer(
            session, course.actor, registration_id(course.actor, course.events[number]), now
        )


def stored(table: type) -> int:
    db.session.remove()
    return len(db.session.scalars(select(table)).all())


def test_where_no_date_is_free_the_person_waits_on_all_and_gets_one_mail(app: Flask) -> None:
    course = Course()
    wished = course.wish(0, 2)
    assert wished.placed is None
    assert course.states() == [WAITING, WAITING]
    assert [wish.next_free for wish in open_wishes(course.actor.person_id)] == [False]
    ((kind, mail),) = mails_to(course.actor.person_id)
    assert kind == "wish_noted"
    assert "16.–17.04.2026" in mail.facts[1][1]
    assert "30.04.–01.05.2026" in mail.facts[1][1]


def test_a_place_on_one_date_ends_the_other_waits_and_the_mail_says_so(app: Flask) -> None:
    course = Course()
    course.wish(0, 1, 2)
    course.give_back(1)
    assert course.states() == [WITHDRAWN, PLACED, WITHDRAWN]
    assert reasons_of(course.actor.person_id) == [
        ["requested", "placed_elsewhere"],
        ["requested", "promoted"],
        ["requested", "placed_elsewhere"],
    ]
    assert open_wishes(course.actor.person_id) == []
    kind, mail = mails_to(course.actor.person_id)[-1]
    assert kind == "registration_promoted"
    assert "16.–17.04.2026 und 30.04.–01.05.2026 stehen Sie nicht mehr" in mail.closing[0]


def test_the_first_date_with_a_free_place_is_taken_and_nothing_else_is_left(app: Flask) -> None:
    course = Course(full=1)
    wished = course.wish(0, 1, 2)
    assert wished.placed is not None
    assert wished.placed.event_id == course.events[1]
    assert course.states() == [PLACED]
    assert open_wishes(course.actor.person_id) == []
    assert [kind for kind, _ in mails_to(course.actor.person_id)] == ["registration_placed"]


def test_a_place_held_for_others_is_no_free_place(app: Flask) -> None:
    course = Course(full=1)
    with transaction() as session:
        other = make_organisation(session, "Kreis Fern")
        event = session.get_one(Event, course.events[1])
        until = NOW + timedelta(days=9)
        session.add(Contingent(pool_id=event.pool_id, organisation=other, places=1, until=until))
    assert course.wish(0, 1, 2).placed.event_id == course.events[2]  # type: ignore[union-attr]


def test_a_limit_of_the_authority_counts_for_people_of_its_units(app: Flask) -> None:
    course = Course(full=0, capacity=3, organisation_limit=1)
    with transaction() as session:
        authority = make_organisation(session, "Kreis Nah")
        unit = make_organisation(session, "Amt 3", parent=authority, level=Level.UNIT)
        make_registration(
            session, session.get_one(Event, course.events[0]), make_person(session, authority)
        )
        actor = actor_for(make_person(session, unit))
    wished = course.wish(0, 1, actor=actor)
    assert wished.placed.event_id == course.events[1]  # type: ignore[union-attr]
    assert states_of(actor.person_id) == [PLACED]


@pytest.mark.parametrize(
    "policy", [Policy(admission=Admission.BY_OFFICE), Policy(needs_release=True)]
)
def test_where_somebody_else_decides_there_is_no_place_at_once(app: Flask, policy: Policy) -> None:
    course = Course(full=0, policy=policy)
    course.wish(0, 1)
    state = State.AWAITING_RELEASE if policy.needs_release else WAITING
    assert course.states() == [state, state]
    assert [kind for kind, _ in mails_to(course.actor.person_id)] == ["wish_noted"]


@pytest.mark.parametrize(
    "policy", [Policy(admission=Admission.BY_OFFICE), Policy(needs_release=True)]
)
def test_a_place_at_once_comes_before_a_date_that_somebody_else_decides(
    app: Flask, policy: Policy
) -> None:
    course = Course(full=0)
    with transaction() as session:
        apply_policy(session.get_one(Event, course.events[0]), policy)
    course.wish(0, 1)
    assert course.states() == [PLACED]


def test_nobody_who_waits_is_overtaken_by_a_wish(app: Flask) -> None:
    """A contingent has run out, and nobody has passed its place on yet."""
    course = Course(full=0)
    with transaction() as session:
        event = session.get_one(Event, course.events[0])
        first = make_person(session)
        make_registration(session, event, first, state=WAITING)
    course.wish(0, 1)
    assert course.states() == [PLACED]
    db.session.remove()
    mine = registration_id(course.actor, course.events[1])
    assert db.session.get_one(Registration, mine).state is PLACED


def test_who_waits_already_keeps_the_place_in_the_order_and_adds_dates(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        first = register(session, course.actor, course.events[0], now=NOW)
        rank = first.rank
    course.wish(0, 1)
    course.wish(2)
    assert course.states() == [WAITING] * 3
    assert len(open_wishes(course.actor.person_id)) == 1
    mine = registration_id(course.actor, course.events[0])
    assert db.session.get_one(Registration, mine).rank == rank
    course.give_back(2)
    assert course.states() == [WITHDRAWN, WITHDRAWN, PLACED]


def test_registering_by_the_event_page_serves_an_open_wish_as_well(app: Flask) -> None:
    course = Course(full=2)
    course.wish(0, 1)
    with transaction() as session:
        register(session, course.actor, course.events[2], now=NOW)
    assert course.states() == [WITHDRAWN, WITHDRAWN, PLACED]
    assert open_wishes(course.actor.person_id) == []


def test_waits_without_a_wish_and_for_other_formats_stay(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        other = make_event(session, capacity=1, minimum=0, first_day=DAY - timedelta(days=9))
        make_registration(session, other, make_person(session))
        register(session, course.actor, other.id, now=NOW)
        stranger = actor_for(make_person(session))
        for event_id in course.events:
            register(session, stranger, event_id, now=NOW)
    course.wish(0, 1)
    course.give_back(0)
    assert course.states() == [WAITING, WAITING, WAITING]
    assert states_of(stranger.person_id) == [PLACED, WAITING, WAITING]


def test_needs_go_with_every_registration_until_their_deadline(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        session.get_one(Event, course.events[0]).needs_until = NOW
        express_wish(
            session,
            course.actor,
            course.template_id,
            event_ids=course.events,
            next_free=False,
            needs={NeedKind.STEP_FREE: ""},
            now=NOW,
        )
    needs = db.session.scalars(select(Need)).all()
    assert [need.registration.event_id for need in needs] == course.events[1:]


# What cannot be wished for


def test_one_date_that_cannot_be_refuses_the_whole_wish_and_names_the_date(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        overlapping = make_event(session, first_day=DAY + timedelta(weeks=1), days=1)
        register(session, course.actor, overlapping.id, now=NOW)
    refusal = refusal_of(course, 0, 1, 2)
    assert (refusal.code, refusal.field) == ("overlap", "dates")
    assert refusal.sentence.startswith("23.–24.04.2026: Sie haben zu dieser Zeit schon einen Platz")
    assert course.states() == [PLACED]
    assert stored(Wish) == stored(WishedRegistration) == 0


def test_somebody_who_leads_a_date_is_refused(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        session.add(
            EventTrainer(event_id=course.events[0], person_id=course.actor.person_id, position=0)
        )
    assert refusal_of(course, 0).code == "trains_this_event"


@pytest.mark.parametrize("number", [0, 1])
def test_somebody_with_a_place_is_told_to_give_it_back_first(app: Flask, number: int) -> None:
    course = Course(full=2)
    with transaction() as session:
        register(session, course.actor, course.events[2], now=NOW)
    refusal = refusal_of(course, number)
    assert refusal.code == "already_placed"
    assert "30.04.2026" in refusal.sentence


def test_nothing_chosen_is_said_at_the_field(app: Flask) -> None:
    refusal = refusal_of(Course())
    assert (refusal.code, refusal.field, refusal.status) == ("nothing_chosen", "dates", 422)


def test_a_date_that_is_closed_hidden_or_of_another_format_is_gone(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        session.get_one(Event, course.events[0]).closes_at = NOW
        session.get_one(Event, course.events[1]).visibility = Visibility.INVITATION
        session.get_one(Event, course.events[2]).template_id = make_template(session, "Anderes").id
    for number in range(3):
        assert refusal_of(course, number).code == "date_gone"


def test_formats_are_wished_for_by_those_who_may_know_of_them(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        stranger = actor_for(make_person(session))
        session.get_one(EventTemplate, course.template_id).visibility = Visibility.IN_HOUSE
        for event_id in course.events[1:]:
            session.get_one(Event, event_id).visibility = Visibility.IN_HOUSE
    course.wish(0, actor=stranger)
    with transaction() as session:
        session.get_one(Event, course.events[0]).visibility = Visibility.IN_HOUSE
    for actor in (course.actor, VISITOR, Actor(person_id=None)):
        with pytest.raises(DomainError, match="not_found"):
            course.wish(next_free=True, actor=actor)


def test_a_retired_format_has_no_next_date_but_those_that_stand(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        session.get_one(EventTemplate, course.template_id).retired_at = NOW
    assert refusal_of(course, 0, next_free=True).code == "retired"
    course.wish(0)
    assert course.states() == [WAITING]


# The next free date


def test_the_next_free_date_means_all_that_are_open_and_skips_what_cannot_be(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        overlapping = make_event(session, first_day=DAY + timedelta(weeks=1), days=1)
        register(session, course.actor, overlapping.id, now=NOW)
    wished = course.wish(next_free=True)
    assert [row.event_id for row in wished.waits] == [course.events[0], course.events[2]]
    (wish,) = open_wishes(course.actor.person_id)
    assert wish.next_free
    assert wish.ended_at is None


def test_the_next_free_date_is_given_at_once_if_there_is_one(app: Flask) -> None:
    course = Course(full=2)
    assert course.wish(next_free=True).placed.event_id == course.events[2]  # type: ignore[union-attr]
    assert course.states() == [PLACED]


def test_demand_without_any_date_is_noted(app: Flask) -> None:
    course = Course()
    with transaction() as session:
        empty = make_template(session, "Noch ohne Termin")
        empty_id = empty.id
        express_wish(session, course.actor, empty_id, event_ids=[], next_free=True, now=NOW)
    assert course.states() == []
    (wish,) = open_wishes(course.actor.person_id)
    assert (wish.template_id, wish.next_free) == (empty_id, True)
    ((_, mail),) = mails_to(course.actor.person_id)
    assert mail.facts == (("Veranstaltung", "Noch ohne Termin"),)


# Offers


def both_offered(course: Course) -> None:
    """Two offers that came before the person said that one of the dates will do."""
    for number in range(2):
        with transaction() as session:
            register(session, course.actor, course.events[number], now=NOW)
        course.give_back(number)
    course.wish(0, 1)
    assert course.states() == [OFFERED, OFFERED]


def wait_for(course: Course, number: int) -> Actor:
    """Register somebody else on the waiting list of a date."""
    with transaction() as session:
        actor = actor_for(make_person(session))
        register(session, actor, course.events[number], now=NOW)
    return actor


def test_of_two_offers_only_one_can_be_accepted_and_the_other_goes_on_at_once(app: Flask) -> None:
    course = Course(policy=OFFERS)
    both_offered(course)
    next_one = wait_for(course, 1)
    accept(course, 0)
    assert course.states() == [PLACED, WITHDRAWN]
    assert reasons_of(course.actor.person_id)[1] == ["requested", "offered", "placed_elsewhere"]
    assert states_of(next_one.person_id) == [OFFERED]
    assert mails_to(next_one.person_id)[-1][0] == "registration_offered"
    assert "23.–24.04.2026" in mails_to(course.actor.person_id)[-1][1].closing[0]
    with pytest.raises(DomainError, match="placed_elsewhere"):
        accept(course, 1)


def test_of_one_wish_there_is_one_offer_at_a_time_and_the_rank_stays(app: Flask) -> None:
    course = Course(policy=OFFERS)
    course.wish(0, 1)
    next_one = wait_for(course, 1)
    course.give_back(0)
    course.give_back(1)
    assert course.states() == [OFFERED, WAITING]
    assert states_of(next_one.person_id) == [OFFERED]
    with transaction() as session:
        decline_offer(session, course.actor, registration_id(course.actor, course.events[0]), NOW)
        decline_offer(session, next_one, registration_id(next_one, course.events[1]), NOW)
    assert course.states() == [WITHDRAWN, OFFERED]


def test_who_was_passed_over_for_an_offer_is_served_by_the_sweep_once_it_is_answered(
    app: Flask,
) -> None:
    course = Course(policy=OFFERS)
    course.wish(0, 1)
    course.give_back(0)
    course.give_back(1)
    assert course.states() == [OFFERED, WAITING]
    assert serve_waiting_lists(NOW) == 0
    with transaction() as session:
        decline_offer(session, course.actor, registration_id(course.actor, course.events[0]), NOW)
    assert serve_waiting_lists(NOW) == 1
    assert course.states() == [WITHDRAWN, OFFERED]


def test_the_offer_that_stands_in_the_way_is_named(app: Flask) -> None:
    course = Course(policy=OFFERS)
    course.wish(0, 1)
    course.give_back(0)
    course.give_back(1)
    db.session.remove()
    first, second = (db.session.get_one(Event, event_id) for event_id in course.events[:2])
    person_id = course.actor.person_id
    assert person_id is not None
    to_office = explain_to_office(db.session(), second, person_id, NOW).deciding
    assert (to_office.code, first.number in to_office.words) == ("other_offer", True)
    own = my_registrations(db.session(), course.actor)
    (why,) = explain_own(db.session(), own, NOW).values()
    assert f"Platz in {first.number} an" in why.to_person


def test_registering_for_a_free_date_ends_the_offer_of_another_one_at_once(app: Flask) -> None:
    course = Course(full=2, policy=OFFERS)
    course.wish(0)
    next_one = wait_for(course, 0)
    course.give_back(0)
    assert course.states() == [OFFERED]
    with transaction() as session:
        register(session, course.actor, course.events[2], now=NOW)
    assert course.states() == [WITHDRAWN, PLACED]
    assert states_of(next_one.person_id) == [OFFERED]
    assert mails_to(course.actor.person_id)[-1][0] == "registration_placed"
    assert "16.–17.04.2026" in mails_to(course.actor.person_id)[-1][1].closing[0]


def test_the_office_places_somebody_who_has_an_offer_of_another_date(app: Flask) -> None:
    course = Course(policy=OFFERS)
    course.wish(0, 1)
    course.give_back(0)
    course.give_back(1)
    next_one = wait_for(course, 0)
    office = Actor(is_system=True)
    mine = registration_id(course.actor, course.events[1])
    with transaction() as session:
        place_by_office(session, office, mine, reason="Bitte", now=NOW)
    assert course.states() == [WITHDRAWN, PLACED]
    assert states_of(next_one.person_id) == [OFFERED]


def test_an_offer_declined_leaves_the_others(app: Flask) -> None:
    course = Course(policy=OFFERS)
    both_offered(course)
    with transaction() as session:
        decline_offer(session, course.actor, registration_id(course.actor, course.events[0]), NOW)
    assert course.states() == [WITHDRAWN, OFFERED]
    assert len(open_wishes(course.actor.person_id)) == 1
    accept(course, 1)
    assert course.states() == [WITHDRAWN, PLACED]


# Ending a wish


def test_ending_a_wish_leaves_all_lists_and_passes_offers_on(app: Flask) -> None:
    course = Course(policy=OFFERS)
    both_offered(course)
    course.wish(2)
    with transaction() as session:
        next_one = actor_for(make_person(session))
        register(session, next_one, course.events[0], now=NOW)
    (wish,) = open_wishes(course.actor.person_id)
    with transaction() as session:
        end_wish(session, course.actor, wish.id, NOW)
    assert course.states() == [WITHDRAWN] * 3
    assert reasons_of(course.actor.person_id)[2] == ["requested", "wish_ended"]
    assert open_wishes(course.actor.person_id) == []
    assert states_of(next_one.person_id) == [OFFERED]
    assert mails_to(course.actor.person_id)[-1][0] == "wish_ended"


def test_a_wish_ends_once_and_only_by_its_person(app: Flask) -> None:
    course = Course()
    course.wish(next_free=True)
    (wish,) = open_wishes(course.actor.person_id)
    with transaction() as session:
        stranger = actor_for(make_person(session))
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        end_wish(session, stranger, wish.id, NOW)
    for code in (None, "wish_over"):
        try:
            with transaction() as session:
                end_wish(session, course.actor, wish.id, NOW)
        except DomainError as refusal:
            assert refusal.code == code
        else:
            assert code is None
