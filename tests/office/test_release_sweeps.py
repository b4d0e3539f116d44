"""Digests, requests that expire, contingents that end: what time brings on the Dienstweg."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import NOW
from tests.factories import actor_for, berlin, make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.actors import SYSTEM
from trainings.core.clock import end_of_day
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.tokens import ActionToken, Purpose
from trainings.events.details import Policy
from trainings.office.release_sweeps import (
    expire_requests,
    send_release_digests,
    warn_of_contingents,
)
from trainings.organisations.models import Level
from trainings.people.contacts import remove_contact
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.contingent_operations import set_contingent
from trainings.registrations.models import (
    Contingent,
    Registration,
    RegistrationState,
    ReleaseDigest,
    ReleaseOutcome,
)
from trainings.registrations.operations import register
from trainings.registrations.release_operations import contact_speaker, decide_release

pytestmark = pytest.mark.both_databases
State = RegistrationState
DAY = date(2026, 4, 16)
MONDAY = NOW
TUESDAY, WEDNESDAY, THURSDAY = (MONDAY + timedelta(days=n) for n in (1, 2, 3))
MAILBOX = "fortbildung@stadt-essen.example"


class World:
    """A city with contacts and a mailbox, and an event whose registration closes on 7 April."""

    def __init__(self, mailbox: str = MAILBOX) -> None:
        with transaction() as session:
            self.city = make_organisation(session, "Stadt Essen")
            self.city.mailbox = mailbox
            self.unit = make_organisation(
                session, "Ordnungsamt", parent=self.city, level=Level.UNIT
            )
            self.contact = make_person(session, self.city, given_name="Karla")
            self.deputy = make_person(session, self.city, given_name="Dieter")
            for person, is_deputy in ((self.contact, False), (self.deputy, True)):
                session.add(
                    OrganisationContact(
                        organisation_id=self.city.id, person_id=person.id, is_deputy=is_deputy
                    )
                )
            self.employee = make_person(session, self.unit, given_name="Olga")
            self.event_id = self.add_event(session)

    @staticmethod
    def add_event(session: object, first_day: date = DAY) -> int:
        policy = Policy(needs_release=True, offer_days=0)
        event = make_event(session, first_day=first_day, policy=policy)  # type: ignore[arg-type]
        event.closes_at = end_of_day(first_day - timedelta(days=9))
        return event.id

    def ask(self, person: Person, now: datetime = MONDAY, event_id: int = 0) -> int:
        with transaction() as session:
            return register(session, actor_for(person), event_id or self.event_id, now=now).id


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def digests() -> list[str]:
    db.session.expire_all()
    return sorted(
        db.session.scalars(
            select(OutgoingMail.recipient).where(OutgoingMail.kind == "release_digest")
        )
    )


def to(recipient: str, kind: str) -> list[OutgoingMail]:
    rows = select(OutgoingMail).where(
        OutgoingMail.recipient == recipient, OutgoingMail.kind == kind
    )
    return list(db.session.scalars(rows))


def test_everybody_of_the_nearest_level_is_asked_once_a_day(world: World) -> None:
    request = world.ask(world.employee)
    assert send_release_digests(MONDAY) == 3
    assert digests() == sorted([world.contact.email, world.deputy.email, MAILBOX])
    assert send_release_digests(MONDAY + timedelta(hours=3)) == 0
    assert db.session.get_one(Registration, request).release_asked_at == MONDAY
    mail = to(world.contact.email, "release_digest")[0].mail
    assert "zu entscheiden bis" in mail.facts[0][1]
    assert "Olga Beispiel" in mail.facts[0][1]
    token = db.session.scalars(
        select(ActionToken).where(ActionToken.purpose == Purpose.RELEASE)
    ).first()
    assert token is not None
    assert token.expires_at == end_of_day(DAY + timedelta(days=1))


def test_a_unit_with_a_contact_decides_for_itself(world: World) -> None:
    with transaction() as session:
        unit_contact = make_person(session, world.unit)
        session.add(OrganisationContact(organisation_id=world.unit.id, person_id=unit_contact.id))
    world.ask(world.employee)
    assert send_release_digests(MONDAY) == 1
    assert digests() == [unit_contact.email]


def test_nobody_is_asked_about_their_own_request(world: World) -> None:
    world.ask(world.contact)
    assert send_release_digests(MONDAY) == 2
    assert world.contact.email not in digests()


def test_a_new_request_is_told_the_next_day_and_an_old_one_after_three(world: World) -> None:
    world.ask(world.employee)
    assert send_release_digests(MONDAY) == 3
    assert send_release_digests(TUESDAY) == 0
    assert send_release_digests(WEDNESDAY) == 0
    assert send_release_digests(THURSDAY) == 3
    with transaction() as session:
        another = make_person(session, world.city)
    world.ask(another, THURSDAY + timedelta(hours=1))
    assert send_release_digests(THURSDAY + timedelta(hours=2)) == 0
    assert send_release_digests(THURSDAY + timedelta(days=1)) == 3
    mail = to(MAILBOX, "release_digest")[-1].mail
    assert mail.facts[0][1].count("Beispiel") == 2
    assert mail.facts[0][1].count("noch einmal vorgelegt") == 1


def test_shortly_before_its_deadline_a_request_is_brought_up_every_day(world: World) -> None:
    # Closes on 7 April, a Tuesday; the deadline is the end of Thursday.
    world.ask(world.employee, berlin(date(2026, 4, 7), 10))
    for day in (7, 8, 9):
        assert send_release_digests(berlin(date(2026, 4, day), 11)) == 3
    assert send_release_digests(berlin(date(2026, 4, 9), 23)) == 0


def test_nothing_leaves_at_weekends_or_before_seven(world: World) -> None:
    world.ask(world.employee)
    assert send_release_digests(berlin(date(2026, 3, 7), 12)) == 0
    assert send_release_digests(berlin(date(2026, 3, 3), 6)) == 0
    assert send_release_digests(berlin(date(2026, 3, 3), 7)) == 3


def test_what_is_decided_is_no_longer_asked(world: World) -> None:
    request = world.ask(world.employee)
    with transaction() as session:
        speaker = contact_speaker(session, world.contact.id)
        decide_release(session, speaker, request, outcome=ReleaseOutcome.DECLINED, now=MONDAY)
    assert send_release_digests(MONDAY) == 0


def test_when_a_contact_leaves_the_others_are_asked(world: World) -> None:
    world.ask(world.employee)
    with transaction() as session:
        remove_contact(session, SYSTEM, world.city.id, world.contact.id, MONDAY)
    assert send_release_digests(MONDAY) == 2
    assert world.contact.email not in digests()


def test_one_mail_lists_the_requests_of_all_events(world: World) -> None:
    with transaction() as session:
        later = world.add_event(session, DAY + timedelta(days=40))
    world.ask(world.employee)
    world.ask(world.employee, event_id=later)
    assert send_release_digests(MONDAY) == 3
    assert len(to(MAILBOX, "release_digest")[0].mail.facts) == 2
    rows = db.session.scalars(select(ReleaseDigest.person_id)).all()
    assert sorted(filter(None, rows)) == sorted([world.contact.id, world.deputy.id])


def test_a_mailbox_of_two_organisations_gets_one_mail(world: World) -> None:
    with transaction() as session:
        other = make_organisation(session, "Kreis Unna")
        other.mailbox = MAILBOX
        person = make_person(session, other)
    world.ask(world.employee)
    world.ask(person)
    assert send_release_digests(MONDAY) == 3
    assert to(MAILBOX, "release_digest")[0].mail.facts[0][1].count("Beispiel") == 2


def test_what_nobody_decides_expires_and_everyone_is_told(world: World) -> None:
    request = world.ask(world.employee)
    deadline = end_of_day(date(2026, 4, 9))
    assert expire_requests(deadline - timedelta(minutes=1)) == 0
    assert expire_requests(deadline) == 1
    assert expire_requests(deadline) == 0
    registration = db.session.get_one(Registration, request)
    assert registration.state is State.EXPIRED
    assert registration.history[-1].reason == "not_released_in_time"
    for recipient in (world.employee.email, world.contact.email, world.deputy.email, MAILBOX):
        assert len(to(recipient, "release_expired")) == 1, recipient


def test_an_organisation_is_warned_once_of_a_contingent_that_ends(world: World) -> None:
    until = end_of_day(date(2026, 4, 10))
    with transaction() as session:
        event = make_event(session, first_day=DAY + timedelta(days=60), capacity=5)
        used = make_event(session, first_day=DAY + timedelta(days=70), capacity=5)
        make_registration(session, used, world.employee)
        for each, places in ((event, 3), (used, 1)):
            set_contingent(
                session,
                SYSTEM,
                each.id,
                organisation_id=world.city.id,
                places=places,
                until=until,
                now=NOW,
            )
        event_id = event.id
    # Good Friday and Easter Monday are no working days.
    assert warn_of_contingents(berlin(date(2026, 3, 31), 9)) == 0
    assert warn_of_contingents(berlin(date(2026, 4, 1), 9)) == 1
    assert warn_of_contingents(berlin(date(2026, 4, 2), 9)) == 0
    assert len(to(MAILBOX, "contingent_ends")) == len(to(world.contact.email, "contingent_ends"))
    assert "3 Plätze sind" in to(MAILBOX, "contingent_ends")[0].mail.paragraphs[0]
    with transaction() as session:
        set_contingent(
            session,
            SYSTEM,
            event_id,
            organisation_id=world.city.id,
            places=3,
            until=until + timedelta(days=7),
            now=NOW,
        )
    assert db.session.scalar(
        select(func.count()).where(Contingent.warned_at.is_not(None))
    ) == 0  # fmt: skip
