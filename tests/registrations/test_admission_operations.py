"""The office confirms who is admitted, against both databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import empty_database
from tests.factories import actor_for, berlin, make_event, make_organisation, make_person
from tests.office.test_page_costs import make_format
from tests.registered import make_registration
from trainings.attendance.experience import participations_before
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, EventState
from trainings.organisations.models import Organisation
from trainings.people.models import Person
from trainings.registrations.admission_operations import Admitted, confirm_admission
from trainings.registrations.admission_queries import AdmissionList, load_admission
from trainings.registrations.admission_rules import Rule
from trainings.registrations.models import (
    Contingent,
    Registration,
    RegistrationChange,
    RegistrationState,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.place_queries import load_places, load_queue
from trainings.registrations.rules import next_places

pytestmark = pytest.mark.both_databases

State = RegistrationState
FIRST_DAY = date(2026, 4, 16)
ASKED = berlin(date(2026, 3, 2), 9)
CLOSED = berlin(date(2026, 4, 16), 0)
BY_OFFICE = Policy(admission=Admission.BY_OFFICE, offer_days=0)


class World:
    """An event whose places the office gives, and people of two organisations who asked."""

    def __init__(self, asking: str = "AAAB", policy: Policy = BY_OFFICE, **values: object) -> None:
        with transaction() as session:
            self.organisations = {
                letter: make_organisation(session, f"Stadt {letter}").id for letter in "ABC"
            }
            event = make_event(
                session,
                first_day=FIRST_DAY,
                minimum=0,
                policy=policy,
                **{"capacity": 2, **values},  # type: ignore[arg-type]
            )
            self.event_id = event.id
            self.office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        self.people = [self.ask(letter) for letter in asking]

    def ask(self, letter: str) -> int:
        """Let somebody of an organisation ask; returns the registration."""
        with transaction() as session:
            organisation = session.get_one(Organisation, self.organisations[letter])
            person = make_person(session, organisation, family_name=f"Aus {letter}")
            return register(session, actor_for(person), self.event_id, now=ASKED).id

    def hold(self, letter: str, places: int) -> None:
        with transaction() as session:
            event = session.get_one(Event, self.event_id)
            session.add(
                Contingent(
                    pool_id=event.pool_id,
                    organisation_id=self.organisations[letter],
                    places=places,
                    until=CLOSED + timedelta(hours=8),
                )
            )

    def registration(self, index: int) -> Registration:
        db.session.expire_all()
        return db.session.get_one(Registration, self.people[index])

    def states(self) -> list[State]:
        return [self.registration(index).state for index in range(len(self.people))]

    def proposal(self) -> AdmissionList:
        db.session.expire_all()
        event = db.session.get_one(Event, self.event_id)
        return load_admission(
            db.session(), event, participations_before(db.session(), event), CLOSED
        )

    def admitted(self) -> list[int]:
        return [
            self.people.index(line.candidate.id)
            for line in self.proposal().proposals
            if line.admitted
        ]

    def confirm(
        self,
        *chosen: int,
        reasons: Mapping[int, str] | None = None,
        expected: str = "",
        now: datetime = CLOSED,
        actor: Actor | None = None,
    ) -> Admitted:
        expected = expected or self.proposal().fingerprint
        db.session.rollback()
        with transaction() as session:
            return confirm_admission(
                session,
                actor or self.office,
                self.event_id,
                chosen=[self.people[index] for index in chosen],
                reasons={self.people[index]: why for index, why in (reasons or {}).items()},
                expected=expected,
                experience=participations_before,
                now=now,
            )

    def refusal(self, *chosen: int, **values: object) -> DomainError:
        with pytest.raises(DomainError) as caught:
            self.confirm(*chosen, **values)  # type: ignore[arg-type]
        assert State.PLACED not in self.states()
        return caught.value

    def mails(self, index: int) -> list[str]:
        email = self.registration(index).person.email
        return list(
            db.session.scalars(
                select(OutgoingMail.kind)
                .where(OutgoingMail.recipient == email)
                .order_by(OutgoingMail.id)
            )
        )

    def steps(self, index: int) -> list[tuple[str, str]]:
        rows = db.session.execute(
            select(RegistrationChange.reason, RegistrationChange.note)
            .where(RegistrationChange.registration_id == self.people[index])
            .order_by(RegistrationChange.id)
        )
        return [(row.reason, row.note) for row in rows]


def test_nobody_gets_a_place_before_the_office_has_admitted(app: Flask) -> None:
    world = World()
    assert world.states() == [State.WAITING] * 4
    assert world.mails(0) == ["registration_received"]


def test_the_proposal_is_confirmed_places_order_history_and_mails(app: Flask) -> None:
    world = World()
    assert world.admitted() == [0, 3]
    assert world.confirm(0, 3) == Admitted(placed=2, waiting=2)
    assert world.states() == [State.PLACED, State.WAITING, State.WAITING, State.PLACED]
    assert world.registration(0).ticket
    assert world.steps(0)[-1] == ("admitted", "Reihenfolge der Anmeldung")
    assert world.steps(3)[-1] == ("admitted", "Mischung der Organisationen")
    assert world.steps(1)[-1][0] == "not_admitted"
    assert world.mails(0)[-1] == "registration_placed"
    assert world.mails(1)[-1] == "registration_not_admitted"
    event = db.session.get_one(Event, world.event_id)
    assert event.admitted_at == CLOSED
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert entry is not None
    assert (entry.action, entry.details) == ("event_admitted", {"admitted": 2})


def test_a_second_confirmation_is_refused(app: Flask) -> None:
    world = World()
    world.confirm(0, 3)
    with pytest.raises(DomainError) as caught:
        world.confirm(1)
    assert caught.value.code == "admitted_before"


def test_the_others_stand_in_the_order_of_the_proposal_and_move_up_in_it(app: Flask) -> None:
    world = World("AAAB", capacity=1)
    with transaction() as session:
        session.get_one(Registration, world.people[2]).is_priority = True
    assert world.admitted() == [2]
    world.confirm(2)
    # Of the others „Stadt B“ has no place yet and comes first, although it asked last.
    ranks = {index: world.registration(index).rank for index in (0, 1, 3)}
    assert ranks[3] < ranks[0] < ranks[1]
    assert world.steps(3)[-1][0] == "ranked_by_admission"
    with transaction() as session:
        withdraw(session, world.office, world.people[2], CLOSED + timedelta(hours=1))
    assert world.states() == [State.WAITING, State.WAITING, State.WITHDRAWN, State.PLACED]


def test_a_change_needs_a_reason_and_keeps_it(app: Flask) -> None:
    world = World()
    refusal = world.refusal(0, 1)
    assert refusal.code == "reason_missing"
    assert "Aus A" in refusal.sentence or "Aus B" in refusal.sentence
    assert world.refusal(0, 1, reasons={1: "  ", 3: "war krank"}).code == "reason_missing"
    world.confirm(0, 1, reasons={1: "leitet das Team", 3: "nächster Termin"})
    assert world.states() == [State.PLACED, State.PLACED, State.WAITING, State.WAITING]
    assert world.steps(1)[-1] == ("admitted", "Abweichend vom Vorschlag: leitet das Team")
    assert world.steps(3)[-1][1] == "Abweichend vom Vorschlag: nächster Termin"
    assert world.registration(3).rank > world.registration(2).rank


def test_whom_the_office_takes_out_gets_no_place_from_the_list_before_the_others(
    app: Flask,
) -> None:
    world = World()
    result = world.confirm(0, reasons={3: "sagt selbst ab"})
    assert result == Admitted(placed=1, waiting=2)
    assert world.states() == [State.PLACED, State.PLACED, State.WAITING, State.WAITING]
    assert world.steps(1)[-1][0] == "promoted"
    assert world.mails(1)[1:] == ["registration_promoted"]


@pytest.mark.parametrize(
    ("values", "words"),
    [({"capacity": 2}, "alle Plätze"), ({"capacity": 4, "organisation_limit": 1}, "Organisation")],
)
def test_more_than_there_is_is_refused_with_the_name(
    app: Flask, values: dict[str, object], words: str
) -> None:
    world = World(**values)  # type: ignore[arg-type]
    reasons = dict.fromkeys(range(4), "weil es geht")
    refusal = world.refusal(0, 1, 3, reasons=reasons)
    assert refusal.code == "no_place"
    assert "Erika Aus A" in refusal.sentence
    assert words in refusal.sentence


def test_a_contingent_binds_the_office_as_well(app: Flask) -> None:
    world = World()
    world.hold("C", 1)
    assert world.admitted() == [0]
    refusal = world.refusal(0, 3, reasons={3: "bitte"})
    assert refusal.code == "no_place"
    assert "vorgemerkt" in refusal.sentence


def test_whoever_sits_elsewhere_at_that_time_cannot_be_admitted(app: Flask) -> None:
    world = World(capacity=4)
    with transaction() as session:
        other = make_event(session, first_day=FIRST_DAY)
        number = other.number
        person = session.get_one(Person, world.registration(0).person_id)
        make_registration(session, session.get_one(Event, other.id), person)
    assert world.admitted() == [1, 3, 2]
    refusal = world.refusal(0, 1, 2, 3, reasons={0: "bitte"})
    assert refusal.code == "elsewhere"
    assert number in refusal.sentence


def test_what_changed_since_the_page_was_shown_is_shown_first(app: Flask) -> None:
    world = World()
    seen = world.proposal().fingerprint
    with transaction() as session:
        withdraw(session, world.office, world.people[0], ASKED)
    refusal = world.refusal(0, 3, expected=seen)
    assert refusal.code == "proposal_changed"
    assert "Bitte prüfen Sie den neuen Vorschlag" in refusal.sentence
    # Also where everybody who was chosen is still there, and where somebody is chosen who is not.
    assert world.refusal(3, expected=seen, reasons={0: "x"}).code == "proposal_changed"
    assert world.refusal(0, 3).code == "proposal_changed"


def test_before_registration_closes_nothing_is_confirmed(app: Flask) -> None:
    world = World()
    assert world.refusal(0, 3, now=ASKED).code == "registration_open"


def test_only_the_office_admits(app: Flask) -> None:
    world = World()
    stranger = Actor(person_id=world.registration(0).person_id)
    assert world.refusal(0, 3, actor=stranger).code == "not_found"


def test_a_request_without_release_is_shown_and_keeps_its_rank(app: Flask) -> None:
    world = World(capacity=1, policy=Policy(needs_release=True, admission=Admission.BY_OFFICE))
    assert world.states() == [State.AWAITING_RELEASE] * 4
    with transaction() as session:
        for index in (0, 2, 3):
            session.get_one(Registration, world.people[index]).state = State.WAITING
        session.get_one(Registration, world.people[3]).is_priority = True
    found = world.proposal()
    assert [one.id for one in found.awaiting] == [world.people[1]]
    assert world.people[1] not in found.registrations
    world.confirm(3)
    assert world.states() == [State.WAITING, State.AWAITING_RELEASE, State.WAITING, State.PLACED]
    assert [world.registration(index).rank for index in (0, 1, 2)] == [1, 2, 3]
    assert "registration_not_admitted" not in world.mails(1)


@pytest.mark.parametrize("with_format", [True, False])
def test_former_participations_and_refusals_of_the_same_format_count(
    app: Flask, with_format: bool
) -> None:
    world = World("AAA", capacity=1)
    with transaction() as session:
        title = session.get_one(Event, world.event_id).title
        before = make_event(session, first_day=date(2025, 3, 3), state=EventState.HELD)
        other = make_event(
            session, first_day=date(2025, 4, 3), state=EventState.HELD, title="Etwas anderes"
        )
        assert before.title == title
        if with_format:
            set_format(session, world.event_id, before.id)
        people = [session.get_one(Registration, id_).person for id_ in world.people]
        make_registration(session, before, people[0], marks="pa")
        make_registration(session, before, people[1], marks="aa")
        make_registration(session, other, people[1], marks="pp")
        make_registration(session, before, people[2], state=State.EXPIRED)
        make_registration(session, other, people[0], state=State.EXPIRED)
    lines = {world.people.index(line.candidate.id): line for line in world.proposal().proposals}
    assert [lines[index].candidate.attended_before for index in range(3)] == [1, 0, 0]
    assert [lines[index].candidate.turned_away for index in range(3)] == [0, 0, 1]
    assert lines[2].admitted
    assert lines[2].rule is Rule.TURNED_AWAY
    assert lines[0].rule is Rule.FIRST_TIME


def test_whoever_let_an_offer_pass_was_not_turned_away(app: Flask) -> None:
    world = World("A")
    with transaction() as session:
        before = make_event(session, first_day=date(2025, 3, 3), state=EventState.HELD)
        person = session.get_one(Registration, world.people[0]).person
        missed = make_registration(session, before, person, state=State.EXPIRED)
        missed.missed_offers = 1
    assert world.proposal().proposals[0].candidate.turned_away == 0


def set_format(session: Session, *event_ids: int) -> None:
    """Give these events one format, and different titles."""
    row = make_format("Konflikte")
    session.add(row)
    session.flush()
    for event_id in event_ids:
        event = session.get_one(Event, event_id)
        event.template_id = row.id
        event.title = f"Konflikte {event_id}"


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    asking=st.text("ABC", min_size=1, max_size=6),
    capacity=st.integers(1, 4),
    limit=st.none() | st.integers(1, 3),
    held=st.integers(0, 1),
    chosen=st.sets(st.integers(0, 5)),
)
def test_whatever_the_office_chooses_the_rules_of_places_hold(
    app: Flask, *, asking: str, capacity: int, limit: int | None, held: int, chosen: set[int]
) -> None:
    empty_database()
    world = World(asking, capacity=capacity, organisation_limit=limit)
    if held:
        world.hold("C", held)
    chosen = {index for index in chosen if index < len(asking)}
    reasons = dict.fromkeys(range(len(asking)), "so entschieden")
    try:
        world.confirm(*chosen, reasons=reasons)
    except DomainError as refusal:
        assert refusal.code == "no_place"
        assert set(world.states()) == {State.WAITING}
        return
    states = world.states()
    assert all(states[index] is State.PLACED for index in chosen)
    event = db.session.get_one(Event, world.event_id)
    places = load_places(db.session(), event.pool, CLOSED)
    assert places.taken + places.held <= places.capacity
    assert places.most_of_one <= (limit or places.capacity)
    assert next_places(places, load_queue(db.session(), event)) == []
    ranks = [world.registration(index).rank for index in range(len(asking))]
    assert len(set(ranks)) == len(ranks)
