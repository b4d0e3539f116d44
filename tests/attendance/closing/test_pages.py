"""The page on which the attendance of an event is closed, and opened again."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.attendance.browsing import Taught, make_taught
from tests.attendance.factories import make_registration
from tests.browser_forms import send, submit
from tests.factories import actor_for, log_in
from tests.statements import counted_statements
from trainings.attendance.closing.operations import close_attendance, reopen_attendance
from trainings.attendance.models import AttendanceClosing
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.formats import long_date
from trainings.events.models import Event, EventState
from trainings.people.models import Person
from trainings.registrations.models import Registration

HOSTILE = "<script>alert(1)</script>"


class Course(Taught):
    """A training that ended yesterday, with two people; its trainer is logged in."""

    @property
    def url(self) -> str:
        return f"/einlass/{self.number}/abschluss"

    def steps(self) -> list[tuple[bool, str]]:
        db.session.rollback()
        rows = db.session.scalars(select(AttendanceClosing).order_by(AttendanceClosing.id))
        return [(row.is_closed, row.reason) for row in rows]

    def become(self, person: int) -> None:
        g.pop("_login_user", None)
        log_in(self.client, person)

    def close(self) -> None:
        assert submit(self.client, self.url, button="Anwesenheit abschließen").status_code == 303


@pytest.fixture
def course(app: Flask, client: FlaskClient) -> Course:
    return make_taught(Course, client, days_ago=2, names=("Ağaoğlu", "Brüggemann"))


def test_page_says_before_how_much_is_not_recorded(course: Course) -> None:
    list_url = f"/einlass/{course.number}?termin={course.sessions[0]}"
    submit(course.client, list_url, button="everyone")
    page = course.client.get(course.url).text
    assert "6 Einträge fehlen noch" in page
    assert page.count("2 Personen nicht erfasst") == 3
    assert course.steps() == []
    course.close()
    assert course.steps() == [(True, "")]


def test_complete_attendance_says_so(course: Course) -> None:
    for session in course.sessions:
        submit(course.client, f"/einlass/{course.number}?termin={session}", button="everyone")
    page = course.client.get(course.url).text
    assert "Vollständig erfasst" in page
    assert "fehlen noch" not in page


def test_closed_attendance_offers_no_marks_and_shows_days_only(course: Course) -> None:
    list_url = f"/einlass/{course.number}?termin={course.sessions[0]}"
    person = f"/einlass/{course.number}/person/{course.people[0]}"
    submit(course.client, list_url, {}, button="mark")
    assert "Uhr</td>" in course.client.get(person).text
    course.close()
    for url in (list_url, f"/einlass/{course.number}/uebersicht", f"{person}/{course.sessions[0]}"):
        page = course.client.get(url).text
        assert "Die Anwesenheit ist abgeschlossen." in page
        assert 'method="post"' not in page
    history = course.client.get(person).text
    assert re.search(r'data-label="Wann">\w\w\.,\xa0[\d.]{10}</td>', history)
    assert "Uhr</td>" not in history
    assert "Abgeschlossen" in course.client.get("/einlass/").text


def test_form_sent_twice_closes_once(course: Course) -> None:
    page = course.client.get(course.url).text
    for _ in range(2):
        assert send(course.client, course.url, page).status_code == 303
    assert course.steps() == [(True, "")]


def test_second_trainer_who_closes_is_told_so(course: Course) -> None:
    page = course.client.get(course.url).text
    other_page = course.client.get(course.url).text
    send(course.client, course.url, page)
    answer = send(course.client, course.url, other_page)
    assert "Sie war schon abgeschlossen." in course.client.get(answer.location).text
    assert course.steps() == [(True, "")]


def test_only_the_office_opens_again_and_its_reason_stays(course: Course) -> None:
    course.close()
    assert "Wieder öffnen" not in course.client.get(course.url).text
    assert course.client.post(f"{course.url}/oeffnen", data={"reason": "x"}).status_code == 403
    course.become(course.office)
    answer = submit(course.client, course.url, {"reason": HOSTILE}, button="Wieder öffnen")
    assert answer.status_code == 303
    assert course.steps() == [(True, ""), (False, HOSTILE)]
    course.become(course.trainer)
    page = course.client.get(course.url).text
    assert "&lt;script&gt;" in page
    assert HOSTILE not in page


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("", "Bitte nennen Sie einen Grund"), ("\u200b \x00", "Bitte nennen Sie einen Grund"),
     ("a" * 301, "Bitte höchstens 300 Zeichen")],
)  # fmt: skip
def test_opening_without_a_reason_is_refused(course: Course, reason: str, sentence: str) -> None:
    course.close()
    course.become(course.office)
    answer = submit(course.client, course.url, {"reason": reason}, button="Wieder öffnen")
    assert answer.status_code == 422
    assert sentence in answer.text
    assert course.steps() == [(True, "")]


def test_event_that_is_not_over_or_off_says_why(course: Course) -> None:
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        event.state = EventState.CANCELLED
    page = course.client.get(course.url).text
    assert "Die Veranstaltung ist abgesagt." in page
    assert 'method="post"' not in page
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        event.state = EventState.PUBLISHED
        event.sessions[-1].day = event.last_day = berlin_day(utc_now()) + timedelta(days=2)
    page = course.client.get(course.url).text
    assert "Der letzte Termin beginnt am" in page
    assert 'method="post"' not in page
    assert course.url not in course.client.get(f"/einlass/{course.number}").text


def test_list_and_matrix_lead_to_closing(course: Course) -> None:
    for url in (f"/einlass/{course.number}", f"/einlass/{course.number}/uebersicht"):
        page = course.client.get(url).text
        assert f'href="{course.url}">Anwesenheit abschließen' in page
    course.close()
    for url in (f"/einlass/{course.number}", f"/einlass/{course.number}/uebersicht"):
        assert f'href="{course.url}">Abschluss ansehen' in course.client.get(url).text


def test_strangers_find_nothing(course: Course) -> None:
    course.become(course.foreign)
    assert course.client.get(course.url).status_code == 404
    assert course.client.post(course.url).status_code == 404
    assert course.steps() == []


@pytest.mark.parametrize("people", [1, 30])
def test_page_costs_six_statements(course: Course, people: int) -> None:
    with transaction() as session:
        for _ in range(people):
            make_registration(session, session.get_one(Event, course.event_id))
    g.pop("_login_user", None)
    with counted_statements() as statements:
        assert course.client.get(course.url).status_code == 200
    assert len(statements) == 6


def test_deleted_times_are_not_invented_after_opening_again(course: Course) -> None:
    list_url = f"/einlass/{course.number}?termin={course.sessions[0]}"
    submit(course.client, list_url, {}, button="mark")
    with transaction() as session:
        ticket = session.get_one(Registration, course.people[0]).ticket
        actor = actor_for(session.get_one(Person, course.office))
        close_attendance(session, actor, course.event_id, utc_now())
        session.flush()
        reopen_attendance(session, actor, course.event_id, "Tag vertauscht", utc_now())
    day = long_date(berlin_day(utc_now()))
    assert f"{day}: Ağaoğlu, Kübra ist da" in course.client.get(list_url).text
    card = course.client.get(f"/t/{ticket}?termin={course.sessions[0]}").text
    assert f"Erfasst: {day}, Jördis Kałuża" in card
