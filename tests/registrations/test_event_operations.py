"""Changing, moving and cancelling an event that people have registered for, on both databases."""

from __future__ import annotations

from datetime import date, time, timedelta

import pytest
from flask import Flask
from icalendar import Calendar, Component
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, berlin, make_event, make_organisation, make_person
from tests.registrations.test_operations import World
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import plans_of
from trainings.events.models import Event, EventState, EventTrainer
from trainings.events.rules import SessionPlan
from trainings.organisations.models import Level, Organisation
from trainings.registrations.contingent_operations import remove_contingent, set_contingent
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.event_move_operations import move_event
from trainings.registrations.event_operations import assign_trainers, change_capacity
from trainings.registrations.models import Contingent, RegistrationState

pytestmark = pytest.mark.both_databases
PLACED, WAITING = RegistrationState.PLACED, RegistrationState.WAITING
LATER = date(2026, 5, 20)


def day_plan(day: date) -> list[SessionPlan]:
    return [
        SessionPlan(day, time(9), time(12), "Vormittag"),
        SessionPlan(day, time(13), time(16), "Nachmittag"),
    ]


def move(world: World, *days: date) -> int:
    plans = [plan for day in days for plan in day_plan(day)]
    event = db.session.get_one(Event, world.event_id)
    venue_id, room_id = event.venue_id, event.room_id
    with transaction() as session:
        return move_event(
            session, SYSTEM, world.event_id,
            sessions=plans, venue_id=venue_id, room_id=room_id, now=NOW,
        )  # fmt: skip


def cancel(world: World, replaced_by_id: int | None = None) -> int:
    with transaction() as session:
        return cancel_event(
            session, SYSTEM, world.event_id,
            reason="Die Leitung ist erkrankt.", replaced_by_id=replaced_by_id, now=NOW,
        )  # fmt: skip


def set_capacity(world: World, capacity: int, limit: int | None = None) -> None:
    with transaction() as session:
        change_capacity(
            session, SYSTEM, world.event_id,
            capacity=capacity, organisation_limit=limit, now=NOW,
        )  # fmt: skip


def hold(world: World, organisation_id: int, places: int) -> None:
    with transaction() as session:
        set_contingent(
            session, SYSTEM, world.event_id, organisation_id=organisation_id,
            places=places, until=NOW + timedelta(days=9), now=NOW,
        )  # fmt: skip


def mails_of_kind(kind: str) -> list[OutgoingMail]:
    return list(db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == kind)))


def test_more_places_go_to_the_waiting_list_in_order(app: Flask) -> None:
    world = World(people=4, capacity=1, minimum=0)
    for actor in world.actors:
        world.register(actor)
    set_capacity(world, 3)
    assert [world.state(actor) for actor in world.actors] == [PLACED, PLACED, PLACED, WAITING]
    assert len(mails_of_kind("registration_promoted")) == 2


def test_capacity_cannot_fall_below_what_is_taken_and_held(app: Flask) -> None:
    world = World(people=2, capacity=4, minimum=0)
    for actor in world.actors:
        world.register(actor)
    with transaction() as session:
        other = make_organisation(session, "Stadt Dortmund").id
    hold(world, other, 1)
    with pytest.raises(DomainError) as caught:
        set_capacity(world, 2)
    assert caught.value.code == "capacity_too_small"
    assert "2 Plätze vergeben und 1 vorgehalten" in caught.value.sentence
    set_capacity(world, 3)


def test_the_limit_of_an_organisation_cannot_fall_below_what_one_has(app: Flask) -> None:
    world = World(people=2, capacity=4, minimum=0)
    for actor in world.actors:
        world.register(actor)
    with pytest.raises(DomainError) as caught:
        set_capacity(world, 4, limit=1)
    assert (caught.value.code, caught.value.field) == ("limit_too_small", "organisation_limit")
    set_capacity(world, 4, limit=2)


def test_a_contingent_larger_than_what_is_free_is_refused_with_the_possible_number(
    app: Flask,
) -> None:
    world = World(people=2, capacity=5, minimum=0)
    for actor in world.actors:
        world.register(actor)
    with transaction() as session:
        other = make_organisation(session, "Stadt Dortmund").id
    with pytest.raises(DomainError) as caught:
        hold(world, other, 4)
    assert caught.value.code == "contingent_too_large"
    assert "höchstens 3" in caught.value.sentence
    assert db.session.scalars(select(Contingent)).all() == []


def test_places_taken_by_the_organisation_itself_count_to_its_contingent(app: Flask) -> None:
    world = World(people=2, capacity=2, minimum=0)
    for actor in world.actors:
        world.register(actor)
    hold(world, world.organisation_id, 2)


def test_a_contingent_given_up_serves_the_waiting_list(app: Flask) -> None:
    world = World(people=2, capacity=2, minimum=0)
    with transaction() as session:
        other = make_organisation(session, "Stadt Dortmund").id
    hold(world, other, 1)
    assert [world.register(actor) for actor in world.actors] == [PLACED, WAITING]
    contingent_id = db.session.scalars(select(Contingent.id)).one()
    with transaction() as session:
        remove_contingent(session, SYSTEM, contingent_id, NOW)
    assert world.state(world.actors[1]) is PLACED


def test_a_contingent_lasts_at_most_until_the_event_begins(app: Flask) -> None:
    world = World()
    for until in (NOW, berlin(date(2026, 4, 16), 9, 1)):
        with pytest.raises(DomainError, match="contingent_too_late"), transaction() as session:
            set_contingent(
                session, SYSTEM, world.event_id, organisation_id=world.organisation_id,
                places=1, until=until, now=NOW,
            )  # fmt: skip


def test_moving_keeps_places_and_deadlines_and_tells_everybody(app: Flask) -> None:
    world = World(people=3, capacity=2, minimum=0)
    for actor in world.actors:
        world.register(actor)
    ticket = world.registration(world.actors[0]).ticket
    before = db.session.get_one(Event, world.event_id)
    closes_at = before.closes_at
    assert move(world, LATER, LATER + timedelta(days=1)) == 3
    db.session.close()
    event = db.session.get_one(Event, world.event_id)
    assert (event.first_day, event.last_day) == (LATER, LATER + timedelta(days=1))
    assert event.closes_at - closes_at == timedelta(days=34)
    assert [world.state(actor) for actor in world.actors] == [PLACED, PLACED, WAITING]
    assert world.registration(world.actors[0]).ticket == ticket
    assert len(mails_of_kind("event_moved")) == 3


def test_moving_updates_the_calendar_entry_and_removes_days_that_are_gone(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    move(world, LATER)
    first = mails_of_kind("registration_placed")[0].content["calendar"]
    second = mails_of_kind("event_moved")[0].content["calendar"]
    before = [Calendar.from_ical(part["content"]).walk("VEVENT")[0] for part in first]
    after = [Calendar.from_ical(part["content"]).walk("VEVENT")[0] for part in second]
    assert [part["method"] for part in second] == ["REQUEST", "CANCEL"]
    assert [entry["UID"] for entry in after] == [entry["UID"] for entry in before]
    assert all(new["SEQUENCE"] > old["SEQUENCE"] for new, old in zip(after, before, strict=True))
    assert after[0]["DTSTART"].dt.date() == LATER
    assert after[1]["STATUS"] == "CANCELLED"


def test_moving_onto_another_place_of_somebody_frees_this_one_for_the_next(app: Flask) -> None:
    world = World(people=2, capacity=1, minimum=0)
    with transaction() as session:
        other_id = make_event(session, first_day=LATER, days=1).id
    for actor in world.actors:
        world.register(actor)
    world.register(world.actors[0], other_id)
    move(world, LATER)
    states = {
        registration.event_id: registration.state
        for registration in db.session.scalars(
            select(type(world.registration(world.actors[0]))).filter_by(
                person_id=world.actors[0].person_id
            )
        )
    }
    assert states == {world.event_id: RegistrationState.WITHDRAWN, other_id: PLACED}
    assert world.state(world.actors[1]) is PLACED
    (told,) = mails_of_kind("registration_lost_by_move")
    # The event had two days and has one: both entries go.
    assert [part.method for part in told.mail.calendar] == ["CANCEL", "CANCEL"]


def test_moving_to_the_same_dates_and_place_is_refused_and_tells_nobody(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    with pytest.raises(DomainError, match="unmoved"):
        event = db.session.get_one(Event, world.event_id)
        plans, place = plans_of(event), (event.venue_id, event.room_id)
        with transaction() as session:
            move_event(
                session, SYSTEM, world.event_id,
                sessions=plans, venue_id=place[0], room_id=place[1], now=NOW,
            )  # fmt: skip
    assert mails_of_kind("event_moved") == []


def test_moving_into_the_past_is_refused_and_changes_nothing(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    with pytest.raises(DomainError, match="into_the_past"):
        move(world, date(2026, 3, 1))
    db.session.close()
    assert db.session.get_one(Event, world.event_id).first_day == date(2026, 4, 16)
    assert mails_of_kind("event_moved") == []


def test_a_room_that_is_taken_at_the_new_time_is_named(app: Flask) -> None:
    world = World()
    venue = db.session.get_one(Event, world.event_id).venue
    assert venue is not None
    with transaction() as session:
        other = make_event(session, first_day=LATER, days=1, venue=session.merge(venue))
        number = other.number
    with pytest.raises(DomainError) as caught:
        move(world, LATER)
    assert caught.value.code == "room_booked"
    assert number in caught.value.sentence


def test_cancelling_ends_every_registration_and_tells_people_and_trainers(app: Flask) -> None:
    world = World(people=3, capacity=2, minimum=0)
    with transaction() as session:
        trainer = make_person(session, roles=(Role.TRAINER,))
        session.add(EventTrainer(event_id=world.event_id, person_id=trainer.id))
    for actor in world.actors:
        world.register(actor)
    assert cancel(world) == 4
    assert {world.state(actor) for actor in world.actors} == {RegistrationState.CANCELLED}
    sent = mails_of_kind("event_cancelled")
    assert len(sent) == 4
    assert all("Die Leitung ist erkrankt." in str(mail.content["paragraphs"]) for mail in sent)
    methods = [[part["method"] for part in mail.content["calendar"]] for mail in sent]
    assert sorted(methods) == [[], ["CANCEL", "CANCEL"], ["CANCEL", "CANCEL"], ["CANCEL", "CANCEL"]]


def test_cancelling_twice_is_refused(app: Flask) -> None:
    world = World()
    cancel(world)
    with pytest.raises(DomainError, match="illegal_move"):
        cancel(world)


def test_the_replacement_is_named_to_everybody(app: Flask) -> None:
    world = World()
    world.register(world.actors[0])
    with transaction() as session:
        other = make_event(session, first_day=LATER)
    cancel(world, other.id)
    assert mails_of_kind("event_cancelled")[0].content["link"] == [
        "Zum Ersatztermin",
        f"/veranstaltungen/{other.number}",
    ]


def test_only_a_published_event_replaces_another(app: Flask) -> None:
    world = World()
    with transaction() as session:
        draft = make_event(session, state=EventState.DRAFT)
    for wrong in (draft.id, world.event_id, 999_999):
        with pytest.raises(DomainError, match="wrong_replacement"):
            cancel(world, wrong)


def test_nothing_changes_once_the_event_has_begun(app: Flask) -> None:
    world = World()
    world.change_event(state=EventState.HELD)
    for change in (
        lambda: set_capacity(world, 20),
        lambda: hold(world, world.organisation_id, 1),
        lambda: move(world, LATER),
    ):
        with pytest.raises(DomainError, match="finished"):
            change()


def test_a_waiting_person_is_served_when_the_limit_of_the_organisation_rises(app: Flask) -> None:
    world = World(people=2, organisation_limit=1)
    assert [world.register(actor) for actor in world.actors] == [PLACED, WAITING]
    set_capacity(world, 12, 2)
    assert world.state(world.actors[1]) is PLACED


def test_capacity_cannot_fall_below_the_minimum(app: Flask) -> None:
    world = World(minimum=6)
    with pytest.raises(DomainError, match="minimum_above_capacity"):
        set_capacity(world, 5)


def test_a_contingent_belongs_to_an_authority_that_exists_and_not_to_a_unit(app: Flask) -> None:
    world = World()
    with transaction() as session:
        city = session.get_one(Organisation, world.organisation_id)
        unit = make_organisation(session, "Ordnungsamt", parent=city, level=Level.UNIT).id
        retired = make_organisation(session, "Stadt Alt")
        retired.retired_at = NOW
    for organisation_id, code in (
        (999_999, "not_found"), (retired.id, "not_found"), (unit, "contingent_for_unit"),
    ):  # fmt: skip
        with pytest.raises(DomainError, match=code):
            hold(world, organisation_id, 1)


def test_what_does_not_exist_can_be_neither_moved_nor_given_up(app: Flask) -> None:
    world = World()
    contingents_before = db.session.scalars(select(Contingent)).all()
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        remove_contingent(session, SYSTEM, 999_999, NOW)
    world.event_id, known = 999_999, world.event_id
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        move_event(
            session, SYSTEM, world.event_id,
            sessions=day_plan(LATER), venue_id=None, room_id=None, now=NOW,
        )  # fmt: skip
    assert db.session.get_one(Event, known).first_day == date(2026, 4, 16)
    assert contingents_before == []


def test_moving_tells_the_trainers_as_well(app: Flask) -> None:
    world = World()
    with transaction() as session:
        trainer = make_person(session, roles=(Role.TRAINER,))
        session.add(EventTrainer(event_id=world.event_id, person_id=trainer.id))
    assert move(world, LATER) == 1
    (told,) = mails_of_kind("event_moved")
    assert told.recipient == trainer.email
    assert [part["method"] for part in told.content["calendar"]] == ["REQUEST", "CANCEL"]


def assign(world: World, *trainer_ids: int) -> None:
    with transaction() as session:
        assign_trainers(session, SYSTEM, world.event_id, trainer_ids, NOW)


def test_somebody_who_is_registered_cannot_lead_the_event_as_well(app: Flask) -> None:
    world = World(people=1)
    with transaction() as session:
        person = make_person(session, roles=(Role.TRAINER,), family_name="Doppelrolle")
        actor = actor_for(person)
    world.register(actor)
    with pytest.raises(DomainError, match="trainer_registered") as caught:
        assign(world, actor.person_id or 0)
    assert "Doppelrolle" in caught.value.sentence
    world.withdraw(actor)
    assign(world, actor.person_id or 0)


def calendar_events(mail: OutgoingMail) -> list[Component]:
    return [Calendar.from_ical(part.content).walk("VEVENT")[0] for part in mail.mail.calendar]


def test_the_calendar_of_a_trainer_who_was_registered_before_is_updated(app: Flask) -> None:
    world = World(people=1)
    with transaction() as session:
        actor = actor_for(make_person(session, roles=(Role.TRAINER,)))
    for _ in range(2):
        world.register(actor)
        world.withdraw(actor)
    assign(world, actor.person_id or 0)
    move(world, LATER)
    given_up = calendar_events(mails_of_kind("registration_withdrawn")[-1])
    moved = calendar_events(mails_of_kind("event_moved")[-1])
    assert moved[0]["UID"] == given_up[0]["UID"]
    assert moved[0]["SEQUENCE"] > given_up[0]["SEQUENCE"]
