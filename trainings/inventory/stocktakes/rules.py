"""When a list may have been counted, and by what counts are known again: pure rules."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime

from trainings.core.errors import DomainError
from trainings.core.formats import instant

Count = tuple[int, int | None, int | None, datetime | None]
"""Edition, counted, book value, when."""


def counting_moment(given: datetime | None, opened_at: datetime, now: datetime) -> datetime:
    """Return the instant for which the book value of a count is kept.

    Args:
        given: when a list on paper was counted, to the minute; None: now.
        opened_at: when the stocktake was opened. Its whole minute counts, since nobody writes down
            seconds.
        now: the present instant.

    Raises:
        DomainError: `counted_in_the_future` or `counted_before_opening`, status 422.

    """
    if given is None:
        return now
    if given > now:
        raise DomainError(
            "counted_in_the_future",
            "Dieser Zeitpunkt liegt in der Zukunft. Bitte geben Sie an, wann gezählt wurde.",
            field="day",
            status=422,
        )
    if given < opened_at.replace(second=0, microsecond=0):
        raise DomainError(
            "counted_before_opening",
            f"Die Inventur wurde erst am {instant(opened_at)} eröffnet. Bitte geben Sie einen "
            "späteren Zeitpunkt an, oder zählen Sie noch einmal.",
            field="day",
            status=422,
        )
    return max(given, opened_at)


def fingerprint(counts: Iterable[Count]) -> str:
    """Return a short text that changes with every count, so that what was looked at is posted."""
    shown = sorted(
        f"{edition} {counted} {book} {at.isoformat() if at else ''}"
        for edition, counted, book, at in counts
    )
    return hashlib.sha256("\n".join(shown).encode()).hexdigest()[:24]
