"""Places count for the organisation that goes on, whatever a registration was made under."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.cli.checks.places import organisation_limits_are_kept
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event
from trainings.office.merging import merge_organisations
from trainings.office.occupancy import occupancies
from trainings.organisations.models import Level, Organisation
from trainings.registrations.affiliation import counts_for
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.models import Contingent, Registration, RegistrationState
from trainings.registrations.offer_operations import place_by_office
from trainings.registrations.operations import register
from trainings.registrations.place_queries import load_places, load_queue

pytestmark = pytest.mark.both_databases
WAITING = RegistrationState.WAITING
UNTIL = NOW + timedelta(days=9)


class Merged:
    """Two authorities of a limit of two, each with one place; the first was merged, twice."""

    def __init__(self, *, seats: int = 1, waiting: int = 0) -> None:
        with transaction() as session:
            old, between, goes_on = (make_organisation(session, name) for name in "ABC")
            event = make_event(session, capacity=10, minimum=0, organisation_limit=2)
            for organisation in (old, goes_on):
                for _ in range(seats):
                    make_registration(session, event, make_person(session, organisation))
            self.waiting = [
                make_registration(session, event, make_person(session, old), state=WAITING).id
                for _ in range(waiting)
            ]
            self.event_id, self.goes_on = event.id, goes_on.id
            self.old, self.between = old.id, between.id
        self.merge(self.old, self.between)
        self.merge(self.between, self.goes_on)

    def merge(self, source: int, target: int) -> None:
        with transaction() as session:
            merge_organisations(session, SYSTEM, source, target, NOW)

    def register(self) -> RegistrationState:
        with transaction() as session:
            person = make_person(session, session.get_one(Organisation, self.goes_on))
            return register(session, actor_for(person), self.event_id, now=NOW).state

    def event(self) -> Event:
        db.session.remove()
        return db.session.get_one(Event, self.event_id)


def test_the_limit_counts_those_who_registered_under_the_old_name(app: Flask) -> None:
    world = Merged()
    event = world.event()
    seated = load_places(db.session(), event.pool, NOW).seated
    assert dict(seated) == {(world.goes_on,): 2}
    assert world.register() is WAITING


def test_who_waits_under_the_old_name_waits_for_the_organisation_that_goes_on(app: Flask) -> None:
    world = Merged(waiting=1)
    event = world.event()
    assert [seeker.chain for seeker in load_queue(db.session(), event)] == [(world.goes_on,)]
    with pytest.raises(DomainError, match="no_place"), transaction() as session:
        place_by_office(session, Actor(is_system=True), world.waiting[0], reason="Bitte", now=NOW)


def test_what_merging_brought_together_stays_and_the_doctor_finds_nothing(app: Flask) -> None:
    world = Merged(seats=2)
    world.event()
    assert organisation_limits_are_kept(db.session(), NOW) == []
    with transaction() as session:
        change_capacity(session, SYSTEM, world.event_id, capacity=12, organisation_limit=2, now=NOW)
    with pytest.raises(DomainError, match="limit_too_small"), transaction() as session:
        change_capacity(session, SYSTEM, world.event_id, capacity=12, organisation_limit=1, now=NOW)
    assert world.register() is WAITING


def test_who_was_merged_takes_from_what_is_held_for_the_organisation_that_goes_on(
    app: Flask,
) -> None:
    world = Merged()
    pool_id = world.event().pool_id
    with transaction() as session:
        session.add(
            Contingent(pool_id=pool_id, organisation_id=world.goes_on, places=4, until=UNTIL)
        )
    event = world.event()
    assert load_places(db.session(), event.pool, NOW).held == 2
    assert occupancies(db.session(), [pool_id], NOW)[pool_id].held == 2


def test_an_organisation_merged_into_a_unit_counts_for_its_authority(app: Flask) -> None:
    with transaction() as session:
        old, authority = make_organisation(session, "A"), make_organisation(session, "B")
        unit = make_organisation(session, "C", parent=authority, level=Level.UNIT)
        event = make_event(session, capacity=3, minimum=0)
        row = make_registration(session, event, make_person(session, old))
        merge_organisations(session, SYSTEM, old.id, unit.id, NOW)
        row_id, event_id, authority_id = row.id, event.id, authority.id
    db.session.remove()
    event = db.session.get_one(Event, event_id)
    assert dict(load_places(db.session(), event.pool, NOW).seated) == {(authority_id,): 1}
    made_under = db.session.get_one(Registration, row_id).organisation
    assert counts_for(made_under).id == authority_id


def test_what_is_held_for_the_group_keeps_an_authority_from_going_to_another_group(
    app: Flask,
) -> None:
    with transaction() as session:
        groups = [make_organisation(session, name, level=Level.GROUP) for name in "GH"]
        source, target = (
            make_organisation(session, name, parent=group)
            for name, group in zip("AB", groups, strict=True)
        )
        event = make_event(session, capacity=3, minimum=0)
        held = Contingent(
            pool_id=event.pool_id, organisation_id=groups[0].id, places=1, until=UNTIL
        )
        session.add(held)
        ids = source.id, target.id
    with pytest.raises(DomainError, match="contingent_open"), transaction() as session:
        merge_organisations(session, SYSTEM, *ids, NOW)
