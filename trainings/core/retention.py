"""How long personal data lives: every column that holds some names its class.

GDPR Art. 5(1)(e): data is kept in a form that permits identification no longer than necessary.
"""

from __future__ import annotations

from enum import StrEnum


class Retention(StrEnum):
    """A class of retention: the time that data lives, and from when it counts."""

    PERSON = "person"
    """As long as the person is known to the office; blanked when the person is anonymised."""
    NEEDS = "needs"
    """Until 30 days after the last session of the event."""
    MAIL = "mail"
    """Until 90 days after the mail was sent or given up."""
    DOOR = "door"
    """Until 30 days after the attendance of the event was closed."""
    CERTIFICATE = "certificate"
    """Until ten years after the certificate was issued: so long careers ask for it."""
    FEEDBACK = "feedback"
    """Free texts until three years after the survey closed; what names a right until it closes."""
    ORDER = "order"
    """Until one year after the order was finished."""
    LOGIN = "login"
    """Until one day after the link or code ran out."""


def personal(retention: Retention) -> dict[str, Retention]:
    """Return the `info` of a column with personal data of this class."""
    return {"retention": retention}
