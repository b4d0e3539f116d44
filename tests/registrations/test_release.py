"""Releasing, declining, ranking and giving contingents back, against both databases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.actors import SYSTEM
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import Policy, details_of
from trainings.events.models import Event
from trainings.organisations.models import Level, Organisation
from trainings.people.contacts import remove_contact
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.contingent_operations import return_contingent, set_contingent
from trainings.registrations.deciders import Decider
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.event_operations import change_details
from trainings.registrations.models import (
    Contingent,
    Registration,
    RegistrationState,
    Release,
    ReleaseOutcome,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.release_operations import (
    Speaker,
    contact_speaker,
    decide_release,
    mailbox_speaker,
    office_speaker,
    rank_requests,
)

pytestmark = pytest.mark.both_databases
State = RegistrationState
RELEASED, DECLINED = ReleaseOutcome.RELEASED, ReleaseOutcome.DECLINED
DIENSTWEG = Policy(needs_release=True, offer_days=0)


class World:
    """A city with a unit, contacts, and an event that needs a release."""

    def __init__(self, capacity: int = 1) -> None:
        with transaction() as session:
            group = make_organisation(session, "Städteverbund", level=Level.GROUP)
            self.city = make_organisation(session, "Stadt Essen", parent=group)
            self.city.mailbox = "fortbildung@stadt-essen.example"
            self.unit = make_organisation(
                session, "Ordnungsamt", parent=self.city, level=Level.UNIT
            )
            self.other = make_organisation(session, "Kreis Unna")
            self.event_id = make_event(session, capacity=capacity, policy=DIENSTWEG).id
            self.contact = self.add_contact(session, self.city, "Karla")
            self.deputy = self.add_contact(session, self.city, "Dieter", is_deputy=True)
            self.unit_contact = self.add_contact(session, self.unit, "Ute")
            self.group_contact = self.add_contact(session, group, "Greta")
            self.stranger = self.add_contact(session, self.other, "Sven")
            self.office = make_person(session, roles=(Role.COORDINATOR,))
            self.people = [make_person(session, self.city, given_name=f"P{n}") for n in range(3)]
            self.in_unit = make_person(session, self.unit, given_name="Olga")

    @staticmethod
    def add_contact(
        session: object, organisation: Organisation, name: str, *, is_deputy: bool = False
    ) -> Person:
        person = make_person(session, organisation, given_name=name, roles=(Role.CONTACT,))  # type: ignore[arg-type]
        person.function = "Fortbildungsstelle"
        row = OrganisationContact(
            organisation_id=organisation.id, person_id=person.id, is_deputy=is_deputy
        )
        session.add(row)  # type: ignore[attr-defined]
        return person

    def ask(self, person: Person, now: datetime = NOW) -> int:
        with transaction() as session:
            return register(session, actor_for(person), self.event_id, now=now).id

    def decide(
        self,
        who: Person | Callable[..., Speaker],
        registration_id: int,
        outcome: ReleaseOutcome = RELEASED,
        now: datetime = NOW,
        reason: str = "",
    ) -> RegistrationState:
        with transaction() as session:
            speaker = contact_speaker(session, who.id) if isinstance(who, Person) else who(session)
            return decide_release(
                session, speaker, registration_id, outcome=outcome, reason=reason, now=now
            ).state

    def refusal(self, *args: object, **values: object) -> str:
        with pytest.raises(DomainError) as caught:
            self.decide(*args, **values)  # type: ignore[arg-type]
        return caught.value.code

    def by_mailbox(
        self, address: str = "fortbildung@stadt-essen.example"
    ) -> Callable[..., Speaker]:
        return lambda session: mailbox_speaker(
            session, address, name="Frieda Vogel", function="Sachbearbeitung"
        )

    def state(self, registration_id: int) -> RegistrationState:
        db.session.expire_all()
        return db.session.get_one(Registration, registration_id).state


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def mails_to(person: Person) -> list[OutgoingMail]:
    return list(
        db.session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.recipient == person.email)
            .order_by(OutgoingMail.id)
        )
    )


def test_a_released_request_gets_a_place_at_once_if_there_is_one(world: World) -> None:
    first, second = world.ask(world.people[0]), world.ask(world.people[1])
    assert world.decide(world.contact, second) is State.PLACED
    assert world.decide(world.deputy, first) is State.WAITING
    release = db.session.get_one(Release, second)
    assert (release.name, release.function) == ("Karla Beispiel", "Fortbildungsstelle")
    history = db.session.get_one(Registration, second).history
    assert [step.reason for step in history] == ["requested", "released", "released"]
    assert history[-1].actor_person_id == world.contact.id
    kinds = [mail.kind for mail in mails_to(world.people[1])]
    assert kinds == ["registration_awaiting_release", "registration_placed"]
    assert mails_to(world.people[0])[-1].kind == "registration_waiting"
    assert db.session.scalar(
        select(AuditEntry.actor_person_id).where(AuditEntry.action == "release_released")
    )


def test_the_order_counts_from_the_request_not_from_the_release(world: World) -> None:
    early, late, seated = (world.ask(person) for person in world.people)
    world.decide(world.contact, seated)
    world.decide(world.contact, late)
    world.decide(world.contact, early)
    with transaction() as session:
        withdraw(session, actor_for(world.people[2]), seated, NOW)
    assert world.state(early) is State.PLACED
    assert world.state(late) is State.WAITING


def test_an_undecided_request_holds_no_place(world: World) -> None:
    world.ask(world.people[0])
    second = world.ask(world.people[1])
    assert world.decide(world.contact, second) is State.PLACED


def test_who_is_declined_reads_why_and_whom_to_ask(world: World) -> None:
    request = world.ask(world.people[0])
    reason = "Der Dienstplan lässt es nicht zu."
    assert world.decide(world.contact, request, DECLINED, reason=reason) is State.DECLINED
    mail = mails_to(world.people[0])[-1].mail
    assert any(reason in paragraph for paragraph in mail.paragraphs)
    assert "Karla Beispiel (Fortbildungsstelle)" in mail.closing[0]
    assert db.session.get_one(Release, request).reason == reason


def test_who_may_decide(world: World) -> None:
    request = world.ask(world.in_unit)
    assert world.refusal(world.stranger, request) == "not_found"
    assert world.decide(world.unit_contact, request) is State.PLACED
    others = [world.ask(person) for person in world.people]
    assert world.refusal(world.unit_contact, others[0]) == "not_found"
    assert world.decide(world.group_contact, others[0]) is State.WAITING
    assert world.decide(world.by_mailbox(), others[1]) is State.WAITING
    release = db.session.get_one(Release, others[1])
    assert (release.name, release.person_id) == ("Frieda Vogel", None)


def test_nobody_decides_their_own_request(world: World) -> None:
    request = world.ask(world.contact)
    assert world.refusal(world.contact, request) == "own_request"
    assert world.state(request) is State.AWAITING_RELEASE
    assert world.decide(world.deputy, request) is State.PLACED


def test_the_office_decides_for_any_organisation_with_its_name(world: World) -> None:
    request, own = world.ask(world.people[0]), world.ask(world.office)

    def office(session: object) -> Speaker:
        return office_speaker(session, actor_for(world.office))  # type: ignore[arg-type]

    assert world.decide(office, request) is State.PLACED
    assert db.session.get_one(Release, request).function == "Geschäftsstelle"
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "release_released")
    ).one()
    assert entry.details["by_office"] is True
    assert world.refusal(office, own) == "own_request"
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        office_speaker(session, actor_for(world.contact))


def test_each_request_is_decided_once(world: World) -> None:
    request = world.ask(world.people[0])
    world.decide(world.contact, request, DECLINED)
    with pytest.raises(DomainError) as caught:
        world.decide(world.deputy, request)
    assert caught.value.code == "decided_before"
    assert "Karla Beispiel (Fortbildungsstelle)" in caught.value.sentence
    assert "abgelehnt" in caught.value.sentence


def test_what_was_withdrawn_cancelled_or_is_too_late_is_refused(world: World) -> None:
    withdrawn, cancelled, late = (world.ask(person) for person in world.people)
    with transaction() as session:
        withdraw(session, actor_for(world.people[0]), withdrawn, NOW)
    assert world.refusal(world.contact, withdrawn) == "not_waiting_for_release"
    begins = db.session.get_one(Event, world.event_id).closes_at
    assert world.refusal(world.contact, late, now=begins) == "release_over"
    with transaction() as session:
        cancel_event(session, SYSTEM, world.event_id, reason="", replaced_by_id=None, now=NOW)
    assert world.refusal(world.contact, cancelled) == "not_waiting_for_release"


def test_a_contact_who_has_left_is_refused(world: World) -> None:
    request = world.ask(world.people[0])
    with transaction() as session:
        remove_contact(session, SYSTEM, world.city.id, world.contact.id, NOW)
    assert world.refusal(world.contact, request) == "no_contact"
    with transaction() as session:
        session.get_one(Organisation, world.city.id).mailbox = "neu@stadt-essen.example"
    assert world.refusal(world.by_mailbox(), request) == "mailbox_changed"
    assert world.decide(world.deputy, request) is State.PLACED


def test_nobody_asks_for_what_can_no_longer_be_released(world: World) -> None:
    with transaction() as session:
        event = session.get_one(Event, world.event_id)
        event.closes_at += timedelta(hours=9)
    late = db.session.get_one(Event, world.event_id).closes_at - timedelta(hours=1)
    with pytest.raises(DomainError, match="too_late_to_release"):
        world.ask(world.people[0], now=late)
    with transaction() as session:
        registration = register(
            session,
            actor_for(world.people[0]),
            world.event_id,
            released_by=Decider("Karla", "", world.contact.id),
            now=late,
        )
    assert registration.state is State.PLACED


def test_requests_are_ranked_within_each_authority(world: World) -> None:
    first, second, third = (world.ask(person) for person in world.people)
    foreign = world.ask(world.stranger)

    def rank(numbers: dict[int, int | None], priority: set[int] = frozenset()) -> None:  # type: ignore[assignment]
        with transaction() as session:
            speaker = contact_speaker(session, world.contact.id)
            rank_requests(
                session, speaker, world.event_id, numbers=numbers, priority=priority, now=NOW
            )

    rank({first: 7, second: 2, third: None}, {second})
    db.session.expire_all()
    rows = {row.id: row for row in db.session.scalars(select(Registration))}
    assert [rows[one].organisation_rank for one in (first, second, third)] == [2, 1, None]
    assert [rows[one].is_priority for one in (first, second, third)] == [False, True, False]
    with pytest.raises(DomainError, match="not_found"):
        rank({first: 1, foreign: 2})


def test_unused_places_are_given_back_and_passed_on(world: World) -> None:
    with transaction() as session:
        event = make_event(session, capacity=3)
        session.flush()
        event_id, until = event.id, event.closes_at
        set_contingent(
            session, SYSTEM, event_id, organisation_id=world.city.id, places=3, until=until, now=NOW
        )
        make_registration(session, event, world.people[0])
        waiting = register(session, actor_for(world.stranger), event_id, now=NOW)
        assert waiting.state is State.WAITING
    contingent_id = db.session.scalars(select(Contingent.id)).one()

    def give_back(who: Person, number: int | None = None) -> int:
        with transaction() as session:
            speaker = contact_speaker(session, who.id)
            return return_contingent(session, speaker, contingent_id, number=number, now=NOW)

    for who in (world.stranger, world.unit_contact):
        with pytest.raises(DomainError, match="not_found"):
            give_back(who)
    with pytest.raises(DomainError, match="contingent_used") as caught:
        give_back(world.contact, 3)
    assert "2 Plätze" in caught.value.sentence
    assert give_back(world.contact, 1) == 1
    assert world.state(waiting.id) is State.PLACED
    assert db.session.scalars(select(Contingent.places)).one() == 2
    assert give_back(world.contact) == 1
    with pytest.raises(DomainError, match="contingent_used"):
        give_back(world.contact)


def test_somebody_with_a_very_long_name_can_decide(world: World) -> None:
    with transaction() as session:
        contact = session.get_one(Person, world.contact.id)
        contact.title, contact.given_name, contact.family_name = "D" * 40, "G" * 80, "F" * 80
    assert world.decide(world.contact, world.ask(world.people[0])) is State.PLACED


def test_requests_go_on_when_the_office_needs_no_release_any_more(world: World) -> None:
    first, second = world.ask(world.people[0]), world.ask(world.people[1])
    with transaction() as session:
        event = session.get_one(Event, world.event_id)
        details = replace(details_of(event), policy=Policy(needs_release=False, offer_days=0))
        change_details(session, actor_for(world.office), world.event_id, details, NOW)
    third = world.ask(world.people[2])
    assert [world.state(each) for each in (first, second, third)] == [
        State.PLACED, State.WAITING, State.WAITING,
    ]  # fmt: skip
    assert [mail.kind for mail in mails_to(world.people[0])][-1] == "registration_placed"
    assert [mail.kind for mail in mails_to(world.people[1])][-1] == "registration_waiting"
    assert world.refusal(world.contact, second) == "not_waiting_for_release"


def test_nobody_registers_with_a_release_of_their_own(world: World) -> None:
    """Also not by the box „freigegeben“ on the office's page."""
    office = world.office
    with pytest.raises(DomainError) as caught, transaction() as session:
        register(
            session,
            actor_for(office),
            world.event_id,
            person_id=office.id,
            released_by=Decider(office.name, "Geschäftsstelle", office.id),
            now=NOW,
        )
    assert caught.value.code == "own_request"


def test_a_unit_ranks_its_people_among_those_of_the_authority(world: World) -> None:
    first, second, own = (world.ask(each) for each in (*world.people[:2], world.in_unit))

    def rank(contact: Person, numbers: dict[int, int | None], *priority: int) -> list[int | None]:
        with transaction() as session:
            speaker = contact_speaker(session, contact.id)
            rank_requests(
                session, speaker, world.event_id, numbers=numbers, priority=priority, now=NOW
            )
        db.session.expire_all()
        rows = [db.session.get_one(Registration, each) for each in (first, second, own)]
        assert [row.is_priority for row in rows] == [row.id in priority for row in rows]
        return [row.organisation_rank for row in rows]

    assert rank(world.contact, {first: 1, second: 2, own: 3}) == [1, 2, 3]
    assert rank(world.unit_contact, {own: 3}, own) == [1, 2, 3]
    assert rank(world.unit_contact, {own: 2}, own) == [1, 2, 3]
    assert rank(world.unit_contact, {own: 1}, own) == [1, 3, 2]
