"""Tables as XLSX: typed cells, frozen header, filter; text of people is never a formula.

A workbook is written to a temporary file row by row, so that a long table needs no more memory than
a short one. Its last sheet says what was asked for, since a file outlives the page that it is from.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from trainings.core.clock import to_berlin
from trainings.core.tables import Cell
from trainings.core.text import clean

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
ABOUT = "Auswahl"
_LONGEST_NAME = 31
_LONGEST_TEXT = 32_767
_NARROWEST, _WIDEST = 9, 60
_FILTER_BUTTON = 3
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
# Not even if some day a text is handed to the method that guesses types.
_OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}


@dataclass(frozen=True)
class Sheet:
    """One table of a workbook.

    Attributes:
        name: on its tab.
        header: names of the columns.
        rows: cells by column; texts may be hostile, instants are written in Berlin time.

    """

    name: str
    header: Sequence[str]
    rows: Iterable[Sequence[Cell]]


def write_workbook(sheets: Iterable[Sheet], about: Iterable[tuple[str, Cell]]) -> IO[bytes]:
    """Write tables to a temporary file, which is gone as soon as it is closed.

    Args:
        sheets: at least one; their rows are read once, one after the other.
        about: what was asked for and when, as pairs of a word and a value.

    Returns:
        The file, at its beginning.

    """
    # Closed by whoever sends it.
    file = tempfile.TemporaryFile(prefix="trainings-", suffix=".xlsx")  # noqa: SIM115
    try:
        with Workbook(file, _OPTIONS) as workbook:
            looks = _Looks(workbook)
            names: set[str] = set()
            for sheet in (*sheets, Sheet(ABOUT, ("Angabe", "Wert"), about)):
                name = _sheet_name(sheet.name, names)
                _write(workbook.add_worksheet(name), sheet, looks)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    return file


class _Looks:
    """The formats of a workbook."""

    def __init__(self, workbook: Workbook) -> None:
        self.head: Format = workbook.add_format(
            {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}
        )
        self.day: Format = workbook.add_format({"num_format": "dd.mm.yyyy", "align": "left"})
        self.instant: Format = workbook.add_format(
            {"num_format": "dd.mm.yyyy hh:mm", "align": "left"}
        )
        self.whole: Format = workbook.add_format({"num_format": "#,##0"})
        self.broken: Format = workbook.add_format({"num_format": "#,##0.00"})


def _write(page: Worksheet, sheet: Sheet, looks: _Looks) -> None:
    widths = [len(word) + _FILTER_BUTTON for word in sheet.header]
    for column, word in enumerate(sheet.header):
        page.write_string(0, column, word, looks.head)
    row = 0
    for row, cells in enumerate(sheet.rows, start=1):
        for column, cell in enumerate(cells):
            widths[column] = max(widths[column], _put(page, row, column, cell, looks))
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, row, len(sheet.header) - 1)
    for column, width in enumerate(widths):
        page.set_column(column, column, min(max(width, _NARROWEST), _WIDEST))


def _put(page: Worksheet, row: int, column: int, cell: Cell, looks: _Looks) -> int:
    """Write a cell by its type and return how wide it is, in letters."""
    match cell:
        case None:
            return 0
        case datetime():
            page.write_datetime(row, column, to_berlin(cell).replace(tzinfo=None), looks.instant)
            return 16
        case date():
            page.write_datetime(row, column, cell, looks.day)
            return 10
        case int():
            page.write_number(row, column, cell, looks.whole)
            return len(str(cell)) * 4 // 3
        case float() | Decimal():
            page.write_number(row, column, cell, looks.broken)
            return len(f"{cell:.2f}") * 4 // 3
    text = cell if cell.isprintable() else clean(cell, multiline=True)
    page.write_string(row, column, text[:_LONGEST_TEXT])
    return len(text)


def _sheet_name(name: str, taken: set[str]) -> str:
    """Return a name that spreadsheets accept: short, without their signs, given once."""
    plain = _NOT_IN_NAMES.sub(" ", clean(name)).strip("' ")[:_LONGEST_NAME].rstrip("' ")
    plain = plain or "Tabelle"
    found, count = plain, 1
    # „History“ is a name that Excel keeps for itself.
    while found.casefold() in taken or found.casefold() == "history":
        count += 1
        found = f"{plain[: _LONGEST_NAME - 4]} {count}"
    taken.add(found.casefold())
    return found
