"""What people see of an event whose places the office gives, and why they have no place yet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import submit
from tests.factories import log_in, make_event, make_person
from tests.people.mailbox import letters
from tests.registered import make_registration
from tests.registrations.test_pages import SOON, Page, text_of
from tests.statements import counted_statements
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, Visibility
from trainings.people.models import Person
from trainings.registrations.admission_rules import RULES
from trainings.registrations.mail_parts import withdraw_path
from trainings.registrations.models import Registration
from trainings.registrations.moves import note_change
from trainings.registrations.operations import register

pytestmark = pytest.mark.both_databases
BY_OFFICE = Policy(admission=Admission.BY_OFFICE, offer_days=0)


@pytest.fixture
def page(client: FlaskClient) -> Page:
    made = Page(client, policy=BY_OFFICE)
    log_in(client, made.person_id)
    return made


def test_the_page_promises_no_place_and_shows_the_rules(page: Page) -> None:
    html = text_of(page.client.get(page.url))
    assert "Zulassung nach Anmeldeschluss" in html
    assert "12 von 12 Plätzen frei" not in html
    assert "Der Platz gehört sofort Ihnen" not in html
    assert all(rule in html for rule in RULES)
    listed = text_of(page.client.get("/veranstaltungen/"))
    assert "Plätze werden danach zugelassen" in listed
    assert "Plätze werden danach zugelassen" in text_of(page.client.get("/veranstaltungen/?frei=y"))
    assert "freie Plätze" not in listed


def test_asking_is_confirmed_as_a_request_everywhere(page: Page) -> None:
    answer = submit(page.client, page.url)
    mine = text_of(page.client.get(answer.location))
    assert "Ihr Antrag ist eingegangen" in mine
    assert "Antrag eingegangen</b> Zulassung nach Anmeldeschluss" in mine
    html = text_of(page.client.get(page.url))
    assert "Ihr Antrag ist eingegangen" in html
    assert "Die Geschäftsstelle entscheidet nach Anmeldeschluss" in html
    assert "Anmeldung zurückziehen" in html
    for shown in (mine, html, text_of(page.client.get("/veranstaltungen/"))):
        assert "Stelle" not in shown.replace("Geschäftsstelle", "").replace("Ihrer Stelle", "")
        assert "auf der Warteliste:" not in shown
    (letter,) = letters()
    assert letter.subject.startswith("Antrag eingegangen:")
    assert letter.link == f"{page.url}#zulassung"


def test_while_the_office_decides_a_request_is_withdrawn_on_both_ways(page: Page) -> None:
    submit(page.client, page.url)
    url = f"/meine/anmeldungen/{page.registration().id}/zurueckgeben"
    with transaction() as session:
        registration = session.get_one(Registration, page.registration().id)
        path = withdraw_path(session, registration, utc_now())
    for html in (text_of(page.client.get(url)), text_of(page.client.get(path))):
        assert "Anmeldung zurückziehen?" in html
        assert "bei der Zulassung nicht" in html
        assert "Warteliste" not in html
    with transaction() as session:
        session.get_one(Event, page.event_id).admitted_at = utc_now()
    for html in (text_of(page.client.get(url)), text_of(page.client.get(path))):
        assert "Warteliste verlassen?" in html


def test_after_the_admission_the_list_is_a_waiting_list_again(page: Page) -> None:
    submit(page.client, page.url)
    with transaction() as session:
        event = session.get_one(Event, page.event_id)
        event.admitted_at = utc_now()
        event.pool.capacity = 0
    html = text_of(page.client.get("/meine/anmeldungen"))
    assert "Sie sind an 1. Stelle. Alle Plätze sind vergeben." in html


def test_whoever_the_office_left_out_reads_so_without_its_reason(page: Page) -> None:
    submit(page.client, page.url)
    with transaction() as session:
        event = session.get_one(Event, page.event_id)
        event.admitted_at = utc_now()
        event.pool.capacity = 0
        registration = session.scalars(select(Registration)).one()
        note_change(
            session, registration, registration.state, Actor(None),
            reason="not_admitted_by_office", note="Abweichend: intern", now=utc_now(),
        )  # fmt: skip
    for url in ("/meine/anmeldungen", page.url):
        html = text_of(page.client.get(url))
        assert "Die Geschäftsstelle hat bei der Zulassung anders entschieden." in html
        assert "intern" not in html


def test_other_events_show_no_rules_of_admission(client: FlaskClient) -> None:
    page = Page(client)
    log_in(client, page.person_id)
    assert "So wird zugelassen" not in text_of(client.get(page.url))


def test_visitors_see_that_registration_is_open_and_nothing_of_free_places(app: Flask) -> None:
    client = app.test_client()
    page = Page(client, policy=BY_OFFICE, visibility=Visibility.PUBLIC)
    html = text_of(client.get(page.url))
    assert "Anmeldung offen" in html
    assert "frei" not in html.split("<footer")[0].replace("freiwillig", "")


def test_who_waits_reads_why_on_both_pages(client: FlaskClient) -> None:
    page = Page(client, capacity=1)
    log_in(client, page.person_id)
    page.fill(3)
    submit(client, page.url)
    sentence = "Alle Plätze sind vergeben."
    assert sentence in text_of(client.get(page.url))
    assert f"Sie sind an 3. Stelle. {sentence}" in text_of(client.get("/meine/anmeldungen"))


def test_a_place_elsewhere_at_that_time_is_the_reason_on_both_pages(client: FlaskClient) -> None:
    page = Page(client, capacity=1)
    log_in(client, page.person_id)
    page.fill(1)
    submit(client, page.url)
    with transaction() as session:
        other = make_event(session, first_day=SOON + timedelta(days=1))
        number = other.number
        make_registration(session, other, session.get_one(Person, page.person_id))
    sentence = f"Sie haben zur selben Zeit einen Platz in {number}."
    assert sentence in text_of(client.get(page.url))
    assert sentence in text_of(client.get("/meine/anmeldungen"))


@pytest.mark.parametrize(("admitted", "mine", "event_page"), [(False, 9, 9), (True, 10, 10)])
@pytest.mark.parametrize("rows", [1, 20])
def test_reasons_cost_the_same_statements_whatever_the_number(
    page: Page, rows: int, *, admitted: bool, mine: int, event_page: int
) -> None:
    with transaction() as session:
        for index in range(rows):
            event = make_event(session, first_day=SOON + timedelta(days=3 * index), capacity=1)
            for person_id in (make_person(session).id, page.person_id):
                register(session, Actor(person_id=person_id), event.id, now=utc_now())
            event.admitted_at = utc_now() if admitted else None
        number = event.number
    with counted_statements() as statements:
        assert page.client.get("/meine/anmeldungen").status_code == 200
    assert len(statements) == mine
    with counted_statements() as statements:
        assert page.client.get(f"/veranstaltungen/{number}").status_code == 200
    assert len(statements) == event_page
