"""A walk over the whole map of addresses: every one, as every role, with every method."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule

from tests.factories import log_in, make_event, make_organisation, make_person, make_venue
from tests.inventory.factories import fill, make_card, make_store
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.permissions import Permission, Role, permissions_of
from trainings.events.models import EventKind, EventTemplate, Visibility
from trainings.registrations.operations import register
from trainings.web.access import answers_json, permission_of

ROLES: tuple[Role | None, ...] = (None, *Role)
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS")


@pytest.fixture
def people(app: Flask) -> dict[Role | None, int]:
    """One person for each role, and rows for every kind of id, all with the id 1."""
    with transaction() as session:
        organisation = make_organisation(session, domains=("stadt-musterhausen.example",))
        made: dict[Role | None, int] = {
            role: make_person(session, organisation, roles=(role,)).id for role in Role
        }
        event = make_event(
            session, first_day=date(2030, 4, 16), venue=make_venue(session),
            visibility=Visibility.PUBLIC,
        )  # fmt: skip
        event.number = NUMBER
        session.add(
            EventTemplate(
                kind=EventKind.TRAINING,
                title="Training",
                capacity=12,
                minimum=6,
                visibility=Visibility.PARTNERS,
                registration_deadline_days=14,
                withdrawal_deadline_days=7,
                needs_deadline_days=14,
            )
        )
        session.flush()
        fill(session, make_store(session), make_card(session).editions[0], 10)
        register(session, Actor(person_id=made[Role.PARTICIPANT]), event.id, now=utc_now())
    return made


NUMBER = "2030-001"
PARTS = {
    "number": NUMBER,
    "order_number": "TK-2030-0001",
    "token": "A" * 24,
    "key": b"A" * 16,
    "ticket": "A" * 12,
    "signature": "B" * 24,
    "filename": "css/base.css",
    "paper": "teilnahmeliste",
}


def address(app: Flask, rule: Rule) -> str:
    values = {name: PARTS.get(name, 1) for name in rule.arguments}
    with app.test_request_context():
        adapter = app.url_map.bind("")
        return str(adapter.build(rule.endpoint, values, force_external=False))


def rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: (rule.rule, rule.endpoint))


def browser(app: Flask, person_id: int | None) -> FlaskClient:
    g.pop("_login_user", None)
    client = app.test_client()
    if person_id is not None:
        log_in(client, person_id)
    return client


def test_every_address_names_its_permission(app: Flask) -> None:
    unnamed = [rule.rule for rule in rules(app) if permission_of(app, rule.endpoint) is None]
    assert unnamed == []


@pytest.mark.parametrize("role", ROLES)
def test_every_address_opens_to_those_who_may_and_to_nobody_else(
    app: Flask, people: dict[Role | None, int], role: Role | None
) -> None:
    client = browser(app, people.get(role))
    held = permissions_of(frozenset({role})) if role else frozenset({Permission.PUBLIC})
    wrong = []
    for rule in rules(app):
        permission = permission_of(app, rule.endpoint)
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            answer = client.open(address(app, rule), method=method, buffered=True)
            if permission in held:
                allowed = answer.status_code != 403 or permission is Permission.ATTENDANCE
            elif role is None and answers_json(app, rule.endpoint.partition(".")[0]):
                allowed = answer.status_code == 401 and "/konto/anmelden" in answer.json["login"]
            elif role is None:
                allowed = answer.status_code == 302 and "/konto/anmelden" in answer.location
            else:
                allowed = answer.status_code == 403
            if not allowed:
                wrong.append((method, rule.rule, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
def test_no_method_on_any_address_gives_an_error_of_the_server(
    app: Flask, people: dict[Role | None, int], role: Role | None
) -> None:
    client = browser(app, people.get(role))
    broken = []
    for rule in rules(app):
        for method in METHODS:
            answer = client.open(address(app, rule), method=method, buffered=True)
            status = answer.status_code
            if status >= 500:
                broken.append((method, rule.rule, status))
    assert broken == []


@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.TRAINER, Role.ADMIN])
def test_posts_without_token_or_with_rubbish_change_nothing_and_break_nothing(
    app: Flask, people: dict[Role | None, int], role: Role
) -> None:
    client = browser(app, people[role])
    broken = []
    for rule in rules(app):
        if "POST" not in (rule.methods or set()):
            continue
        for data in (
            {},
            {"csrf_token": "stale", "form_key": "x" * 500, "email": ["a", "b"]},
            dict.fromkeys(("name", "title", "email", "number", "first_day"), "\x00\u202e😀"),
            dict.fromkeys(("first_day", "day", "until", "opens_on", "from"), "31.02.0001"),
        ):
            answer = client.post(address(app, rule), data=data)
            if answer.status_code >= 500:
                broken.append((rule.rule, data, answer.status_code))
    assert broken == []


def test_headers_forbid_what_does_not_come_from_here(client: FlaskClient) -> None:
    headers = client.get("/").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("request_line", "status", "words"),
    [
        ("GET /gibt-es-nicht", 404, "Diese Seite gibt es nicht"),
        ("DELETE /veranstaltungen/", 405, "So lässt sich diese Seite nicht aufrufen"),
        # No method leads there: an id of this length is none.
        (
            f"GET /taschenkarten/lager/{10**20}/stilllegen",
            405,
            "So lässt sich diese Seite nicht aufrufen",
        ),
        ("GET /koordination/", 403, "Dafür fehlt Ihnen die Berechtigung"),
    ],
)
def test_refusals_have_a_page_in_the_same_frame(
    app: Flask, people: dict[Role | None, int], request_line: str, status: int, words: str
) -> None:
    method, path = request_line.split()
    answer = browser(app, people[Role.PARTICIPANT]).open(path, method=method)
    assert answer.status_code == status
    html = answer.get_data(as_text=True)
    assert words in html
    assert "Hauptnavigation" in html


def test_an_unexpected_error_has_a_page_and_tells_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise RuntimeError("secret details")

    monkeypatch.setitem(app.view_functions, "web.imprint", fail)
    fail.permission = Permission.PUBLIC  # type: ignore[attr-defined]
    answer = browser(app, None).get("/impressum")
    assert answer.status_code == 500
    html = answer.get_data(as_text=True)
    assert "Da ist etwas schiefgegangen" in html
    assert "secret details" not in html


def test_health_says_whether_the_database_is_migrated(client: FlaskClient) -> None:
    assert client.get("/healthz").get_data() == b"ok\n"
    assert client.get("/readyz").get_data() == b"ok\n"


@pytest.mark.both_databases
def test_an_unmigrated_database_is_not_ready(client: FlaskClient) -> None:
    with transaction() as session:
        session.execute(text("ALTER TABLE alembic_version RENAME TO put_aside"))
    try:
        assert client.get("/readyz").status_code == 503
    finally:
        with transaction() as session:
            session.execute(text("ALTER TABLE put_aside RENAME TO alembic_version"))
    assert client.get("/readyz").status_code == 200
