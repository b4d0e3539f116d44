"""The pages at every page's foot: there for everybody, and true to what the application does."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from trainings.attendance.door.roster_queries import ROSTER_LIVES
from trainings.core.outbox import KEPT_FOR
from trainings.people.login import KEPT_AFTERWARDS, REQUEST_LASTS
from trainings.web.app import LOGIN_LASTS

TITLES = {
    "/hilfe": "Hilfe",
    "/impressum": "Impressum",
    "/datenschutz": "Datenschutz",
    "/barrierefreiheit": "Erklärung zur Barrierefreiheit",
}


def page(client: FlaskClient, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", response.get_data(as_text=True))


@pytest.mark.parametrize(("url", "title"), TITLES.items())
def test_everybody_reads_the_page_without_logging_in(
    client: FlaskClient, url: str, title: str
) -> None:
    html = page(client, url)
    assert html.count("<h1>") == 1
    assert f"<h1>{title}</h1>" in html
    assert " style=" not in html
    assert "<script" not in html


@pytest.mark.parametrize("url", ["/impressum", "/datenschutz", "/barrierefreiheit"])
def test_office_is_named_with_its_address(client: FlaskClient, url: str) -> None:
    main = page(client, url).partition("<footer")[0]
    assert "Müller-Breslau-Str. 28, 45130 Essen" in main


def test_privacy_page_tells_the_times_that_the_code_keeps(client: FlaskClient) -> None:
    html = page(client, "/datenschutz")
    assert f"<td>{KEPT_FOR.days} Tage</td>" in html
    assert KEPT_AFTERWARDS.days == 1
    assert "einen Tag, nachdem sie abgelaufen sind" in html
    hours = int(LOGIN_LASTS.total_seconds() // 3600)
    assert f"{hours} Stunden nach dem letzten Aufruf" in html


def test_privacy_page_names_the_only_cookie(app: Flask, client: FlaskClient) -> None:
    assert f"„{app.config['SESSION_COOKIE_NAME']}“" in page(client, "/datenschutz")
    client.get("/konto/anmelden")
    assert client.get_cookie("trainings") is not None


def test_help_tells_how_long_links_live(client: FlaskClient) -> None:
    minutes = int(REQUEST_LASTS.total_seconds() // 60)
    assert f"Beide gelten {minutes} Minuten" in page(client, "/hilfe")


def test_privacy_page_tells_what_the_scanner_keeps_and_for_how_long(client: FlaskClient) -> None:
    html = page(client, "/datenschutz")
    hours = int(ROSTER_LIVES.total_seconds() // 3600)
    assert f"{hours} Stunden nach der Veranstaltung, auch ohne Netz" in html
    assert "was erfasst, aber noch nicht gesendet ist" in html


def test_help_page_leads_to_scanner_and_certificates(client: FlaskClient) -> None:
    html = page(client, "/hilfe")
    assert "Mit dem Handy scannen, auch ohne Netz" in html
    assert 'href="/meine/bescheinigungen"' in html


def test_every_page_leads_to_where_cards_are_ordered(client: FlaskClient) -> None:
    assert 'href="/taschenkarten/bestellen">Taschenkarten bestellen' in page(client, "/")


def test_every_page_leads_to_where_certificates_are_verified(client: FlaskClient) -> None:
    assert 'href="/bescheinigung/">Bescheinigung prüfen' in page(client, "/impressum")
