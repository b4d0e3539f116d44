"""Workbooks as somebody opens them: typed cells, no formulas, the same memory for long tables."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.workbook import Workbook

from trainings.core.spreadsheets import ABOUT, Sheet, write_workbook
from trainings.core.tables import Cell

WINTER = datetime(2026, 1, 31, 23, 30, tzinfo=UTC)


def opened(*sheets: Sheet, about: tuple[tuple[str, Cell], ...] = ()) -> Workbook:
    with write_workbook(sheets, about) as file:
        return load_workbook(file)


def one_row(*cells: Cell) -> Workbook:
    return opened(Sheet("Liste", [f"Spalte {index}" for index in range(len(cells))], [cells]))


def test_cells_keep_their_types() -> None:
    book = one_row("Essen", 1_200, Decimal("0.5"), date(2026, 3, 31), WINTER, None)
    text, whole, part, day, instant, nothing = next(book["Liste"].iter_rows(min_row=2))
    assert (text.value, whole.value, part.value) == ("Essen", 1_200, 0.5)
    assert (text.data_type, whole.data_type, day.data_type) == ("s", "n", "d")
    assert day.value == datetime(2026, 3, 31)  # noqa: DTZ001 - a day as Excel has it
    assert day.number_format == "dd.mm.yyyy"
    # Berlin, not UTC: it is past midnight there.
    assert instant.value == datetime(2026, 2, 1, 0, 30)  # noqa: DTZ001
    assert nothing.value is None


@pytest.mark.parametrize(
    "text",
    [
        "=HYPERLINK(\"https://evil.example\",\"klick\")", "+49 201 475892-0", "-1", "@SUM(A1)",
        "{=1+1}", "0012", "1e3", "https://evil.example", "mailto:a@b.example", "\t=1+1", "0,5",
    ],
)  # fmt: skip
def test_text_stays_text(text: str) -> None:
    book = one_row(text)
    (cell,) = next(book["Liste"].iter_rows(min_row=2))
    assert (cell.value, cell.data_type) == (text.strip(), "s")
    assert cell.hyperlink is None


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=40), min_size=1, max_size=5))
def test_any_text_gives_a_file_that_opens_without_formulas(texts: list[str]) -> None:
    book = opened(Sheet(texts[0], [f"{text}x" for text in texts], [texts]), about=[("a", texts[0])])
    cells = [cell for page in book for row in page.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    assert all(cell.value is None for cell in cells if cell.data_type == "n")


def test_the_header_stays_in_view_and_filters() -> None:
    page = opened(Sheet("Liste", ["Ort", "Anzahl"], [("Essen", 1), ("Herne", 2)]))["Liste"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:B3"
    assert [cell.value for cell in page[1]] == ["Ort", "Anzahl"]


def test_each_table_has_a_sheet_and_one_says_what_was_asked_for() -> None:
    book = opened(
        Sheet("Nach Art [alle]: 1/2", ["Art"], []),
        Sheet("Nach Art [alle]: 1/2", ["Art"], []),
        Sheet("'" * 40, ["Art"], []),
        about=(("Zeitraum", "2026"),),
    )
    assert len(set(book.sheetnames)) == 4
    assert all(len(name) <= 31 for name in book.sheetnames)
    assert book.sheetnames[-1] == ABOUT
    assert [[cell.value for cell in row] for row in book[ABOUT].iter_rows(min_row=2)] == [
        ["Zeitraum", "2026"]
    ]


def written(rows: int) -> tuple[int, IO[bytes]]:
    def lines() -> Iterator[tuple[Cell, ...]]:
        for index in range(rows):
            yield (index, f"Karte {index}", WINTER)

    tracemalloc.start()
    try:
        file = write_workbook([Sheet("Bewegungen", ["Nr.", "Karte", "Wann"], lines())], [])
        return tracemalloc.get_traced_memory()[1], file
    finally:
        tracemalloc.stop()


def test_a_long_table_needs_no_more_memory_than_a_short_one() -> None:
    few, short = written(500)
    many, long = written(10_000)
    assert many < 2 * few
    with short, long:
        assert zipfile.ZipFile(long).testzip() is None
