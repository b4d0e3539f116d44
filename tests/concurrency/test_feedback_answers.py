"""One code on two devices at the same moment, beside a closing survey and beside a batch."""

from __future__ import annotations

import threading
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.feedback.factories import (
    answer,
    make_attended,
    make_open_survey,
    make_sheet,
    make_version,
    pending,
)
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.tokens import digest
from trainings.feedback.answering.operations import submit
from trainings.feedback.models import (
    FeedbackRight,
    PendingAnswer,
    PendingRight,
    Survey,
    SurveyState,
    UsedRight,
)
from trainings.feedback.surveys.settling import close, settle
from trainings.feedback.surveys.steps import lock_survey

pytestmark = pytest.mark.both_databases
DEVICES = 8


@pytest.fixture
def opened(app: Flask) -> tuple[int, list[str]]:
    """Return the id of an open survey and the codes of its 16 rights."""
    with transaction() as session:
        event = make_attended(session, 1, first_day=berlin_day(NOW) - timedelta(days=2))
        survey, codes = make_open_survey(session, event, make_version(session), NOW, rights=16)
        return survey.id, codes


def take(code: str) -> str:
    """Answer with a code; return what became of it."""
    try:
        with transaction() as session:
            submit(session, code, make_sheet(), NOW)
    except DomainError as refusal:
        return refusal.code
    return "taken"


def close_now(survey_id: int) -> str:
    """Close a survey."""
    with transaction() as session:
        close(session, lock_survey(session, survey_id), NOW)
    return "closed"


def settle_now(survey_id: int) -> str:
    """Count what is pending."""
    with transaction() as session:
        settle(session, lock_survey(session, survey_id))
    return "settled"


def count(table: type) -> int:
    """Return how many rows a table has."""
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_one_code_on_many_devices_is_taken_once(app: Flask, opened: tuple[int, list[str]]) -> None:
    _, codes = opened
    results = run_together(app, [partial(take, codes[0])] * DEVICES)
    assert sorted(map(str, results)) == ["right_used"] * (DEVICES - 1) + ["taken"]
    assert [count(PendingAnswer), count(PendingRight), count(FeedbackRight)] == [1, 1, 15]


def test_an_answer_beside_a_closing_survey_is_counted_or_refused(
    app: Flask, opened: tuple[int, list[str]]
) -> None:
    survey_id, codes = opened
    answers = [partial(take, code) for code in codes[:DEVICES]]
    results = run_together(app, [*answers[:4], partial(close_now, survey_id), *answers[4:]])
    assert set(results) <= {"taken", "survey_over", "closed"}
    survey = db.session.get_one(Survey, survey_id)
    assert survey.state is SurveyState.CLOSED
    assert survey.answered == results.count("taken") == count(UsedRight)
    assert pending(db.session(), survey) == 0
    assert count(FeedbackRight) == 16 - results.count("taken")


def test_an_answer_beside_a_batch_is_in_it_or_waits(
    app: Flask, opened: tuple[int, list[str]]
) -> None:
    survey_id, codes = opened
    with transaction() as session:
        answer(session, codes[:5], NOW)
    answers = [partial(take, code) for code in (*codes[5:10], *codes[5:10], codes[0])]
    batches = [partial(settle_now, survey_id)] * 3
    results = run_together(app, [*batches[:1], *answers, *batches[1:]])
    assert results.count("taken") == 5
    assert results.count("right_used") == 6
    assert results.count("settled") == 3
    survey = db.session.get_one(Survey, survey_id)
    assert survey.answered + pending(db.session(), survey) == 10
    assert survey.answered >= 5
    assert survey.answered == count(UsedRight)


def test_looking_before_deleting_takes_a_code_twice(
    app: Flask, opened: tuple[int, list[str]]
) -> None:
    """Shows that the tests above can fail: only the deletion of the right decides."""
    survey_id, codes = opened
    both_have_looked = threading.Barrier(2)
    token_hash = digest(codes[0])

    def look(session: Session) -> None:
        assert session.get(FeedbackRight, token_hash) is not None
        both_have_looked.wait(60)

    def take_without_condition(key: bytes) -> str:
        # On SQLite the lock is BEGIN IMMEDIATE; without it, looking and writing are two steps.
        if db.engine.dialect.name == "sqlite":
            look(db.session())
        with transaction() as session:
            if db.engine.dialect.name != "sqlite":
                look(session)
            session.execute(delete(FeedbackRight).where(FeedbackRight.token_hash == token_hash))
            content = make_sheet().to_json()
            session.add(PendingAnswer(key=key, survey_id=survey_id, content=content))
        return "taken"

    results = run_together(app, [partial(take_without_condition, key) for key in (b"a", b"b")])
    assert results == ["taken", "taken"]
    assert count(PendingAnswer) == 2
