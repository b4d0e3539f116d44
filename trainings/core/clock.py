"""Instants in UTC, wall-clock times in Europe/Berlin.

Operations and rules never ask for the time; they get `now`. Only views, the command line and the
sweeps call `utc_now`.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

BERLIN = ZoneInfo("Europe/Berlin")


def utc_now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


def to_berlin(instant: datetime) -> datetime:
    """Return the instant as wall-clock time in Berlin."""
    return instant.astimezone(BERLIN)


def berlin_instant(day: date, at: time) -> datetime:
    """Return the UTC instant of a wall-clock time in Berlin.

    The hour that the clock skips in March is read as if it had not been skipped, the hour that it
    repeats in October as its first run (PEP 495, fold=0).
    """
    return datetime.combine(day, at, tzinfo=BERLIN).astimezone(UTC)


def berlin_day(instant: datetime) -> date:
    """Return the calendar day in Berlin on which the instant lies."""
    return to_berlin(instant).date()


def end_of_day(day: date) -> datetime:
    """Return the UTC instant at which a day ends in Berlin: midnight of the next one."""
    return berlin_instant(day + timedelta(days=1), time(0))
