"""The matrix, one of its fields, and one person's history, in the browser."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.attendance.browsing import Taught, make_taught
from tests.attendance.factories import make_registration
from tests.browser_forms import submit
from tests.factories import log_in, make_event
from tests.statements import counted_statements
from trainings.attendance.ledger import Ledger, Stamp
from trainings.attendance.models import Attendance, AttendanceMark, RecordingKind
from trainings.attendance.operations import record_attendance
from trainings.attendance.rules import THERE
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, to_berlin, utc_now
from trainings.core.database import db, transaction
from trainings.core.formats import long_date
from trainings.core.permissions import Role
from trainings.events.models import Event
from trainings.registrations.models import Registration, RegistrationState

PRESENT, ABSENT, EXCUSED = AttendanceMark


class Room(Taught):
    """A training that began yesterday, with two people; its trainer is logged in."""

    @property
    def overview(self) -> str:
        return f"/einlass/{self.number}/uebersicht?termin={self.sessions[0]}"

    @property
    def list(self) -> str:
        return f"/einlass/{self.number}?termin={self.sessions[0]}"

    def person(self, person: int = 0) -> str:
        return f"/einlass/{self.number}/person/{self.people[person]}"

    def cell(self, person: int = 0, session: int = 0, came_from: str = "uebersicht") -> str:
        return f"{self.person(person)}/{self.sessions[session]}?von={came_from}"

    def entry(self, person: int = 0) -> tuple[AttendanceMark, int, int] | None:
        db.session.rollback()
        row = db.session.scalar(
            select(Attendance).where(
                Attendance.registration_id == self.people[person],
                Attendance.session_id == self.sessions[0],
            )
        )
        return (row.mark, row.late_minutes, row.early_minutes) if row else None


@pytest.fixture
def room(app: Flask, client: FlaskClient) -> Room:
    return make_taught(Room, client, days_ago=1, names=("Öztürk-Lindner", "Strößner"))


def plain(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# One field


def test_field_is_recorded_with_minutes_and_leads_back_to_itself(room: Room) -> None:
    answer = submit(
        room.client,
        room.cell(),
        {"mark": "present", "late": "10", "early": "20"},
        button="Speichern",
    )
    assert answer.status_code == 303
    assert answer.location.endswith(
        f"/uebersicht?termin={room.sessions[0]}#c-{room.people[0]}-{room.sessions[0]}"
    )
    assert room.entry() == (PRESENT, 10, 20)
    page = room.client.get(room.overview).text
    assert f'id="c-{room.people[0]}-{room.sessions[0]}"' in page
    assert "da, 10\u00a0Min. später, bis 20\u00a0Min. vor Schluss" in page
    assert "da 10 Min. später bis 20 Min. vor Schluss" in plain(page)


@pytest.mark.parametrize(
    ("came_from", "path", "anchor"),
    [
        ("uebersicht", "/einlass/{number}/uebersicht?termin={session}", "c-{person}-{session}"),
        ("matrix", "/einlass/{number}?termin={session}", "c-{person}-{session}"),
        ("liste", "/einlass/{number}?termin={session}", "p-{person}"),
        ("person", "/einlass/{number}/person/{person}", "t-{session}"),
        ("//evil.example", "/einlass/{number}?termin={session}", "c-{person}-{session}"),
    ],
)
def test_each_way_to_a_field_leads_back(room: Room, came_from: str, path: str, anchor: str) -> None:
    answer = submit(room.client, room.cell(came_from=came_from), {"mark": "excused"})
    values = {"number": room.number, "person": room.people[0], "session": room.sessions[0]}
    assert answer.location == f"{path}#{anchor}".format(**values)
    target = room.client.get(answer.location)
    assert f'id="{anchor.format(**values)}"' in target.text


def test_field_shows_what_is_recorded_and_takes_it_back(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "present", "late": "15"})
    page = room.client.get(room.cell()).text
    assert 'value="15"' in page
    submit(room.client, room.cell(), {"mark": "open"})
    assert room.entry() is None


def test_minutes_go_with_the_mark(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "present", "late": "15"})
    submit(room.client, room.cell(), {"mark": "absent"})
    assert room.entry() == (ABSENT, 0, 0)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"mark": "present", "late": "-1"}, "Bitte eine Zahl von 0 bis 1\u202f440"),
        ({"mark": "present", "late": "x"}, "Bitte geben Sie eine ganze Zahl ein"),
        ({"mark": "present", "early": "9" * 500}, "Bitte geben Sie eine ganze Zahl ein"),
        ({"mark": "present", "late": "600", "early": "600"}, "Bitte geben Sie zusammen weniger an"),
        ({"mark": "nonsense"}, "Bitte wählen Sie"),
        ({"mark": ""}, "Bitte wählen Sie"),
    ],
)
def test_absurd_values_are_explained_and_nothing_is_recorded(
    room: Room, typed: dict[str, str], sentence: str
) -> None:
    answer = submit(room.client, room.cell(), typed)
    assert answer.status_code in {409, 422}
    assert sentence in answer.text
    assert room.entry() is None


def test_strangers_and_foreign_sessions_are_not_found(room: Room) -> None:
    with transaction() as session:
        other = make_event(session, first_day=berlin_day(utc_now()))
        foreign_session = other.sessions[0].id
    assert room.client.get(f"{room.person()}/{foreign_session}").status_code == 404
    data = {"mark": "present"}
    assert room.client.post(f"{room.person()}/{foreign_session}", data=data).status_code == 404
    g.pop("_login_user", None)
    log_in(room.client, room.foreign)
    assert room.client.get(room.cell()).status_code == 404
    assert room.client.post(room.cell(), data=data).status_code == 404
    assert room.entry() is None


def test_field_that_cannot_be_recorded_says_why(room: Room) -> None:
    with transaction() as session:
        day = berlin_day(utc_now()) + timedelta(days=3)
        for found in session.get_one(Event, room.event_id).sessions:
            found.day = day
    page = room.client.get(room.cell()).text
    assert "Vorher lässt sich keine Anwesenheit erfassen." in page
    assert "Speichern" not in page


# The matrix


def test_each_field_has_a_name_that_is_read_aloud(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "present"})
    page = room.client.get(room.overview).text
    names = re.findall(r'class="tr-cell" id="[^"]+" href="[^"]+" aria-label="([^"]+)"', page)
    assert len(names) == 2 * 4
    weekday = ["Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So."][
        (berlin_day(utc_now()) - timedelta(days=1)).weekday()
    ]
    assert names[0] == f"Öztürk-Lindner, Kübra, {weekday} vormittags: da"
    assert names[1] == f"Öztürk-Lindner, Kübra, {weekday} nachmittags: nicht erfasst"


def test_each_state_has_its_own_icon_and_word(room: Room) -> None:
    states = {
        "present": ("#check", "da"),
        "absent": ("#cross", "fehlt"),
        "excused": ("#info", "entschuldigt"),
    }
    for mark, (icon, word) in states.items():
        submit(room.client, room.cell(), {"mark": mark})
        cell = cell_of(room)
        assert f"{icon}&#34;" in cell or f'{icon}"' in cell
        assert f"<span>{word}</span>" in cell
    submit(room.client, room.cell(), {"mark": "present", "early": "5"})
    assert '#clock"' in cell_of(room)
    submit(room.client, room.cell(), {"mark": "open"})
    assert '#dashed-ring"' in cell_of(room)


def cell_of(room: Room) -> str:
    page = room.client.get(room.overview).text
    field = f'<a class="tr-cell" id="c-{room.people[0]}-{room.sessions[0]}"'
    found = re.search(rf"{field}.*?</a>", page, re.DOTALL)
    assert found
    return found[0]


def test_the_matrix_says_on_paper_of_when_it_is(room: Room) -> None:
    for page in (room.overview, room.list):
        html = room.client.get(page).text
        assert f'<p class="tr-as-of">Stand: {long_date(to_berlin(utc_now()).date())}, ' in html


def test_all_are_marked_and_undone_in_the_matrix(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "absent"})
    answer = submit(room.client, room.overview, button="everyone")
    assert answer.location == f"{room.overview}#letzter-schritt"
    assert room.entry(0) == (ABSENT, 0, 0)
    assert room.entry(1) == (PRESENT, 0, 0)
    answer = submit(room.client, room.overview, button="undo")
    assert answer.location == f"{room.overview}#letzter-schritt"
    assert room.entry(1) is None


def test_who_came_without_registration_is_flagged(room: Room) -> None:
    with transaction() as session:
        row = session.get_one(Registration, room.people[0])
        row.state, row.ticket = RegistrationState.WALK_IN, None
    for url in (room.list, room.overview, room.person(), room.cell()):
        assert "ohne Anmeldung" in room.client.get(url).text


def test_list_says_the_minutes_and_leads_to_excused_in_two_steps(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "present", "late": "10"})
    page = room.client.get(room.list).text
    assert "da, 10 Min. später" in plain(page.partition("tr-wide")[0])
    link = room.cell(1, came_from="liste")
    assert f'href="{link}"' in page
    submit(room.client, link, {"mark": "excused"})
    assert room.entry(1) == (EXCUSED, 0, 0)


# The history


def test_history_keeps_who_when_what_before_and_in_which_way(room: Room) -> None:
    submit(room.client, room.cell(), {"mark": "present", "late": "10"})
    submit(room.client, room.cell(), {"mark": "present", "late": "25"})
    submit(room.client, room.list, button="undo")
    rows = history_rows(room.client.get(room.person()).text)
    assert [row[3:] for row in rows] == [
        ["zurückgenommen", "da, 25 Min. später", "da, 10 Min. später"],
        ["eingetragen", "da, 10 Min. später", "da, 25 Min. später"],
        ["eingetragen", "nicht erfasst", "da, 10 Min. später"],
    ]
    assert {row[1] for row in rows} == {"Jördis Kałuża"}
    one = history_rows(room.client.get(room.cell()).text)
    assert [row[2] for row in one] == [row[3] for row in rows]


def history_rows(html: str) -> list[list[str]]:
    table = html.partition("Wer wann was erfasst hat")[2]
    rows = re.findall(r"<tr><td.*?</tr>", table, re.DOTALL)
    return [[plain(cell) for cell in re.findall(r"<td.*?</td>", row, re.DOTALL)] for row in rows]


def test_recording_from_a_phone_says_when_it_was_made_and_when_it_arrived(room: Room) -> None:
    cell = room.people[0], room.sessions[0]
    arrived = utc_now()
    made = arrived - timedelta(minutes=43)
    with transaction() as session:
        office = Actor(room.office, (), frozenset({Role.COORDINATOR}))
        record_attendance(session, office, *cell, ABSENT, now=arrived - timedelta(minutes=10))
    with transaction() as session:
        Ledger(session, [cell[0]], [cell[1]]).record(
            cell, RecordingKind.SEEN, THERE, Stamp(room.trainer, made, arrived)
        )
    newest = history_rows(room.client.get(room.person()).text)[0]
    clocks = [f"{to_berlin(found):%H:%M}" for found in (made, arrived)]
    if berlin_day(made) == berlin_day(arrived):
        assert newest[0].endswith(
            f"auf dem Telefon um {clocks[0]}, eingegangen um {clocks[1]}\u00a0Uhr".replace(
                "\u00a0", " "
            )
        )
    assert newest[3:] == ["Eintrittskarte gelesen", "fehlt", "fehlt"]


# Searching by name


def test_people_are_searched_by_name_where_there_are_many(room: Room) -> None:
    assert "Name suchen" not in room.client.get(room.list).text
    with transaction() as session:
        for number in range(14):
            event = session.get_one(Event, room.event_id)
            make_registration(session, event, family_name=f"Beispiel{number:02}")
    assert "Name suchen" in room.client.get(room.list).text
    for typed in ("oztu", "Oeztürk", "ÖZTÜRK kü", "lindner"):
        page = room.client.get(f"{room.list}&{urlencode({'name': typed})}").text
        assert f'id="p-{room.people[0]}"' in page
        assert f'id="p-{room.people[1]}"' not in page
        assert "1 Person gefunden" in page
    page = room.client.get(f"{room.list}&name=%3Cb%3Eniemand").text
    assert "Niemand heißt hier „&lt;b&gt;niemand“." in page
    for typed in ("a" * 10_000, "\x00", "\u202e", "%"):
        assert room.client.get(f"{room.list}&{urlencode({'name': typed})}").status_code == 200


def test_marking_from_a_search_does_not_offer_to_mark_everybody(room: Room) -> None:
    assert "Alle übrigen anwesend" in room.client.get(room.list).text
    page = room.client.get(f"{room.list}&name=Öztürk").text
    assert "Alle übrigen anwesend" not in page


@pytest.mark.parametrize("people", [1, 30])
def test_field_costs_six_statements(room: Room, people: int) -> None:
    with transaction() as session:
        for _ in range(people):
            make_registration(session, session.get_one(Event, room.event_id))
    g.pop("_login_user", None)
    with counted_statements() as statements:
        assert room.client.get(room.cell()).status_code == 200
    assert len(statements) == 6
