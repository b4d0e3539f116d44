"""Pages of the figures."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from trainings.core.database import db
from trainings.core.permissions import Permission, requires
from trainings.core.tables import CSV_TYPE, csv_lines
from trainings.organisations.models import KIND_NAMES
from trainings.statistics.exports import TABLE_HEADER, table_rows
from trainings.statistics.forms import ALL_KINDS, ALL_WORD, KIND_WORDS, SelectionForm
from trainings.statistics.queries import load_statistics
from trainings.statistics.rules import DEFINITIONS, Selection, Statistics, largest_shares

MOST_LONG_YEARS = 6

blueprint = Blueprint("statistics", __name__)


@blueprint.get("/statistik/")
@requires(Permission.STATISTICS)
def overview() -> str:
    """Show figures, charts and tables."""
    form = SelectionForm(request.args)
    selection = form.selection()
    statistics = load_statistics(db.session(), selection)
    attended = [part for part in statistics.by_organisation_kind if part.participations]
    return render_template(
        "statistics/overview.html",
        form=form,
        selection=selection,
        statistics=statistics,
        word=KIND_WORDS[selection.kind] if selection.kind else ALL_WORD,
        kind_words=KIND_WORDS,
        organisation_kind_names=KIND_NAMES,
        columns=_columns(statistics),
        shares=largest_shares([(KIND_NAMES[part.kind], part.participations) for part in attended]),
        organisation_kind_count=len(attended),
        definitions=DEFINITIONS,
        table_arguments=_arguments(selection),
    )


@blueprint.get("/statistik/tabelle.csv")
@requires(Permission.STATISTICS)
def table() -> Response:
    """Offer all figures of the selection as one table."""
    selection = SelectionForm(request.args).selection()
    lines = csv_lines(TABLE_HEADER, table_rows(load_statistics(db.session(), selection)))
    response = Response(lines, content_type=CSV_TYPE)
    response.headers.set("Content-Disposition", "attachment", filename=_file_name(selection))
    return response


def _columns(statistics: Statistics) -> list[tuple[str, int, int]]:
    """Return year, participations and places; many years are shortened to fit on a phone."""
    short = len(statistics.by_year) > MOST_LONG_YEARS
    return [
        (f"’{year % 100:02d}" if short else str(year), figures.participations, figures.capacity)
        for year, figures in statistics.by_year.items()
    ]


def _arguments(selection: Selection) -> dict[str, str]:
    """Return the part of an address that leads to the same selection."""
    arguments = {"art": selection.kind.value if selection.kind else ALL_KINDS}
    if selection.first:
        arguments["von"] = selection.first.isoformat()
    if selection.last:
        arguments["bis"] = selection.last.isoformat()
    return arguments


def _file_name(selection: Selection) -> str:
    days = [day.isoformat() for day in (selection.first, selection.last) if day]
    return "-".join(["statistik", *days]) + ".csv"
