"""The feedback of the demonstration: invented, complete, and in agreement with what it is about."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from trainings.cli.checks import CHECKS
from trainings.cli.seed.files import Row, read
from trainings.cli.seed.loader import load_seed
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.files import resource_folder
from trainings.core.settings import SMALLEST_GROUP
from trainings.events.models import EventKind
from trainings.feedback.answers import NO_ANSWER, STEP_VALUES
from trainings.feedback.content import Question, QuestionKind
from trainings.feedback.models import (
    Channel,
    FeedbackCount,
    FeedbackRight,
    FeedbackText,
    Questionnaire,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
    TextState,
    UsedRight,
)
from trainings.feedback.questionnaires.standard import CONFERENCE, FOLLOW_UP, TRAINING
from trainings.feedback.surveys.reads import count_attended

pytestmark = pytest.mark.both_databases

FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
TALK = date(2025, 10, 23)


def load(now: datetime = FRIDAY) -> list[Survey]:
    """Load the demonstration; return its surveys with their events."""
    with transaction() as session:
        load_seed(session, now, with_passwords=False)
    query = select(Survey).options(joinedload(Survey.event)).order_by(Survey.id)
    return list(db.session.scalars(query))


def count_rows(table: type) -> int:
    """Return how many rows a table has."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def key(row: Row) -> tuple[str, str]:
    """Return which survey a row of a file belongs to."""
    return row["event_key"], row["kind"]


def questions(row: Row) -> dict[str, Question]:
    """Return what the survey of a row asks, by key."""
    content = TRAINING if row["event_key"].startswith("t-") else CONFERENCE
    if row["kind"] == SurveyKind.FOLLOW_UP:
        content = FOLLOW_UP
    return {each.key: each for each in content.questions}


def possible_values(question: Question) -> set[str]:
    """Return what may be counted of a question."""
    if question.kind is QuestionKind.SCALE:
        return {*STEP_VALUES, NO_ANSWER}
    return {*(option.key for option in question.options), NO_ANSWER}


# What the files say


def test_the_sums_of_each_question_are_those_who_answered() -> None:
    sums = {(*key(row), row["question"]): row["values"] for row in read("feedback_answers")}
    surveys = read("feedback_surveys")
    for survey in surveys:
        answered = int(survey["answered"])
        for name, question in questions(survey).items():
            if question.kind is QuestionKind.TEXT:
                continue
            pairs = [pair.split(":") for pair in sums.pop((*key(survey), name)).split()]
            people = {value: int(number) for value, number in pairs}
            assert len(people) == len(pairs)
            assert set(people) <= possible_values(question)
            assert all(0 < number <= answered for number in people.values())
            if question.kind is QuestionKind.MULTIPLE:
                assert sum(people.values()) >= answered
            else:
                assert sum(people.values()) == answered
    assert sums == {}


def test_texts_belong_to_their_questions_and_some_wait_to_be_looked_through() -> None:
    answered = {key(row): int(row["answered"]) for row in read("feedback_surveys")}
    texts = read("feedback_texts")
    assert 60 <= len(texts) <= 80
    states = Counter(row["state"] for row in texts)
    assert states[TextState.REMOVED] == 1
    assert 5 <= states[TextState.UNREAD] <= 15
    for row in texts:
        assert questions(row)[row["question"]].kind is QuestionKind.TEXT
        assert answered[key(row)] >= SMALLEST_GROUP
        assert bool(row["text"]) == (row["state"] != TextState.REMOVED)
    of_question = Counter((*key(row), row["question"]) for row in texts)
    assert all(number <= answered[each[:2]] for each, number in of_question.items())


def test_the_readme_says_that_every_answer_is_invented() -> None:
    readme = (resource_folder("seed") / "README.md").read_text(encoding="utf-8")
    (section,) = (
        part for part in readme.split("\n\n") if part.startswith("**feedback_surveys.csv")
    )
    assert "All invented" in section
    for name in ("feedback_surveys", "feedback_answers", "feedback_texts"):
        assert f"{name}.csv" in section


# What is loaded


def test_every_training_has_asked_everybody_who_attended_and_results_are_there(app: Flask) -> None:
    surveys = load()
    after = [each for each in surveys if each.kind is SurveyKind.AFTER]
    trainings = [each for each in after if each.event.kind is EventKind.TRAINING]
    until_the_talk = [each for each in trainings if each.event.last_day <= TALK]
    assert (len(until_the_talk), sum(each.invited for each in until_the_talk)) == (44, 428)
    assert (len(surveys), len(after), len(trainings)) == (77, 57, 52)
    assert {each.state for each in surveys} == {SurveyState.CLOSED}
    for survey in surveys:
        assert survey.invited == count_attended(db.session(), survey.event_id)
        assert (survey.release is Release.EVENT) == (survey.answered >= SMALLEST_GROUP)
        assert (survey.reminded_on is None) == (survey.channel is Channel.SLIPS)
    # Return rates differ, and two trainings are below the smallest group.
    few = [each for each in until_the_talk if each.answered < SMALLEST_GROUP]
    assert [each.release for each in few] == [Release.YEAR, Release.YEAR]
    rates = [each.answered / each.invited for each in until_the_talk]
    assert 0.3 <= min(rates) < 0.4
    assert 0.9 < max(rates) <= 0.95
    assert len({round(rate, 1) for rate in rates}) >= 6
    flows = Counter(each.release for each in surveys if each.kind is SurveyKind.FOLLOW_UP)
    assert flows == {Release.EVENT: 17, Release.FORMAT: 2, Release.WAITING: 1}
    titles = db.session.execute(
        select(Questionnaire.title, func.count(Survey.id))
        .join(QuestionnaireVersion, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .join(Survey, Survey.version_id == QuestionnaireVersion.id)
        .group_by(Questionnaire.title)
    ).all()
    assert dict(titles) == {"Training": 52, "Tagung": 5, "Nachbefragung zum Training": 20}
    # Rights are kept for 90 days: enough to say of a late answer why it comes too late.
    recent = [each for each in surveys if each.closes_on and each.closes_on >= date(2026, 8, 22)]
    assert len(recent) == 4
    used, unused = (count_rows(table) for table in (UsedRight, FeedbackRight))
    assert used == sum(each.answered for each in recent)
    assert used + unused == sum(each.invited for each in recent)
    # Everything in the files has arrived, and a second time nothing does.
    stored = db.session.scalar(select(func.sum(FeedbackCount.people)))
    pairs = [pair for row in read("feedback_answers") for pair in row["values"].split()]
    assert stored == sum(int(pair.split(":")[1]) for pair in pairs)
    assert count_rows(FeedbackText) == len(read("feedback_texts"))
    assert len(load()) == 77
    assert count_rows(FeedbackText) == len(read("feedback_texts"))


def test_what_would_still_be_open_is_not_loaded(app: Flask) -> None:
    # The training of 13.03.2026 takes answers until 03.04.
    now = datetime(2026, 4, 3, 9, 0, tzinfo=UTC)
    surveys = load(now)
    days = [each.closes_on for each in surveys if each.closes_on]
    assert max(days) < berlin_day(now)
    assert max(each.event.last_day for each in surveys) == date(2026, 2, 4)
    assert [finding for check in CHECKS for finding in check(db.session(), now)] == []


def test_texts_that_would_have_been_deleted_are_not_loaded(app: Flask) -> None:
    assert len(load(datetime(2030, 1, 7, 9, 0, tzinfo=UTC))) == 77
    assert db.session.scalars(select(FeedbackText)).all() == []
    assert db.session.scalars(select(FeedbackCount)).first() is not None
