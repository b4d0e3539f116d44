"""Each invariant of the feedback: data that break it give its sentence, sound data give none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from tests.factories import berlin
from tests.feedback.factories import answer, make_attended, make_version
from trainings.attendance.models import Attendance
from trainings.cli.checks import CHECKS, Check, feedback
from trainings.core.database import db, transaction
from trainings.core.tokens import digest
from trainings.feedback.models import (
    KEY_BYTES,
    FeedbackCount,
    FeedbackInvitation,
    FeedbackRight,
    PendingAnswer,
    PendingRight,
    QuestionnaireVersion,
    Survey,
    SurveyState,
    UsedRight,
    VersionState,
)
from trainings.feedback.surveys.settling import close_surveys, settle_answers
from trainings.feedback.surveys.sweeps import forget_rights, invite, remind

pytestmark = pytest.mark.both_databases

END = berlin(date(2026, 4, 17), 16, 30)
FEEDBACK_CHECKS = (
    feedback.rights_add_up_to_the_invited,
    feedback.used_rights_equal_the_answered,
    feedback.counts_add_up_to_the_answered,
    feedback.surveys_ask_released_versions,
    feedback.codes_are_forgotten_in_time,
    feedback.pending_rights_equal_pending_answers,
    feedback.closed_surveys_have_nothing_pending,
)


def findings(check: Check) -> list[str]:
    db.session.expire_all()
    return check(db.session(), END)


def all_findings() -> list[str]:
    return [found for check in FEEDBACK_CHECKS for found in findings(check)]


@pytest.fixture
def running(app: Flask) -> int:
    """Return a survey with five counted answers, one pending and two rights that are unused."""
    with transaction() as session:
        make_version(session)
        make_attended(session, 8)
    invite(END)
    codes = db.session.scalars(select(FeedbackInvitation.token)).all()
    with transaction() as session:
        answer(session, list(codes[:5]), END, words="gut")
    settle_answers(END)
    with transaction() as session:
        answer(session, [codes[5]], END)
    return db.session.scalars(select(Survey.id)).one()


def test_each_check_is_among_those_of_the_doctor() -> None:
    assert set(FEEDBACK_CHECKS) <= set(CHECKS)


def test_a_survey_is_sound_in_all_of_its_life(running: int) -> None:
    assert all_findings() == []
    remind(END + timedelta(days=7))
    assert all_findings() == []
    later = END + timedelta(days=22)
    close_surveys(later)
    assert all_findings() == []
    forget_rights(END + timedelta(days=200))
    assert [
        found for check in FEEDBACK_CHECKS for found in check(db.session(), END + timedelta(200))
    ] == []


def unused_right_is_lost(session: Session, _survey: Survey) -> None:
    right = session.scalars(select(FeedbackRight).limit(1)).one()
    session.delete(right)


def test_a_right_that_was_taken_back_is_not_lost(running: int) -> None:
    with transaction() as session:
        unused = set(session.scalars(select(FeedbackRight.token_hash)))
        (absent, *_) = [
            row.registration_id
            for row in session.scalars(select(FeedbackInvitation))
            if digest(row.token) in unused
        ]
        session.execute(delete(Attendance).where(Attendance.registration_id == absent))
    invite(END)
    assert all_findings() == []
    remind(END + timedelta(days=7))
    assert all_findings() == []


def used_right_is_unused_again(session: Session, survey: Survey) -> None:
    used = session.scalars(select(UsedRight).limit(1)).one()
    session.delete(used)
    session.add(FeedbackRight(token_hash=used.token_hash, survey_id=survey.id))


def somebody_is_counted_twice(session: Session, _survey: Survey) -> None:
    row = session.scalars(select(FeedbackCount).where(FeedbackCount.question == "useful")).one()
    row.people += 1


def a_question_is_lost(session: Session, _survey: Survey) -> None:
    session.execute(delete(FeedbackCount).where(FeedbackCount.question == "often"))


def the_version_becomes_a_draft(session: Session, _survey: Survey) -> None:
    # Past the model, which refuses it.
    session.execute(update(QuestionnaireVersion).values(state=VersionState.DRAFT))


def the_reminder_left_codes(_session: Session, survey: Survey) -> None:
    survey.reminded_on = survey.opened_on


def closing_left_codes(session: Session, survey: Survey) -> None:
    survey.state = SurveyState.CLOSED
    session.execute(delete(PendingAnswer))


def an_answer_waits_without_a_right(session: Session, survey: Survey) -> None:
    session.add(PendingAnswer(key=b"k" * KEY_BYTES, survey_id=survey.id, content={}))


def a_right_waits_without_an_answer(session: Session, _survey: Survey) -> None:
    session.execute(delete(PendingAnswer))


def a_closed_survey_waits(session: Session, survey: Survey) -> None:
    survey.state = SurveyState.CLOSED
    for row in session.scalars(select(FeedbackInvitation)):
        row.token = ""


@pytest.mark.parametrize(
    ("check", "spoil", "words"),
    [
        (feedback.rights_add_up_to_the_invited, unused_right_is_lost, "Eingeladen sind 8"),
        (feedback.used_rights_equal_the_answered, used_right_is_unused_again, "gibt es 4"),
        (feedback.counts_add_up_to_the_answered, somebody_is_counted_twice, "Gezählt sind 6"),
        (feedback.counts_add_up_to_the_answered, a_question_is_lost, "Gezählt sind 0"),
        (feedback.surveys_ask_released_versions, the_version_becomes_a_draft, "Entwurf"),
        (feedback.codes_are_forgotten_in_time, the_reminder_left_codes, "Codes"),
        (feedback.codes_are_forgotten_in_time, closing_left_codes, "Codes"),
        (feedback.pending_rights_equal_pending_answers, an_answer_waits_without_a_right, "2 Ant"),
        (feedback.pending_rights_equal_pending_answers, a_right_waits_without_an_answer, "0 Ant"),
        (feedback.closed_surveys_have_nothing_pending, a_closed_survey_waits, "warten noch"),
    ],
)
def test_each_check_finds_what_it_is_for(
    running: int, check: Check, spoil: Callable[[Session, Survey], None], words: str
) -> None:
    number = db.session.get_one(Survey, running).event.number
    assert findings(check) == []
    with transaction() as session:
        spoil(session, session.get_one(Survey, running))
    (found,) = findings(check)
    assert words in found
    assert found.startswith(number)


def test_the_rest_of_a_used_right_is_found(running: int) -> None:
    with transaction() as session:
        session.execute(delete(PendingRight))
    assert len(findings(feedback.rights_add_up_to_the_invited)) == 1
