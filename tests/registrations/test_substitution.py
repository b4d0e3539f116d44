"""A colleague comes in somebody's place, on both databases and in the browser."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.conftest import NOW
from tests.factories import actor_for, log_in, make_event, make_organisation, make_person
from tests.registered import make_registration
from tests.registrations.demand import (
    fill_up,
    make_dates,
    make_template,
    open_wishes,
    states_of,
)
from tests.statements import counted_statements
from trainings.cli.checks import CHECKS
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Event, EventState, EventTrainer, Visibility
from trainings.people.models import Person
from trainings.registrations.contingent_operations import set_contingent
from trainings.registrations.deciders import Decider
from trainings.registrations.demand_operations import express_wish
from trainings.registrations.models import (
    NeedKind,
    Registration,
    RegistrationState,
    Release,
    Substitution,
)
from trainings.registrations.operations import register
from trainings.registrations.place_queries import load_places
from trainings.registrations.rules import Places
from trainings.registrations.substitution import substitute

pytestmark = pytest.mark.both_databases

SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well
NEW = "ayse.yilmaz@stadt-essen.example"
State = RegistrationState
OF_PLACES = [check for check in CHECKS if check.__module__.endswith((".places", ".registrations"))]


class World:
    """Somebody with a place, and others of the same and of another organisation."""

    def __init__(self, **values: object) -> None:
        with transaction() as session:
            home = make_organisation(session, "Stadt Essen", domains=("stadt-essen.example",))
            away = make_organisation(session, "Stadt Herne", domains=("herne.example",))
            self.home, self.away = home.id, away.id
            event = make_event(session, first_day=SOON, **{"capacity": 1, **values})  # type: ignore[arg-type]
            self.event_id, self.number = event.id, event.number
            self.person = make_person(session, home, given_name="Olaf", family_name="Öztürk")
            self.colleague = make_person(session, home, given_name="Ayşe", family_name="Yılmaz")
            self.stranger = make_person(session, away)
            self.office = make_person(session, away, roles=(Role.ADMIN,))
            self.actor, self.coordinator = actor_for(self.person), actor_for(self.office)
        self.old_id = self.register(self.person).id

    def register(self, person: Person, **values: object) -> Registration:
        with transaction() as session:
            return register(session, actor_for(person), self.event_id, now=NOW, **values)  # type: ignore[arg-type]

    def substitute(self, email: str, actor: Actor | None = None) -> int:
        with transaction() as session:
            new = substitute(
                session,
                actor or self.actor,
                self.old_id,
                given_name="Ayşe",
                family_name="Yılmaz",
                email=email,
                now=NOW,
            )
            return new.id

    def refusal(self, email: str, actor: Actor | None = None) -> str:
        before = len(db.session.scalars(select(Person)).all())
        with pytest.raises(DomainError) as caught:
            self.substitute(email, actor)
        assert self.row(self.old_id).state in {State.PLACED, State.CANCELLED, State.WITHDRAWN}
        assert len(db.session.scalars(select(Person)).all()) == before
        return caught.value.code

    def row(self, registration_id: int) -> Registration:
        db.session.remove()
        return db.session.get_one(Registration, registration_id)

    def places(self) -> Places:
        pool = self.row(self.old_id).pool
        return load_places(db.session(), pool, NOW)

    def change_event(self, **values: object) -> None:
        with transaction() as session:
            event = session.get_one(Event, self.event_id)
            for name, value in values.items():
                setattr(event, name, value)


def mails_of(kind: str) -> list[OutgoingMail]:
    return list(db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == kind)))


def nothing_is_wrong() -> None:
    assert [line for check in OF_PLACES for line in check(db.session(), NOW)] == []


def test_a_colleague_nobody_knows_gets_the_place_and_a_ticket_of_their_own(app: Flask) -> None:
    world = World()
    before = world.row(world.old_id).ticket
    new = world.row(world.substitute(NEW))
    old = world.row(world.old_id)
    new = world.row(new.id)
    assert (old.state, old.ticket) == (State.SUBSTITUTED, None)
    assert new.state is State.PLACED
    assert new.ticket not in {None, before}
    assert (new.rank, new.organisation_id) == (old.rank, old.organisation_id)
    assert (new.person.name, new.person.email) == ("Ayşe Yılmaz", NEW)
    assert new.person.account is None
    assert new.person.organisation_id == world.home
    assert db.session.get_one(Substitution, new.id).replaced_id == old.id
    nothing_is_wrong()


def test_both_are_told_and_the_calendar_entry_changes_hands(app: Flask) -> None:
    world = World()
    world.substitute(NEW)
    (left,), (came,) = mails_of("registration_substituted"), mails_of("registration_taken_over")
    assert came.recipient == NEW
    assert "Olaf Öztürk" in came.mail.paragraphs[0]
    assert "Ayşe Yılmaz" in left.mail.paragraphs[0]
    first = mails_of("registration_placed")[0].mail.calendar[0]
    for mail, method in ((left, "CANCEL"), (came, "REQUEST")):
        for part in mail.mail.calendar:
            assert part.method == method
            (entry,) = Calendar.from_ical(part.content).walk("VEVENT")
            if method == "CANCEL":
                (invited,) = Calendar.from_ical(first.content).walk("VEVENT")
                assert int(entry["SEQUENCE"]) > int(invited["SEQUENCE"])


def test_the_release_goes_with_the_place_and_nobody_has_to_decide_again(app: Flask) -> None:
    world = World(policy=Policy(offer_days=0, needs_release=True), capacity=2)
    with transaction() as session:
        old = session.get_one(Registration, world.old_id)
        session.add(Release(registration_id=old.id, outcome="released", at=NOW, name="F. Stelle"))
        old.state, old.ticket = State.PLACED, "A" * 12
        for step in old.history:
            step.to_state = State.PLACED
    new_id = world.substitute(NEW)
    assert world.row(new_id).state is State.PLACED
    assert db.session.get_one(Release, new_id).name == "F. Stelle"


@pytest.mark.parametrize("needs_release", [False, True])
def test_whoever_waits_for_the_same_event_gets_the_place_and_keeps_what_they_need(
    app: Flask, needs_release: bool
) -> None:
    world = World()
    world.change_event(needs_release=needs_release)
    waiting = world.register(world.colleague, needs={NeedKind.DIET: ""})
    assert waiting.state is (State.AWAITING_RELEASE if needs_release else State.WAITING)
    new_id = world.substitute(world.colleague.email)
    new = world.row(new_id)
    assert new_id == waiting.id
    assert (new.state, [need.kind for need in new.needs]) == (State.PLACED, [NeedKind.DIET])
    assert [step.reason for step in new.history] == ["requested", "took_over"]
    assert new.rank == world.row(world.old_id).rank
    nothing_is_wrong()


def test_a_held_place_stays_held_for_the_organisation(app: Flask) -> None:
    world = World(capacity=2)
    with transaction() as session:
        set_contingent(
            session, world.coordinator, world.event_id, organisation_id=world.home, places=2,
            until=NOW + timedelta(days=3), now=NOW,
        )  # fmt: skip
    before = world.places()
    world.substitute(NEW)
    after = world.places()
    assert (after.taken, after.held, after.free) == (before.taken, before.held, before.free)


def test_somebody_who_may_not_see_the_event_may_come_in_a_place(app: Flask) -> None:
    world = World()
    world.change_event(visibility=Visibility.INVITATION)
    assert world.row(world.substitute(world.colleague.email)).state is State.PLACED


def test_who_cannot_take_the_place(app: Flask) -> None:
    world = World(capacity=2)
    assert world.refusal(world.person.email.upper()) == "substitute_self"
    assert world.refusal(world.stranger.email) == "foreign_organisation"
    assert world.refusal("neu@herne.example") == "foreign_organisation"
    assert world.refusal("neu@nirgendwo.example") == "foreign_organisation"
    world.register(world.colleague)
    assert world.refusal(world.colleague.email) == "already_registered"


def test_the_office_names_somebody_with_an_unusual_address_but_nobody_of_others(app: Flask) -> None:
    world = World()
    assert world.refusal(world.stranger.email, world.coordinator) == "foreign_organisation"
    new = world.row(world.substitute("neu@webmail.example", world.coordinator))
    assert new.state is State.PLACED
    assert world.row(world.old_id).history[-1].reason == "substituted_by_office"


def test_who_leads_the_event_or_sits_elsewhere_then_is_refused(app: Flask) -> None:
    world = World()
    with transaction() as session:
        other = make_event(session, first_day=SOON)
        register(session, actor_for(world.colleague), other.id, now=NOW)
    assert world.refusal(world.colleague.email) == "overlap"
    with transaction() as session:
        session.add(EventTrainer(event_id=world.event_id, person_id=world.colleague.id))
    assert world.refusal(world.colleague.email) == "trains_this_event"


def test_only_a_place_of_an_event_to_come_changes_hands(app: Flask) -> None:
    world = World()
    world.change_event(first_day=NOW.date())
    with transaction() as session:
        for part in session.get_one(Event, world.event_id).sessions:
            part.day = NOW.date() - timedelta(days=1)
    assert world.refusal(NEW) == "event_over"
    world.change_event(state=EventState.CANCELLED)
    assert world.refusal(NEW) == "event_cancelled"
    world = World()
    waiting = world.register(world.colleague)
    world.old_id, world.actor = waiting.id, actor_for(world.colleague)
    with pytest.raises(DomainError, match="no_place_to_hand_over"):
        world.substitute(NEW)


def test_somebody_elses_place_is_not_to_be_given_away(app: Flask) -> None:
    world = World()
    assert world.refusal(NEW, actor_for(world.colleague)) == "not_found"


def test_the_page_hands_over_once_and_the_old_ticket_opens_nothing(
    app: Flask, client: FlaskClient
) -> None:
    world = World()
    log_in(client, world.person.id)
    assert "/ersatz" in client.get("/meine/anmeldungen").text
    ticket = world.row(world.old_id).ticket
    url = f"/meine/anmeldungen/{world.old_id}/ersatz"
    html = client.get(url).text
    typed = {"given_name": "Ayşe", "family_name": "Yılmaz", "email": NEW}
    answers = [send(client, url, html, typed) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert "Ayşe Yılmaz hat den Platz übernommen" in client.get(answers[0].location).text
    assert len(db.session.scalars(select(Substitution)).all()) == 1
    trainer = app.test_client()
    log_in(trainer, world.office.id)
    answer = trainer.get(f"/t/{ticket}")
    assert "Ersatzperson benannt" in answer.text
    assert "Anwesend</span>" not in answer.text
    new = db.session.scalars(select(Registration).where(Registration.state == State.PLACED)).one()
    assert "Ayşe Yılmaz" in trainer.get(f"/t/{new.ticket}").text
    assert "Zu dieser Anmeldung gehört kein Platz" in client.get(url).text


def test_a_refusal_stands_at_the_address_and_what_was_typed_is_kept(
    app: Flask, client: FlaskClient
) -> None:
    world = World()
    log_in(client, world.person.id)
    url = f"/meine/anmeldungen/{world.old_id}/ersatz"
    typed = {"given_name": "Ayşe", "family_name": "Yılmaz", "email": "a@herne.example"}
    answer = submit(client, url, typed)
    assert answer.status_code == 409
    assert "Der Platz gehört Stadt Essen." in answer.text
    assert "a@herne.example" in answer.text
    answer = submit(client, url, {**typed, "given_name": "\u202e=HYPERLINK(1)"})
    assert answer.status_code == 422
    stranger = app.test_client()
    log_in(stranger, world.stranger.id)
    assert stranger.get(url).status_code == 404


def test_the_page_costs_three_statements(app: Flask, client: FlaskClient) -> None:
    world = World()
    log_in(client, world.person.id)
    db.session.remove()
    with counted_statements() as statements:
        client.get(f"/meine/anmeldungen/{world.old_id}/ersatz")
    assert len([text for text in statements if not text.startswith("PRAGMA")]) == 3


def test_the_office_names_a_substitute_for_anybody(app: Flask, client: FlaskClient) -> None:
    world = World()
    log_in(client, world.office.id)
    url = f"/koordination/anmeldungen/{world.old_id}/ersatz"
    assert url in client.get(f"/koordination/veranstaltungen/{world.number}").text
    typed = {"given_name": "Ayşe", "family_name": "Yılmaz", "email": NEW}
    answer = submit(client, url, typed)
    assert "Ayşe Yılmaz hat den Platz übernommen" in client.get(answer.location).text
    assert world.row(world.old_id).state is State.SUBSTITUTED
    assert client.get("/koordination/anmeldungen/999999/ersatz").status_code == 404


def test_a_released_request_by_another_person_keeps_its_own_release(app: Flask) -> None:
    world = World()
    world.change_event(needs_release=True)
    decider = Decider(name="Eigene Stelle")
    waiting = world.register(world.colleague, released_by=decider)
    assert waiting.state is State.WAITING
    with transaction() as session:
        session.add(
            Release(registration_id=world.old_id, outcome="released", at=utc_now(), name="Andere")
        )
    assert world.substitute(world.colleague.email) == waiting.id
    assert db.session.get_one(Release, waiting.id).name == "Eigene Stelle"


def test_whoever_takes_over_no_longer_waits_for_other_dates_of_the_same_wish(app: Flask) -> None:
    world = World()
    with transaction() as session:
        template = make_template(session)
        session.get_one(Event, world.event_id).template_id = template.id
        other, free_later = make_dates(session, template, 2, first_day=SOON + timedelta(days=30))
        fill_up(session, other, free_later)
        template_id, other_ids = template.id, [other.id, free_later.id]
    with transaction() as session:
        express_wish(
            session,
            actor_for(world.colleague),
            template_id,
            event_ids=other_ids,
            next_free=False,
            now=NOW,
        )
    world.substitute(world.colleague.email)
    assert Counter(states_of(world.colleague.id)) == {State.PLACED: 1, State.WITHDRAWN: 2}
    assert open_wishes(world.colleague.id) == []
    nothing_is_wrong()


def test_only_the_office_reads_what_else_a_colleague_takes_part_in(app: Flask) -> None:
    world = World()
    with transaction() as session:
        other = make_event(session, first_day=SOON)
        make_registration(session, other, world.colleague)
        number = other.number
    said = []
    for actor in (world.actor, world.coordinator):
        with pytest.raises(DomainError) as caught:
            world.substitute(world.colleague.email, actor)
        assert caught.value.code == "overlap"
        said.append(number in caught.value.sentence)
    assert said == [False, True]
