"""Tests of the scanner's pages and of what starts them without a network."""

from __future__ import annotations

import json
import re
from io import BytesIO
from math import hypot

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

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
    icons = {(icon["sizes"], icon["purpose"]): icon for icon in manifest["icons"]}
    assert set(icons) == {
        ("any", "any"), ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip
    for (sizes, _), icon in icons.items():
        answer = client.get(icon["src"], buffered=True)
        assert answer.status_code == 200
        assert answer.mimetype == icon["type"]
        assert answer.cache_control.max_age == 365 * 24 * 3600
        if sizes != "any":
            picture = Image.open(BytesIO(answer.data))
            assert "x".join(map(str, picture.size)) == sizes


def test_what_phones_cut_stays_whole(app: Flask, client: FlaskClient) -> None:
    """The mark lies within the circle that every phone leaves; the rest is filled to the edge."""
    for name, size, radius in (
        ("icon-maskable-512.png", 512, 0.4),
        ("apple-touch-icon.png", 180, 0.5),
    ):
        answer = client.get(asset(app, name), buffered=True)
        picture = Image.open(BytesIO(answer.data)).convert("RGBA")
        assert picture.size == (size, size)
        inked = 0
        values = picture.tobytes()
        for place in range(size * size):
            *colour, opacity = values[4 * place : 4 * place + 4]
            assert opacity == 255
            if colour != [255, 255, 255]:
                inked += 1
                y, x = divmod(place, size)
                assert hypot(x + 0.5 - size / 2, y + 0.5 - size / 2) <= radius * size
        assert inked > size * size / 20


def test_pages_at_the_door_alone_name_the_icon_for_a_home_screen(
    app: Flask, client: FlaskClient, numbers: tuple[str, str]
) -> None:
    link = f'<link rel="apple-touch-icon" href="{asset(app, "apple-touch-icon.png")}">'
    for path in ("/einlass/", f"/einlass/{numbers[0]}/scanner", f"/einlass/{numbers[0]}/bereit"):
        page = client.get(path).text
        assert link in page
        assert 'rel="manifest"' in page
    assert "apple-touch-icon" not in client.get("/veranstaltungen/").text


def asset(app: Flask, name: str) -> str:
    return str(app.jinja_env.globals["asset"](name))  # type: ignore[operator]


def test_pages_that_nobody_is_logged_in_to_see_forget_names(
    app: Flask, client: FlaskClient, numbers: tuple[str, str]
) -> None:
    script = str(app.jinja_env.globals["asset"]("leave.js"))  # type: ignore[operator]
    for path in ("/", "/konto/anmelden", f"/einlass/{numbers[0]}"):
        assert script not in client.get(path, follow_redirects=True).get_data(as_text=True)
    visitor = app.test_client()
    for path in ("/", "/konto/anmelden"):
        assert script in visitor.get(path, follow_redirects=True).get_data(as_text=True)
