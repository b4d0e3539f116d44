"""Pages and files of the reports, as a browser and as a spreadsheet see them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlalchemy import select

from tests.factories import log_in, make_event, make_organisation, make_person
from tests.inventory.reports.booked import Shelf, make_shelf
from tests.statements import counted_statements
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.core.tables import csv_lines
from trainings.events.models import EventState
from trainings.inventory.models import PlaceKind
from trainings.inventory.reports.forms import BREAKDOWN_NAMES
from trainings.inventory.reports.journal import PIECE, journal_rows
from trainings.inventory.stock.journal import JournalFilter

BASE = "/taschenkarten"
REPORT, STOCK, FORESIGHT = f"{BASE}/auswertung", f"{BASE}/stand", f"{BASE}/vorschau"
HOSTILE = '=HYPERLINK("https://evil.example")<script>alert(1)</script>'
LONG = "Müller-Lüdenscheidt-Wannenbadegesellschaft-" * 3 + "Behörde"


@pytest.fixture
def office(app: Flask, client: FlaskClient) -> FlaskClient:
    with transaction() as session:
        coordinator = make_person(session, roles=(Role.COORDINATOR,), given_name="Wiebke")
    log_in(client, coordinator.id)
    return client


def book_some(organisations: int = 1, name: str = "Stadt Essen") -> Shelf:
    """Give one card to each of some organisations and at each of some events."""
    with transaction() as session:
        shelf = make_shelf(session)
        for index in range(organisations):
            organisation = make_organisation(session, f"{name} {index}"[:160])
            event = make_event(session, state=EventState.HELD)
            at = utc_now() - timedelta(days=31 * index + 40)
            shelf.give(10, at, to=PlaceKind.ORGANISATION, organisation_id=organisation.id)
            shelf.give(7, at, to=PlaceKind.EVENT, event_id=event.id)
    return shelf


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))


@pytest.mark.parametrize("breakdown", list(BREAKDOWN_NAMES))
def test_page_csv_and_xlsx_say_the_same(office: FlaskClient, breakdown: str) -> None:
    book_some(3, HOSTILE)
    query = f"?nach={breakdown}"
    page = office.get(REPORT + query)
    assert page.status_code == 200
    assert "<script>alert" not in page.text
    assert "51" in page.text  # the sum, in the first figure
    table = rows(office.get(f"{REPORT}.csv{query}").text)
    consumed = table[0].index("Verbraucht")
    assert sum(int(line[consumed]) for line in table[1:]) == 51
    assert not any(cell.startswith("=") for line in table for cell in line)
    answer = office.get(f"{REPORT}.xlsx{query}")
    book = load_workbook(io.BytesIO(answer.data))
    sheet = book.worksheets[0]
    assert [cell.value for cell in sheet[1]] == table[0]
    assert sheet.max_row == len(table)
    assert not any(cell.data_type == "f" for row in sheet.iter_rows() for cell in row)
    about = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert about["Summe verbraucht"] == 51
    assert about["Gliederung"] == BREAKDOWN_NAMES[breakdown]
    assert answer.headers["Cache-Control"] == "no-store"


def test_filters_stand_in_the_address_and_in_the_links_to_the_files(office: FlaskClient) -> None:
    shelf = book_some()
    day = berlin_day(utc_now()).isoformat()
    page = office.get(f"{REPORT}?nach=jahr&karte={shelf.card.id}&von=2020-01-01&bis={day}").text
    link = f"nach=jahr&amp;karte={shelf.card.id}&amp;von=2020-01-01&amp;bis={day}"
    assert f"/auswertung.csv?{link}" in page
    assert f"/auswertung.xlsx?{link}" in page
    assert "Hier wurde noch nichts ausgegeben" in office.get(f"{REPORT}?bis=2020-01-01").text


@pytest.mark.parametrize(
    "query",
    [
        "nach=xyz", "karte=abc", "karte=99999999999999", "karte=999", "von=31.02.2026",
        "von=2026-03-01&bis=2026-01-01", "von=%00", "bis=10000-01-01", "nach=%F0%9F%98%80",
        "karte=-1", "von=1e3", "karte=%EF%BC%91",
    ],
)  # fmt: skip
def test_nonsense_in_the_filter_is_named_and_not_taken(office: FlaskClient, query: str) -> None:
    book_some()
    page = office.get(f"{REPORT}?{query}")
    assert page.status_code == 200
    assert "kern-error" in page.text
    for kind in ("csv", "xlsx"):
        assert office.get(f"{REPORT}.{kind}?{query}").status_code == 200


@pytest.mark.parametrize("page", [REPORT, STOCK, FORESIGHT])
def test_pages_without_any_card_say_what_is_so(office: FlaskClient, page: str) -> None:
    answer = office.get(page)
    assert answer.status_code == 200
    assert "tr-empty" in answer.text


def test_stock_on_a_day(office: FlaskClient) -> None:
    book_some(2)
    today = berlin_day(utc_now())
    assert "bis jetzt" in office.get(STOCK).text
    page = office.get(f"{STOCK}?tag=2025-01-02").text
    assert "Do.,\u00a002.01.2025" in page
    assert "5\u202f000" in page
    assert rows(office.get(f"{STOCK}.csv?tag=02.01.2025").text)[1][2:] == ["1", "5000"]
    book = load_workbook(io.BytesIO(office.get(f"{STOCK}.xlsx?tag={today}").data))
    assert book.worksheets[0]["D2"].value == 5000 - 34
    assert "lag in keinem Lager" in office.get(f"{STOCK}?tag=2024-12-31").text


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("2099-01-01", "liegt in der Zukunft"),
        ("31.02.2026", "kein Tag im Kalender"),
        ("abc", "kein Tag im Kalender"),
        ("1e3", "kein Tag im Kalender"),
        ("0001-01-01", "ein Jahr von 2000"),
    ],
)
def test_a_future_day_or_nonsense_gets_a_sentence(
    office: FlaskClient, day: str, sentence: str
) -> None:
    book_some()
    page = office.get(STOCK, query_string={"tag": day})
    assert page.status_code == 200
    assert sentence in page.text
    assert "/stand.csv" not in page.text
    for kind in ("csv", "xlsx"):
        refused = office.get(f"{STOCK}.{kind}", query_string={"tag": day})
        assert refused.status_code == 422
        assert sentence in refused.text


def test_foresight_shows_chart_table_and_on_what_it_rests(office: FlaskClient) -> None:
    shelf = book_some(14, LONG)
    page = office.get(FORESIGHT).text
    assert f'id="karte-{shelf.card.id}"' in page
    assert 'role="img"' in page
    assert "Wie gezählt?" in page
    assert "Verbraucht wurden" in page
    assert "12 vollen Monaten" in page
    assert "Kein Meldebestand festgelegt" in page
    with transaction() as session:
        session.merge(shelf.card).reorder_level = 100_000
    assert "Unter dem Meldebestand" in office.get(FORESIGHT).text


def test_foresight_of_a_new_card_is_honest(office: FlaskClient) -> None:
    with transaction() as session:
        shelf = make_shelf(session)
        shelf.card.editions[0].quantity = 1
    assert "zuletzt kein Verbrauch" in office.get(FORESIGHT).text


def test_the_journal_as_csv_and_xlsx_is_filtered_and_noted(office: FlaskClient) -> None:
    shelf = book_some(2, HOSTILE)
    table = rows(office.get(f"{BASE}/bewegungen.csv").text)
    assert len(table) == 1 + 5
    assert table[1][2:9] == [
        shelf.card.title, "1", "5000", "Druckerei", "", "Lager", "Lager Essen",
    ]  # fmt: skip
    assert not any(cell.startswith("=") for line in table for cell in line)
    for query, found in (
        (f"lager={shelf.store.id}", 5),
        (f"karte=k{shelf.card.id}&ort=organisation", 2),
        (f"karte=a{shelf.edition.id}&ort=event", 2),
        ("organisation=2", 1),
        ("veranstaltung=2099-001", 0),
        ("bestellung=TK-2026-0001", 0),
        ("von=2025-01-01&bis=2025-01-01", 1),
        ("unbekannt=1", 5),
    ):
        for kind in ("csv", "xlsx"):
            answer = office.get(f"{BASE}/bewegungen.{kind}?{query}")
            assert answer.status_code == 200
            if kind == "csv":
                assert len(rows(answer.text)) == 1 + found, query
            else:
                book = load_workbook(io.BytesIO(answer.data))
                assert book.worksheets[0].max_row == 1 + found
    about = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert about["Liste"] == "Bewegungen der Taschenkarten"
    noted = db.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.action == "card_journal_exported")
        .order_by(AuditEntry.id)
    ).all()
    assert noted[0].details == {"form": "csv"}
    assert {"form": "xlsx", "place": "event", "edition_id": shelf.edition.id} in [
        entry.details for entry in noted
    ]
    assert noted[0].actor_person_id is not None


def test_the_sheet_beside_the_journal_says_by_names_what_was_filtered(office: FlaskClient) -> None:
    shelf = book_some()
    query = f"lager={shelf.store.id}&karte=a{shelf.edition.id}&ort=loss&von=2026-01-01"
    book = load_workbook(io.BytesIO(office.get(f"{BASE}/bewegungen.xlsx?{query}").data))
    about = {row[0].value: row[1].value for row in book.worksheets[-1].iter_rows()}
    assert about["Lager"] == "Lager Essen"
    assert about["Auflage"] == f"{shelf.card.title}, Auflage 1"
    assert about["Ort"] == "Verlust"
    assert about["Von"].date() == date(2026, 1, 1)


@pytest.mark.parametrize(
    "query", ["lager=abc", "lager=999", "ort=mond", "von=31.02.2026", "karte=1e3"]
)
def test_nonsense_in_the_filter_of_the_journal_is_refused(office: FlaskClient, query: str) -> None:
    for kind in ("csv", "xlsx"):
        refused = office.get(f"{BASE}/bewegungen.{kind}?{query}")
        assert refused.status_code == 422
        assert "ergibt keinen Sinn" in refused.text
    assert db.session.scalars(select(AuditEntry)).all() == []


@pytest.mark.both_databases
def test_the_journal_is_read_in_pieces_and_each_movement_once(app: Flask) -> None:
    count = 2 * PIECE + 3
    with transaction() as session:
        shelf = make_shelf(session, 5_000)
        first = shelf.give(1)
        values = {
            column.name: getattr(first, column.name)
            for column in first.__table__.columns
            if column.name not in {"id", "key"}
        }
        session.execute(
            first.__table__.insert(),
            [values | {"key": f"many-{index}"} for index in range(count - 2)],
        )
    with counted_statements() as statements:
        found = [row[0] for row in journal_rows(db.session(), JournalFilter())]
    assert len(found) == len(set(found)) == count
    assert found == sorted(found)
    assert len(statements) == 1 + 3


def test_a_csv_is_sent_while_it_is_read(office: FlaskClient) -> None:
    taken = []

    def endless() -> Iterator[list[str]]:
        while True:
            taken.append(1)
            yield ["x"]

    next(csv_lines(["a"], endless()))
    assert taken == []
    book_some()
    answer = office.get(f"{BASE}/bewegungen.csv", buffered=False)
    assert answer.is_streamed


@pytest.mark.parametrize("organisations", [1, 30])
def test_pages_cost_the_same_with_one_line_and_with_thirty(
    office: FlaskClient, organisations: int
) -> None:
    book_some(organisations)
    costs = {}
    for page in (*(f"{REPORT}?nach={each}" for each in BREAKDOWN_NAMES), STOCK, FORESIGHT):
        with counted_statements() as statements:
            office.get(page)
        costs[page.rpartition("=")[2].rpartition("/")[2]] = len(statements)
    assert costs == {
        "organisation": 5, "art": 4, "jahr": 5, "monat": 5, "auflage": 5, "veranstaltung": 6,
        "stand": 5, "vorschau": 7,
    }  # fmt: skip


@pytest.mark.parametrize("role", [Role.CONTACT, Role.TRAINER, Role.PARTICIPANT])
def test_the_reports_are_for_the_office_only(app: Flask, role: Role) -> None:
    with transaction() as session:
        person = make_person(session, roles=(role,))
    client = app.test_client()
    log_in(client, person.id)
    for page in (REPORT, STOCK, FORESIGHT, f"{BASE}/bewegungen.csv", f"{REPORT}.xlsx"):
        assert client.get(page).status_code == 403
