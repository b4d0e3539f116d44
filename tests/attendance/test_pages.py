"""The pages at the door: who may see them, what they do, and that nothing breaks them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import event as sql_event
from werkzeug.test import TestResponse

from tests.attendance.factories import (
    history_of,
    make_registration,
    make_trainer,
    marks_of,
    registration_ids,
)
from tests.browser_forms import forms_of
from tests.factories import log_in, make_event, make_person, make_venue
from trainings.attendance.models import AttendanceMark
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState
from trainings.registrations.models import Registration, RegistrationState

PRESENT, ABSENT, EXCUSED = AttendanceMark
HOSTILE = "<script>alert(1)</script>"


@dataclass
class Door:
    """A training that began yesterday, with two people; its trainer is logged in."""

    client: FlaskClient
    number: str
    sessions: list[int]
    people: list[int]
    tickets: list[str]
    trainer: int
    foreign: int
    office: int
    participant: int

    @property
    def url(self) -> str:
        return f"/einlass/{self.number}?termin={self.sessions[0]}"

    def person_url(self, person: int = 0) -> str:
        return f"/einlass/{self.number}/person/{self.people[person]}"

    def ticket_url(self, person: int = 0) -> str:
        return f"/t/{self.tickets[person]}?termin={self.sessions[0]}"

    def marks(self, session: int = 0) -> dict[int, AttendanceMark]:
        db.session.rollback()
        return marks_of(db.session(), self.sessions[session])


@pytest.fixture
def door(app: Flask, client: FlaskClient) -> Door:
    with transaction() as session:
        today = berlin_day(utc_now())
        training = make_event(
            session, first_day=today - timedelta(days=1), venue=make_venue(session)
        )
        make_registration(session, training, family_name="Öztürk-Lindner")
        make_registration(session, training, family_name=HOSTILE)
        other = make_event(session, first_day=today)
        trainer = make_trainer(session, training)
        foreign = make_trainer(session, other)
        people = registration_ids(session, training)
        made = Door(
            client=client,
            number=training.number,
            sessions=[found.id for found in training.sessions],
            people=people,
            tickets=[str(session.get_one(Registration, person).ticket) for person in people],
            trainer=trainer.id,
            foreign=foreign.id,
            office=make_person(session, roles=(Role.COORDINATOR,)).id,
            participant=make_person(session).id,
        )
    log_in(client, made.trainer)
    return made


def press(client: FlaskClient, url: str, name: str, value: str | None = None) -> TestResponse:
    """Press a button of a page, found by its words, or by its name and value."""
    page = client.get(url)
    assert page.status_code == 200
    for form in forms_of(page.text):
        for button, sent, words in form.buttons:
            if form.method == "post" and (
                (button, sent) == (name, value) or (value is None and words == name)
            ):
                values = form.fields | ({button: [sent]} if button else {})
                return client.post(form.action or url, data=values)
    raise AssertionError(f"There is no button {name} {value} on {url}.")


@contextmanager
def counted() -> Iterator[list[str]]:
    """Note the statements of a request, the loading of the user included."""
    g.pop("_login_user", None)
    statements: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sql_event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sql_event.remove(db.engine, "before_cursor_execute", note)


def change(door: Door, place: RegistrationState | None = None, **event: object) -> None:
    """Change the registration of the first person, or the event."""
    with transaction() as session:
        registration = session.get_one(Registration, door.people[0])
        registration.state = place or registration.state
        for name, value in event.items():
            setattr(session.get_one(Event, registration.event_id), name, value)


def become(door: Door, person_id: int) -> None:
    """Log in as somebody else; all requests of a test share one `g`, which remembers the user."""
    g.pop("_login_user", None)
    log_in(door.client, person_id)


# Who may see what


def test_visitor_is_sent_to_the_login_and_back_to_the_ticket(door: Door, app: Flask) -> None:
    answer = app.test_client().get(door.ticket_url())
    assert answer.status_code == 302
    assert answer.location.startswith("/konto/anmelden?weiter=")
    assert door.tickets[0] in answer.location


def test_participant_is_refused_everywhere(door: Door) -> None:
    become(door, door.participant)
    for url in ("/einlass/", door.url, door.person_url(), door.ticket_url()):
        assert door.client.get(url).status_code == 403


def test_trainer_of_another_event_finds_nothing(door: Door) -> None:
    become(door, door.foreign)
    overview = f"/einlass/{door.number}/uebersicht"
    for url in (door.url, overview, door.person_url()):
        answer = door.client.get(url)
        assert answer.status_code == 404
        assert "Öztürk" not in answer.text


def test_ticket_tells_trainers_of_other_events_nothing_about_the_person(door: Door) -> None:
    become(door, door.foreign)
    answer = door.client.get(door.ticket_url())
    assert answer.status_code == 403
    assert "gehört zu einer anderen Veranstaltung" in answer.text
    assert "Öztürk" not in answer.text
    assert door.number not in answer.text


def test_trainer_lists_own_events_and_the_office_all(door: Door) -> None:
    assert door.client.get("/einlass/").text.count("<h3>") == 1
    become(door, door.office)
    assert door.client.get("/einlass/").text.count("<h3>") == 2


def test_events_stay_in_the_list_for_thirty_days(door: Door) -> None:
    today = berlin_day(utc_now())
    change(door, first_day=today - timedelta(days=31), last_day=today - timedelta(days=30))
    assert door.number in door.client.get("/einlass/").text
    change(door, first_day=today - timedelta(days=32), last_day=today - timedelta(days=31))
    assert door.number not in door.client.get("/einlass/").text


def test_drafts_are_not_listed_and_cancelled_events_say_so(door: Door) -> None:
    change(door, state=EventState.CANCELLED)
    assert "Abgesagt" in door.client.get("/einlass/").text
    change(door, state=EventState.DRAFT)
    assert door.number not in door.client.get("/einlass/").text


# The list of names


def test_name_is_marked_and_the_page_returns_to_it(door: Door) -> None:
    answer = press(door.client, door.url, "mark", f"{door.people[0]}-present")
    assert answer.status_code == 303
    assert answer.location.endswith(f"termin={door.sessions[0]}#m-{door.people[0]}-present")
    assert door.marks() == {door.people[0]: PRESENT}
    page = door.client.get(door.url).text
    assert f'id="m-{door.people[0]}-present"' in page
    assert 'aria-label="da: Öztürk-Lindner, Kübra"' in page
    assert f'id="p-{door.people[0]}"' in page
    assert "Öztürk-Lindner, Kübra ist da" in page


def test_not_recorded_and_absent_are_told_apart(door: Door) -> None:
    press(door.client, door.url, "mark", f"{door.people[0]}-absent")
    page = door.client.get(door.url).text
    assert "<b>1</b> fehlt" in page
    assert "<b>1</b> nicht erfasst" in page


def test_all_others_are_present_by_one_button_and_undone_by_one(door: Door) -> None:
    press(door.client, door.url, "mark", f"{door.people[0]}-absent")
    assert press(door.client, door.url, "Alle übrigen anwesend").status_code == 303
    assert door.marks() == {door.people[0]: ABSENT, door.people[1]: PRESENT}
    undone = press(door.client, door.url, "Rückgängig")
    assert undone.location.endswith("#letzter-schritt")
    assert 'id="letzter-schritt"' in door.client.get(door.url).text
    assert door.marks() == {door.people[0]: ABSENT}
    press(door.client, door.url, "Rückgängig")
    assert door.marks() == {}


def test_two_names_pressed_on_the_same_page_are_both_recorded(door: Door) -> None:
    form = forms_of(door.client.get(door.url).text)[0]
    for person in door.people:
        door.client.post(form.action, data=form.fields | {"mark": f"{person}-present"})
    assert set(door.marks()) == set(door.people)


def test_undo_pressed_twice_takes_back_one_step(door: Door) -> None:
    for person in door.people:
        press(door.client, door.url, "mark", f"{person}-present")
    form = forms_of(door.client.get(door.url).text)[0]
    batch = next(value for name, value, _ in form.buttons if name == "undo")
    for _ in range(2):
        answer = door.client.post(form.action, data=form.fields | {"undo": batch})
        assert answer.status_code == 303
    assert door.marks() == {door.people[0]: PRESENT}


def test_tab_chooses_the_session(door: Door) -> None:
    url = f"/einlass/{door.number}?termin={door.sessions[1]}"
    press(door.client, url, "mark", f"{door.people[0]}-absent")
    assert door.marks(1) == {door.people[0]: ABSENT}
    assert door.marks(0) == {}


def test_future_session_shows_why_nothing_can_be_recorded(door: Door) -> None:
    today = berlin_day(utc_now())
    with transaction() as session:
        later = make_event(session, first_day=today + timedelta(days=9))
        make_registration(session, later)
        number = later.number
    become(door, door.office)
    page = door.client.get(f"/einlass/{number}").text
    assert "Vorher lässt sich keine Anwesenheit erfassen." in page
    assert "Alle übrigen anwesend" not in page
    assert 'method="post"' not in page


def test_refused_mark_is_explained_on_the_page(door: Door) -> None:
    form = forms_of(door.client.get(door.url).text)[0]
    change(door, RegistrationState.WITHDRAWN)
    answer = door.client.post(form.action, data=form.fields | {"mark": f"{door.people[0]}-present"})
    assert answer.status_code == 409
    assert "Der Platz wurde zurückgegeben." in answer.text


def test_event_without_people_says_what_comes(door: Door) -> None:
    with transaction() as session:
        number = make_event(session, first_day=berlin_day(utc_now())).number
    become(door, door.office)
    for url in (f"/einlass/{number}", f"/einlass/{number}/uebersicht"):
        assert "Noch hat niemand einen Platz" in door.client.get(url).text


def test_hostile_names_are_shown_as_text(door: Door) -> None:
    for url in (door.url, f"/einlass/{door.number}/uebersicht", door.person_url(1),
                door.ticket_url(1)):  # fmt: skip
        page = door.client.get(url).text
        assert "&lt;script&gt;" in page
        assert HOSTILE not in page


def test_typed_code_leads_to_the_ticket(door: Door) -> None:
    typed = f"{door.tickets[0][:4].lower()} {door.tickets[0][4:]}"
    answer = door.client.get(f"{door.url}&code={typed}")
    assert answer.status_code == 303
    assert answer.location == door.ticket_url()


@pytest.mark.parametrize("code", ["", "XXXX", "\x00", "😀" * 50, "a" * 100_000, "\u202e"])
def test_wrong_code_gets_a_sentence_at_the_field(door: Door, code: str) -> None:
    answer = door.client.get(f"/einlass/{door.number}", query_string={"code": code})
    assert answer.status_code == 200
    assert 'id="code-fehler"' in answer.text


# The matrix and one person


def test_matrix_leads_from_each_field_to_its_correction(door: Door) -> None:
    page = door.client.get(f"/einlass/{door.number}/uebersicht").text
    for session in door.sessions:
        assert f"{door.person_url()}/{session}?von=uebersicht" in page


def test_person_is_corrected_in_any_session_with_history(door: Door) -> None:
    first, second = door.sessions[:2]
    url = door.person_url()
    answer = press(door.client, url, "mark", f"{first}-excused")
    assert answer.location == f"{url}#t-{first}"
    press(door.client, url, "mark", f"{second}-absent")
    press(door.client, url, "mark", f"{second}-open")
    assert door.marks(0) == {door.people[0]: EXCUSED}
    assert door.marks(1) == {}
    page = door.client.get(url).text
    assert page.count('<td data-label="Wer">Jördis Kałuża</td>') == 3
    assert "entschuldigt" in door.client.get(door.url).text


def test_person_of_another_event_is_not_found(door: Door) -> None:
    with transaction() as session:
        other = make_event(session, first_day=berlin_day(utc_now()))
        stranger = make_registration(session, other).id
    become(door, door.office)
    assert door.client.get(f"/einlass/{door.number}/person/{stranger}").status_code == 404
    assert door.client.get(f"/einlass/{door.number}/person/999999").status_code == 404


# Tickets


def test_ticket_shows_person_and_session_and_records(door: Door) -> None:
    page = door.client.get(door.ticket_url()).text
    assert "Kübra Öztürk-Lindner" in page
    assert "Stadt Essen, Jugendamt" in page
    assert door.marks() == {}
    answer = press(door.client, door.ticket_url(), "Anwesend")
    assert answer.status_code == 303
    assert door.marks() == {door.people[0]: PRESENT}
    page = door.client.get(answer.location).text
    assert "Als anwesend erfasst." in page
    assert "Jördis Kałuża" in page
    assert ">Anwesend<" not in page


def test_ticket_recorded_by_mistake_is_taken_back(door: Door) -> None:
    press(door.client, door.ticket_url(), "Anwesend")
    press(door.client, door.ticket_url(), "Rückgängig")
    assert door.marks() == {}


def test_ticket_takes_back_one_person_and_not_everybody_recorded_with_it(door: Door) -> None:
    press(door.client, door.url, "Alle übrigen anwesend")
    press(door.client, door.ticket_url(), "Rückgängig")
    assert door.marks() == {door.people[1]: PRESENT}


def test_ticket_recorded_by_somebody_else_cannot_be_taken_back_here(door: Door) -> None:
    press(door.client, door.ticket_url(), "Anwesend")
    become(door, door.office)
    page = door.client.get(door.ticket_url()).text
    assert "Jördis Kałuża" in page
    assert "Rückgängig" not in page


def test_ticket_sent_twice_records_once(door: Door) -> None:
    form = forms_of(door.client.get(door.ticket_url()).text)[0]
    for _ in range(2):
        assert door.client.post(form.action, data=form.fields).status_code == 303
    assert len(history_of(db.session(), door.sessions[0])) == 1


def test_looking_at_a_ticket_records_nothing(door: Door) -> None:
    door.client.get(door.ticket_url())
    door.client.head(door.ticket_url())
    assert door.marks() == {}


def test_unknown_ticket_is_a_404_with_a_sentence(door: Door) -> None:
    answer = door.client.get("/t/AAAABBBBCCCC")
    assert answer.status_code == 404
    assert "keine gültige Eintrittskarte" in answer.text


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        (RegistrationState.WITHDRAWN, "Platz zurückgegeben"),
        (RegistrationState.WAITING, "Warteliste"),
        (RegistrationState.SUBSTITUTED, "Ersatzperson"),
    ],
)
def test_ticket_without_a_place_says_why(
    door: Door, state: RegistrationState, sentence: str
) -> None:
    form = forms_of(door.client.get(door.ticket_url()).text)[0]
    change(door, state)
    assert sentence in door.client.get(door.ticket_url()).text
    answer = door.client.post(form.action, data=form.fields)
    assert answer.status_code == 409
    assert sentence in answer.text
    assert door.marks() == {}


def test_ticket_on_another_day_says_so(door: Door) -> None:
    with transaction() as session:
        later = make_event(session, first_day=berlin_day(utc_now()) + timedelta(days=4))
        ticket = make_registration(session, later).ticket
    become(door, door.office)
    assert "Anderer Tag" in door.client.get(f"/t/{ticket}").text


# What nobody should send


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"mark": ""},
        {"mark": "1"},
        {"mark": "x-present"},
        {"mark": "1-nonsense"},
        {"mark": "\x00-\x00"},
        {"mark": "٣-present"},
        {"mark": "9" * 400 + "-present"},
        {"mark": "😀\u202e" * 100},
        {"mark": "a" * 300_000},
    ],
)
def test_malformed_marks_are_a_400(door: Door, data: dict[str, str]) -> None:
    for url in (door.url, door.person_url()):
        fields = forms_of(door.client.get(url).text)[0].fields
        assert door.client.post(url, data=fields | data).status_code == 400
    assert door.marks() == {}


@pytest.mark.parametrize("mark", ["999999-present", "2147483647-present"])
def test_unknown_ids_are_not_found(door: Door, mark: str) -> None:
    for url in (door.url, door.person_url()):
        fields = forms_of(door.client.get(url).text)[0].fields
        assert door.client.post(url, data=fields | {"mark": mark}).status_code == 404


@pytest.mark.parametrize("undo", ["x", "\x00", "😀", "a" * 300_000])
def test_unknown_step_to_undo_is_refused(door: Door, undo: str) -> None:
    press(door.client, door.url, "mark", f"{door.people[0]}-present")
    fields = forms_of(door.client.get(door.url).text)[0].fields
    assert door.client.post(door.url, data=fields | {"undo": undo}).status_code == 409
    assert door.marks() == {door.people[0]: PRESENT}


@pytest.mark.parametrize("termin", ["", "x", "-1", "0", "9" * 40, "\x00", "١", "1.5"])
def test_absurd_sessions_in_the_address_are_ignored(door: Door, termin: str) -> None:
    for path in (f"/einlass/{door.number}", f"/einlass/{door.number}/uebersicht"):
        assert door.client.get(path, query_string={"termin": termin}).status_code == 200
    path = f"/t/{door.tickets[0]}"
    assert door.client.get(path, query_string={"termin": termin}).status_code == 200


def test_mark_without_a_session_is_a_400(door: Door) -> None:
    fields = forms_of(door.client.get(door.url).text)[0].fields
    data = fields | {"mark": f"{door.people[0]}-present"}
    assert door.client.post(f"/einlass/{door.number}", data=data).status_code == 400


def test_doubled_fields_count_once(door: Door) -> None:
    fields = forms_of(door.client.get(door.url).text)[0].fields
    both = [f"{door.people[0]}-present", f"{door.people[1]}-absent"]
    assert door.client.post(door.url, data=fields | {"mark": both}).status_code == 303
    assert door.marks() == {door.people[0]: PRESENT}


def test_stale_page_asks_to_send_again(door: Door) -> None:
    data = {"csrf_token": "stale", "mark": f"{door.people[0]}-present"}
    for url in (door.url, door.person_url(), door.ticket_url()):
        answer = door.client.post(url, data=data)
        assert answer.status_code == 422
        assert "zu lange offen" in answer.text
        assert "Ihre Angaben sind noch da" not in answer.text, "nothing was typed"
    cell = f"{door.person_url()}/{door.sessions[0]}"
    typed = door.client.post(cell, data={"csrf_token": "x", "mark": "present", "late": "17"}).text
    assert "Ihre Angaben sind noch da" in typed
    assert 'value="17"' in typed
    assert door.marks() == {}


@pytest.mark.parametrize("path", ["/einlass/0000-000", "/einlass/9999-99999", "/einlass/x", "/t/x"])
def test_unknown_addresses_are_not_found(door: Door, path: str) -> None:
    assert door.client.get(path).status_code == 404


# What it costs


def fill(door: Door, people: int) -> None:
    with transaction() as session:
        first = session.get_one(Registration, door.people[0])
        for _ in range(people - len(door.people)):
            make_registration(session, session.get_one(Event, first.event_id))
        if people == 1:
            session.get_one(Registration, door.people[1]).state = RegistrationState.WITHDRAWN


@pytest.mark.parametrize("people", [1, 30])
def test_pages_cost_the_same_number_of_statements_with_1_and_30_people(
    door: Door, people: int
) -> None:
    fill(door, people)
    press(door.client, door.url, "Alle übrigen anwesend")
    for url, expected in (
        (door.url, 6),
        (f"/einlass/{door.number}/uebersicht", 6),
        (door.person_url(), 6),
        (door.ticket_url(), 5),
    ):
        with counted() as statements:
            assert door.client.get(url).status_code == 200
        assert len(statements) == expected


@pytest.mark.parametrize("events", [1, 30])
def test_list_of_events_costs_the_same_with_1_and_30(door: Door, events: int) -> None:
    with transaction() as session:
        for number in range(events - 1):
            day = berlin_day(utc_now()) + timedelta(days=number)
            make_registration(session, make_event(session, first_day=day))
    become(door, door.office)
    with counted() as statements:
        assert door.client.get("/einlass/").status_code == 200
    assert len(statements) == 5


def test_check_in_by_ticket_costs_eight_statements(door: Door) -> None:
    form = forms_of(door.client.get(door.ticket_url()).text)[0]
    with counted() as statements:
        assert door.client.post(form.action, data=form.fields).status_code == 303
    assert len(statements) == 8


def test_list_says_what_is_left_to_do(door: Door) -> None:
    today = berlin_day(utc_now())

    def listed(first: date, last: date) -> str:
        change(door, first_day=first, last_day=last)
        return door.client.get("/einlass/").text

    day = timedelta(days=1)
    assert "Heute" in listed(today - day, today)
    assert "Kommt noch" in listed(today + day, today + 2 * day)
    assert "8 Einträge fehlen" in listed(today - 9 * day, today - 8 * day)
