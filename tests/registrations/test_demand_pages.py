"""Wishing for dates and asking for courses, as a browser sees it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.browser_forms import find_form, send, submit
from tests.factories import actor_for, log_in, make_event, make_organisation, make_person
from tests.registered import make_registration
from tests.registrations.demand import (
    fill_up,
    make_dates,
    make_template,
    open_wishes,
    registration_id,
    states_of,
)
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventKind, EventTemplate, Visibility
from trainings.office.sweeps import serve_waiting_lists
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.course_operations import request_course
from trainings.registrations.models import (
    CourseRequest,
    Need,
    RegistrationState,
    Wish,
)
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
State = RegistrationState
SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well


class Page:
    """Somebody at a browser, and a format with three full dates."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        with transaction() as session:
            person = make_person(session, make_organisation(session, "Stadt Essen"))
            self.actor, self.person_id = actor_for(person), person.id
            template = make_template(session, "Umgang mit <b>Konflikten</b>")
            dates = make_dates(session, template, 3, first_day=SOON)
            self.holders = [actor_for(holder) for holder in fill_up(session, *dates)]
            self.template_id = template.id
            self.events = [event.id for event in dates]
            self.numbers = [event.number for event in dates]
        self.url = f"/bedarf/{self.template_id}"
        log_in(client, self.person_id)

    def free(self, number: int) -> None:
        with transaction() as session:
            session.get_one(Event, self.events[number]).pool.capacity += 1

    def states(self) -> list[RegistrationState]:
        return states_of(self.person_id)

    def choose(self, *numbers: int, **values: str) -> TestResponse:
        chosen = [str(self.events[number]) for number in numbers]
        return submit(self.client, self.url, {"dates": chosen, **values})


@pytest.fixture
def page(client: FlaskClient) -> Page:
    return Page(client)


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (State.AWAITING_RELEASE, "Ihre Anmeldung dort wartet auf die Freigabe"),
        (State.OFFERED, "dort ist Ihnen ein Platz angeboten"),
    ],
)
def test_a_date_says_how_the_own_registration_stands(page: Page, state: State, words: str) -> None:
    with transaction() as session:
        event, person = session.get_one(Event, page.events[0]), page.person_id
        registration = make_registration(session, event, session.get_one(Person, person))
        registration.state, registration.ticket = state, None
        registration.offer_until = utc_now() + timedelta(days=1)
    html = page.client.get(page.url).text
    assert words in html
    assert "Sie sind dort angemeldet" not in html


def test_dates_with_a_title_of_their_own_are_told_apart(page: Page) -> None:
    with transaction() as session:
        session.get_one(EventTemplate, page.template_id).title = "Facharbeitskreis"
        for number, title in enumerate(("Prävention", "<i>Shisha</i>", "Facharbeitskreis")):
            session.get_one(Event, page.events[number]).title = title
    html = page.client.get(page.url).text
    assert ", Prävention" in html
    assert ", &lt;i&gt;Shisha&lt;/i&gt;" in html
    assert ", Facharbeitskreis" not in html


def test_from_a_full_event_the_way_leads_to_all_dates_with_this_one_ticked(page: Page) -> None:
    html = text_of(page.client.get(f"/veranstaltungen/{page.numbers[1]}"))
    path = f"{page.url}?termin={page.numbers[1]}"
    assert path in html
    wishing = text_of(page.client.get(path))
    form = find_form(wishing, {"dates": []}, None)
    assert form.fields["dates"] == [str(page.events[1])]
    assert "&lt;b&gt;Konflikten" in wishing
    assert "<b>Konflikten" not in wishing


def test_an_event_with_a_free_place_or_without_a_format_has_no_such_way(page: Page) -> None:
    page.free(0)
    with transaction() as session:
        alone = make_event(session, first_day=SOON, capacity=1)
        fill_up(session, alone)
        number = alone.number
    for address in (page.numbers[0], number):
        assert "/bedarf/" not in text_of(page.client.get(f"/veranstaltungen/{address}"))


def test_the_dates_say_what_is_free_and_where_one_waits(page: Page) -> None:
    page.free(1)
    with transaction() as session:
        other = actor_for(make_person(session))
        register(session, other, page.events[2], now=utc_now())
        register(session, page.actor, page.events[0], now=utc_now())
    html = text_of(page.client.get(page.url))
    assert "Sie warten dort an 1. Stelle" in html
    assert "1 freier Platz" in html
    assert "kein freier Platz, 1 Person wartet" in html
    assert find_form(html, {"dates": []}, None).fields["dates"] == [str(page.events[0])]


def test_choosing_dates_puts_one_on_their_lists_and_shows_the_wish(page: Page) -> None:
    answer = page.choose(0, 2)
    assert answer.status_code == 303
    assert page.states() == [State.WAITING, State.WAITING]
    html = text_of(page.client.get(answer.location))
    assert "Ihr Bedarf ist notiert, für 2 Termine" in html
    assert "Einer dieser Termine" in html
    assert "Der erste Platz beendet die anderen Wartelisten." in html


def test_a_place_ends_the_other_waits_and_the_page_says_why(page: Page) -> None:
    page.choose(0, 1)
    holder = page.holders[1]
    with transaction() as session:
        withdraw(session, holder, registration_id(holder, page.events[1]), utc_now())
    html = text_of(page.client.get("/meine/anmeldungen"))
    assert "Platz an einem anderen Termin" in html
    assert "Einer dieser Termine" not in html


def test_a_free_date_is_given_at_once_with_what_one_needs(page: Page) -> None:
    page.free(2)
    answer = page.choose(0, 1, 2, note="Rollstuhl")
    assert "Sie haben einen Platz" in text_of(page.client.get(answer.location))
    assert page.states() == [State.PLACED]
    assert db.session.scalars(select(Need.note)).all() == ["Rollstuhl"]


def test_the_same_form_sent_twice_wishes_once(page: Page) -> None:
    html = text_of(page.client.get(page.url))
    data = {"dates": [str(page.events[0])]}
    answers = [send(page.client, page.url, html, data) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert page.states() == [State.WAITING]
    assert len(db.session.scalars(select(Wish)).all()) == 1


def test_refusals_stand_in_the_form_and_keep_what_was_chosen(page: Page) -> None:
    answer = submit(page.client, page.url)
    assert answer.status_code == 422
    assert "mindestens einen Termin" in text_of(answer)
    with transaction() as session:
        busy = make_event(session, first_day=SOON, days=1)
        make_registration(session, busy, session.get_one(Person, page.person_id))
    answer = page.choose(0, 1)
    assert answer.status_code == 409
    assert "zu dieser Zeit schon einen Platz" in text_of(answer)
    form = find_form(text_of(answer), {"dates": []}, None)
    assert form.fields["dates"] == [str(event_id) for event_id in page.events[:2]]
    assert page.states() == [State.PLACED]


@pytest.mark.parametrize("dates", [["999"], ["x"], ["\x00"], ["1" * 40]])
def test_dates_that_were_not_offered_are_refused(page: Page, dates: list[str]) -> None:
    answer = submit(page.client, page.url, {"dates": dates})
    assert answer.status_code == 422
    assert page.states() == []


def test_formats_of_closed_circles_do_not_exist_for_others(page: Page) -> None:
    with transaction() as session:
        hidden = make_template(session, "Geheimes Format", visibility=Visibility.IN_HOUSE)
        (event,) = make_dates(session, hidden, 1, first_day=SOON, visibility=Visibility.IN_HOUSE)
        hidden_id, event_id = hidden.id, event.id
    assert "Geheimes Format" not in text_of(page.client.get("/bedarf/"))
    assert page.client.get(f"/bedarf/{hidden_id}").status_code == 404
    with transaction() as session:
        session.get_one(Event, event_id).visibility = Visibility.PARTNERS
    assert "Geheimes Format" in text_of(page.client.get("/bedarf/"))
    assert page.client.get(f"/bedarf/{hidden_id}").status_code == 200


def test_demand_can_be_noted_where_there_is_no_date(page: Page) -> None:
    with transaction() as session:
        empty_id = make_template(session, "Noch ohne Termin").id
    assert "zurzeit kein Termin" in text_of(page.client.get("/bedarf/"))
    answer = submit(page.client, f"/bedarf/{empty_id}")
    assert answer.status_code == 303
    html = text_of(page.client.get(answer.location))
    assert "Nächster freier Termin." in html
    assert [wish.template_id for wish in open_wishes(page.person_id)] == [empty_id]


def test_a_retired_format_has_no_next_free_date(page: Page) -> None:
    with transaction() as session:
        session.get_one(EventTemplate, page.template_id).retired_at = utc_now()
    html = text_of(page.client.get(page.url))
    assert "next_free" not in html
    assert page.choose(0).status_code == 303


def test_the_list_and_the_own_registrations_lead_to_the_demand(page: Page) -> None:
    assert "/bedarf/" in text_of(page.client.get("/meine/anmeldungen"))
    assert "/bedarf/" in text_of(page.client.get("/veranstaltungen/?art=briefing"))
    visitor = page.client.application.test_client()
    assert "/bedarf/" not in text_of(visitor.get("/veranstaltungen/"))
    assert visitor.get("/bedarf/").status_code == 302


def test_a_wish_is_withdrawn_after_one_question(page: Page) -> None:
    page.choose(0, 1, next_free="y")
    (wish,) = open_wishes(page.person_id)
    url = f"/meine/wuensche/{wish.id}/zurueckziehen"
    first, second = (text_of(page.client.get(url)) for _ in range(2))
    assert "Sie verlassen damit die Wartelisten" in first
    assert page.states() == [State.WAITING] * 3
    answer = send(page.client, url, first)
    assert "Ihr Wunsch ist zurückgezogen" in text_of(page.client.get(answer.location))
    assert page.states() == [State.WITHDRAWN] * 3
    answer = send(page.client, url, second)
    assert "besteht nicht mehr" in text_of(page.client.get(answer.location))


def test_somebody_elses_wish_does_not_exist(page: Page, app: Flask) -> None:
    page.choose(0)
    (wish,) = open_wishes(page.person_id)
    with transaction() as session:
        other_id = make_person(session).id
    stranger = app.test_client()
    log_in(stranger, other_id)
    url = f"/meine/wuensche/{wish.id}/zurueckziehen"
    assert stranger.get(url).status_code == 404
    html = text_of(stranger.get("/bedarf/1"))
    token = find_form(html, {}, None).fields
    data = {name: token[name] for name in ("csrf_token", "form_key")}
    assert stranger.post(url, data=data).status_code == 404
    assert page.states() == [State.WAITING]


# Courses for one organisation


class Contact:
    """A contact of an organisation at a browser."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        with transaction() as session:
            organisation = make_organisation(session, "Stadt Herne")
            other = make_organisation(session, "Stadt Hagen")
            person = make_person(session, organisation, roles=(Role.CONTACT,))
            session.add(OrganisationContact(organisation_id=organisation.id, person_id=person.id))
            self.template_id = make_template(session).id
            self.person_id, self.organisation_id = person.id, organisation.id
            self.other_id = other.id
        log_in(client, self.person_id)

    def ask(self, **values: str) -> TestResponse:
        data = {
            "template_id": str(self.template_id),
            "organisation_id": str(self.organisation_id),
            "participants": "12",
            "period": "im Herbst",
            "note": "=Hinweis",
            **values,
        }
        return submit(self.client, "/organisation/kurs-anfragen", data)


@pytest.fixture
def contact(client: FlaskClient) -> Contact:
    return Contact(client)


def requests() -> list[CourseRequest]:
    db.session.remove()
    return list(db.session.scalars(select(CourseRequest)))


def test_a_contact_asks_for_a_course_and_sees_the_state(contact: Contact) -> None:
    answer = contact.ask()
    assert answer.status_code == 303
    html = text_of(contact.client.get(answer.location))
    assert "Ihre Anfrage ist bei der Geschäftsstelle" in html
    assert "In Prüfung" in html
    (stored,) = requests()
    assert (stored.organisation_id, stored.participants, stored.period, stored.note) == (
        contact.organisation_id,
        12,
        "im Herbst",
        "=Hinweis",
    )


def test_more_people_than_places_are_asked_about_before(contact: Contact) -> None:
    url = "/organisation/kurs-anfragen"
    page = text_of(contact.client.get(url))
    assert "(12 Plätze je Termin)" in page
    assert "Wir fragen mehrere Termine an" not in page
    answer = contact.ask(participants="30")
    assert answer.status_code == 422
    html = text_of(answer)
    assert "Ein Termin hat 12 Plätze; für 30 Personen sind drei Termine nötig." in html
    assert requests() == []
    assert send(contact.client, url, html, {"several": "y"}).status_code == 303
    assert [row.participants for row in requests()] == [30]


def test_only_trainings_can_be_asked_for(contact: Contact) -> None:
    with transaction() as session:
        conference = make_template(session, "Fachtagung", kind=EventKind.CONFERENCE)
        conference_id = conference.id
    assert "Fachtagung" not in text_of(contact.client.get("/organisation/kurs-anfragen"))
    assert contact.ask(template_id=str(conference_id)).status_code == 422
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        request_course(
            session,
            actor_for(session.get_one(Person, contact.person_id)),
            template_id=conference_id,
            organisation_id=contact.organisation_id,
            participants=9,
            period="",
            note="",
            now=utc_now(),
        )


def test_any_date_says_that_it_includes_those_not_ticked(page: Page) -> None:
    assert "auch für die oben nicht angekreuzten" in text_of(page.client.get(page.url))


def test_a_second_request_for_the_same_is_refused_while_the_first_is_open(
    contact: Contact,
) -> None:
    contact.ask()
    answer = contact.ask()
    assert answer.status_code == 409
    assert "schon angefragt" in text_of(answer)
    assert len(requests()) == 1


@pytest.mark.parametrize(
    "values",
    [
        {"participants": "0"},
        {"participants": "viele"},
        {"participants": ""},
        {"period": " "},
        {"period": "x" * 201},
        {"template_id": "999"},
        {"template_id": ""},
    ],
)
def test_what_is_missing_or_makes_no_sense_is_said(
    contact: Contact, values: dict[str, str]
) -> None:
    answer = contact.ask(**values)
    assert answer.status_code == 422
    assert requests() == []


def test_nobody_asks_for_an_organisation_of_others_or_sees_its_requests(
    contact: Contact, app: Flask
) -> None:
    assert contact.ask(organisation_id=str(contact.other_id)).status_code == 422
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        request_course(
            session,
            actor_for(session.get_one(Person, contact.person_id)),
            template_id=contact.template_id,
            organisation_id=contact.other_id,
            participants=9,
            period="",
            note="",
            now=utc_now(),
        )
    contact.ask()
    with transaction() as session:
        stranger_id = make_person(session, roles=(Role.CONTACT,)).id
    stranger = app.test_client()
    log_in(stranger, stranger_id)
    html = text_of(stranger.get("/organisation/kurs-anfragen"))
    assert "im Herbst" not in html
    assert "Sie sprechen für keine Organisation" in html


@pytest.mark.parametrize("rows", [1, 30])
def test_the_pages_cost_the_same_statements_whatever_their_length(
    page: Page, rows: int, app: Flask
) -> None:
    client = app.test_client()
    with transaction() as session:
        template = session.get_one(EventTemplate, page.template_id)
        contact = make_person(session, roles=(Role.CONTACT,))
        for event in make_dates(session, template, rows, first_day=SOON + timedelta(days=60)):
            fill_up(session, event)
        for number in range(rows):
            organisation = make_organisation(session, f"Kreis {number}")
            other = make_template(session, f"Format {number}")
            session.add_all(
                [
                    OrganisationContact(organisation_id=organisation.id, person_id=contact.id),
                    Wish(
                        person_id=page.person_id,
                        template_id=other.id,
                        next_free=True,
                        created_at=utc_now(),
                    ),
                    CourseRequest(
                        organisation=organisation,
                        template=other,
                        person=make_person(session, organisation),
                        participants=9,
                        period="",
                        created_at=utc_now(),
                    ),
                ]
            )
        contact_id = contact.id
    page.choose(0, 1, next_free="y")
    log_in(client, contact_id)
    wish = open_wishes(page.person_id)[0]
    costs = {
        "/bedarf/": 2,
        page.url: 7,
        "/meine/anmeldungen": 9,
        f"/meine/wuensche/{wish.id}/zurueckziehen": 2,
    }
    for browser, urls in ((page.client, costs), (client, {"/organisation/kurs-anfragen": 4})):
        for url, expected in urls.items():
            with counted_statements() as statements:
                assert browser.get(url).status_code == 200
            assert len(statements) == expected, url


def test_the_pages_name_the_offer_for_which_somebody_is_passed_over(page: Page) -> None:
    page.choose(0, 1)
    for number in range(2):
        with transaction() as session:
            session.get_one(Event, page.events[number]).offer_days = 2
        page.free(number)
    serve_waiting_lists(utc_now())
    assert page.states() == [RegistrationState.OFFERED, RegistrationState.WAITING]
    sentence = f"Wir bieten Ihnen gerade einen Platz in {page.numbers[0]} an."
    for url, cost in ((f"/veranstaltungen/{page.numbers[1]}", 9), ("/meine/anmeldungen", 10)):
        with counted_statements() as statements:
            assert sentence in text_of(page.client.get(url)), url
        assert len(statements) == cost, url
