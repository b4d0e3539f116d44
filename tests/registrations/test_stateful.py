"""Any sequence of operations keeps the invariants of places, against the database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from tests.conftest import NOW, empty_database
from tests.factories import actor_for, make_event, make_organisation, make_person
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event
from trainings.office import sweeps
from trainings.people.models import Person
from trainings.registrations.event_operations import (
    change_capacity,
    remove_contingent,
    set_contingent,
)
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Contingent,
    Registration,
    RegistrationChange,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.places import load_places, load_queue
from trainings.registrations.rules import REGISTRATION_MOVES, next_places
from trainings.registrations.substitution import substitute

pytestmark = pytest.mark.both_databases
# Two events that overlap, one that does not; three authorities with four people each.
DAYS = (date(2026, 4, 16), date(2026, 4, 16), date(2026, 5, 20))


class PlacesMachine(RuleBasedStateMachine):
    """Registers, withdraws, changes capacity, limits and contingents in any order."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        db.session.remove()
        empty_database()
        with transaction() as session:
            self.organisations = [make_organisation(session, name).id for name in "ABC"]
            self.events = [
                make_event(session, first_day=day, days=1, capacity=2, minimum=0).id for day in DAYS
            ]
            self.actors: list[Actor] = []
            for organisation_id in self.organisations:
                organisation = session.get_one(type(make_organisation(session)), organisation_id)
                self.actors += [actor_for(make_person(session, organisation)) for _ in range(4)]

    def attempt(self, operation: object, *args: object, **kwargs: object) -> None:
        """Run an operation; a refusal is an answer like any other."""
        try:
            with transaction() as session:
                operation(session, *args, **kwargs, now=NOW)  # type: ignore[operator]
        except DomainError:
            pass

    @rule(who=st.integers(0, 11), where=st.integers(0, 2))
    def register(self, who: int, where: int) -> None:
        self.attempt(register, self.actors[who], self.events[where])

    @rule(which=st.integers(0, 30))
    def withdraw(self, which: int) -> None:
        rows = db.session.execute(
            select(Registration.id, Registration.person_id).order_by(Registration.id)
        ).all()
        if rows:
            row = rows[which % len(rows)]
            self.attempt(withdraw, Actor(person_id=row.person_id), row.id)
            self.serve_those_who_are_free_again()

    def serve_those_who_are_free_again(self) -> None:
        """Let the sweep run: whoever left one event may have waited for another at that time."""
        sweeps.serve_waiting_lists(NOW)

    @rule(which=st.integers(0, 30), who=st.integers(0, 11))
    def substitute(self, which: int, who: int) -> None:
        rows = db.session.execute(
            select(Registration.id, Registration.person_id).order_by(Registration.id)
        ).all()
        if rows:
            row = rows[which % len(rows)]
            colleague = db.session.get_one(Person, self.actors[who].person_id)
            self.attempt(
                substitute, Actor(person_id=row.person_id), row.id,
                given_name="A", family_name="B", email=colleague.email,
            )  # fmt: skip
            self.serve_those_who_are_free_again()

    @rule(where=st.integers(0, 2), capacity=st.integers(0, 5), limit=st.none() | st.integers(1, 3))
    def change_capacity(self, where: int, capacity: int, limit: int | None) -> None:
        self.attempt(
            change_capacity, SYSTEM, self.events[where],
            capacity=capacity, organisation_limit=limit,
        )  # fmt: skip

    @rule(where=st.integers(0, 2), whom=st.integers(0, 2), places=st.integers(1, 3))
    def hold(self, where: int, whom: int, places: int) -> None:
        self.attempt(
            set_contingent, SYSTEM, self.events[where],
            organisation_id=self.organisations[whom], places=places,
            until=NOW + timedelta(days=1),
        )  # fmt: skip

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        ids = db.session.scalars(select(Contingent.id).order_by(Contingent.id)).all()
        if ids:
            self.attempt(remove_contingent, SYSTEM, ids[which % len(ids)])

    @invariant()
    def capacity_and_contingents_hold(self) -> None:
        db.session.remove()
        for event in db.session.scalars(select(Event)):
            places = load_places(db.session(), event.pool, NOW)
            assert places.taken + places.held <= places.capacity
            assert places.most_of_one <= (places.organisation_limit or places.most_of_one)

    @invariant()
    def nobody_waits_for_whom_there_is_a_place(self) -> None:
        for event in db.session.scalars(select(Event)):
            places = load_places(db.session(), event.pool, NOW)
            assert next_places(places, load_queue(db.session(), event)) == []

    @invariant()
    def nobody_holds_two_places(self) -> None:
        doubled = (
            select(Registration.person_id)
            .where(Registration.state.in_(ACTIVE))
            .group_by(Registration.pool_id, Registration.person_id)
            .having(func.count() > 1)
        )
        overlapping = (
            select(Registration.person_id)
            .where(Registration.state.in_(SEATED), Registration.event_id.in_(self.events[:2]))
            .group_by(Registration.person_id)
            .having(func.count() > 1)
        )
        assert db.session.scalars(doubled).all() == []
        assert db.session.scalars(overlapping).all() == []

    @invariant()
    def tickets_belong_to_places_and_history_leads_to_the_state(self) -> None:
        changes: dict[int, list[RegistrationChange]] = {}
        for change in db.session.scalars(
            select(RegistrationChange).order_by(RegistrationChange.id)
        ):
            changes.setdefault(change.registration_id, []).append(change)
        for registration in db.session.scalars(select(Registration)):
            assert (registration.ticket is not None) == (registration.state in SEATED)
            state = None
            for change in changes[registration.id]:
                assert change.from_state == state
                assert change.to_state in REGISTRATION_MOVES[state]
                state = change.to_state
            assert state == registration.state


def test_any_sequence_of_operations_keeps_the_invariants(app: Flask) -> None:
    run_state_machine_as_test(
        PlacesMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
