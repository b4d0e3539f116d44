"""Tables as CSV, as a German Excel opens them and without formulas from people's text.

UTF-8 with a byte order mark, semicolons, decimal comma, dates as dd.mm.yyyy. Lines are made one by
one, so that a long table needs no more memory than a short one.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from itertools import chain

from trainings.core.clock import to_berlin
from trainings.core.formats import short_date

Cell = str | int | float | Decimal | date | datetime | None

CSV_TYPE = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\ufeff"
# What a spreadsheet takes for the beginning of a formula (OWASP, "CSV Injection").
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> Iterator[str]:
    """Yield the lines of a CSV file, the header first.

    Args:
        header: names of the columns.
        rows: cells by column; texts may be hostile, instants are written in Berlin time.

    """
    line = io.StringIO()
    writer = csv.writer(line, delimiter=";", lineterminator="\r\n")
    line.write(BYTE_ORDER_MARK)
    for cells in chain([header], rows):
        writer.writerow([_as_text(cell) for cell in cells])
        yield _take(line)


def _take(line: io.StringIO) -> str:
    text = line.getvalue()
    line.seek(0)
    line.truncate()
    return text


def _as_text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        local = to_berlin(cell)
        return f"{short_date(local.date())} {local:%H:%M}"
    if isinstance(cell, date):
        return short_date(cell)
    if isinstance(cell, int | float | Decimal):
        return str(cell).replace(".", ",")
    return harmless(cell)


def harmless(text: str) -> str:
    """Return the text with an apostrophe in front if a spreadsheet would run it as a formula."""
    return f"'{text}" if text.startswith(_FORMULA_SIGNS) else text
