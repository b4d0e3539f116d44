"""The reports as tables for CSV and XLSX, and what they are about in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from trainings.core.formats import short_date
from trainings.core.tables import Cell
from trainings.inventory.reports.flows import Selection
from trainings.inventory.reports.forms import BREAKDOWN_NAMES
from trainings.inventory.reports.past_stock import StoredCards
from trainings.inventory.reports.queries import Breakdown, Report

FLOW_HEADER = ("Ausgegeben", "Zurückgekommen", "Verbraucht", "Verloren")
STOCK_HEADER = ("Lager", "Karte", "Auflage", "Anzahl")
_SECOND_COLUMN = {
    Breakdown.ORGANISATION: "Behörde oder Art",
    Breakdown.EDITION: "Auflage",
    Breakdown.EVENT: "Nummer und Tage",
}
_FIRST_COLUMN = {**BREAKDOWN_NAMES, Breakdown.EDITION: "Karte"}


def report_header(breakdown: Breakdown) -> tuple[str, ...]:
    """Return the names of the columns of a report."""
    second = _SECOND_COLUMN.get(breakdown)
    of_event = ("Teilnahmen", "Karten je Teilnahme") if breakdown is Breakdown.EVENT else ()
    return (_FIRST_COLUMN[breakdown], *((second,) if second else ()), *FLOW_HEADER, *of_event)


def report_rows(report: Report) -> Iterator[tuple[Cell, ...]]:
    """Yield one row for each line; there is no row of sums, so that a spreadsheet can add up."""
    for line in report.lines:
        flow = line.flow
        names: tuple[Cell, ...] = (line.words,)
        if report.breakdown in _SECOND_COLUMN:
            names = (line.words, line.small)
        of_event: tuple[Cell, ...] = ()
        if report.breakdown is Breakdown.EVENT:
            share = line.per_participation
            of_event = (line.participations, None if share is None else round(share, 2))
        yield (*names, flow.given, flow.returned, flow.consumed, flow.lost, *of_event)


def stock_rows(stock: Sequence[StoredCards]) -> Iterator[tuple[Cell, ...]]:
    """Yield one row for each edition in each store."""
    for row in stock:
        yield (row.store, row.card, row.running, row.quantity)


def about_report(
    report: Report, selection: Selection, card: str, *, units_apart: bool, now: datetime
) -> list[tuple[str, Cell]]:
    """Say what a report is about, for the sheet that stands beside it."""
    total = report.total
    return [
        ("Auswertung", "Taschenkarten"),
        ("Gliederung", BREAKDOWN_NAMES[report.breakdown]),
        ("Karte", card),
        ("Von", selection.first or "Anfang"),
        ("Bis", selection.last or "heute"),
        ("Dienststellen", "einzeln" if units_apart else "bei ihrer Behörde"),
        ("Summe ausgegeben", total.given),
        ("Summe zurückgekommen", total.returned),
        ("Summe verbraucht", total.consumed),
        ("Summe verloren", total.lost),
        ("Erstellt", now),
    ]


def about_stock(stock: Sequence[StoredCards], day: date, now: datetime) -> list[tuple[str, Cell]]:
    """Say what a stock is about."""
    return [
        ("Bestand", f"am Ende des {short_date(day)}"),
        ("Summe", sum(row.quantity for row in stock)),
        ("Erstellt", now),
    ]
