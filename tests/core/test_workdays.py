"""Working days in North Rhine-Westphalia."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.workdays import add_working_days, is_working_day, working_day_before

DAYS = st.dates(date(2020, 1, 1), date(2035, 12, 31))


@pytest.mark.parametrize(
    "day",
    [
        date(2026, 1, 1),
        date(2026, 4, 3),  # Karfreitag
        date(2026, 6, 4),  # Fronleichnam, in North Rhine-Westphalia
        date(2026, 10, 3),
        date(2027, 11, 1),  # Allerheiligen, in North Rhine-Westphalia
        date(2026, 11, 21),  # a Saturday
        date(2026, 11, 22),  # a Sunday
    ],
)
def test_offices_are_closed(day: date) -> None:
    assert not is_working_day(day)


@pytest.mark.parametrize("day", [date(2026, 1, 6), date(2026, 11, 18), date(2026, 12, 24)])
def test_offices_are_open_on_holidays_of_other_states(day: date) -> None:
    assert is_working_day(day)


def test_working_days_leave_out_easter() -> None:
    assert add_working_days(date(2026, 4, 2), 2) == date(2026, 4, 8)
    assert add_working_days(date(2026, 4, 4), 0) == date(2026, 4, 7)
    assert working_day_before(date(2026, 4, 7)) == date(2026, 4, 2)


@given(DAYS, st.integers(0, 30))
def test_so_many_working_days_lie_between(day: date, number: int) -> None:
    end = add_working_days(day, number)
    between = [day + timedelta(days=step) for step in range(1, (end - day).days + 1)]
    assert is_working_day(end)
    expected = number if number or is_working_day(day) else 1
    assert sum(map(is_working_day, between)) == expected
    assert is_working_day(working_day_before(day))
    assert working_day_before(day) < day
