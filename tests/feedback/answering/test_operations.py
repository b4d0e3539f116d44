"""Taking answers: each right once, and nothing stored of what is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.feedback.factories import (
    answer,
    make_attended,
    make_open_survey,
    make_sheet,
    make_version,
    pending,
)
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.idempotency import SubmittedForm
from trainings.core.throttle import Attempt
from trainings.feedback.answering.operations import asked, submit
from trainings.feedback.content import Content
from trainings.feedback.models import FeedbackRight, PendingAnswer, Survey
from trainings.feedback.surveys.settling import close, settle
from trainings.feedback.surveys.steps import lock_survey

pytestmark = pytest.mark.both_databases
AFTER_IT = NOW + timedelta(days=22)


@pytest.fixture
def opened(app: Flask) -> tuple[int, list[str]]:
    """Return the id of an open survey and the codes of its six rights."""
    with transaction() as session:
        event = make_attended(session, 6, first_day=berlin_day(NOW) - timedelta(days=2))
        survey, codes = make_open_survey(session, event, make_version(session), NOW)
        return survey.id, codes


def refusal(code: str, now: object = NOW) -> str:
    """Answer with a code; return how that is refused."""
    with pytest.raises(DomainError) as refused, transaction() as session:
        submit(session, code, make_sheet(), now)  # type: ignore[arg-type]
    return refused.value.code


def test_an_answer_waits_and_its_right_is_used(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    with transaction() as session:
        submit(session, codes[0], make_sheet(), NOW)
    survey = db.session.get_one(Survey, survey_id)
    assert pending(db.session(), survey) == 1
    assert survey.answered == 0
    assert len(db.session.scalars(select(FeedbackRight)).all()) == 5


def test_a_code_is_read_as_people_type_it(opened: tuple[int, list[str]]) -> None:
    _, codes = opened
    typed = "-".join(codes[0][at : at + 4] for at in range(0, 16, 4)).lower().replace("0", "o")
    assert asked(db.session(), typed, NOW).survey.id == opened[0]


def test_a_right_is_used_once_before_and_after_the_batch(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    with transaction() as session:
        answer(session, codes[:5], NOW)
    assert refusal(codes[0]) == "right_used"
    with transaction() as session:
        settle(session, lock_survey(session, survey_id))
    assert refusal(codes[0]) == "right_used"
    assert db.session.get_one(Survey, survey_id).answered == 5


def test_unknown_codes_are_refused(opened: tuple[int, list[str]]) -> None:
    assert refusal("ABCD-EFGH-JKMN-PQRS") == "unknown_right"
    assert refusal("") == "unknown_right"
    assert refusal("\ud800" * 16) == "unknown_right"


def test_nothing_is_taken_after_the_last_day(opened: tuple[int, list[str]]) -> None:
    survey_id, codes = opened
    assert refusal(codes[0], AFTER_IT) == "survey_over"
    with transaction() as session:
        close(session, lock_survey(session, survey_id), AFTER_IT)
    assert refusal(codes[0], NOW) == "survey_over"
    assert db.session.scalars(select(PendingAnswer)).all() == []


def test_the_version_that_was_opened_is_asked_whatever_came_out_since(
    opened: tuple[int, list[str]],
) -> None:
    _, codes = opened
    with transaction() as session:
        version = asked(session, codes[0], NOW).survey.version
        assert version is not None
        make_version(session, Content("Neu", ()), questionnaire=version.questionnaire)
    first = next(asked(db.session(), codes[0], NOW).content.questions)
    assert first.key == "useful"


def test_answering_leaves_no_trace_with_a_time(opened: tuple[int, list[str]]) -> None:
    _, codes = opened

    def traces() -> list[int]:
        return [
            len(db.session.scalars(select(table)).all())
            for table in (AuditEntry, SubmittedForm, Attempt)
        ]

    before = traces()
    with transaction() as session:
        submit(session, codes[0], make_sheet(), NOW)
    assert traces() == before
