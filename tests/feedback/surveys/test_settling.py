"""From pending to counted."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.conftest import NOW
from tests.feedback.factories import (
    answer,
    make_attended,
    make_open_survey,
    make_version,
    pending,
)
from trainings.cli.jobs import _each_in_its_own, run_jobs
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.feedback.models import (
    FeedbackCount,
    FeedbackText,
    PendingRight,
    Survey,
    SurveyState,
    UsedRight,
)
from trainings.feedback.surveys import settling
from trainings.feedback.surveys.settling import close_surveys, settle_answers

pytestmark = pytest.mark.both_databases


@pytest.fixture
def opened(app: Flask) -> tuple[int, list[str]]:
    """Return the id of an open survey and the codes of its eight rights."""
    with transaction() as session:
        event = make_attended(session, 8, first_day=berlin_day(NOW) - timedelta(days=2))
        survey, codes = make_open_survey(session, event, make_version(session), NOW, rights=8)
        return survey.id, codes


def people(survey_id: int, question: str) -> dict[str, int]:
    """Return how many people chose each value of a question."""
    rows = db.session.scalars(
        select(FeedbackCount).where(
            FeedbackCount.survey_id == survey_id, FeedbackCount.question == question
        )
    )
    return {row.value: row.people for row in rows}


def count(table: type) -> int:
    """Return how many rows a table has."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_fewer_than_five_answers_wait(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    with transaction() as session:
        answer(session, codes[:4], NOW)
    assert settle_answers(NOW) == 0
    assert pending(db.session(), db.session.get_one(Survey, survey_id)) == 4
    assert people(survey_id, "useful") == {}


def test_five_answers_are_counted_together(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    with transaction() as session:
        answer(session, codes[:3], NOW, useful="5", words="gut")
        answer(session, codes[3:5], NOW, useful="1")
    assert settle_answers(NOW) == 5
    survey = db.session.get_one(Survey, survey_id)
    assert survey.answered == 5
    assert pending(db.session(), survey) == 0
    assert people(survey_id, "useful") == {"5": 3, "1": 2}
    assert people(survey_id, "liked") == {"talk": 5, "play": 5}
    assert [count(PendingRight), count(UsedRight), count(FeedbackText)] == [0, 5, 3]


def test_the_rest_is_counted_when_the_survey_closes(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    with transaction() as session:
        answer(session, codes[:5], NOW, useful="5")
    settle_answers(NOW)
    with transaction() as session:
        answer(session, codes[5:7], NOW, useful="5")
    assert close_surveys(NOW + timedelta(days=21)) == 0
    assert close_surveys(NOW + timedelta(days=22)) == 1
    survey = db.session.get_one(Survey, survey_id)
    assert survey.state is SurveyState.CLOSED
    assert survey.answered == 7
    assert people(survey_id, "useful") == {"5": 7}
    assert close_surveys(NOW + timedelta(days=23)) == 0


def test_texts_are_written_anew_under_other_keys(opened: tuple[int, list[str]]) -> None:
    _, codes = opened
    with transaction() as session:
        answer(session, codes[:5], NOW, words="gut")
    settle_answers(NOW)
    before = set(db.session.scalars(select(FeedbackText.key)))
    with transaction() as session:
        answer(session, codes[5:], NOW)
    close_surveys(NOW + timedelta(days=22))
    after = set(db.session.scalars(select(FeedbackText.key)))
    assert len(after) == 5
    assert not before & after


def test_the_worker_logs_no_batch_and_of_a_failure_only_its_place(
    opened: tuple[int, list[str]],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, codes = opened
    caplog.set_level(logging.INFO)
    batches = tuple(map(_each_in_its_own, (settle_answers, close_surveys)))
    with transaction() as session:
        answer(session, codes[:5], NOW, words="Xylophonistin")
    assert run_jobs(batches, NOW + timedelta(days=22)) == []
    assert count(UsedRight) == 5
    assert caplog.text == ""

    def fail(sheets: object) -> None:
        raise ValueError(f"not to be counted: {sheets}")

    with transaction() as session:
        survey, more = make_open_survey(
            session,
            make_attended(session, 1, first_day=berlin_day(NOW)),
            make_version(session),
            NOW,
        )
        answer(session, more[:5], NOW, words="Xylophonistin")
    monkeypatch.setattr(settling, "tally", fail)
    assert run_jobs(batches, NOW) == ["settle_answers"]
    assert "settle_answers failed: ValueError at " in caplog.text
    assert "Xylophonistin" not in caplog.text
    assert pending(db.session(), survey) == 5
