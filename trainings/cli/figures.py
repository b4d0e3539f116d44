"""`trainings statistics`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import click
from flask.cli import with_appcontext

from trainings.core.database import db
from trainings.core.tables import csv_lines
from trainings.events.models import EventKind
from trainings.statistics.exports import TABLE_HEADER, as_json, table_rows
from trainings.statistics.queries import load_statistics
from trainings.statistics.rules import Selection, Statistics

_ALL = "all"
_DAY = click.DateTime(formats=["%Y-%m-%d", "%d.%m.%Y"])
_LATER = {"xlsx": "XLSX", "pdf": "PDF"}


@click.command()
@click.option("--from", "first", type=_DAY, help="Erster Tag, zum Beispiel 2021-07-01.")
@click.option("--until", "last", type=_DAY, help="Letzter Tag.")
@click.option(
    "--kind",
    type=click.Choice([*(kind.value for kind in EventKind), _ALL]),
    default=EventKind.TRAINING.value,
    show_default=True,
    help="Art der Veranstaltung.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["json", "csv", *_LATER]),
    default="json",
    show_default=True,
    help="Form der Ausgabe.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Datei statt Bildschirm.",
)
@with_appcontext
def statistics(
    first: datetime | None,
    last: datetime | None,
    kind: str,
    file_format: str,
    output: Path | None,
) -> None:
    """Zählt Veranstaltungen, Teilnahmen, Personen und Organisationen."""
    if file_format in _LATER:
        raise click.ClickException(
            f"{_LATER[file_format]} gibt es noch nicht. Bitte wählen Sie json oder csv."
        )
    selection = Selection(
        kind=None if kind == _ALL else EventKind(kind),
        first=first.date() if first else None,
        last=last.date() if last else None,
    )
    if selection.first and selection.last and selection.first > selection.last:
        raise click.ClickException("Das Ende liegt vor dem Anfang.")
    lines = _lines(load_statistics(db.session(), selection), file_format)
    if output is None:
        for line in lines:
            click.echo(line, nl=False)
        return
    with output.open("w", encoding="utf-8", newline="") as file:
        file.writelines(lines)


def _lines(figures: Statistics, file_format: str) -> Iterable[str]:
    if file_format == "csv":
        return csv_lines(TABLE_HEADER, table_rows(figures))
    return [json.dumps(as_json(figures), ensure_ascii=False, indent=2), "\n"]
