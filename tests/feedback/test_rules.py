"""Rules of the feedback, for any values."""

from __future__ import annotations

import statistics
from datetime import date, timedelta
from itertools import groupby

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.feedback.models import Release, SurveyKind, SurveyState
from trainings.feedback.rules import (
    SURVEY_MOVES,
    Closing,
    check_survey_move,
    follow_up_day,
    group_size,
    mean,
    median,
    released,
)

FIRST = date(2024, 1, 10)
DAYS = st.integers(0, 900).map(lambda days: FIRST + timedelta(days=days))


@st.composite
def closings(draw: st.DrawFn) -> list[Closing]:
    """Return closed surveys of some formats, years and versions."""
    return [
        Closing(
            survey_id=number,
            day=day,
            kind=draw(st.sampled_from(SurveyKind)),
            version_id=draw(st.integers(1, 2)),
            format=draw(st.sampled_from([None, 1, 2])),
            year=day.year - draw(st.integers(0, 1)),
            answered=draw(st.integers(0, 9)),
        )
        for number, day in enumerate(draw(st.lists(DAYS, max_size=25)))
    ]


def computable(all_closings: list[Closing], today: date, smallest: int) -> list[int]:
    """Return how many answers each smallest set has that can be computed from all tables.

    The tables nest (event in year in format in total), so every sum or difference of them is a
    union of these sets: each event that is shown, and of each table what is in none below it.
    """
    release = released(all_closings, today, smallest)
    sizes = [each.answered for each in all_closings if release.get(each.survey_id) is Release.EVENT]
    for height, key in (
        (Release.YEAR, lambda each: (each.kind, each.version_id, str(each.format), each.year)),
        (Release.FORMAT, lambda each: (each.kind, each.version_id, str(each.format))),
    ):
        rest = sorted(
            (each for each in all_closings if release.get(each.survey_id) is height), key=key
        )
        sizes += [sum(each.answered for each in group) for _, group in groupby(rest, key)]
    return sizes


@given(closings(), DAYS, st.integers(5, 8))
def test_nothing_smaller_than_the_smallest_group_can_be_computed(
    made: list[Closing], today: date, smallest: int
) -> None:
    assert all(size == 0 or size >= smallest for size in computable(made, today, smallest))


@given(closings(), DAYS, DAYS, st.integers(5, 8))
def test_what_was_shown_stays_and_what_is_added_is_large_enough(
    made: list[Closing], one: date, other: date, smallest: int
) -> None:
    earlier, later = sorted((one, other))
    # What closes later is not known earlier.
    known = [each for each in made if each.day < earlier]
    before = released(known, earlier, smallest)
    after = released(made, later, smallest)
    shown = {key: value for key, value in before.items() if value is not Release.WAITING}
    assert shown.items() <= after.items()

    def key(each: Closing) -> tuple[object, ...]:
        return (each.kind, each.version_id, str(each.format), each.year)

    added = sorted(
        (
            each
            for each in made
            if after.get(each.survey_id) is Release.YEAR and each.survey_id not in shown
        ),
        key=key,
    )
    for _, group in groupby(added, key):
        assert sum(each.answered for each in group) >= smallest


@given(closings(), DAYS)
def test_an_event_with_enough_answers_is_shown_the_day_after_it_closed(
    made: list[Closing], today: date
) -> None:
    release = released(made, today, 5)
    for each in made:
        if each.day < today and each.answered >= 5:
            assert release[each.survey_id] is Release.EVENT
        if each.day >= today:
            assert each.survey_id not in release


def test_events_with_few_answers_wait_for_one_another() -> None:
    two, three = (
        Closing(number, FIRST, SurveyKind.AFTER, 1, 1, 2023, answered)
        for number, answered in ((1, 2), (2, 3))
    )
    tomorrow = FIRST + timedelta(days=1)
    assert released([two], tomorrow, 5) == {1: Release.WAITING}
    assert released([two, three], tomorrow, 5) == {1: Release.YEAR, 2: Release.YEAR}


def test_what_is_left_of_two_years_flows_into_the_format() -> None:
    made = [
        Closing(year, date(year, 5, 1), SurveyKind.AFTER, 1, 1, year, 3) for year in (2023, 2024)
    ]
    assert set(released(made, date(2025, 6, 30), 5).values()) == {Release.WAITING}
    assert set(released(made, date(2025, 7, 1), 5).values()) == {Release.FORMAT}


@given(st.dictionaries(st.integers(1, 5), st.integers(1, 9), min_size=1))
def test_mean_and_median_are_those_of_the_single_answers(people: dict[int, int]) -> None:
    answers = [value for value, count in people.items() for _ in range(count)]
    assert mean(people) == pytest.approx(statistics.fmean(answers))
    assert median(people) == statistics.median(answers)


def test_nobody_has_no_mean() -> None:
    assert mean({}) is None
    assert median({}) is None


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_the_follow_up_comes_three_months_later(day: date) -> None:
    then = follow_up_day(day)
    assert (then.year * 12 + then.month) - (day.year * 12 + day.month) == 3
    assert then.day == day.day or (then + timedelta(days=1)).day == 1


@given(st.integers(0, 20), st.integers(5, 20) | st.none())
def test_the_smallest_group_is_never_lowered(setting: int, promised: int | None) -> None:
    assert group_size(setting, promised) == max(5, setting, promised or 0)


@given(st.sampled_from([None, *SurveyState]), st.sampled_from(SurveyState))
def test_a_move_that_the_table_lacks_is_refused(
    before: SurveyState | None, after: SurveyState
) -> None:
    assume(after not in SURVEY_MOVES[before])
    with pytest.raises(DomainError, match="survey_moved_on"):
        check_survey_move(before, after)
