"""Tests of the scanner's pages and of what starts them without a network."""

from __future__ import annotations

import json
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.attendance.factories import make_course, make_trainer
from tests.factories import log_in
from tests.statements import counted_statements
from trainings.core.database import transaction


@pytest.fixture
def numbers(client: FlaskClient) -> tuple[str, str]:
    """Log in as a trainer; return the numbers of the own event and of a foreign one."""
    with transaction() as session:
        own, foreign = make_course(session), make_course(session)
        trainer_id = make_trainer(session, own).id
        found = own.number, foreign.number
    log_in(client, trainer_id)
    return found


@pytest.mark.parametrize("page", ["scanner", "bereit"])
def test_only_own_events_have_a_scanner(
    client: FlaskClient, numbers: tuple[str, str], page: str
) -> None:
    with counted_statements() as statements:
        assert client.get(f"/einlass/{numbers[0]}/{page}").status_code == 200
    assert len(statements) <= 3
    assert client.get(f"/einlass/{numbers[1]}/{page}").status_code == 404


def test_the_scanner_shows_nobody_since_it_stays_on_the_device(
    client: FlaskClient, numbers: tuple[str, str]
) -> None:
    html = client.get(f"/einlass/{numbers[0]}/scanner").get_data(as_text=True)
    for name in ("Kałuża", "Jördis", "Ağaoğlu", "csrf"):
        assert name not in html
    assert numbers[0] in html


def test_without_script_the_scanner_leads_to_the_list(
    client: FlaskClient, numbers: tuple[str, str]
) -> None:
    html = client.get(f"/einlass/{numbers[0]}/scanner").get_data(as_text=True)
    fallback = re.search(r"<noscript>(.*?)</noscript>", html)
    assert fallback is not None
    assert f'href="/einlass/{numbers[0]}"' in fallback.group(1)


def test_the_scanner_has_words_for_each_answer(
    client: FlaskClient, numbers: tuple[str, str]
) -> None:
    html = client.get(f"/einlass/{numbers[0]}/scanner").get_data(as_text=True)
    raw = re.search(r'data-words="([^"]*)"', html)
    assert raw is not None
    words = json.loads(raw.group(1).replace("&#34;", '"').replace("&amp;", "&"))
    for outcome in (
        "recorded", "already_recorded", "other_event", "other_day", "withdrawn", "waiting_list",
        "substituted", "unknown_ticket", "attendance_closed", "event_cancelled",
    ):  # fmt: skip
        assert set(words[outcome]) == {"tone", "icon", "word", "sentence"}
        assert "{" not in words[outcome]["sentence"]


def test_only_the_scanner_may_run_the_decoder(
    client: FlaskClient, numbers: tuple[str, str]
) -> None:
    scanner = client.get(f"/einlass/{numbers[0]}/scanner").headers["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'" in scanner
    assert "unsafe-inline" not in scanner
    for path in (f"/einlass/{numbers[0]}", f"/einlass/{numbers[0]}/bereit", "/einlass/sw.js"):
        assert "unsafe" not in client.get(path).headers["Content-Security-Policy"]


def test_the_service_worker_names_the_files_of_this_release(client: FlaskClient) -> None:
    answer = client.get("/einlass/sw.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Cache-Control"] == "no-cache"
    files = re.findall(r"/static/[^\"]+", answer.get_data(as_text=True))
    assert len(files) > 8
    for path in files:
        found = client.get(path, buffered=True)
        assert found.status_code == 200, path
        assert re.search(r"\.[0-9a-f]{8}\.", path), path


def test_the_attendance_can_be_installed(client: FlaskClient) -> None:
    answer = client.get("/einlass/app.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    manifest = answer.get_json(force=True)
    assert manifest["scope"] == manifest["start_url"] == "/einlass/"
    assert client.get(manifest["icons"][0]["src"], buffered=True).status_code == 200


def test_pages_that_nobody_is_logged_in_to_see_forget_names(
    app: Flask, client: FlaskClient, numbers: tuple[str, str]
) -> None:
    script = str(app.jinja_env.globals["asset"]("leave.js"))  # type: ignore[operator]
    for path in ("/", "/konto/anmelden", f"/einlass/{numbers[0]}"):
        assert script not in client.get(path, follow_redirects=True).get_data(as_text=True)
    visitor = app.test_client()
    for path in ("/", "/konto/anmelden"):
        assert script in visitor.get(path, follow_redirects=True).get_data(as_text=True)
