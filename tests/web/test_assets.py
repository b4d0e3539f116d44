"""Tests of the built files that browsers load."""

from __future__ import annotations

import gzip

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import log_in, make_person
from trainings.core.database import transaction


@pytest.fixture
def sheet(app: Flask) -> str:
    """Return the address of the style sheet, as the templates write it."""
    return str(app.jinja_env.globals["asset"]("app.css"))


def test_a_browser_that_takes_gzip_gets_the_packed_file(client: FlaskClient, sheet: str) -> None:
    plain = client.get(sheet, buffered=True)
    packed = client.get(sheet, headers={"Accept-Encoding": "gzip, br"}, buffered=True)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 4
    for answer in (plain, packed):
        assert answer.status_code == 200
        assert answer.content_type == "text/css; charset=utf-8"
        assert answer.headers["Vary"] == "Accept-Encoding"
        assert answer.cache_control.max_age == 365 * 24 * 3600


def test_a_file_carries_nobodys_cookie(client: FlaskClient, sheet: str) -> None:
    with transaction() as session:
        person_id = make_person(session).id
    log_in(client, person_id)
    with client.session_transaction() as cookie:
        cookie.permanent = True
    assert "Set-Cookie" in client.get("/impressum").headers
    assert "Set-Cookie" not in client.get(sheet, buffered=True).headers


@pytest.mark.parametrize("accepted", ["", "identity", "gzip;q=0"])
def test_other_browsers_get_the_plain_file(client: FlaskClient, sheet: str, accepted: str) -> None:
    answer = client.get(sheet, headers={"Accept-Encoding": accepted}, buffered=True)
    assert "Content-Encoding" not in answer.headers
    assert b".tr-head" in answer.data


@pytest.mark.parametrize(
    "path", ["app.css", "../build.mjs", "%2e%2e/build.mjs", "..%2fbuild.mjs", "x%00.css", ""]
)
def test_nothing_else_is_served(client: FlaskClient, path: str) -> None:
    assert client.get(f"/static/{path}").status_code == 404
