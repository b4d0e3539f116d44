"""Pages of what was answered, and the same as PDF and XLSX."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db
from trainings.core.documents import MEDIA_TYPE, Document
from trainings.core.errors import not_found
from trainings.core.http import document_response, workbook_response
from trainings.core.permissions import Permission, requires
from trainings.feedback.models import SURVEY_KIND_NAMES, SurveyKind
from trainings.feedback.results import papers, sheets
from trainings.feedback.results.blueprint import blueprint
from trainings.feedback.results.events import EventPage, load_event_page
from trainings.feedback.results.forms import WORDS, KindForm, ResultsForm
from trainings.feedback.results.papers import Report
from trainings.feedback.results.queries import (
    WITHOUT_FORMAT,
    Overview,
    load_asked,
    load_format_title,
    load_overview,
    load_results,
    load_years,
)
from trainings.feedback.results.rules import Height, blocks
from trainings.feedback.results.tables import Table
from trainings.feedback.surveys.steps import smallest_group
from trainings.people.sessions import current_actor

__all__ = ["blueprint"]

MOST_TEXTS = 20
"""On a page and in a PDF, on each question; the XLSX has all."""
KIND_TABS = {
    SurveyKind.AFTER: ("Rückmeldung", "nach der Veranstaltung"),
    SurveyKind.FOLLOW_UP: ("Nachbefragung", "nach drei Monaten"),
}
TOTAL_TITLE = "Alle Veranstaltungen"


@blueprint.get("/")
@requires(Permission.FEEDBACK)
def home() -> Redirect:
    """Lead the office to the sums, trainers to their events."""
    by_office = current_actor().may(Permission.OFFICE)
    return redirect(url_for(".overview" if by_office else "surveys.event_list"))


@dataclass(frozen=True)
class _Sums:
    """All sums of a questionnaire, with what was asked for."""

    form: ResultsForm
    overview: Overview | None
    smallest: int

    @property
    def title(self) -> str:
        return f"{self.form.questionnaire}, {SURVEY_KIND_NAMES[self.form.kind]}"


def _sums() -> _Sums:
    session = db.session()
    form = ResultsForm(request.args, load_asked(session))
    smallest = smallest_group(session)
    chosen = form.questionnaire_id
    found = load_overview(session, chosen, form.kind, smallest) if chosen is not None else None
    return _Sums(form, found if found and found.formats else None, smallest)


@blueprint.get("/auswertung")
@requires(Permission.OFFICE)
def overview() -> str:
    """Show what was answered, by format and year."""
    sums = _sums()
    return render_template(
        "feedback/results_overview.html",
        form=sums.form,
        overview=sums.overview,
        smallest=sums.smallest,
    )


@blueprint.get("/auswertung.pdf")
@requires(Permission.OFFICE)
def overview_pdf() -> Response:
    """Offer the sums as PDF."""
    sums = _sums()
    if sums.overview is None:
        raise not_found()
    document = papers.overview_paper(sums.title, sums.overview, sums.smallest, utc_now())
    return _pdf(document, "rueckmeldungen-auswertung")


@blueprint.get("/auswertung.xlsx")
@requires(Permission.OFFICE)
def overview_xlsx() -> Response:
    """Offer the sums as XLSX."""
    sums = _sums()
    if sums.overview is None:
        raise not_found()
    book = sheets.overview_book(sums.title, sums.overview, sums.smallest, utc_now())
    return _kept_nowhere(workbook_response(book, "rueckmeldungen-auswertung"))


@dataclass(frozen=True)
class _Table:
    """One table, with what was asked for."""

    form: ResultsForm
    report: Report
    format: int | None
    of_all: bool


def _table(template_id: int | None, *, of_all: bool = False) -> _Table:
    """Load a table of sums.

    Raises:
        DomainError: `not_found`: there is no such format, or nothing was asked.

    """
    session = db.session()
    title = TOTAL_TITLE if of_all else WITHOUT_FORMAT
    if template_id is not None:
        title = load_format_title(session, template_id)
    asked = load_asked(session)
    form = ResultsForm(request.args, asked)
    if form.questionnaire_id is None:
        raise not_found()
    height = Height.TOTAL if of_all else Height.FORMAT
    table = Table(form.questionnaire_id, form.kind, height, template_id)
    if not of_all:
        form = ResultsForm(request.args, asked, load_years(session, table))
    if form.year is not None:
        table = Table(form.questionnaire_id or 0, form.kind, Height.YEAR, template_id, form.year)
        title = f"{title}, {form.year}"
    smallest = smallest_group(session)
    report = Report(
        title,
        f"{form.questionnaire}, {SURVEY_KIND_NAMES[form.kind]}",
        # All of some thousand events would be no page; they stand with their formats.
        load_results(session, table, smallest, with_texts=not of_all),
        smallest,
    )
    return _Table(form, report, template_id, of_all)


def _table_page(table: _Table) -> str:
    return render_template(
        "feedback/results_table.html",
        form=table.form,
        report=table.report,
        of_all=table.of_all,
        format=table.format,
        blocks=blocks(table.report.results.questions) if table.report.results else [],
        most_texts=MOST_TEXTS,
    )


def _report_pdf(report: Report, name: str) -> Response:
    if report.results is None:
        raise not_found()
    return _pdf(papers.results_paper(report, MOST_TEXTS, utc_now()), name)


def _report_xlsx(report: Report, name: str) -> Response:
    if report.results is None:
        raise not_found()
    return _kept_nowhere(workbook_response(sheets.results_book(report, utc_now()), name))


@blueprint.get("/auswertung/gesamt")
@requires(Permission.OFFICE)
def total() -> str:
    """Show what was answered at all events."""
    return _table_page(_table(None, of_all=True))


@blueprint.get("/auswertung/gesamt.pdf")
@requires(Permission.OFFICE)
def total_pdf() -> Response:
    """Offer what was answered at all events as PDF."""
    return _report_pdf(_table(None, of_all=True).report, "rueckmeldungen-gesamt")


@blueprint.get("/auswertung/gesamt.xlsx")
@requires(Permission.OFFICE)
def total_xlsx() -> Response:
    """Offer what was answered at all events as XLSX."""
    return _report_xlsx(_table(None, of_all=True).report, "rueckmeldungen-gesamt")


@blueprint.get("/auswertung/formate/<id:template_id>")
@requires(Permission.OFFICE)
def format_results(template_id: int) -> str:
    """Show what was answered at the events of a format, in one year or all."""
    return _table_page(_table(template_id))


@blueprint.get("/auswertung/formate/<id:template_id>.pdf")
@requires(Permission.OFFICE)
def format_pdf(template_id: int) -> Response:
    """Offer what was answered at the events of a format as PDF."""
    table = _table(template_id)
    return _report_pdf(table.report, _format_name(table))


@blueprint.get("/auswertung/formate/<id:template_id>.xlsx")
@requires(Permission.OFFICE)
def format_xlsx(template_id: int) -> Response:
    """Offer what was answered at the events of a format as XLSX."""
    table = _table(template_id)
    return _report_xlsx(table.report, _format_name(table))


@blueprint.get("/auswertung/ohne-format")
@requires(Permission.OFFICE)
def other_results() -> str:
    """Show what was answered at events without a format, in one year or all."""
    return _table_page(_table(None))


@blueprint.get("/auswertung/ohne-format.pdf")
@requires(Permission.OFFICE)
def other_pdf() -> Response:
    """Offer what was answered at events without a format as PDF."""
    table = _table(None)
    return _report_pdf(table.report, _format_name(table))


@blueprint.get("/auswertung/ohne-format.xlsx")
@requires(Permission.OFFICE)
def other_xlsx() -> Response:
    """Offer what was answered at events without a format as XLSX."""
    table = _table(None)
    return _report_xlsx(table.report, _format_name(table))


def _format_name(table: _Table) -> str:
    of_format = f"format-{table.format}" if table.format else "ohne-format"
    return "-".join(["rueckmeldungen", of_format, *filter(None, [str(table.form.year or "")])])


@blueprint.get("/veranstaltungen/<number:number>/ergebnis")
@requires(Permission.FEEDBACK)
def event_results(number: str) -> str:
    """Show what was answered at one event, to its trainers."""
    page = _event_page(number)
    return render_template(
        "feedback/results_event.html",
        page=page,
        report=_event_report(page),
        blocks=blocks(page.results.questions) if page.results else [],
        kind_tabs=[
            (
                *KIND_TABS[kind],
                url_for(".event_results", number=page.number, art=WORDS[kind]),
                kind is page.kind,
            )
            for kind in page.kinds
        ],
        kind_words=WORDS,
        by_office=current_actor().may(Permission.OFFICE),
        most_texts=MOST_TEXTS,
    )


@blueprint.get("/veranstaltungen/<number:number>/ergebnis.pdf")
@requires(Permission.FEEDBACK)
def event_pdf(number: str) -> Response:
    """Offer what was answered at one event as PDF, to its trainers."""
    page = _event_page(number)
    return _report_pdf(_event_report(page), _event_name(page))


@blueprint.get("/veranstaltungen/<number:number>/ergebnis.xlsx")
@requires(Permission.FEEDBACK)
def event_xlsx(number: str) -> Response:
    """Offer what was answered at one event as XLSX, to its trainers."""
    page = _event_page(number)
    return _report_xlsx(_event_report(page), _event_name(page))


def _event_page(number: str) -> EventPage:
    kind, today = KindForm(request.args).kind, berlin_day(utc_now())
    return load_event_page(db.session(), current_actor(), number, kind, today)


def _event_report(page: EventPage) -> Report:
    return Report(
        f"{page.title} ({page.number})",
        f"{page.questionnaire}, {SURVEY_KIND_NAMES[page.kind]}",
        page.results,
        page.smallest,
        page.of_format,
    )


def _event_name(page: EventPage) -> str:
    return f"{WORDS[page.kind].value}-{page.number}"


def _pdf(document: Document, name: str) -> Response:
    return _kept_nowhere(document_response(document.pdf, MEDIA_TYPE, f"{name}.pdf", "inline"))


def _kept_nowhere(response: Response) -> Response:
    """Let no browser store what people answered."""
    response.headers["Cache-Control"] = "no-store"
    return response
