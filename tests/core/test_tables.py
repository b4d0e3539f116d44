"""CSV as a German Excel opens it, without formulas from people's text."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime

import pytest

from trainings.core.tables import csv_lines


def test_csv_begins_with_byte_order_mark_and_has_semicolons() -> None:
    text = "".join(csv_lines(("Name", "Zahl"), [("Kałuża", 3)]))
    assert text == "\ufeffName;Zahl\r\nKałuża;3\r\n"


def test_csv_writes_numbers_dates_and_instants_as_germans_do() -> None:
    row = (81.5, None, date(2026, 3, 2), datetime(2026, 7, 1, 22, 30, tzinfo=UTC))
    lines = list(csv_lines(("a", "b", "c", "d"), [row]))
    assert lines[1] == "81,5;;02.03.2026;02.07.2026 00:30\r\n"


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r"])
def test_csv_makes_beginnings_of_formulas_harmless_without_losing_them(sign: str) -> None:
    lines = "".join(csv_lines((sign + "Kopf",), [(f"{sign}1+2",)]))
    rows = list(csv.reader(io.StringIO(lines.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows == [[f"'{sign}Kopf"], [f"'{sign}1+2"]]


def test_csv_quotes_separators_quotes_and_line_breaks() -> None:
    text = 'a;b"c\nd'
    lines = "".join(csv_lines(("x",), [(text,)]))
    rows = list(csv.reader(io.StringIO(lines.removeprefix("\ufeff"), newline=""), delimiter=";"))
    assert rows[1] == [text]


def test_csv_makes_each_line_when_it_is_asked_for() -> None:
    def rows() -> object:
        yield ("erste",)
        raise AssertionError("read ahead")

    lines = csv_lines(("x",), rows())  # type: ignore[arg-type]
    assert next(lines) == "\ufeffx\r\n"
    assert next(lines) == "erste\r\n"
