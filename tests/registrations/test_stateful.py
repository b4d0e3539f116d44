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
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select

from tests.conftest import NOW, empty_database
from tests.factories import (
    actor_for,
    berlin,
    make_event,
    make_organisation,
    make_person,
    make_venue,
)
from tests.registrations.demand import make_template
from trainings.cli.checks.registrations import nobody_sits_in_two_events_at_once
from trainings.cli.checks.wishes import (
    a_wish_gives_one_place,
    ended_wishes_hold_no_list,
    wishes_are_of_one_person,
)
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.details import Policy, plans_of
from trainings.events.models import Admission, Event, EventState
from trainings.events.rules import SessionPlan
from trainings.office import sweeps
from trainings.people.models import Person
from trainings.registrations.admission_operations import confirm_admission
from trainings.registrations.admission_queries import load_admission
from trainings.registrations.contingent_operations import (
    remove_contingent,
    return_contingent,
    set_contingent,
)
from trainings.registrations.deciders import Decider
from trainings.registrations.demand_operations import end_wish, express_wish
from trainings.registrations.event_move_operations import move_event
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.extra_date_operations import (
    create_extra_date,
    publish_and_take_along,
)
from trainings.registrations.models import (
    ACTIVE,
    Contingent,
    Registration,
    RegistrationChange,
    RegistrationState,
    ReleaseOutcome,
    Wish,
)
from trainings.registrations.offer_operations import (
    accept_offer,
    decline_offer,
    move_in_queue,
    place_by_office,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.place_queries import load_places, load_queue
from trainings.registrations.release_operations import Speaker, decide_release
from trainings.registrations.rules import REGISTRATION_MOVES, awaits_admission, next_places
from trainings.registrations.substitution import substitute

pytestmark = pytest.mark.both_databases
PLACED, OFFERED = RegistrationState.PLACED, RegistrationState.OFFERED
POLICIES = (
    Policy(offer_days=0),
    Policy(offer_days=1),
    Policy(offer_days=2),
    Policy(offer_days=1, admission=Admission.BY_OFFICE),
)
# Two events that overlap, the second of which needs a release, one that does not overlap, and one
# at whose places the office decides; three authorities with four people each.
DAYS = (date(2026, 4, 16), date(2026, 4, 16), date(2026, 5, 20), date(2026, 6, 10))
STAYS_ON_THE_LIST = {
    "moved_by_office",
    "ranked_by_admission",
    "not_admitted",
    "not_admitted_by_office",
}
MOST_EXTRA_DATES = 2
ADMITTED_FROM = NOW + timedelta(hours=2)

DECIDER = Speaker(Decider("Karla Beispiel"), None)
# Before there is no time left for an offer.
LATEST = berlin(date(2026, 4, 13), 9)


class PlacesMachine(RuleBasedStateMachine):
    """Registers, withdraws, changes capacity, limits and contingents in any order."""

    people = Bundle("people")

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        db.session.remove()
        empty_database()
        with transaction() as session:
            self.organisations = [make_organisation(session, name).id for name in "ABC"]
            template = make_template(session)
            events = [
                make_event(session, first_day=day, days=1, capacity=2, minimum=0, policy=policy)
                for day, policy in zip(DAYS, POLICIES, strict=True)
            ]
            venue = make_venue(session)
            for event in events:
                # Without a room, so that two events may be at the same time.
                event.template_id, event.venue = template.id, venue
            events[1].needs_release = True
            events[3].closes_at = ADMITTED_FROM
            self.template_id = template.id
            self.office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
            self.events = [event.id for event in events]
            self.actors: list[Actor] = []
            for organisation_id in self.organisations:
                organisation = session.get_one(type(make_organisation(session)), organisation_id)
                self.actors += [actor_for(make_person(session, organisation)) for _ in range(4)]

        # A list from the start, so that most sequences get as far as offers.
        for who in range(6):
            self.register(who, 2)
        for who in range(3, 9):
            self.register(who, 3)

    def attempt(self, operation: object, *args: object, **kwargs: object) -> None:
        """Run an operation; a refusal is an answer like any other."""
        try:
            with transaction() as session:
                operation(session, *args, **kwargs, now=self.now)  # type: ignore[operator]
        except DomainError:
            pass

    @rule(who=st.integers(0, 11), where=st.integers(0, 3))
    def register(self, who: int, where: int) -> None:
        self.attempt(register, self.actors[who], self.events[where])

    @rule(who=st.integers(0, 11), where=st.sets(st.integers(0, 3)), next_free=st.booleans())
    def wish(self, who: int, where: set[int], next_free: bool) -> None:
        self.attempt(
            express_wish, self.actors[who], self.template_id,
            event_ids=[self.events[number] for number in where], next_free=next_free,
        )  # fmt: skip

    @precondition(lambda self: len(self.events) < len(DAYS) + MOST_EXTRA_DATES)
    @rule(where=st.integers(0, 4), weeks=st.integers(0, 8), capacity=st.integers(1, 3))
    def extra_date(self, where: int, weeks: int, capacity: int) -> None:
        """Plan an extra date that takes the waiting list along, sometimes at the same time."""
        source = self.events[where % len(self.events)]
        day = DAYS[0] + timedelta(weeks=weeks)
        try:
            with transaction() as session:
                extra = create_extra_date(
                    session, self.office, source, day, self.now, with_room=False
                )
                extra.pool.capacity, extra.minimum = capacity, 0
                extra_id = extra.id
        except DomainError:
            return
        self.attempt(publish_and_take_along, self.office, extra_id)
        if db.session.get_one(Event, extra_id).state is EventState.PUBLISHED:
            self.events.append(extra_id)

    @rule(where=st.integers(0, 2), day=st.sampled_from(sorted(set(DAYS))))
    def move_the_event(self, where: int, day: date) -> None:
        event = db.session.get_one(Event, self.events[where])
        plans = [SessionPlan(day, plan.begins, plan.ends, plan.label) for plan in plans_of(event)]
        self.attempt(
            move_event, self.office, event.id,
            sessions=plans, venue_id=event.venue_id, room_id=event.room_id,
        )  # fmt: skip
        self.serve_those_who_are_free_again()

    @rule(which=st.integers(0, 11))
    def end_wish(self, which: int) -> None:
        rows = db.session.execute(select(Wish.id, Wish.person_id).order_by(Wish.id)).all()
        if rows:
            row = rows[which % len(rows)]
            self.attempt(end_wish, Actor(person_id=row.person_id), row.id)

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
        sweeps.serve_waiting_lists(self.now)

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

    @rule(where=st.integers(0, 3), capacity=st.integers(0, 5), limit=st.none() | st.integers(1, 3))
    def change_capacity(self, where: int, capacity: int, limit: int | None) -> None:
        self.attempt(
            change_capacity, SYSTEM, self.events[where],
            capacity=capacity, organisation_limit=limit,
        )  # fmt: skip

    @rule(where=st.integers(0, 3), whom=st.integers(0, 2), places=st.integers(1, 3))
    def hold(self, where: int, whom: int, places: int) -> None:
        self.attempt(
            set_contingent, SYSTEM, self.events[where],
            organisation_id=self.organisations[whom], places=places,
            until=self.now + timedelta(days=1),
        )  # fmt: skip

    @rule(which=st.integers(0, 5))
    def release(self, which: int) -> None:
        ids = db.session.scalars(select(Contingent.id).order_by(Contingent.id)).all()
        if ids:
            self.attempt(remove_contingent, SYSTEM, ids[which % len(ids)])

    def one_of(self, which: int, *states: RegistrationState) -> int | None:
        """Return a registration in one of these states, if there is any."""
        ids = db.session.scalars(
            select(Registration.id).where(Registration.state.in_(states)).order_by(Registration.id)
        ).all()
        return ids[which % len(ids)] if ids else None

    @rule(which=st.integers(0, 5), accept=st.booleans())
    def answer_offer(self, which: int, accept: bool) -> None:
        offered = self.one_of(which, RegistrationState.OFFERED)
        if offered is not None:
            self.attempt(accept_offer if accept else decline_offer, SYSTEM, offered)
            # Whoever has answered may be offered another date of the same wish again.
            self.serve_those_who_are_free_again()

    @rule(which=st.integers(0, 11), position=st.integers(1, 12))
    def change_the_order(self, which: int, position: int) -> None:
        waiting = self.one_of(which, RegistrationState.WAITING)
        if waiting is not None:
            self.attempt(move_in_queue, self.office, waiting, position=position, reason="Bitte")

    @rule(which=st.integers(0, 11))
    def place_out_of_turn(self, which: int) -> None:
        waiting = self.one_of(which, RegistrationState.WAITING)
        if waiting is not None:
            self.attempt(place_by_office, self.office, waiting, reason="Bitte")

    @rule(hours=st.integers(1, 72))
    def let_time_pass(self, hours: int) -> None:
        """Let offers and contingents run out; the sweeps come after."""
        self.now = min(self.now + timedelta(hours=hours), LATEST)
        sweeps.expire_offers(self.now)
        sweeps.serve_waiting_lists(self.now)

    @rule(which=st.integers(0, 30), outcome=st.sampled_from(ReleaseOutcome))
    def decide(self, which: int, outcome: ReleaseOutcome) -> None:
        asking = Registration.state == RegistrationState.AWAITING_RELEASE
        ids = db.session.scalars(
            select(Registration.id).where(asking).order_by(Registration.id)
        ).all()
        if ids:
            self.attempt(decide_release, DECIDER, ids[which % len(ids)], outcome=outcome)

    @rule(leave_out=st.sets(st.integers(0, 5), max_size=2))
    def admit(self, leave_out: set[int]) -> None:
        """Let the office follow the proposal, or put some aside."""
        event_id = self.events[3]
        event = db.session.get_one(Event, event_id)
        found = load_admission(db.session(), event, {}, self.now)
        lines = enumerate(found.proposals)
        chosen = {
            line.candidate.id for number, line in lines if line.admitted and number not in leave_out
        }
        self.attempt(
            confirm_admission, self.office, event_id, chosen=chosen,
            reasons=dict.fromkeys(found.registrations, "Bitte"), expected=found.fingerprint,
            experience=lambda *_: {},
        )  # fmt: skip

    @rule(which=st.integers(0, 5), number=st.none() | st.integers(1, 3))
    def give_held_places_back(self, which: int, number: int | None) -> None:
        ids = db.session.scalars(select(Contingent.id).order_by(Contingent.id)).all()
        if ids:
            self.attempt(return_contingent, DECIDER, ids[which % len(ids)], number=number)

    @invariant()
    def capacity_and_contingents_hold(self) -> None:
        db.session.remove()
        for event in db.session.scalars(select(Event)):
            places = load_places(db.session(), event.pool, self.now)
            assert places.taken + places.held <= places.capacity
            assert places.most_of_one <= (places.organisation_limit or places.most_of_one)

    @invariant()
    def nobody_waits_for_whom_there_is_a_place(self) -> None:
        for event in db.session.scalars(select(Event)):
            if awaits_admission(event.admission, event.admitted_at):
                continue
            places = load_places(db.session(), event.pool, self.now)
            assert next_places(places, load_queue(db.session(), event)) == []

    @invariant()
    def nobody_has_a_place_before_the_office_admits(self) -> None:
        event = db.session.get_one(Event, self.events[3])
        if event.admitted_at is None:
            assert load_places(db.session(), event.pool, self.now).taken == 0
        else:
            assert event.admitted_at >= ADMITTED_FROM

    @invariant()
    def ranks_are_given_once(self) -> None:
        for event_id in self.events:
            ranks = db.session.scalars(
                select(Registration.rank).where(
                    Registration.event_id == event_id, Registration.state.in_(ACTIVE)
                )
            ).all()
            assert len(ranks) == len(set(ranks))

    @invariant()
    def nobody_holds_two_places(self) -> None:
        doubled = (
            select(Registration.person_id)
            .where(Registration.state.in_(ACTIVE))
            .group_by(Registration.pool_id, Registration.person_id)
            .having(func.count() > 1)
        )
        assert db.session.scalars(doubled).all() == []
        assert nobody_sits_in_two_events_at_once(db.session(), self.now) == []

    @invariant()
    def a_wish_gives_one_place_and_ends_with_it(self) -> None:
        assert a_wish_gives_one_place(db.session(), NOW) == []
        assert ended_wishes_hold_no_list(db.session(), NOW) == []
        assert wishes_are_of_one_person(db.session(), NOW) == []

    @invariant()
    def tickets_belong_to_places_and_history_leads_to_the_state(self) -> None:
        changes: dict[int, list[RegistrationChange]] = {}
        for change in db.session.scalars(
            select(RegistrationChange).order_by(RegistrationChange.id)
        ):
            changes.setdefault(change.registration_id, []).append(change)
        for registration in db.session.scalars(select(Registration)):
            assert (registration.ticket is not None) == (registration.state is PLACED)
            assert (registration.offer_until is not None) == (registration.state is OFFERED)
            state = None
            for change in changes[registration.id]:
                assert change.from_state == state
                if change.reason in STAYS_ON_THE_LIST:
                    assert change.to_state is state
                else:
                    assert change.to_state in REGISTRATION_MOVES[state]
                state = change.to_state
            assert state == registration.state


def test_any_sequence_of_operations_keeps_the_invariants(app: Flask) -> None:
    run_state_machine_as_test(
        PlacesMachine,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
