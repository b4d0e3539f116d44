"""Dates, times and numbers as Germans write them.

Own tables instead of Babel: formatting by locale data was 22 % of the time of a peer's list page,
and the office writes one fixed form („Do., 12.03.2026, 09:00–16:30 Uhr“).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from trainings.core.clock import to_berlin

WEEKDAYS = ("Mo.", "Di.", "Mi.", "Do.", "Fr.", "Sa.", "So.")
MONTHS = (
    "Januar", "Februar", "März", "April", "Mai", "Juni",
    "Juli", "August", "September", "Oktober", "November", "Dezember",
)  # fmt: skip
NO_BREAK_SPACE = "\u00a0"
_WORDS = ("null", "eine", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun",
          "zehn", "elf", "zwölf")  # fmt: skip


def weekday(day: date) -> str:
    """Return the short weekday: „Do.“."""
    return WEEKDAYS[day.weekday()]


def month_name(day: date) -> str:
    """Return the month in words: „März“."""
    return MONTHS[day.month - 1]


def short_date(day: date) -> str:
    """Return „12.03.2026“."""
    return f"{day.day:02d}.{day.month:02d}.{day.year:04d}"


def long_date(day: date) -> str:
    """Return „Do., 12.03.2026“ with a no-break space after the weekday."""
    return f"{weekday(day)},{NO_BREAK_SPACE}{short_date(day)}"


def clock_time(at: time) -> str:
    """Return „09:00“."""
    return f"{at.hour:02d}:{at.minute:02d}"


def time_span(begins: time, ends: time) -> str:
    """Return „09:00–16:30 Uhr“."""
    return f"{clock_time(begins)}–{clock_time(ends)}{NO_BREAK_SPACE}Uhr"


def day_and_span(day: date, begins: time, ends: time) -> str:
    """Return „Do., 12.03.2026, 09:00–16:30 Uhr“."""
    return f"{long_date(day)}, {time_span(begins, ends)}"


def instant(value: datetime) -> str:
    """Return an instant in Berlin time: „Do., 12.03.2026, 14:05 Uhr“."""
    local = to_berlin(value)
    return f"{long_date(local.date())}, {clock_time(local.time())}{NO_BREAK_SPACE}Uhr"


def deadline_day(value: datetime) -> date:
    """Return the last day of something that ends at an instant: midnight ends the day before."""
    local = to_berlin(value)
    return local.date() - timedelta(days=1) if local.time() == time(0) else local.date()


def deadline(value: datetime) -> str:
    """Return an instant that ends something; midnight is called 24:00 of the day before."""
    if to_berlin(value).time() == time(0):
        return f"{long_date(deadline_day(value))}, 24:00{NO_BREAK_SPACE}Uhr"
    return instant(value)


def day_span(first: date, last: date) -> str:
    """Return „12.03.2026“, „12.–13.03.2026“ or „31.03.–01.04.2026“."""
    if first == last:
        return short_date(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day:02d}.–{short_date(last)}"
    if first.year == last.year:
        return f"{first.day:02d}.{first.month:02d}.–{short_date(last)}"
    return f"{short_date(first)}–{short_date(last)}"


def weekday_span(first: date, last: date) -> str:
    """Return „Do., 12.03.2026“ or „Sa.–Mo., 21.–23.11.2026“."""
    if first == last:
        return long_date(first)
    return f"{weekday(first)}–{weekday(last)},{NO_BREAK_SPACE}{day_span(first, last)}"


def number(value: int | float, digits: int = 0) -> str:
    """Return a number with decimal comma and a narrow no-break space between thousands.

    Args:
        value: the number.
        digits: digits after the comma.

    """
    return f"{value:,.{digits}f}".replace(",", "\u202f").replace(".", ",")


def percent(part: int | float, whole: int | float) -> str:
    """Return a share in whole percent, „–“ where there is nothing to take a share of."""
    return f"{number(100 * part / whole)}{NO_BREAK_SPACE}%" if whole else "–"


def count(value: int, one: str, many: str) -> str:
    """Return „1 Platz“ or „3 Plätze“."""
    return f"{number(value)} {one if value == 1 else many}"


def number_word(value: int) -> str:
    """Return a number up to twelve in words („zwei“), a greater one in digits."""
    return _WORDS[value] if 0 <= value < len(_WORDS) else number(value)


def join_words(words: Sequence[str]) -> str:
    """Return „a, b und c“."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} und {words[-1]}"
