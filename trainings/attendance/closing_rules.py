"""The rules of closing: from when on, and what remains of the times of day.

Pure functions over plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta

from trainings.attendance.rules import Answer, SessionTime
from trainings.attendance.wording import refusal
from trainings.core.clock import berlin_day, berlin_instant
from trainings.core.errors import DomainError
from trainings.core.formats import instant
from trainings.events.models import EventState

_PLACE = timedelta(microseconds=1)
_PLACES_END = timedelta(seconds=1)
_ANSWERS = {
    EventState.DRAFT: Answer.EVENT_DRAFT,
    EventState.CANCELLED: Answer.EVENT_CANCELLED,
}


def check_closing(state: EventState, sessions: Sequence[SessionTime], now: datetime) -> None:
    """Refuse to close the attendance of an event whose last session has not begun.

    Args:
        state: of the event.
        sessions: of the event, in order of time.
        now: the present instant.

    Raises:
        DomainError: `event_draft`, `event_cancelled` or `too_early_to_close`.

    """
    if state in _ANSWERS:
        raise refusal(_ANSWERS[state])
    begins = berlin_instant(sessions[-1].day, sessions[-1].begins) if sessions else None
    if begins is None or now < begins:
        when = f"beginnt am {instant(begins)}" if begins else "ist noch nicht geplant"
        raise DomainError(
            "too_early_to_close",
            f"Der letzte Termin {when}. Abschließen lässt sich die Anwesenheit, sobald er begonnen "
            "hat.",
        )


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
