"""Dates, times and numbers as Germans write them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest

from trainings.core import formats
from trainings.core.clock import berlin_day, berlin_instant, end_of_day

THURSDAY = date(2026, 3, 12)


def test_dates_and_times() -> None:
    assert formats.short_date(date(2026, 4, 2)) == "02.04.2026"
    assert formats.long_date(THURSDAY) == "Do.,\u00a012.03.2026"
    assert formats.clock_time(time(9, 5)) == "09:05"
    assert formats.day_and_span(THURSDAY, time(9), time(16, 30)) == (
        "Do.,\u00a012.03.2026, 09:00–16:30\u00a0Uhr"
    )
    assert formats.month_name(THURSDAY) == "März"
    assert formats.short_date(date.min) == "01.01.0001"


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (THURSDAY, THURSDAY, "12.03.2026"),
        (THURSDAY, date(2026, 3, 13), "12.–13.03.2026"),
        (date(2026, 3, 31), date(2026, 4, 1), "31.03.–01.04.2026"),
        (date(2026, 12, 31), date(2027, 1, 1), "31.12.2026–01.01.2027"),
    ],
)
def test_days_of_an_event(first: date, last: date, words: str) -> None:
    assert formats.day_span(first, last) == words


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (THURSDAY, THURSDAY, "Do., 12.03.2026"),
        (date(2026, 11, 21), date(2026, 11, 23), "Sa.–Mo., 21.–23.11.2026"),
        (date(2026, 3, 31), date(2026, 4, 1), "Di.–Mi., 31.03.–01.04.2026"),
        (date(2026, 12, 31), date(2027, 1, 1), "Do.–Fr., 31.12.2026–01.01.2027"),
    ],
)
def test_days_with_the_weekdays_of_both_ends(first: date, last: date, words: str) -> None:
    assert formats.weekday_span(first, last).replace("\u00a0", " ") == words


def test_instants_are_told_in_berlin_in_summer_and_winter() -> None:
    assert formats.instant(datetime(2026, 1, 1, 12, tzinfo=UTC)) == (
        "Do.,\u00a001.01.2026, 13:00\u00a0Uhr"
    )
    assert formats.instant(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == (
        "Do.,\u00a002.07.2026, 00:30\u00a0Uhr"
    )


@pytest.mark.parametrize("day", [THURSDAY, date(2026, 3, 29), date(2026, 10, 25)])
def test_midnight_that_ends_a_day_is_called_24_oclock(day: date) -> None:
    assert formats.deadline(end_of_day(day)) == f"{formats.long_date(day)}, 24:00\u00a0Uhr"


def test_other_deadlines_keep_their_time() -> None:
    assert formats.deadline(berlin_instant(THURSDAY, time(12))) == (
        "Do.,\u00a012.03.2026, 12:00\u00a0Uhr"
    )


@pytest.mark.parametrize(
    ("value", "digits", "words"),
    [
        (0, 0, "0"),
        (428, 0, "428"),
        (10000, 0, "10\u202f000"),
        (1234567.891, 2, "1\u202f234\u202f567,89"),
        (-0.5, 1, "-0,5"),
    ],
)
def test_numbers(value: float, digits: int, words: str) -> None:
    assert formats.number(value, digits) == words


def test_shares_counts_and_words() -> None:
    assert formats.percent(1, 3) == "33\u00a0%"
    assert formats.percent(1, 0) == "–"
    assert formats.count(1, "Platz", "Plätze") == "1 Platz"
    assert formats.count(0, "Platz", "Plätze") == "0 Plätze"
    assert [formats.number_word(value) for value in (0, 1, 12, 13, -1)] == [
        "null", "eine", "zwölf", "13", "-1",
    ]  # fmt: skip
    assert formats.join_words(["a", "b", "c"]) == "a, b und c"
    assert formats.join_words(["a"]) == "a"
    assert formats.join_words([]) == ""


def test_clock_of_march_and_october() -> None:
    spring, autumn = date(2026, 3, 29), date(2026, 10, 25)
    assert berlin_instant(spring, time(2, 30)) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert berlin_instant(autumn, time(2, 30)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert (end_of_day(spring) - berlin_instant(spring, time(0))).total_seconds() == 23 * 3600
    assert (end_of_day(autumn) - berlin_instant(autumn, time(0))).total_seconds() == 25 * 3600
    assert berlin_day(datetime(2026, 6, 30, 22, tzinfo=UTC)) == date(2026, 7, 1)
