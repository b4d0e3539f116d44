"""„Meine Organisation“, the link of a digest, the office's list, what employees see of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browser_forms import find_form, send, submit
from tests.factories import actor_for, log_in, make_event, make_organisation, make_person
from tests.registered import make_registration
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, Visibility
from trainings.office.release_sweeps import expire_requests, send_release_digests
from trainings.organisations.models import Organisation
from trainings.people.contacts import remove_contact
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.contingent_operations import set_contingent
from trainings.registrations.models import (
    Contingent,
    Registration,
    RegistrationState,
    Release,
    ReleaseDigest,
    ReleaseOutcome,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.release_operations import contact_speaker, decide_release
from trainings.registrations.release_rules import is_digest_time

State = RegistrationState
HERE = "/organisation/"
MAILBOX = "fortbildung@stadt-essen.example"


class World:
    """A city with a contact, an event in 40 days that needs a release, and three requests."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.now = utc_now()
        with transaction() as session:
            self.city = make_organisation(session, "Stadt Essen")
            self.city.mailbox = MAILBOX
            self.contact = self.add_contact(session, self.city, "Karla")
            self.stranger = self.add_contact(session, make_organisation(session, "Kreis Unna"))
            self.people = [
                make_person(session, self.city, given_name=name) for name in ("Anna", "Ben", "Cem")
            ]
            self.event = self.add_event(session)
        self.requests = [self.ask(person) for person in self.people]

    def add_event(self, session: Session, capacity: int = 1) -> Event:
        return make_event(
            session,
            first_day=(self.now + timedelta(days=40)).date(),
            capacity=capacity,
            policy=Policy(needs_release=True, offer_days=0),
        )

    @staticmethod
    def add_contact(session: Session, organisation: Organisation, name: str = "Sven") -> Person:
        person = make_person(session, organisation, given_name=name, roles=(Role.CONTACT,))
        session.add(OrganisationContact(organisation_id=organisation.id, person_id=person.id))
        return person

    def ask(self, person: Person) -> int:
        with transaction() as session:
            return register(session, actor_for(person), self.event.id, now=self.now).id

    def browser(self, person: Person | None) -> FlaskClient:
        g.pop("_login_user", None)
        client = self.app.test_client()
        if person is not None:
            log_in(client, person.id)
        return client

    def states(self) -> list[RegistrationState]:
        db.session.expire_all()
        return [db.session.get_one(Registration, one).state for one in self.requests]

    def digest_links(self) -> dict[str, str]:
        now = self.now
        while not is_digest_time(now):
            now += timedelta(hours=1)
        assert send_release_digests(now) == 2
        rows = db.session.scalars(select(OutgoingMail).where(OutgoingMail.kind == "release_digest"))
        return {row.recipient: (row.mail.link or ("", ""))[1] for row in rows}


@pytest.fixture
def world(app: Flask) -> Iterator[World]:
    yield World(app)


def text_of(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, (url, answer.status_code)
    return answer.get_data(as_text=True)


def ids(*requests: int) -> list[str]:
    return [str(each) for each in requests]


def test_a_contact_releases_several_requests_at_once(world: World) -> None:
    client = world.browser(world.contact)
    first, _, third = world.requests
    answer = submit(client, HERE, {"requests": ids(first, third)}, button="Ausgewählte freigeben")
    assert answer.status_code == 303
    assert "2 Anmeldungen freigegeben." in text_of(client, HERE)
    assert world.states() == [State.PLACED, State.AWAITING_RELEASE, State.WAITING]


@pytest.mark.parametrize("address", ["contact", MAILBOX])
def test_a_link_ends_when_what_it_asked_for_is_decided(world: World, address: str) -> None:
    recipient = world.contact.email if address == "contact" else MAILBOX
    link = world.digest_links()[recipient]
    with transaction() as session:
        for digest in session.scalars(select(ReleaseDigest)):
            digest.sent_at = world.now
        newcomer = make_person(session, world.city, family_name="Neuling")
        later = register(
            session, actor_for(newcomer), world.event.id, now=world.now + timedelta(seconds=1)
        ).id
    stranger = world.app.test_client()
    html = text_of(stranger, link)
    assert "Neuling" in html  # the whole list, as long as it holds
    by_page = world.browser(world.contact)
    chosen = {"requests": ids(*world.requests)}
    submit(by_page, HERE, chosen, button="Ausgewählte freigeben")
    spent = text_of(stranger, link)
    assert "Neuling" not in spent
    assert "Worum diese Mail bat, ist entschieden" in spent
    who = {"name": "Kim Fremd", "function": "Gast"} if address == MAILBOX else {}
    typed = {"requests": ids(later), **who}
    answer = send(stranger, link, html, typed, button="Ausgewählte freigeben")
    assert "Worum diese Mail bat, ist entschieden" in answer.get_data(as_text=True)
    db.session.expire_all()
    assert db.session.get_one(Registration, later).state is State.AWAITING_RELEASE
    # Who decided meanwhile is still named.
    typed["requests"] = ids(world.requests[0])
    assert send(stranger, link, html, typed, button="Ausgewählte freigeben").status_code == 303
    assert "schon entschieden" in text_of(stranger, link)


def test_who_is_declined_reads_why_on_their_own_pages(world: World) -> None:
    reason = "Der Dienstplan <b>lässt</b> es nicht zu."
    request = world.requests[0]
    submit(
        world.browser(world.contact),
        HERE,
        {"requests": ids(request), "reason": reason},
        button="Ausgewählte ablehnen",
    )
    client = world.browser(world.people[0])
    for url in ("/meine/anmeldungen", f"/veranstaltungen/{world.event.number}"):
        html = text_of(client, url)
        assert "Der Dienstplan &lt;b&gt;lässt" in html
        assert "Karla Beispiel" in html


def test_the_employee_sees_that_the_release_is_open(world: World) -> None:
    client = world.browser(world.people[1])
    assert "Freigabe steht aus" in text_of(client, "/meine/anmeldungen")
    html = text_of(client, f"/veranstaltungen/{world.event.number}")
    assert "Ihre Anmeldung wartet auf die Freigabe" in html
    assert "Anmeldung zurückziehen" in html


def test_who_was_not_released_in_time_reads_so(world: World) -> None:
    with transaction() as session:
        event = session.get_one(Event, world.event.id)
        event.closes_at = world.now - timedelta(days=20)
    assert expire_requests(world.now) == 3
    html = text_of(world.browser(world.people[0]), "/meine/anmeldungen")
    assert "Nicht rechtzeitig freigegeben" in html
    assert "Kein Platz frei geworden" not in html


def test_what_was_decided_meanwhile_is_named_and_the_rest_is_done(world: World) -> None:
    client = world.browser(world.contact)
    html = text_of(client, HERE)
    with transaction() as session:
        withdraw(session, actor_for(world.people[0]), world.requests[0], world.now)
    send(client, HERE, html, {"requests": ids(*world.requests)}, button="Ausgewählte freigeben")
    shown = text_of(client, HERE)
    assert "2 Anmeldungen freigegeben." in shown
    assert f"Anna Beispiel, {world.event.number}: Die Anmeldung wurde zurückgezogen." in shown
    assert world.states()[1:] == [State.PLACED, State.WAITING]


def test_the_same_form_sent_twice_decides_once(world: World) -> None:
    client = world.browser(world.contact)
    html = text_of(client, HERE)
    for _ in range(2):
        send(
            client, HERE, html, {"requests": ids(world.requests[0])}, button="Ausgewählte freigeben"
        )
    shown = text_of(client, HERE)
    assert "schon entschieden" not in shown
    assert db.session.scalar(select(func.count()).select_from(Release)) == 1


def test_nothing_ticked_and_long_reasons_are_refused_in_place(world: World) -> None:
    client = world.browser(world.contact)
    answer = submit(client, HERE, {"reason": "weil"}, button="Ausgewählte ablehnen")
    assert answer.status_code == 422
    assert "kreuzen Sie mindestens eine" in answer.get_data(as_text=True)
    answer = submit(
        client,
        HERE,
        {"requests": ids(world.requests[0]), "reason": "x" * 301},
        button="Ausgewählte ablehnen",
    )
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "höchstens 300 Zeichen" in html
    assert f'value="{world.requests[0]}" checked' in html
    assert set(world.states()) == {State.AWAITING_RELEASE}


def test_a_contact_sees_and_decides_only_for_the_own_organisation(world: World) -> None:
    with transaction() as session:
        own = make_person(session, world.stranger.organisation, given_name="Uwe")
    own_request = world.ask(own)
    client = world.browser(world.stranger)
    html = text_of(client, HERE)
    assert "Uwe" in html
    assert "Anna" not in html
    answer = send(
        client,
        HERE,
        html,
        {"requests": ids(own_request, world.requests[0])},
        button="Ausgewählte freigeben",
    )
    assert answer.status_code == 404
    assert world.states()[0] is State.AWAITING_RELEASE
    assert db.session.get_one(Registration, own_request).state is State.AWAITING_RELEASE
    assert world.browser(world.people[0]).get(HERE).status_code == 403


def test_the_own_request_has_no_box(world: World) -> None:
    own = world.ask(world.contact)
    html = text_of(world.browser(world.contact), HERE)
    assert "Ihre eigene Anmeldung" in html
    assert f'name="requests" value="{own}"' not in html


def test_requests_are_put_in_order_with_numbers(world: World) -> None:
    client = world.browser(world.contact)
    first, second, third = world.requests
    # Where places are given in order, an order of one's own would change nothing.
    assert "Reihenfolge speichern" not in text_of(client, HERE)
    with transaction() as session:
        session.get_one(Event, world.event.id).admission = Admission.BY_OFFICE
    typed = {f"rank-{first}": "3", f"rank-{second}": "", f"rank-{third}": "1"}
    submit(client, HERE, {**typed, "priority": ids(first)}, button="Reihenfolge speichern")
    rows = {row.id: row for row in db.session.scalars(select(Registration))}
    assert [rows[one].organisation_rank for one in world.requests] == [2, None, 1]
    assert [rows[one].is_priority for one in world.requests] == [True, False, False]
    html = text_of(client, HERE)
    assert f'name="rank-{first}" value="2"' in html
    answer = submit(client, HERE, {f"rank-{first}": "erste"}, button="Reihenfolge speichern")
    assert answer.status_code == 422
    assert "ganze Zahlen von 1 bis 999" in answer.get_data(as_text=True)
    assert 'value="erste"' in answer.get_data(as_text=True)


def test_the_same_number_twice_is_refused_at_the_fields(world: World) -> None:
    with transaction() as session:
        session.get_one(Event, world.event.id).admission = Admission.BY_OFFICE
        unna = make_person(session, world.stranger.organisation, given_name="Uwe")
        session.add(
            OrganisationContact(
                organisation_id=world.stranger.organisation_id, person_id=world.contact.id
            )
        )
    other = world.ask(unna)
    client = world.browser(world.contact)
    first, second, third = world.requests
    typed = {f"rank-{one}": "1" for one in (first, third)} | {f"rank-{second}": "2"}
    answer = submit(
        client, HERE, {**typed, "priority": ids(second)}, button="Reihenfolge speichern"
    )
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "Die 1 steht bei Anna Beispiel und Cem Beispiel." in html
    assert html.count("Bitte eine Zahl von 1 bis 999, jede nur einmal.") == 2
    assert f'id="rank-{second}-fehler"' not in html
    assert f'name="priority" value="{second}" aria-label="Vorrangig: Ben Beispiel" checked' in html
    ranks = select(Registration.organisation_rank)
    assert set(db.session.scalars(ranks)) == {None}
    # Another authority has an order of its own.
    typed |= {f"rank-{third}": "3", f"rank-{other}": "1"}
    assert submit(client, HERE, typed, button="Reihenfolge speichern").status_code == 303
    db.session.expire_all()
    rows = {row.id: row.organisation_rank for row in db.session.scalars(select(Registration))}
    assert [rows[one] for one in (*world.requests, other)] == [1, 2, 3, 1]


def test_the_decision_stands_right_below_the_open_requests(world: World) -> None:
    with transaction() as session:
        session.get_one(Event, world.event.id).admission = Admission.BY_OFFICE
    client = world.browser(world.contact)
    submit(client, HERE, {"requests": ids(world.requests[0])}, button="Ausgewählte freigeben")
    html = text_of(client, HERE)
    marks = (
        "Offene Anfragen", f'name="requests" value="{world.requests[1]}"', "Ausgewählte freigeben",
        "Warteliste und Reihenfolge", "Antrag eingegangen", "Kontingente", "Kurs anfragen",
    )  # fmt: skip
    assert [html.index(mark) for mark in marks] == sorted(html.index(mark) for mark in marks)
    # Deciding leaves alone what was typed or marked elsewhere on the page.
    refused = submit(client, HERE, {"reason": "x"}, button="Ausgewählte freigeben")
    assert refused.status_code == 422


def test_a_digest_opens_the_whole_list_without_an_account(world: World) -> None:
    link = world.digest_links()[world.contact.email]
    client = world.browser(None)
    for method in ("HEAD", "GET"):
        assert client.open(link, method=method).status_code == 200
    assert set(world.states()) == {State.AWAITING_RELEASE}
    html = text_of(client, link)
    for name in ("Anna", "Ben", "Cem", "Karla"):
        assert name in html
    answer = send(
        client, link, html, {"requests": ids(world.requests[1])}, button="Ausgewählte freigeben"
    )
    assert (answer.status_code, answer.location) == (303, link)
    assert world.states()[1] is State.PLACED
    assert db.session.scalars(select(Release.person_id)).one() == world.contact.id
    shown = text_of(client, link)
    assert "1 Anmeldung freigegeben." in shown
    assert "Ben" not in shown.partition("<main")[2].replace("1 Anmeldung", "")
    send(
        client,
        link,
        shown,
        {"requests": ids(world.requests[0], world.requests[2])},
        button="Ausgewählte ablehnen",
    )
    assert "Alles ist entschieden" in text_of(client, link)


def test_a_link_acts_only_by_its_own_form(world: World) -> None:
    link = world.digest_links()[world.contact.email]
    data = {"decision": "released", "requests": ids(world.requests[0])}
    answer = world.browser(None).post(link, data=data)
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "Die Seite war zu lange offen" in html
    assert f'value="{world.requests[0]}" checked' in html
    assert set(world.states()) == {State.AWAITING_RELEASE}


def test_what_many_refusals_say_fits_into_a_cookie(world: World) -> None:
    with transaction() as session:
        people = [make_person(session, world.city, family_name="B" * 80) for _ in range(40)]
    requests = [world.ask(person) for person in people]
    client = world.browser(world.contact)
    html = text_of(client, HERE)
    with transaction() as session:
        for person, request in zip(people, requests, strict=True):
            withdraw(session, actor_for(person), request, world.now)
    answer = send(client, HERE, html, {"requests": ids(*requests)}, button="Ausgewählte freigeben")
    assert len(answer.headers["Set-Cookie"]) < 4000
    shown = text_of(client, HERE)
    assert shown.count("Die Anmeldung wurde zurückgezogen.") == 5
    assert "Weitere ausgewählte Anmeldungen" in shown


def test_at_a_mailbox_name_and_function_are_asked(world: World) -> None:
    link = world.digest_links()[MAILBOX]
    client = world.browser(None)
    answer = submit(
        client, link, {"requests": ids(world.requests[0])}, button="Ausgewählte freigeben"
    )
    assert answer.status_code == 422
    assert "Bitte geben Sie Ihren Namen an." in answer.get_data(as_text=True)
    assert world.states()[0] is State.AWAITING_RELEASE
    submit(
        client,
        link,
        {
            "requests": ids(world.requests[0]),
            "name": "Frieda Vogel",
            "function": "Fortbildungsstelle",
        },
        button="Ausgewählte freigeben",
    )
    release = db.session.scalars(select(Release)).one()
    assert (release.name, release.function, release.person_id) == (
        "Frieda Vogel",
        "Fortbildungsstelle",
        None,
    )


def test_links_that_no_longer_count_say_what_to_do(world: World) -> None:
    links = world.digest_links()
    with transaction() as session:
        decide_release(
            session,
            contact_speaker(session, world.contact.id),
            world.requests[0],
            outcome=ReleaseOutcome.RELEASED,
            now=world.now,
        )
        remove_contact(session, SYSTEM, world.city.id, world.contact.id, world.now)
    client = world.browser(None)
    answer = client.get(links[world.contact.email])
    assert answer.status_code == 403
    assert "leiten Sie die Nachricht an Ihre Vertretung" in answer.get_data(as_text=True)
    assert client.get(f"{links[MAILBOX]}x").status_code == 404
    with transaction() as session:
        session.get_one(Organisation, world.city.id).mailbox = ""
    assert client.get(links[MAILBOX]).status_code == 403


def test_a_link_is_no_way_to_other_organisations(world: World) -> None:
    with transaction() as session:
        foreign = make_person(session, world.stranger.organisation)
    request = world.ask(foreign)
    html_link = world.browser(None)
    with transaction() as session:
        session.delete(
            session.get_one(
                OrganisationContact, (world.stranger.organisation_id, world.stranger.id)
            )
        )
    link = world.digest_links()[world.contact.email]
    answer = submit(html_link, link, {"requests": ids(request)}, button="Ausgewählte freigeben")
    assert answer.status_code == 404
    assert db.session.get_one(Registration, request).state is State.AWAITING_RELEASE


def test_the_office_sees_whom_nobody_can_release_and_decides(world: World) -> None:
    with transaction() as session:
        office = make_person(session, given_name="Wiebke", roles=(Role.COORDINATOR,))
        lonely = make_person(session, make_organisation(session, "Amt Allein"), given_name="Lea")
    request = world.ask(lonely)
    client = world.browser(office)
    assert "1 Anfrage erreicht niemanden" in text_of(client, "/koordination/freigaben")
    submit(
        client, "/koordination/freigaben", {"requests": ids(request)},
        button="Ausgewählte freigeben",
    )  # fmt: skip
    assert db.session.scalars(select(Release.name)).one() == "Wiebke Beispiel"
    assert "Niemand erreichbar" not in text_of(client, "/koordination/freigaben")


def hold(world: World, places: int = 10) -> Contingent:
    with transaction() as session:
        event = make_event(session, first_day=(world.now + timedelta(days=60)).date())
        for person in world.people[:2]:
            make_registration(session, event, person)
        until: datetime = world.now + timedelta(days=30)
        set_contingent(
            session, SYSTEM, event.id,
            organisation_id=world.city.id, places=places, until=until, now=world.now,
        )  # fmt: skip
        world.event = event
    return db.session.scalars(select(Contingent)).one()


def test_contingents_are_shown_with_numbers_and_given_back(world: World) -> None:
    held = hold(world)
    client = world.browser(world.contact)
    html = text_of(client, HERE)
    assert "2 von 10" in html
    assert "8 noch vorgehalten, 2 für alle frei" in html
    employee = text_of(world.browser(world.people[0]), f"/veranstaltungen/{world.event.number}")
    assert "Plätze für Ihre Organisation" in employee
    assert "2 von 10" in employee
    url = f"/organisation/kontingente/{held.id}/zurueckgeben"
    other = world.browser(world.stranger)
    assert other.get(url).status_code == 404
    elsewhere = text_of(other, f"/veranstaltungen/{world.event.number}")
    assert "Plätze für Ihre Organisation" not in elsewhere
    answer = submit(client, url, {"number": "9"})
    assert answer.status_code == 409
    assert "höchstens 8 Plätze" in answer.get_data(as_text=True)
    assert submit(client, url, {"number": "3"}).status_code == 303
    assert "3 Plätze sind zurückgegeben." in text_of(client, HERE)
    assert submit(client, url, {}).status_code == 303
    assert db.session.scalars(select(Contingent.places)).one() == 2


def test_the_page_costs_the_same_with_one_row_and_with_thirty(world: World) -> None:
    client = world.browser(world.contact)
    hold(world)
    costs = []
    for number in (1, 30):
        with transaction() as session:
            for _ in range(number):
                event = world.add_event(session)
                person = make_person(session, world.city)
                register(session, actor_for(person), event.id, now=world.now)
                set_contingent(
                    session, SYSTEM, event.id,
                    organisation_id=world.city.id, places=1, until=event.closes_at, now=world.now,
                )  # fmt: skip
                make_registration(session, event, make_person(session, world.city))
        for url in (HERE, "/organisation/teilnahmen"):
            with counted_statements() as statements:
                text_of(client, url)
            costs.append(len(statements))
    assert costs == [8, 5, 8, 5]


def test_an_event_that_a_contact_may_not_open_is_named_without_a_link(world: World) -> None:
    client = world.browser(world.contact)
    link = f'href="/veranstaltungen/{world.event.number}"'
    assert link in text_of(client, HERE)
    with transaction() as session:
        session.get_one(Event, world.event.id).visibility = Visibility.INVITATION
    html = text_of(client, HERE)
    assert link not in html
    assert world.event.number in html


def test_a_contact_without_organisation_is_told_so(world: World) -> None:
    with transaction() as session:
        nobody = make_person(session, roles=(Role.CONTACT,))
    assert "für keine Organisation eingetragen" in text_of(world.browser(nobody), HERE)


@pytest.mark.both_databases
@pytest.mark.parametrize("number", [2**31, 9_999_999_999])
def test_numbers_that_no_row_can_have_are_no_choice(world: World, number: int) -> None:
    client = world.browser(world.contact)
    html = text_of(client, HERE)
    answer = client.post(
        HERE,
        data={
            **find_form(html, {}, "Ausgewählte freigeben").fields,
            "requests": [str(number)],
            "decision": "released",
        },
    )
    assert answer.status_code == 422
    assert world.states() == [State.AWAITING_RELEASE] * 3
