"""Working days in North Rhine-Westphalia."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.cli.seed.days import (
    consecutive_working_days,
    days_from_today,
    easter,
    is_working_day,
    next_working_day,
)

DAYS = st.dates(date(2020, 1, 1), date(2060, 12, 31))


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2021, 4, 4), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2038, 4, 25), (2035, 3, 25)],
)
def test_easter_is_when_the_church_says(year: int, month: int, day: int) -> None:
    assert easter(year) == date(year, month, day)


@pytest.mark.parametrize(
    "day",
    ["2026-01-01", "2026-04-03", "2026-04-06", "2026-05-01", "2026-05-14", "2026-05-25",
     "2026-06-04", "2025-10-03", "2027-11-01", "2026-12-25", "2026-03-07", "2026-03-08"],
)  # fmt: skip
def test_nobody_works_on_weekends_and_holidays(day: str) -> None:
    assert not is_working_day(date.fromisoformat(day))


@pytest.mark.parametrize("day", ["2026-10-31", "2025-10-31", "2026-12-24", "2026-01-06"])
def test_holidays_of_other_states_are_working_days(day: str) -> None:
    day_in_question = date.fromisoformat(day)
    assert is_working_day(day_in_question) or day_in_question.weekday() >= 5


@given(DAYS, st.integers(1, 3))
def test_planned_days_are_working_days_in_a_row(start: date, number: int) -> None:
    days = consecutive_working_days(start, number)
    assert all(map(is_working_day, days))
    assert days[0] >= start
    assert days[-1] - days[0] == timedelta(days=number - 1)


@given(DAYS)
def test_todays_event_begins_today_and_goes_on_on_the_next_working_day(today: date) -> None:
    first, second = days_from_today(today, 2)
    assert first == today
    assert second == next_working_day(today + timedelta(days=1))
