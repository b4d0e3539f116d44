"""The two addresses of a phone: what the roster holds, and that every answer is one in JSON."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.attendance.factories import make_registration, make_trainer, registration_ids
from tests.attendance.phone import hashed, iso, recording, ticket_of
from tests.factories import log_in, make_event, make_person, make_venue
from tests.statements import counted_statements
from trainings.attendance.models import AttendanceClosing
from trainings.attendance.operations import record_by_ticket
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.people.models import PersonRole
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.moves import move


@dataclass
class Phone:
    """A trainer's phone at a training that runs since yesterday."""

    client: FlaskClient
    number: str
    sessions: list[int]
    people: list[int]
    trainer: int
    token: str = ""

    @property
    def roster_url(self) -> str:
        return f"/einlass/{self.number}/roster.json"

    @property
    def sync_url(self) -> str:
        return f"/einlass/{self.number}/abgleich"

    def roster(self) -> dict[str, Any]:
        answer = self.client.get(self.roster_url)
        assert answer.status_code == 200
        self.token = answer.json["csrf"]
        return dict(answer.json)

    def seen(self, person: int = 0) -> dict[str, Any]:
        code = hashed(self.number, ticket_of(self.people[person]))
        return recording("seen", self.sessions[0], utc_now(), hash=code)

    def send(self, body: Any, *, token: str | None = None) -> TestResponse:
        headers = {"X-CSRFToken": self.token if token is None else token}
        if isinstance(body, bytes):
            return self.client.post(self.sync_url, data=body, headers=headers)
        return self.client.post(self.sync_url, json=body, headers=headers)

    def sync(self, *recordings: Any) -> list[dict[str, Any]]:
        answer = self.send({"sent_at": iso(utc_now()), "recordings": list(recordings)})
        assert answer.status_code == 200, answer.text
        return list(answer.json["results"])


@pytest.fixture
def phone(app: Flask, client: FlaskClient) -> Phone:
    with transaction() as session:
        yesterday = berlin_day(utc_now()) - timedelta(days=1)
        event = make_event(session, first_day=yesterday, venue=make_venue(session))
        make_registration(session, event, family_name="Öztürk-Lindner")
        make_registration(session, event, family_name="<script>")
        made = Phone(
            client,
            event.number,
            [found.id for found in event.sessions],
            registration_ids(session, event),
            make_trainer(session, event).id,
        )
    log_in(client, made.trainer)
    return made


def give_up(person: int, to: RegistrationState) -> str:
    with transaction() as session:
        registration = session.get_one(Registration, person)
        ticket = str(registration.ticket)
        move(session, registration, to, Actor(), reason="withdrawn", now=utc_now())
    return ticket


def test_the_roster_holds_names_and_hashes_and_nothing_else_of_people(phone: Phone) -> None:
    tickets = [ticket_of(person) for person in phone.people]
    with transaction() as session:
        event = session.get_one(Registration, phone.people[0]).event
        guest = make_registration(session, event, state=RegistrationState.WALK_IN)
        guest.ticket = None
    give_up(phone.people[1], RegistrationState.SUBSTITUTED)
    answer = phone.client.get(phone.roster_url)
    roster = answer.json
    assert answer.headers["Cache-Control"] == "no-store"
    assert [(each["name"], each["walk_in"]) for each in roster["people"]] == [
        ("Beispiel, Kübra", True), ("Öztürk-Lindner, Kübra", False),
    ]  # fmt: skip
    assert roster["people"][0]["hash"] is None
    assert roster["people"][1]["hash"] == hashed(phone.number, tickets[0])
    assert roster["void"] == [{"hash": hashed(phone.number, tickets[1]), "answer": "substituted"}]
    assert not any(ticket in answer.text for ticket in tickets)
    assert "Essen, Jugendamt" not in answer.text
    assert "@" not in answer.text
    assert [each["id"] for each in roster["sessions"]] == phone.sessions
    assert roster["sessions"][0]["name"] == "1. Tag, Vormittag"
    ends = datetime.fromisoformat(roster["sessions"][-1]["ends_at"])
    assert datetime.fromisoformat(roster["expires_at"]) == ends + timedelta(hours=24)
    assert roster["person"] == {"id": phone.trainer, "name": "Jördis Kałuża"}
    assert roster["event"]["place"] == "Essen, Raum 304"
    assert (roster["offline"], roster["closed"]) == (True, False)
    assert roster["words"]["withdrawn"]["word"] == "Platz zurückgegeben"
    assert not any("{" in words["sentence"] for words in roster["words"].values())


def test_the_roster_is_empty_where_phones_may_keep_no_names(phone: Phone) -> None:
    give_up(phone.people[1], RegistrationState.WITHDRAWN)
    with transaction() as session:
        session.get_one(Registration, phone.people[0]).event.offline_roster = False
    roster = phone.roster()
    assert (roster["offline"], roster["people"], roster["void"]) == (False, [], [])
    assert phone.sync(phone.seen())[0]["outcome"] == "recorded"


def test_what_was_recorded_stands_in_the_roster(phone: Phone) -> None:
    phone.roster()
    (result,) = phone.sync(phone.seen())
    assert result["outcome"] == "recorded"
    assert result["name"] == "Öztürk-Lindner, Kübra"
    assert result["by"] == "Jördis Kałuża"
    assert result["session"] == phone.sessions[0]
    entries = {each["name"]: each["entries"] for each in phone.roster()["people"]}
    assert entries["Öztürk-Lindner, Kübra"] == {
        str(phone.sessions[0]): {"mark": "present", "late": 0, "early": 0}
    }
    with transaction() as session:
        event_id = session.get_one(Registration, phone.people[0]).event_id
        session.add(
            AttendanceClosing(event_id=event_id, at=utc_now(), actor_person_id=None, is_closed=True)
        )
    assert phone.roster()["closed"] is True


def test_roster_and_scan_cost_the_same_with_two_people_and_with_thirty(phone: Phone) -> None:
    costs = []
    for _ in range(2):
        with counted_statements() as statements:
            phone.roster()
        costs.append(len(statements))
        with transaction() as session:
            event = session.get_one(Registration, phone.people[0]).event
            for _ in range(28):
                make_registration(session, event)
    assert costs == [8, 8]
    scan = {**phone.seen(), "ticket": ticket_of(phone.people[0])}
    with counted_statements() as statements:
        phone.sync(scan)
    assert len(statements) <= 15


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b'{"sent_at": "2026-03-12T09:00:00Z", "recordings": [{"key"',
        b"[" * 100_000,
        b"null",
        b'{"sent_at": "gestern", "recordings": []}',
        b'{"sent_at": "2026-03-12T09:00:00", "recordings": []}',
        b'{"sent_at": "2026-03-12T09:00:00Z", "recordings": {}}',
        b"\xff\xfe",
    ],
)
def test_a_request_that_cannot_be_read_stores_nothing(phone: Phone, body: bytes) -> None:
    phone.roster()
    answer = phone.send(body)
    assert answer.status_code == 400
    assert "bleibt auf dem Gerät" in answer.json["error"]


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        "text",
        {},
        {"key": "1"},
        {"kind": "dance"},
        {"at": "12.03.2026"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"session": "7"},
        {"session": True},
        {"session": 2**40},
        {"hash": "x" * 64},
        {"hash": None},
        {"kind": "set", "registration": 1, "mark": "there"},
        {"kind": "set", "registration": 1, "mark": "present", "late": -1},
        {"kind": "set", "registration": 1, "mark": "present", "late": "5"},
        {"kind": "fill"},
        {"kind": "undo", "registration": 1},
        {"kind": "walk_in", "name": " \u200b "},
        {"kind": "walk_in", "name": "x" * 161},
        {"kind": "walk_in", "name": ["a"]},
    ],
)
def test_one_recording_that_cannot_be_read_spoils_no_other(phone: Phone, wrong: Any) -> None:
    phone.roster()
    good = phone.seen()
    bad = {**phone.seen(1), **wrong} if isinstance(wrong, dict) and wrong else wrong
    found = phone.sync(bad, good)
    assert [each["outcome"] for each in found] == ["malformed", "recorded"]
    assert "Gespeichert ist nichts" in found[0]["sentence"]


def test_too_much_is_refused_as_a_whole(phone: Phone) -> None:
    phone.roster()
    many = {"sent_at": iso(utc_now()), "recordings": [{}] * 501}
    assert phone.send(many).status_code == 413
    assert "höchstens 500" in phone.send(b" " * 1_000_001).json["error"]
    assert phone.sync(*[{}] * 500)


def test_who_is_logged_out_or_has_an_old_token_learns_what_to_do(phone: Phone, app: Flask) -> None:
    phone.roster()
    stale = phone.send({}, token="rubbish")
    assert (stale.status_code, stale.json["code"]) == (400, "csrf")
    visitor = app.test_client()
    for answer in (visitor.get(phone.roster_url), visitor.post(phone.sync_url, json={})):
        assert answer.status_code == 401
        assert answer.json["login"] == f"/konto/anmelden?weiter=/einlass/{phone.number}/scanner"
        assert answer.json["error"]


def test_a_wrong_method_is_answered_as_a_script_reads_it(phone: Phone, app: Flask) -> None:
    for client in (phone.client, app.test_client()):
        for url, method in ((phone.sync_url, "GET"), (phone.roster_url, "DELETE")):
            answer = client.open(url, method=method)
            assert (answer.status_code, answer.mimetype) == (405, "application/json")
            assert "nicht aufrufen" in answer.json["error"]
    page = phone.client.delete(f"/einlass/{phone.number}")
    assert (page.status_code, page.mimetype) == (405, "text/html")


def test_who_may_not_know_of_the_event_gets_a_sentence(phone: Phone) -> None:
    with transaction() as session:
        foreign = make_trainer(session, make_event(session)).id
        stranger = make_person(session).id
        office = make_person(session, roles=(Role.COORDINATOR,)).id
    body = {"sent_at": iso(utc_now()), "recordings": []}
    for person, roster_status, sync_status in (
        (foreign, 404, 404), (stranger, 403, 404), (office, 200, 200),
    ):  # fmt: skip
        phone.roster()
        log_in(phone.client, person)
        assert phone.client.get(phone.roster_url).status_code == roster_status
        answer = phone.send(body)
        assert answer.status_code == sync_status
        assert answer.json.get("error") or sync_status == 200
        log_in(phone.client, phone.trainer)


def test_a_former_trainer_delivers_and_reads_no_names(phone: Phone) -> None:
    phone.roster()
    with transaction() as session:
        session.delete(session.get_one(PersonRole, (phone.trainer, Role.TRAINER)))
    (result,) = phone.sync(phone.seen())
    assert result["outcome"] == "not_allowed"
    assert "Öztürk" not in str(result)


def test_a_spent_ticket_says_why_it_is_void_also_on_its_own_page(phone: Phone) -> None:
    given_back = give_up(phone.people[0], RegistrationState.WITHDRAWN)
    handed_over = give_up(phone.people[1], RegistrationState.SUBSTITUTED)
    assert "Platz zurückgegeben" in phone.client.get(f"/t/{given_back}").text
    page = phone.client.get(f"/t/{handed_over}")
    assert (page.status_code, "Ersatzperson benannt" in page.text) == (200, True)
    with db.session.no_autoflush, pytest.raises(DomainError, match="withdrawn"):
        actor = Actor(phone.trainer, roles=frozenset({Role.TRAINER}))
        record_by_ticket(db.session(), actor, given_back, phone.sessions[0], utc_now())
