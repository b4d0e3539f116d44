"""What can be computed from all tables that are shown, for any events and on any days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.feedback.results.spans import smallest_computable
from trainings.feedback.answers import NO_ANSWER
from trainings.feedback.content import Content, Option, Question, QuestionKind, Section
from trainings.feedback.models import Release, SurveyKind
from trainings.feedback.results.rules import (
    FLOWS,
    Height,
    blocks,
    flows_now,
    mean_of_scales,
    merged,
    shown_questions,
)
from trainings.feedback.rules import Closing, may_show, released

FIRST = date(2024, 5, 1)
QUESTIONS = {1: "ab", 2: "bc", 3: "c"}
"""What each version asks."""


@st.composite
def closings(draw: st.DrawFn) -> list[Closing]:
    """Return a few closed surveys of some formats, years and versions."""
    return [
        Closing(
            survey_id=number,
            day=FIRST + timedelta(days=draw(st.sampled_from([0, 0, 2, 4, 250, 600]))),
            kind=SurveyKind.AFTER,
            version_id=draw(st.sampled_from([1, 1, 2, 3])),
            format=draw(st.sampled_from([None, 1, 1])),
            year=2024 + draw(st.integers(0, 1)),
            answered=draw(st.integers(0, 9)),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


def tables_of(
    known: list[Closing], stored: dict[int, Release], smallest: int
) -> dict[str, list[frozenset[int]]]:
    """Return, for each question, the surveys in each table that a page of anybody shows."""
    now = flows_now(known, stored, smallest)
    places: list[tuple[Height, list[Closing]]] = [(Height.TOTAL, known)]
    places += [(Height.EVENT, [each]) for each in known]
    for template in {each.format for each in known}:
        of_format = [each for each in known if each.format == template]
        places.append((Height.FORMAT, of_format))
        places += [
            (Height.YEAR, [each for each in of_format if each.year == year])
            for year in {each.year for each in of_format}
        ]
    found: dict[str, list[frozenset[int]]] = {}
    for height, inside in places:
        members = [each for each in inside if now[each.survey_id] in FLOWS[height]]
        if height is Height.EVENT:
            # An event's page looks at what is stored, and at the event alone.
            members = [each for each in inside if stored.get(each.survey_id) is Release.EVENT]
        if not may_show(sum(each.answered for each in members), smallest):
            continue
        for key in "abc":
            asked = [each for each in members if key in QUESTIONS[each.version_id]]
            if may_show(sum(each.answered for each in asked), smallest):
                found.setdefault(key, []).append(frozenset(each.survey_id for each in asked))
        # The figures of the overview know no questions.
        found.setdefault("", []).append(frozenset(each.survey_id for each in members))
    return found


@settings(max_examples=300, deadline=None)
@given(
    closings(),
    st.lists(st.sampled_from([1, 3, 5, 300, 500, 700, 900]), min_size=1, max_size=4),
    st.integers(5, 7),
    st.data(),
)
def test_no_group_below_the_smallest_can_be_computed_on_any_days(
    made: list[Closing], passed: list[int], smallest: int, data: st.DataObject
) -> None:
    """Sums and differences of all tables of several days, a raised group and late closing included.

    On one day no set is below the group of that day, over all days none below that of the first.
    """
    late = data.draw(st.sets(st.sampled_from(made))) if made else set()
    stored: dict[int, Release] = {}
    seen: dict[str, list[frozenset[int]]] = {}
    answered = {each.survey_id: each.answered for each in made}
    group = smallest
    for number, days in enumerate(sorted(passed)):
        today = FIRST + timedelta(days=days)
        known = [
            each
            for each in made
            if each.day < today and (each not in late or number == len(passed) - 1)
        ]
        group += data.draw(st.sampled_from([0, 3]))
        if data.draw(st.integers(0, 3)):
            # The sweep; without it a page shows what was decided before.
            fresh = [each for each in known if each.survey_id not in stored]
            stored |= {
                key: value
                for key, value in released(fresh, today, group).items()
                if value is not Release.WAITING
            }
        shown = tables_of(known, stored, group)
        for key, tables in shown.items():
            size = smallest_computable(tables, answered)
            assert size == 0 or size >= group
            seen.setdefault(key, []).extend(tables)
    for tables in seen.values():
        size = smallest_computable(tables, answered)
        assert size == 0 or size >= smallest


def closing(survey_id: int, answered: int, **values: object) -> Closing:
    """Return a survey that closed."""
    all_values: dict[str, object] = {"version_id": 1, "format": 1, "year": 2024} | values
    return Closing(survey_id, FIRST, SurveyKind.AFTER, answered=answered, **all_values)  # type: ignore[arg-type]


def test_a_raised_group_joins_what_is_too_small_now() -> None:
    three = [closing(1, 5), closing(2, 6), closing(3, 9)]
    stored = dict.fromkeys((1, 2, 3), Release.EVENT)
    assert flows_now(three, stored, 5) == stored
    now = flows_now(three, stored, 8)
    assert now == {1: Release.YEAR, 2: Release.YEAR, 3: Release.EVENT}


def test_a_raised_group_joins_years_or_hides() -> None:
    two = [closing(1, 5, year=2023), closing(2, 5, year=2024)]
    stored = {1: Release.EVENT, 2: Release.YEAR}
    assert set(flows_now(two, stored, 10).values()) == {Release.FORMAT}
    assert set(flows_now(two, stored, 11).values()) == {Release.WAITING}


def test_what_was_decided_late_equals_what_was_decided_in_time() -> None:
    made = [closing(number, answered) for number, answered in enumerate((2, 7, 4, 3, 1))]
    at_once = released(made, FIRST + timedelta(days=1), 5)
    first = released(made[:3], FIRST + timedelta(days=1), 5)
    kept = {key: value for key, value in first.items() if value is not Release.WAITING}
    rest = [each for each in made if each.survey_id not in kept]
    assert kept | released(rest, FIRST + timedelta(days=1), 5) == at_once


def question(key: str, kind: QuestionKind = QuestionKind.SCALE, text: str = "?") -> Question:
    """Return a question."""
    options = (Option("yes", "ja"),) if kind is QuestionKind.SINGLE else ()
    labels = ("1", "2", "3", "4", "5") if kind is QuestionKind.SCALE else ()
    return Question(key, kind, text, labels=labels, options=options)


def content(*questions: Question, title: str = "Teil") -> Content:
    """Return a questionnaire with one section."""
    return Content("", (Section(title, questions),))


def test_questions_stand_in_the_order_and_words_of_the_latest_version() -> None:
    old = content(question("a", text="alt"), question("gone"), title="Alt")
    new = content(question("b"), question("a", text="neu"), title="Neu")
    found = [(section, each.key, each.text) for section, each in merged([old, new])]
    assert found == [("Neu", "b", "?"), ("Neu", "a", "neu"), ("", "gone", "?")]


def test_a_question_is_left_out_if_too_few_were_asked() -> None:
    versions = {1: content(question("a")), 2: content(question("a"), question("b"))}
    members = [closing(1, 6), closing(2, 4, version_id=2)]
    (asked,) = shown_questions(versions, members, {"a": {"5": 9, NO_ANSWER: 1}}, 5)
    assert (asked.question.key, asked.events, asked.population) == ("a", 2, 10)
    assert (asked.answered, asked.no_answer, asked.mean, asked.median) == (9, 1, 5.0, 5.0)


@pytest.mark.parametrize(("people", "mean"), [({"7": 4, NO_ANSWER: 2}, None), ({"7": 5}, 7.0)])
def test_numbers_that_few_gave_have_no_mean(people: dict[str, int], mean: float | None) -> None:
    versions = {1: content(question("n", QuestionKind.NUMBER))}
    (asked,) = shown_questions(versions, [closing(1, 6)], {"n": people}, 5)
    assert asked.mean == mean
    assert asked.median == mean


def test_scales_with_the_same_words_stand_together() -> None:
    versions = {1: content(question("a"), question("b"), question("c", QuestionKind.SINGLE))}
    counts = {"a": {"1": 6}, "b": {"3": 4, "4": 2}}
    asked = shown_questions(versions, [closing(1, 6)], counts, 5)
    first, second = blocks(asked)
    assert [each.question.key for each in first.questions] == ["a", "b"]
    assert first.reach == pytest.approx(1.0)
    assert second.kind is QuestionKind.SINGLE
    assert mean_of_scales(asked) == pytest.approx((6 + 12 + 8) / 12)
