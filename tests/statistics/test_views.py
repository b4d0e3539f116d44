"""The page of the figures and its table, as a browser and as a script ask for them."""

from __future__ import annotations

import csv
import io
from datetime import date
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.factories import LONG_AGO, log_in, make_event, make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_store, new_key
from tests.registered import make_registration
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventKind, EventState
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.rules import EVENT, in_store

PAGE = "/statistik/"
TABLE = "/statistik/tabelle.csv"


@pytest.fixture
def office(app: Flask, client: FlaskClient) -> FlaskClient:
    with transaction() as session:
        coordinator = make_person(session, roles=(Role.COORDINATOR,))
    log_in(client, coordinator.id)
    return client


def hold(name: str = "Stadt Musterhausen", **values: object) -> None:
    """Hold an event with one participation from an organisation."""
    with transaction() as session:
        event = make_event(session, state=EventState.HELD, **values)  # type: ignore[arg-type]
        person = make_person(session, make_organisation(session, name))
        make_registration(session, event, person, marks="pppp")


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


def test_page_shows_figures_definitions_and_a_way_to_the_table(office: FlaskClient) -> None:
    hold()
    page = office.get(PAGE).text
    assert "Stadt Musterhausen" in page
    assert "von 1 Person" in page
    assert "Anmeldungen mit mindestens einem besuchten Halbtag" in page
    assert "Dienststellen zählen zu ihrer Behörde" in page
    assert "/statistik/tabelle.csv?art=training" in page


def test_page_says_so_where_nothing_was_held(office: FlaskClient) -> None:
    assert "In diesem Zeitraum war nichts" in office.get(PAGE).text


def test_page_with_cancelled_events_only_has_no_chart(office: FlaskClient) -> None:
    with transaction() as session:
        make_event(session, state=EventState.CANCELLED)
    page = office.get(PAGE).text
    assert "1 weitere abgesagt" in page
    assert "je Jahr" not in page


def test_page_filters_by_kind_and_days(office: FlaskClient) -> None:
    hold("Stadt Alt", first_day=date(2021, 7, 1))
    hold("Stadt Neu", first_day=date(2025, 7, 1))
    hold("Stadt Tagung", kind=EventKind.CONFERENCE, first_day=date(2021, 7, 1))
    old = office.get(PAGE, query_string={"bis": "2021-12-31"}).text
    assert "Stadt Alt" in old
    assert "Stadt Neu" not in old
    assert "Stadt Tagung" not in old
    everything = office.get(PAGE, query_string={"art": "alle", "von": "01.01.2021"}).text
    assert all(name in everything for name in ("Stadt Alt", "Stadt Neu", "Stadt Tagung"))
    assert "Nach Art der Veranstaltung" in everything


def test_names_of_organisations_are_text_on_the_page(office: FlaskClient) -> None:
    hold("<script>alert(1)</script>")
    page = office.get(PAGE).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_table_has_each_breakdown_and_the_sum_first(office: FlaskClient) -> None:
    hold("=Stadt")
    answer = office.get(TABLE, query_string={"art": "alle", "bis": "2026-12-31"})
    assert answer.mimetype == "text/csv"
    assert answer.headers["Content-Disposition"] == "attachment; filename=statistik-2026-12-31.csv"
    assert answer.text.startswith("\ufeffGliederung;")
    header, total, *others = rows(answer.text)
    assert dict(zip(header, total, strict=True)) == {
        "Gliederung": "Gesamt",
        "Gruppe": "",
        "Veranstaltungen": "1",
        "Abgesagt": "0",
        "Teilnahmen": "1",
        "Personen": "1",
        "Organisationen": "1",
        "Plätze": "12",
        "Genutzt in %": "8,3",
        "Gefehlt": "0",
        "Gefehlt in %": "0,0",
        "Entschuldigt": "0",
        "Karten": "0",
        "Karten je Teilnahme": "0,0",
    }
    assert [row[:2] for row in others] == [
        ["Jahr", "2026"],
        ["Art der Veranstaltung", "Training"],
        ["Art der Organisation", "Stadt/Gemeinde"],
        ["Organisation", "'=Stadt"],
    ]
    assert all(len(row) == len(header) for row in others)


def test_selection_of_the_page_travels_to_the_table(office: FlaskClient) -> None:
    page = office.get(PAGE, query_string={"art": "alle", "von": "2021-07-01", "bis": "2025-10-23"})
    address = "/statistik/tabelle.csv?art=alle&amp;von=2021-07-01&amp;bis=2025-10-23"
    assert address in page.text


@pytest.mark.parametrize(
    "query",
    [
        "art=unbekannt",
        "art=",
        "art=training&art=alle",
        "von=2025-02-31",
        "von=0001-01-01&bis=9999-12-31",
        "von=2025-12-31&bis=2025-01-01",
        "von=%00&bis=%F0%9F%98%80",
        "von=%E2%80%AE2025-01-01",
        f"art={quote('x' * 5000)}",
        "seite=7",
    ],
)
def test_what_makes_no_sense_in_the_address_is_no_error(office: FlaskClient, query: str) -> None:
    assert office.get(f"{PAGE}?{query}").status_code == 200
    assert office.get(f"{TABLE}?{query}").status_code == 200


def test_bad_days_are_named_and_not_taken_into_account(office: FlaskClient) -> None:
    hold("Stadt Musterhausen")
    page = office.get(PAGE, query_string={"von": "2027-02-31", "bis": "irgendwann"}).text
    assert page.count("Das ist kein Tag im Kalender") == 2
    assert "Stadt Musterhausen" in page


def test_end_before_begin_is_named(office: FlaskClient) -> None:
    page = office.get(PAGE, query_string={"von": "2025-02-01", "bis": "2025-01-01"}).text
    assert "Das Ende liegt vor dem Anfang." in page


@pytest.mark.parametrize("address", [PAGE, TABLE])
def test_visitors_are_asked_to_log_in(app: Flask, client: FlaskClient, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 302
    assert "/konto/anmelden" in answer.location


@pytest.mark.parametrize("address", [PAGE, TABLE])
@pytest.mark.parametrize("role", [Role.PARTICIPANT, Role.CONTACT, Role.TRAINER])
def test_figures_are_for_the_office_alone(
    app: Flask, client: FlaskClient, address: str, role: Role
) -> None:
    with transaction() as session:
        person = make_person(session, roles=(role,))
    log_in(client, person.id)
    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", [PAGE, TABLE])
def test_figures_are_only_read(office: FlaskClient, address: str) -> None:
    assert office.post(address).status_code == 405


@pytest.mark.parametrize("number", [1, 30])
def test_page_costs_four_statements_however_much_was_held(office: FlaskClient, number: int) -> None:
    for index in range(number):
        hold(f"Stadt {index}", first_day=date(1990 + index, 5, 6))
    with counted_statements() as statements:
        assert f"Stadt {number - 1}" in office.get(PAGE).text
    assert len(statements) == 4


def test_page_and_table_say_how_many_cards_were_handed_out(office: FlaskClient) -> None:
    hold()
    assert ">Je Teilnahme<" not in office.get(PAGE).text
    with transaction() as session:
        store, edition = make_store(session), make_card(session).editions[0]
        fill(session, store, edition, 10)
        event = session.scalars(select(Event)).one()
        lock_stores(session, [store.id], LONG_AGO).book(
            SYSTEM,
            Booking(edition.id, 3, in_store(store.id), EVENT, event_id=event.id),
            key=new_key(),
        )
    page = office.get(PAGE).text
    assert ">Je Teilnahme<" in page
    assert "3,00" in page
    header, total, *_ = rows(office.get(TABLE).text)
    assert dict(zip(header, total, strict=True))["Karten je Teilnahme"] == "3,0"
