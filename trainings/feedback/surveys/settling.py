"""From pending to counted: answers and used rights leave their pending tables in batches.

A batch has at least five answers; only when a survey closes may the last one have fewer. What was
pending is deleted, the used rights and the free texts of the survey are all written anew in random
order, and the answers become numbers. See docs/feedback-anonymity.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.clock import berlin_day
from trainings.core.database import (
    BUSY_TIMEOUT_SECONDS,
    POSTGRESQL,
    Base,
    db,
    transaction,
)
from trainings.core.settings import SMALLEST_GROUP
from trainings.feedback.answers import Sheet, tally
from trainings.feedback.models import (
    KEY_BYTES,
    FeedbackCount,
    FeedbackInvitation,
    FeedbackRight,
    FeedbackText,
    PendingAnswer,
    PendingRight,
    Survey,
    SurveyState,
    UsedRight,
)
from trainings.feedback.rules import check_survey_move
from trainings.feedback.surveys.steps import lock_survey

T = TypeVar("T")
_RANDOM = secrets.SystemRandom()
REWRITTEN: tuple[type[Base], ...] = (
    PendingAnswer,
    PendingRight,
    UsedRight,
    FeedbackRight,
    FeedbackText,
    FeedbackCount,
)
"""Tables of which a batch leaves dead rows behind on PostgreSQL."""


def settle_answers(_now: datetime) -> int:
    """Settle the surveys with enough pending answers, each in its own transaction.

    Returns:
        How many answers were counted.

    """
    enough = (
        select(PendingAnswer.survey_id)
        .group_by(PendingAnswer.survey_id)
        .having(func.count() >= SMALLEST_GROUP)
        .order_by(PendingAnswer.survey_id)
    )
    settled = 0
    for survey_id in db.session.scalars(enough).all():
        with transaction() as session:
            settled += settle(session, lock_survey(session, survey_id))
    if settled:
        forget_dead_rows()
    return settled


def close_surveys(now: datetime) -> int:
    """Close the surveys whose last day is over; what is pending is counted, however few it is.

    Returns:
        How many surveys were closed.

    """
    today = berlin_day(now)
    over = (Survey.state == SurveyState.OPEN, Survey.closes_on < today)
    due = db.session.scalars(select(Survey.id).where(*over).order_by(Survey.id)).all()
    closed = 0
    for survey_id in due:
        with transaction() as session:
            survey = lock_survey(session, survey_id)
            if survey.state is SurveyState.OPEN and survey.closes_on and survey.closes_on < today:
                close(session, survey, now)
                closed += 1
    if closed:
        forget_dead_rows()
    return closed


def close(session: Session, survey: Survey, now: datetime) -> None:
    """Close a locked survey; nobody's mail leads to a right any more."""
    check_survey_move(survey.state, SurveyState.CLOSED)
    settle(session, survey, fewest=1)
    survey.state = SurveyState.CLOSED
    for invitation in session.scalars(
        select(FeedbackInvitation).where(
            FeedbackInvitation.survey_id == survey.id, FeedbackInvitation.token != ""
        )
    ):
        invitation.token = ""
    record(session, SYSTEM, "survey_closed", survey, now)


def settle(session: Session, survey: Survey, *, fewest: int = SMALLEST_GROUP) -> int:
    """Count what is pending in a locked survey, if that is enough for a batch.

    Args:
        session: the open transaction.
        survey: locked.
        fewest: how many make a batch; fewer than five only when the survey closes.

    Returns:
        How many answers were counted.

    """
    of_survey = PendingAnswer.survey_id == survey.id
    sheets = [
        Sheet.from_json(content)
        for content in session.scalars(select(PendingAnswer.content).where(of_survey))
    ]
    if len(sheets) < fewest:
        return 0
    session.execute(delete(PendingAnswer).where(of_survey))
    _rewrite_used_rights(session, survey.id)
    _add_counts(session, survey.id, sheets)
    _rewrite_texts(session, survey.id, sheets)
    survey.answered += len(sheets)
    session.flush()
    return len(sheets)


def _rewrite_used_rights(session: Session, survey_id: int) -> None:
    hashes: list[bytes] = []
    for table in (PendingRight, UsedRight):
        of_survey = table.survey_id == survey_id
        hashes += session.scalars(select(table.token_hash).where(of_survey))
        session.execute(delete(table).where(of_survey))
    _add_one_by_one(
        session, [UsedRight(token_hash=each, survey_id=survey_id) for each in _shuffled(hashes)]
    )


def _add_counts(session: Session, survey_id: int, sheets: Sequence[Sheet]) -> None:
    new = tally(sheets)
    stored = {
        (row.question, row.value): row
        for row in session.scalars(
            select(FeedbackCount).where(FeedbackCount.survey_id == survey_id)
        )
    }
    # Sorted: the order in which the answers came must not become the order of the rows.
    for (question, value), people in sorted(new.items()):
        row = stored.get((question, value))
        if row is None:
            row = FeedbackCount(survey_id=survey_id, question=question, value=value, people=0)
            session.add(row)
        row.people += people


def _rewrite_texts(session: Session, survey_id: int, sheets: Sequence[Sheet]) -> None:
    old = session.execute(
        select(FeedbackText.question, FeedbackText.text, FeedbackText.state).where(
            FeedbackText.survey_id == survey_id
        )
    ).all()
    texts = [
        FeedbackText(survey_id=survey_id, question=question, text=text, state=state)
        for question, text, state in old
    ]
    texts += [
        FeedbackText(survey_id=survey_id, question=question, text=text)
        for sheet in sheets
        for question, text in sheet.texts.items()
    ]
    session.execute(delete(FeedbackText).where(FeedbackText.survey_id == survey_id))
    for row in texts:
        row.key = secrets.token_bytes(KEY_BYTES)
    _add_one_by_one(session, _shuffled(texts))


def _add_one_by_one(session: Session, rows: Sequence[Base]) -> None:
    """Store rows in this order; a flush of many sorts them by key, or by age."""
    for row in rows:
        session.add(row)
        session.flush()


def _shuffled(rows: Sequence[T]) -> list[T]:
    return _RANDOM.sample(rows, len(rows))


def forget_dead_rows(*, patience: int = BUSY_TIMEOUT_SECONDS) -> None:
    """Let go of what deleted rows leave behind, where the database is not told to by itself.

    PostgreSQL keeps old versions of rows, with the transaction that made them, until VACUUM; SQLite
    overwrites what is deleted (`core.database`), and its log is emptied here.

    Args:
        patience: seconds to wait for those who read from SQLite's log at the moment. If that is
            too short the log stays as it is until the next call, or until it is full.

    """
    db.session.remove()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == POSTGRESQL:
            names = ", ".join(table.__tablename__ for table in REWRITTEN)
            connection.exec_driver_sql(f"VACUUM {names}")
        else:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {patience * 1000}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
