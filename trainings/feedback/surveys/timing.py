"""When an event asks, and what stands of a survey where people look: pure rules."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum

from trainings.core.errors import DomainError
from trainings.core.formats import long_date
from trainings.feedback.models import SurveyKind, SurveyState
from trainings.feedback.rules import LATEST_OPENING, follow_up_day, takes_answers

LONGEST_OPEN = timedelta(days=60)
"""After the day on which it opened: until then the office may set the last day."""


class Phase(StrEnum):
    """What people read of a survey; unlike its state it knows the day."""

    COMING = "coming"
    RUNNING = "running"
    OVER = "over"
    OMITTED = "omitted"
    MISSED = "missed"
    """Nobody was asked in time, and nobody will be."""
    NEVER = "never"
    """Such events do not ask."""


def opening_day(kind: SurveyKind, last_day: date) -> date:
    """Return the first day on which an event may ask, from the day of its last session."""
    return last_day if kind is SurveyKind.AFTER else follow_up_day(last_day)


def latest_opening_day(kind: SurveyKind, last_day: date) -> date:
    """Return the last day on which a survey may still open."""
    return opening_day(kind, last_day) + LATEST_OPENING


def may_open_on(kind: SurveyKind, last_day: date, today: date) -> bool:
    """Say whether a survey may open on a day."""
    return opening_day(kind, last_day) <= today <= latest_opening_day(kind, last_day)


def phase_of(
    kind: SurveyKind,
    state: SurveyState | None,
    closes_on: date | None,
    *,
    last_day: date,
    today: date,
    asks: bool,
) -> Phase:
    """Return what people read of a survey.

    Args:
        kind: which survey.
        state: None: no row exists.
        closes_on: its last day, if it is or was open.
        last_day: of the event.
        today: in Berlin.
        asks: whether such an event asks at all.

    """
    if state in {SurveyState.OPEN, SurveyState.CLOSED}:
        running = takes_answers(state, closes_on, today)
        return Phase.RUNNING if running else Phase.OVER
    if state is SurveyState.OMITTED:
        return Phase.OMITTED
    if not asks:
        return Phase.NEVER
    return Phase.MISSED if today > latest_opening_day(kind, last_day) else Phase.COMING


def check_last_day(opened_on: date, day: date, today: date) -> None:
    """Refuse a last day of an open survey that is over, or too late.

    Raises:
        DomainError: `bad_last_day`.

    """
    latest = opened_on + LONGEST_OPEN
    if not today <= day <= latest:
        raise DomainError(
            "bad_last_day",
            f"Der letzte Tag kann von heute bis {long_date(latest)} liegen. Bitte wählen Sie einen "
            "Tag in dieser Zeit.",
            field="last_day",
            status=422,
        )
