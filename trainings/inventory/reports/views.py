"""Pages of the reports: what was given to whom, stock on a past day, foresight, the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import Blueprint, Response, render_template, request, stream_with_context

from trainings.core.clock import berlin_day, end_of_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.formats import MONTHS
from trainings.core.http import workbook_response
from trainings.core.permissions import Permission, requires
from trainings.core.spreadsheets import Sheet, write_workbook
from trainings.core.tables import CSV_TYPE, Cell, csv_lines
from trainings.inventory.reports.forms import BREAKDOWN_NAMES, DayForm, ReportForm
from trainings.inventory.reports.journal import (
    HEADER,
    in_words,
    journal_rows,
    note_export,
)
from trainings.inventory.reports.outlook import load_outlooks
from trainings.inventory.reports.past_stock import StoredCards, load_stock_at
from trainings.inventory.reports.queries import Breakdown, Report, load_cards, load_report
from trainings.inventory.reports.rules import FEWEST_MONTHS
from trainings.inventory.reports.tables import (
    STOCK_HEADER,
    about_report,
    about_stock,
    report_header,
    report_rows,
    stock_rows,
)
from trainings.inventory.stock.forms import JournalForm
from trainings.inventory.stock.journal import JournalFilter
from trainings.people.sessions import current_actor

ALL_CARDS = "Alle Karten"
ON_TIME = frozenset({Breakdown.YEAR, Breakdown.MONTH, Breakdown.EDITION})
"""Breakdowns in which a loss belongs to a line; nobody gets what is lost."""

blueprint = Blueprint("card_reports", __name__, url_prefix="/taschenkarten")


@dataclass(frozen=True)
class _Asked:
    """A report with what was asked for."""

    form: ReportForm
    report: Report
    card: str


def _asked() -> _Asked:
    session = db.session()
    cards = load_cards(session)
    form = ReportForm(request.args, cards)
    report = load_report(
        session, form.selection, form.breakdown, units_apart=bool(form.einzeln.data)
    )
    return _Asked(form, report, dict(cards).get(form.selection.card_id or 0, ALL_CARDS))


@blueprint.get("/auswertung")
@requires(Permission.OFFICE)
def report() -> str:
    """Show one breakdown of what was given away, with its sum."""
    asked = _asked()
    return render_template(
        "inventory/report.html",
        form=asked.form,
        report=asked.report,
        card=asked.card,
        word=BREAKDOWN_NAMES[asked.report.breakdown],
        with_losses=asked.report.breakdown in ON_TIME,
        by_event=asked.report.breakdown is Breakdown.EVENT,
        units_can_stand_apart=asked.report.breakdown is Breakdown.ORGANISATION,
    )


@blueprint.get("/auswertung.csv")
@requires(Permission.OFFICE)
def report_csv() -> Response:
    """Offer the report as CSV."""
    asked = _asked()
    return _csv(
        report_header(asked.report.breakdown), report_rows(asked.report), _report_name(asked)
    )


@blueprint.get("/auswertung.xlsx")
@requires(Permission.OFFICE)
def report_xlsx() -> Response:
    """Offer the report as XLSX."""
    asked = _asked()
    breakdown = asked.report.breakdown
    sheet = Sheet(BREAKDOWN_NAMES[breakdown], report_header(breakdown), report_rows(asked.report))
    about = about_report(
        asked.report,
        asked.form.selection,
        asked.card,
        units_apart=bool(asked.form.einzeln.data),
        now=utc_now(),
    )
    return _xlsx([sheet], about, _report_name(asked))


def _report_name(asked: _Asked) -> str:
    chosen = asked.form.selection
    days = [day.isoformat() for day in (chosen.first, chosen.last) if day]
    return "-".join(["taschenkarten", asked.report.breakdown.value, *days])


@blueprint.get("/stand")
@requires(Permission.OFFICE)
def past_stock() -> str:
    """Show what lay in the stores at the end of a day."""
    today = berlin_day(utc_now())
    form = DayForm(request.args, today)
    stock = load_stock_at(db.session(), end_of_day(form.day)) if form.day else []
    return render_template(
        "inventory/past_stock.html", form=form, stock=stock, day=form.day, today=today
    )


@blueprint.get("/stand.csv")
@requires(Permission.OFFICE)
def past_stock_csv() -> Response:
    """Offer the stock of a day as CSV."""
    day, stock = _stock_of_day(utc_now())
    return _csv(STOCK_HEADER, stock_rows(stock), f"taschenkarten-stand-{day.isoformat()}")


@blueprint.get("/stand.xlsx")
@requires(Permission.OFFICE)
def past_stock_xlsx() -> Response:
    """Offer the stock of a day as XLSX."""
    now = utc_now()
    day, stock = _stock_of_day(now)
    sheet = Sheet("Bestand", STOCK_HEADER, stock_rows(stock))
    return _xlsx([sheet], about_stock(stock, day, now), f"taschenkarten-stand-{day.isoformat()}")


def _stock_of_day(now: datetime) -> tuple[date, list[StoredCards]]:
    form = DayForm(request.args, berlin_day(now))
    if form.day is None:
        # A file cannot show a message beside a field.
        raise DomainError("bad_day", " ".join(form.tag.errors), status=422)
    return form.day, load_stock_at(db.session(), end_of_day(form.day))


@blueprint.get("/vorschau")
@requires(Permission.OFFICE)
def foresight() -> str:
    """Show what is consumed of each card, and how long it will last."""
    now = utc_now()
    return render_template(
        "inventory/foresight.html",
        outlooks=load_outlooks(db.session(), now),
        fewest_months=FEWEST_MONTHS,
        months=MONTHS,
    )


@blueprint.get("/bewegungen.csv")
@requires(Permission.OFFICE)
def journal_csv() -> Response:
    """Offer the journal as CSV, row by row."""
    wanted, now = _journal_filter(), utc_now()
    with transaction() as session:
        note_export(session, current_actor(), wanted, "csv", now)
    return _csv(HEADER, journal_rows(db.session(), wanted), _journal_name(now))


@blueprint.get("/bewegungen.xlsx")
@requires(Permission.OFFICE)
def journal_xlsx() -> Response:
    """Offer the journal as XLSX."""
    wanted, now = _journal_filter(), utc_now()
    with transaction() as session:
        note_export(session, current_actor(), wanted, "xlsx", now)
    about: list[tuple[str, Cell]] = [
        ("Liste", "Bewegungen der Taschenkarten"),
        *in_words(db.session(), wanted),
        ("Erstellt", now),
    ]
    sheet = Sheet("Bewegungen", HEADER, journal_rows(db.session(), wanted))
    return _xlsx([sheet], about, _journal_name(now))


def _journal_filter() -> JournalFilter:
    """Read the filter of the journal from the address.

    A file does not show what it leaves out, so what makes no sense is refused and not ignored.

    Raises:
        DomainError: `bad_filter`, status 422.

    """
    form = JournalForm.from_address(db.session())
    wanted = form.wanted()
    if form.errors:
        raise DomainError(
            "bad_filter",
            "Der Filter in der Adresse ergibt keinen Sinn. Bitte öffnen Sie die Bewegungen und "
            "filtern Sie dort noch einmal.",
            status=422,
        )
    return wanted


def _journal_name(now: datetime) -> str:
    return f"taschenkarten-bewegungen-{berlin_day(now).isoformat()}"


def _csv(header: Sequence[str], rows: Iterable[Sequence[Cell]], name: str) -> Response:
    response = Response(stream_with_context(csv_lines(header, rows)), content_type=CSV_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.csv")
    return _kept_nowhere(response)


def _xlsx(sheets: list[Sheet], about: list[tuple[str, Cell]], name: str) -> Response:
    return _kept_nowhere(workbook_response(write_workbook(sheets, about), name))


def _kept_nowhere(response: Response) -> Response:
    """Let no browser store who got what and who booked it."""
    response.headers["Cache-Control"] = "no-store"
    return response
