"""Working days in North Rhine-Westphalia: Monday to Friday, without its public holidays.

The holidays are those of the Feiertagsgesetz NW; the package `holidays` computes them.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache

from holidays.countries.germany import Germany

_FRIDAY = 4


@lru_cache(maxsize=16)
def _holidays(year: int) -> frozenset[date]:
    return frozenset(Germany(subdiv="NW", years=year))


def is_working_day(day: date) -> bool:
    """Say whether people in offices of the state work on a day."""
    return day.weekday() <= _FRIDAY and day not in _holidays(day.year)


def add_working_days(day: date, number: int) -> date:
    """Return the day so many working days later; the day itself does not count.

    Args:
        day: to count from.
        number: working days, at least 0; with 0 the day itself, or the next working day.

    """
    while number > 0 or not is_working_day(day):
        day += timedelta(days=1)
        if is_working_day(day):
            number -= 1
    return day


def working_day_before(day: date) -> date:
    """Return the last working day before a day."""
    day -= timedelta(days=1)
    while not is_working_day(day):
        day -= timedelta(days=1)
    return day
