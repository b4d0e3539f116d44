"""The list, the page of an event, registering and giving back, as a browser sees them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.browser_forms import send, submit
from tests.factories import log_in, make_event, make_organisation, make_person, make_venue
from tests.people.mailbox import letters
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM, Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.events.models import Event, EventState, Visibility
from trainings.people.models import Person
from trainings.registrations import mail_parts
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.models import Need, Registration, RegistrationState
from trainings.registrations.operations import register

pytestmark = pytest.mark.both_databases

SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well
TITLE = "Professioneller Umgang mit Konflikten"


class Page:
    """A person at a browser, and an event."""

    def __init__(self, client: FlaskClient, **values: object) -> None:
        self.client = client
        with transaction() as session:
            organisation = make_organisation(
                session, "Stadt Essen", domains=("stadt-essen.example",)
            )
            self.person_id = make_person(session, organisation, family_name="Öztürk").id
            venue = make_venue(session)
            event = make_event(session, first_day=SOON, venue=venue, **values)  # type: ignore[arg-type]
            self.event_id, self.number = event.id, event.number
        self.url = f"/veranstaltungen/{self.number}"

    def fill(self, people: int) -> None:
        with transaction() as session:
            for _ in range(people):
                person = make_person(session)
                register(session, Actor(person_id=person.id), self.event_id, now=utc_now())

    def registration(self) -> Registration:
        db.session.remove()
        return db.session.scalars(
            select(Registration)
            .where(Registration.person_id == self.person_id)
            .order_by(Registration.id.desc())
        ).first()  # type: ignore[return-value]


@pytest.fixture
def page(client: FlaskClient) -> Page:
    made = Page(client)
    log_in(client, made.person_id)
    return made


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def test_registering_leads_to_the_ticket_and_says_so(page: Page) -> None:
    answer = submit(page.client, page.url, {"needs": ["step_free"], "note": "Rollstuhl"})
    assert answer.status_code == 303
    assert answer.location == "/meine/anmeldungen"
    mine = text_of(page.client.get(answer.location))
    assert "Sie haben einen Platz" in mine
    assert "Eintrittskarte" in mine
    needs = db.session.execute(select(Need.kind, Need.note)).all()
    assert [tuple(need) for need in needs] == [("step_free", ""), ("other", "Rollstuhl")]


def test_the_same_form_sent_twice_registers_once_and_answers_the_same(page: Page) -> None:
    html = text_of(page.client.get(page.url))
    answers = [send(page.client, page.url, html) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert {answer.location for answer in answers} == {"/meine/anmeldungen"}
    assert len(db.session.scalars(select(Registration)).all()) == 1


def test_going_back_after_giving_back_and_sending_the_form_again_registers_again(
    page: Page,
) -> None:
    html = text_of(page.client.get(page.url))
    send(page.client, page.url, html)
    submit(page.client, f"/meine/anmeldungen/{page.registration().id}/zurueckgeben")
    answer = send(page.client, page.url, html)
    assert "Sie haben einen Platz" in text_of(page.client.get(answer.location))
    assert page.registration().state is RegistrationState.PLACED
    send(page.client, page.url, html)
    assert len(db.session.scalars(select(Registration)).all()) == 2


def test_a_second_tab_is_told_that_the_person_is_registered(page: Page) -> None:
    first, second = (text_of(page.client.get(page.url)) for _ in range(2))
    send(page.client, page.url, first)
    answer = send(page.client, page.url, second)
    assert answer.status_code == 409
    assert "schon angemeldet" in text_of(answer)


def test_a_full_event_offers_the_waiting_list_and_shows_the_position(page: Page) -> None:
    page.fill(14)
    html = text_of(page.client.get(page.url))
    assert "Kein freier Platz" in html
    assert "Auf der Warteliste: 2 Personen" in html
    send(page.client, page.url, html)
    assert "Sie sind an 3. Stelle" in text_of(page.client.get("/meine/anmeldungen"))


def test_giving_back_asks_once_and_frees_the_place(page: Page) -> None:
    submit(page.client, page.url)
    url = f"/meine/anmeldungen/{page.registration().id}/zurueckgeben"
    assert "Platz zurückgeben?" in text_of(page.client.get(url))
    assert page.registration().state is RegistrationState.PLACED
    answer = submit(page.client, url)
    assert answer.status_code == 303
    assert page.registration().state is RegistrationState.WITHDRAWN


def test_going_back_after_giving_back_says_that_nothing_is_left_to_do(page: Page) -> None:
    submit(page.client, page.url)
    url = f"/meine/anmeldungen/{page.registration().id}/zurueckgeben"
    first, second = (text_of(page.client.get(url)) for _ in range(2))
    send(page.client, url, first)
    answer = send(page.client, url, second)
    assert answer.status_code == 409
    assert "besteht nicht mehr" in text_of(answer)


def test_the_link_in_the_mail_gives_the_place_back_only_by_the_button(page: Page) -> None:
    submit(page.client, page.url)
    sent = db.session.scalars(select(OutgoingMail)).all()[-1].mail
    assert sent.way_out is not None
    path = sent.way_out[1]
    stranger = page.client.application.test_client()
    assert stranger.head(path).status_code == 200
    assert "Platz zurückgeben?" in text_of(stranger.get(path))
    assert page.registration().state is RegistrationState.PLACED
    assert submit(stranger, path).status_code == 303
    assert page.registration().state is RegistrationState.WITHDRAWN
    assert stranger.get(path).status_code == 409


def test_somebody_elses_registration_does_not_exist(page: Page, app: Flask) -> None:
    submit(page.client, page.url)
    registration_id = page.registration().id
    with transaction() as session:
        other = make_person(session)
    stranger = app.test_client()
    log_in(stranger, other.id)
    for what in ("zurueckgeben", "eintrittskarte", "handy"):
        address = f"/meine/anmeldungen/{registration_id}/{what}"
        assert stranger.get(address).status_code == 404


def test_a_visitor_sees_title_date_and_town_of_a_public_event_and_nothing_else(
    client: FlaskClient,
) -> None:
    made = Page(client, visibility=Visibility.PUBLIC)
    with transaction() as session:
        trainer = make_person(session, family_name="Kałuża")
        event = session.get_one(Event, made.event_id)
        event.trainers.append(
            type(event).trainers.property.mapper.class_(person_id=trainer.id)  # EventTrainer
        )
    made.fill(3)
    for html in (text_of(client.get(made.url)), text_of(client.get("/veranstaltungen/"))):
        assert TITLE in html
        assert "Essen" in html
        for hidden in ("Raum 304", "Haus der Bildung", "Kałuża", "Stadt Essen", "freie Plätze",
                       "Plätzen frei", "Person", "Worum es geht"):  # fmt: skip
            assert hidden not in html.split("<footer")[0].split("Mit dienstlicher")[0], hidden


@pytest.mark.parametrize(
    "visibility", [Visibility.PARTNERS, Visibility.IN_HOUSE, Visibility.INVITATION]
)
def test_for_visitors_hidden_events_and_free_numbers_are_the_same(
    client: FlaskClient, visibility: Visibility
) -> None:
    made = Page(client, visibility=visibility)
    answers = [client.get(made.url), client.get("/veranstaltungen/2026-99999")]
    assert [answer.status_code for answer in answers] == [302, 302]
    for answer, number in zip(answers, (made.number, "2026-99999"), strict=True):
        assert answer.location == f"/konto/anmelden?weiter=/veranstaltungen/{number}"


@pytest.mark.parametrize(
    ("visibility", "status"),
    [(Visibility.PARTNERS, 200), (Visibility.IN_HOUSE, 404), (Visibility.INVITATION, 404)],
)
def test_somebody_logged_in_sees_what_is_open_to_them(
    client: FlaskClient, visibility: Visibility, status: int
) -> None:
    made = Page(client, visibility=visibility)
    log_in(client, made.person_id)
    assert client.get(made.url).status_code == status
    assert (made.number in text_of(client.get("/veranstaltungen/"))) == (status == 200)
    assert client.get(f"{made.url}.ics").status_code == status
    assert client.get(f"{made.url}/anmelden").status_code in {302, status}


def test_a_draft_is_shown_to_nobody(client: FlaskClient) -> None:
    made = Page(client, state=EventState.DRAFT)
    log_in(client, made.person_id)
    assert client.get(made.url).status_code == 404


def test_the_calendar_file_hides_the_room_from_visitors(page: Page) -> None:
    with transaction() as session:
        session.get_one(Event, page.event_id).visibility = Visibility.PUBLIC
    visitor = page.client.application.test_client()
    for client, place in ((visitor, "Essen"), (page.client, "Haus der Bildung Essen, Raum 304")):
        answer = client.get(f"{page.url}.ics")
        assert answer.mimetype == "text/calendar"
        entries = Calendar.from_ical(answer.get_data()).walk("VEVENT")
        assert len(entries) == 2
        assert all(str(entry["LOCATION"]).startswith(place) for entry in entries)


def test_an_unchanged_calendar_file_is_not_sent_again(page: Page) -> None:
    first = page.client.get(f"{page.url}.ics")
    again = page.client.get(f"{page.url}.ics", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.get_data() == b""


def test_the_ticket_on_the_phone_opens_without_login_and_dies_with_the_place(page: Page) -> None:
    submit(page.client, page.url)
    registration = page.registration()
    phone = page.client.application.test_client()
    handover = text_of(page.client.get(f"/meine/anmeldungen/{registration.id}/handy"))
    path = "/eintrittskarte/" + handover.split("/eintrittskarte/")[1].split('"')[0]
    assert "Öztürk" in text_of(phone.get(path))
    assert phone.get(f"/eintrittskarte/{registration.ticket}/forged-signature").status_code == 404
    submit(page.client, f"/meine/anmeldungen/{registration.id}/zurueckgeben")
    assert phone.get(path).status_code == 404


def test_a_first_registration_takes_one_mail_and_one_form(client: FlaskClient) -> None:
    made = Page(client, visibility=Visibility.PUBLIC)
    submit(client, made.url, {"email": "neu@stadt-essen.example"})
    entered = submit(client, letters()[-1].link)
    assert entered.location == f"{made.url}/anmelden"
    answer = submit(
        client, entered.location,
        {"given_name": "Jörg", "family_name": "Weiß-Çelik", "unit": "Ordnungsamt"},
    )  # fmt: skip
    assert answer.location == "/meine/anmeldungen"
    assert "Sie haben einen Platz" in text_of(client.get(answer.location))
    person = db.session.scalars(
        select(Person).where(Person.email == "neu@stadt-essen.example")
    ).one()
    assert (person.name, person.unit) == ("Jörg Weiß-Çelik", "Ordnungsamt")


def test_a_first_registration_with_a_missing_name_keeps_what_was_typed(
    client: FlaskClient,
) -> None:
    made = Page(client, visibility=Visibility.PUBLIC)
    submit(client, made.url, {"email": "neu@stadt-essen.example"})
    submit(client, letters()[-1].link)
    answer = submit(client, f"{made.url}/anmelden", {"given_name": "Jörg", "note": "Bitte vorn"})
    assert answer.status_code == 422
    html = text_of(answer)
    assert "Bitte geben Sie Ihren Nachnamen ein." in html
    assert 'value="Jörg"' in html
    assert "Bitte vorn" in html
    assert db.session.scalars(select(Registration)).all() == []


def test_filters_limit_the_list_and_nonsense_is_ignored(page: Page) -> None:
    with transaction() as session:
        venue = make_venue(session, town="Hagen")
        make_event(session, first_day=SOON + timedelta(days=60), venue=venue, title="In Hagen")
    month = f"{SOON + timedelta(days=60):%Y-%m}"
    for query in ("ort=Hagen", f"monat={month}", f"ort=Hagen&monat={month}&art=training&frei=y"):
        html = text_of(page.client.get(f"/veranstaltungen/?{query}"))
        assert "In Hagen" in html
        assert page.number not in html
    for query in (
        "art=unsinn", "monat=2026-13", "monat=0000-01", "seite=-1", "seite=abc", "seite=99999999",
        "ort=%00", "_external=1", "_scheme=javascript", "monat=" + "9" * 5000,
    ):  # fmt: skip
        assert page.client.get(f"/veranstaltungen/?{query}").status_code == 200


def test_a_filter_that_finds_nothing_says_what_to_do(page: Page) -> None:
    html = text_of(page.client.get("/veranstaltungen/?art=annual_meeting"))
    assert "Kein passender Termin" in html
    assert "Alle Veranstaltungen zeigen" in html


def test_only_free_hides_what_is_full_for_the_person(page: Page) -> None:
    page.fill(12)
    assert page.number in text_of(page.client.get("/veranstaltungen/"))
    assert page.number not in text_of(page.client.get("/veranstaltungen/?frei=y"))


def test_a_cancelled_event_stays_in_the_list_with_its_replacement(page: Page) -> None:
    with transaction() as session:
        other = make_event(session, first_day=SOON + timedelta(days=40))
        event = session.get_one(Event, page.event_id)
        event.state, event.cancelled_at = EventState.CANCELLED, utc_now()
        event.replaced_by = other
    html = text_of(page.client.get("/veranstaltungen/"))
    assert "Abgesagt" in html
    assert "Ersatztermin" in html
    assert "Zum Ersatztermin" in text_of(page.client.get(page.url))


@pytest.mark.parametrize("rows", [1, 30])
def test_the_list_costs_the_same_statements_whatever_its_length(page: Page, rows: int) -> None:
    with transaction() as session:
        venue = make_venue(session, town="Bochum")
        for index in range(rows):
            event = make_event(session, first_day=SOON + timedelta(days=3 * index + 3), venue=venue)
            register(session, Actor(person_id=page.person_id), event.id, now=utc_now())
    with counted_statements() as statements:
        assert page.client.get("/veranstaltungen/").status_code == 200
    assert len(statements) == 8
    with counted_statements() as statements:
        assert page.client.get("/meine/anmeldungen").status_code == 200
    assert len(statements) == 6


@pytest.mark.parametrize("people", [1, 30])
def test_the_page_of_an_event_costs_the_same_statements(page: Page, people: int) -> None:
    page.fill(people)
    with counted_statements() as statements:
        assert page.client.get(page.url).status_code == 200
    assert len(statements) == 7


HOSTILE = (
    "\x00",
    "\u202egnp.exe",
    "😀",
    "<script>alert(1)</script>",
    "=1+1",
    "a\r\nBcc: x@y.example",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_notes_are_stored_harmless_and_shown_escaped(page: Page, text: str) -> None:
    assert submit(page.client, page.url, {"note": text}).status_code == 303
    for note in db.session.scalars(select(Need.note)):
        assert "\x00" not in note
        assert "\u202e" not in note
    assert "<script>alert" not in text_of(page.client.get("/meine/anmeldungen"))


@pytest.mark.parametrize(
    "data",
    [
        {"note": "x" * 501},
        {"needs": ["unsinn"]},
        {"csrf_token": "stale"},
        {"csrf_token": ""},
    ],
)
def test_a_wrong_form_is_shown_again_with_a_sentence(page: Page, data: dict[str, str]) -> None:
    answer = submit(page.client, page.url, data)
    assert answer.status_code == 422
    assert "tr-summary" in text_of(answer)
    assert db.session.scalars(select(Registration)).all() == []


def test_a_text_of_a_megabyte_is_refused_with_a_page(page: Page) -> None:
    answer = submit(page.client, page.url, {"note": "x" * 1_000_001})
    assert answer.status_code == 413
    assert "zu groß" in text_of(answer)


def test_missing_and_doubled_fields_give_no_error(page: Page) -> None:
    address = f"{page.url}/anmelden"
    assert page.client.post(address).status_code == 422
    html = text_of(page.client.get(page.url))
    answer = send(page.client, page.url, html, {"note": ["eins", "zwei"]})
    assert answer.status_code == 303


@pytest.mark.parametrize(
    "path",
    [
        "/veranstaltungen/2026-1", "/veranstaltungen/%00", "/veranstaltungen/2026-014%00",
        "/veranstaltungen/9999-99999", "/veranstaltungen/../etc", "/veranstaltungen/2026-014/x",
        "/meine/anmeldungen/0/zurueckgeben", "/meine/anmeldungen/99999999999999/zurueckgeben",
        "/meine/anmeldungen/-1/eintrittskarte", "/eintrittskarte/AAAAAAAAAAAA/%00%00%00%00%00%00",
        "/eintrittskarte/AAAAAAAAAAAA/BBBBBBBBBBBBBBBB",
    ],
)  # fmt: skip
def test_addresses_that_lead_nowhere_are_not_found(page: Page, path: str) -> None:
    answer = page.client.get(path)
    assert answer.status_code == 404
    assert "Diese Seite gibt es nicht" in text_of(answer)


def test_mails_name_the_addresses_that_the_routes_have(app: Flask) -> None:
    with app.test_request_context():
        from flask import url_for

        assert url_for("registrations.event_list") == mail_parts.EVENTS
        assert url_for("registrations.my_registrations") == mail_parts.MY_REGISTRATIONS
        assert url_for("actions.act", token="x" * 20) == "/aktion/" + "x" * 20
        assert (
            url_for("registrations.signed_ticket", ticket="A" * 12, signature="b" * 12)
            == "/eintrittskarte/" + "A" * 12 + "/" + "b" * 12
        )


def test_a_form_sent_after_the_login_ran_out_keeps_what_was_typed(page: Page) -> None:
    html = text_of(page.client.get(page.url))
    page.client.delete_cookie("trainings")
    answer = send(page.client, page.url, html, {"note": "Bitte <vorn>", "needs": ["diet"]})
    assert answer.status_code == 401
    kept = text_of(answer)
    log_in(page.client, page.person_id)
    shown_again = send(page.client, f"{page.url}/anmelden", kept)
    assert shown_again.status_code == 422
    assert "Bitte &lt;vorn&gt;" in text_of(shown_again)
    assert send(page.client, page.url, text_of(shown_again)).status_code == 303
    assert db.session.scalars(select(Need.note).order_by(Need.id)).all() == ["", "Bitte <vorn>"]


def cancel(event_id: int, replaced_by_id: int | None) -> None:
    with transaction() as session:
        cancel_event(
            session, SYSTEM, event_id,
            reason="Frau Kałuża ist erkrankt.", replaced_by_id=replaced_by_id, now=utc_now(),
        )  # fmt: skip


def test_visitors_do_not_read_why_an_event_is_off(client: FlaskClient) -> None:
    page = Page(client, visibility=Visibility.PUBLIC)
    cancel(page.event_id, None)
    assert "Kałuża" not in text_of(client.get(page.url))
    log_in(client, page.person_id)
    assert "Kałuża" in text_of(client.get(page.url))


def test_an_event_in_its_place_is_named_to_those_who_may_see_it(client: FlaskClient) -> None:
    page = Page(client, visibility=Visibility.PUBLIC)
    with transaction() as session:
        other = make_event(session, first_day=SOON, visibility=Visibility.PARTNERS)
        other_id, other_url = other.id, f"/veranstaltungen/{other.number}"
    cancel(page.event_id, other_id)
    assert other_url not in text_of(client.get(page.url))
    assert "Ersatztermin" not in text_of(client.get("/veranstaltungen/"))
    log_in(client, page.person_id)
    assert other_url in text_of(client.get(page.url))
    assert "Ersatztermin" in text_of(client.get("/veranstaltungen/"))


@pytest.mark.parametrize("address", ["kein-at-zeichen", "jemand@fremd.example", ""])
def test_a_wrong_address_is_answered_in_the_box_of_the_event(
    client: FlaskClient, address: str
) -> None:
    made = Page(client, visibility=Visibility.PUBLIC)
    answer = submit(client, made.url, {"email": address})
    html = text_of(answer)
    assert answer.status_code == 422
    assert TITLE in html
    assert f'value="{address}"' in html
    assert letters() == []
