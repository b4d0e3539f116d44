"""What remains of the times of day when an attendance is closed.

Pure functions over plain values.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, time, timedelta

from trainings.core.clock import berlin_day, berlin_instant

_PLACE = timedelta(microseconds=1)
_PLACES_END = timedelta(seconds=1)


def begin_of_day(at: datetime) -> datetime:
    """Return the instant at which the day of an instant begins in Berlin."""
    return berlin_instant(berlin_day(at), time(0))


def days_in_order(times: Iterable[tuple[int, datetime, str]]) -> dict[int, datetime]:
    """Return what is kept of the times of recordings: the day, and the order within it.

    Each gets the begin of its day and as many microseconds as recordings come before it, so that
    `rules.fold` finds the same order. Doing it again changes nothing.

    Args:
        times: id, time and key of each recording of an event.

    """
    kept: dict[int, datetime] = {}
    places: dict[datetime, int] = {}
    for row_id, at, _ in sorted(times, key=lambda found: found[1:]):
        day = begin_of_day(at)
        kept[row_id] = day + places.get(day, 0) * _PLACE
        places[day] = places.get(day, 0) + 1
    return kept


def is_day_only(at: datetime) -> bool:
    """Say whether nothing but the day and the order is known of a time."""
    return at - begin_of_day(at) < _PLACES_END
