"""Working days in North Rhine-Westphalia: the demonstration plans as the office would."""

from __future__ import annotations

from datetime import date, timedelta

_ONE_DAY = timedelta(days=1)
# New Year, Labour Day, Unity Day, All Saints, Christmas (Feiertagsgesetz NW, § 2).
_FIXED = {(1, 1), (5, 1), (10, 3), (11, 1), (12, 25), (12, 26)}
# Good Friday, Easter Monday, Ascension, Whit Monday, Corpus Christi: days after Easter Sunday.
_AFTER_EASTER = (-2, 1, 39, 50, 60)


def easter(year: int) -> date:
    """Return Easter Sunday (Gregorian calendar; J. Meeus, Astronomical Algorithms, chapter 8)."""
    century, rest = divmod(year, 100)
    moon = (century - (century + 8) // 25 + 1) // 3
    epact = (19 * (year % 19) + century - century // 4 - moon + 15) % 30
    weekday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (year % 19 + 11 * epact + 22 * weekday) // 451
    month, day = divmod(epact + weekday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def is_working_day(day: date) -> bool:
    """Say whether authorities work: no weekend and no public holiday."""
    holidays = {easter(day.year) + timedelta(days=days) for days in _AFTER_EASTER}
    return day.weekday() < 5 and (day.month, day.day) not in _FIXED and day not in holidays


def next_working_day(day: date) -> date:
    """Return the day itself or the first working day after it."""
    while not is_working_day(day):
        day += _ONE_DAY
    return day


def consecutive_working_days(start: date, number: int) -> list[date]:
    """Return the first working days in a row, from the start on."""
    while True:
        days = [start + timedelta(days=offset) for offset in range(number)]
        if all(map(is_working_day, days)):
            return days
        start += _ONE_DAY


def days_from_today(today: date, number: int) -> list[date]:
    """Return today, whatever day it is, and the working days after it.

    The event of today is there to try the attendance with, on a Sunday too.
    """
    days = [today]
    while len(days) < number:
        days.append(next_working_day(days[-1] + _ONE_DAY))
    return days
