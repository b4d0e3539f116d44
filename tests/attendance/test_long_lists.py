"""An event with many people: searched, narrowed down and turned page by page, without a script."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.attendance.factories import make_registration, make_trainer, marks_of
from tests.browser_forms import forms_of, submit
from tests.factories import log_in, make_event
from tests.statements import counted_statements
from trainings.attendance.models import Attendance, AttendanceMark
from trainings.attendance.sheet_rules import PEOPLE_ON_A_PAGE
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction

PEOPLE = 2 * PEOPLE_ON_A_PAGE + 5


@dataclass
class Hall:
    """An event of two days before yesterday with many people; its trainer is logged in."""

    client: FlaskClient
    number: str
    sessions: list[int]
    people: list[int]

    def url(self, page: str, session: int = 0, **choice: str) -> str:
        path = f"/einlass/{self.number}" + ("/uebersicht" if page == "matrix" else "")
        kept = "".join(f"&{key}={value}" for key, value in choice.items())
        return f"{path}?termin={self.sessions[session]}{kept}"

    def shown(self, page: str, session: int = 0, **choice: str) -> list[int]:
        """Return the numbers of those whom a page shows, in its order."""
        html = self.client.get(self.url(page, session, **choice)).text
        place = r'<th scope="row"><a' if page == "matrix" else r'<li id="p-'
        return [
            self.people.index(int(found))
            for found in re.findall(place + r'[^>]*?(?:person/|p-|)(\d+)"', html)
        ]


@pytest.fixture
def hall(app: Flask, client: FlaskClient) -> Hall:
    with transaction() as session:
        event = make_event(session, first_day=berlin_day(utc_now()) - timedelta(days=3))
        sessions = [found.id for found in event.sessions]
        people = [
            make_registration(session, event, family_name=f"Gast {number:03}").id
            for number in range(PEOPLE)
        ]
        present, absent = AttendanceMark.PRESENT, AttendanceMark.ABSENT
        for number, person in enumerate(people[:-2]):
            mark = absent if number == 40 else present
            session.add(Attendance(registration_id=person, session_id=sessions[0], mark=mark))
        late = Attendance(
            registration_id=people[1], session_id=sessions[1], mark=present, late_minutes=5
        )
        session.add(late)
        made = Hall(client, event.number, sessions, people)
        trainer = make_trainer(session, event).id
    log_in(client, trainer)
    return made


@pytest.mark.parametrize("page", ["list", "matrix"])
def test_everybody_stands_on_one_of_the_pages(hall: Hall, page: str) -> None:
    pages = [hall.shown(page, seite=str(number)) for number in (1, 2, 3)]
    assert [len(shown) for shown in pages] == [PEOPLE_ON_A_PAGE, PEOPLE_ON_A_PAGE, 5]
    assert [one for shown in pages for one in shown] == list(range(PEOPLE))
    assert hall.shown(page, seite="alle") == list(range(PEOPLE))
    assert hall.shown(page, seite="99999999") == pages[2]
    for absurd in ("", "0", "-1", "x", "\x00", "9" * 80):
        assert hall.shown(page, seite=absurd, zeigen=absurd) == pages[0]
    html = hall.client.get(hall.url(page)).text
    assert f"{PEOPLE_ON_A_PAGE} von {PEOPLE} Personen" in html
    for link in ("&amp;seite=2", "&amp;seite=alle"):
        assert link in html


def test_the_list_goes_by_its_session_and_the_matrix_by_all(hall: Hall) -> None:
    assert hall.shown("list", zeigen="offen") == [PEOPLE - 2, PEOPLE - 1]
    assert hall.shown("list", zeigen="abweichend") == [40]
    assert hall.shown("list", 1, zeigen="abweichend") == [1]
    assert hall.shown("matrix", zeigen="abweichend") == [1, 40]
    assert hall.shown("matrix", zeigen="offen", seite="alle") == list(range(PEOPLE))
    assert hall.shown("matrix", zeigen="abweichend", name="040") == [40]
    html = hall.client.get(hall.url("list")).text
    assert [f"Alle ({PEOPLE})", "nicht erfasst (2)", "abweichend (1)"] == re.findall(
        r">([^<>]+ \(\d+\))</a>", html
    )
    empty = hall.client.get(hall.url("list", 2, zeigen="abweichend")).text
    assert "Davon gibt es niemanden" in empty


@pytest.mark.parametrize("page", ["list", "matrix"])
def test_recording_all_others_says_whom_it_means(hall: Hall, page: str) -> None:
    html = hall.client.get(hall.url(page)).text
    assert "Gilt für alle 2 Personen, die im Termin" in html
    assert "auch auf den anderen Seiten" in html
    for choice in ({"name": "Gast"}, {"zeigen": "offen"}, {"zeigen": "abweichend"}):
        assert "Alle übrigen anwesend" not in hall.client.get(hall.url(page, **choice)).text
    answer = submit(hall.client, hall.url(page, seite="2"), button="everyone")
    assert answer.location == f"{hall.url(page, seite='2')}#letzter-schritt"
    db.session.rollback()
    assert len(marks_of(db.session(), hall.sessions[0])) == PEOPLE


def test_recording_somebody_leads_back_to_the_same_part_of_the_list(hall: Hall) -> None:
    somebody = hall.people[PEOPLE - 1]
    there = hall.url("list", name="Gast+06", zeigen="offen")
    form = next(found for found in forms_of(hall.client.get(there).text) if found.method == "post")
    data = form.fields | {"mark": f"{somebody}-present"}
    answer = hall.client.post(form.action, data=data)
    assert answer.location == f"{there}#letzter-schritt"
    cell = hall.client.get(hall.url("matrix", seite="2")).text
    link = unescape(re.findall(r'class="tr-cell" id="[^"]+" href="([^"]+)"', cell)[0])
    answer = submit(hall.client, link, {"mark": "excused"})
    person = hall.people[PEOPLE_ON_A_PAGE]
    assert answer.location == f"{hall.url('matrix', seite='2')}#c-{person}-{hall.sessions[0]}"
    assert f'id="c-{person}-{hall.sessions[0]}"' in hall.client.get(answer.location).text


@pytest.mark.parametrize("page", ["list", "matrix"])
def test_a_long_list_costs_no_more_statements_and_stays_light(hall: Hall, page: str) -> None:
    with counted_statements() as statements:
        html = hall.client.get(hall.url(page, zeigen="offen")).text
    assert len(statements) <= 8
    assert len(html) < 120_000


def test_each_cell_says_in_words_that_nothing_is_recorded(hall: Hall) -> None:
    html = hall.client.get(hall.url("matrix", seite="3")).text
    cell = re.search(rf'id="c-{hall.people[-1]}-{hall.sessions[0]}".*?</td>', html, re.DOTALL)
    assert cell
    assert "<span>nicht erfasst</span>" in cell[0]
