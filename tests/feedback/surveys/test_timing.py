"""When an event asks: days, months, and what is read of a survey."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.feedback.models import SurveyKind, SurveyState
from trainings.feedback.rules import LATEST_OPENING
from trainings.feedback.surveys.timing import (
    LONGEST_OPEN,
    Phase,
    check_last_day,
    latest_opening_day,
    may_open_on,
    opening_day,
    phase_of,
)

DAYS = st.dates(date(2020, 1, 1), date(2099, 12, 31))
KINDS = st.sampled_from(SurveyKind)


@pytest.mark.parametrize(
    ("last_day", "opens"),
    [
        (date(2026, 4, 17), date(2026, 7, 17)),
        (date(2026, 11, 30), date(2027, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 5, 31), date(2026, 8, 31)),
        (date(2026, 12, 31), date(2027, 3, 31)),
    ],
)
def test_the_follow_up_opens_three_months_later(last_day: date, opens: date) -> None:
    assert opening_day(SurveyKind.FOLLOW_UP, last_day) == opens
    assert opening_day(SurveyKind.AFTER, last_day) == last_day


@given(KINDS, DAYS, st.integers(-30, 160))
def test_a_survey_opens_within_two_weeks(kind: SurveyKind, last_day: date, days: int) -> None:
    today = last_day + timedelta(days=days)
    first = opening_day(kind, last_day)
    assert may_open_on(kind, last_day, today) is (first <= today <= first + LATEST_OPENING)


@given(KINDS, DAYS, st.integers(-30, 160), st.sampled_from([None, SurveyState.PLANNED]))
def test_what_has_not_opened_comes_until_it_is_missed(
    kind: SurveyKind, last_day: date, days: int, state: SurveyState | None
) -> None:
    today = last_day + timedelta(days=days)
    phase = phase_of(kind, state, None, last_day=last_day, today=today, asks=True)
    missed = today > latest_opening_day(kind, last_day)
    assert phase is (Phase.MISSED if missed else Phase.COMING)


def test_a_survey_is_over_the_day_after_its_last_even_if_nothing_closed_it() -> None:
    last = date(2026, 5, 8)

    def read(state: SurveyState, today: date) -> Phase:
        return phase_of(
            SurveyKind.AFTER, state, last, last_day=date(2026, 4, 17), today=today, asks=True
        )

    assert read(SurveyState.OPEN, last) is Phase.RUNNING
    assert read(SurveyState.OPEN, last + timedelta(days=1)) is Phase.OVER
    assert read(SurveyState.CLOSED, last) is Phase.OVER


@given(DAYS, st.integers(0, 70), st.integers(-5, 70))
def test_the_last_day_lies_between_today_and_sixty_days_after_opening(
    opened_on: date, today: int, last: int
) -> None:
    day, now = opened_on + timedelta(days=last), opened_on + timedelta(days=today)
    if now <= day <= opened_on + LONGEST_OPEN:
        check_last_day(opened_on, day, now)
    else:
        with pytest.raises(DomainError) as refused:
            check_last_day(opened_on, day, now)
        assert refused.value.code == "bad_last_day"
