"""From pending to counted: answers and used rights leave their pending tables in batches.

A batch has at least five answers; only when a survey closes may the last one have fewer. What was
pending is deleted, the used rights and the free texts of the survey are all written anew in random
order, and so are the numbers that the answers become. See docs/feedback-anonymity.md.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select, update
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
from trainings.core.discretion import leaves_no_line
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
    TextState,
    UsedRight,
)
from trainings.feedback.rules import check_survey_move
from trainings.feedback.shuffling import in_random_order, store_in_order
from trainings.feedback.surveys.steps import lock_survey

_PATIENCE_SECONDS = 2
REWRITTEN: tuple[type[Base], ...] = (
    PendingAnswer,
    PendingRight,
    UsedRight,
    FeedbackRight,
    FeedbackText,
    FeedbackCount,
    FeedbackInvitation,
)
"""Tables of which a batch, or the end of a survey, leaves dead rows behind on PostgreSQL."""


@leaves_no_line
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
    # On SQLite each time: a long read may have kept the log from being emptied the last time.
    if settled or db.engine.dialect.name != POSTGRESQL:
        forget_dead_rows()
    return settled


@leaves_no_line
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
    session.execute(
        update(FeedbackInvitation)
        .where(FeedbackInvitation.survey_id == survey.id, FeedbackInvitation.token != "")
        .values(token="")
    )
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
    _rewrite_counts(session, survey.id, sheets)
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
    store_in_order(
        session,
        UsedRight,
        [{"token_hash": each, "survey_id": survey_id} for each in in_random_order(hashes)],
    )


def _rewrite_counts(session: Session, survey_id: int, sheets: Sequence[Sheet]) -> None:
    """Add to the sums of a survey; all rows are new, also those whose sum stays what it was.

    Otherwise the transaction that last changed a row (`xmin` on PostgreSQL) would tell which values
    nobody of the latest batch chose.
    """
    people = tally(sheets)
    of_survey = FeedbackCount.survey_id == survey_id
    stored = select(FeedbackCount.question, FeedbackCount.value, FeedbackCount.people)
    for question, value, number in session.execute(stored.where(of_survey)).all():
        people[question, value] += number
    session.execute(delete(FeedbackCount).where(of_survey))
    # Sorted: the order in which the answers came must not become the order of the rows.
    session.add_all(
        FeedbackCount(survey_id=survey_id, question=question, value=value, people=number)
        for (question, value), number in sorted(people.items())
    )
    session.flush()


def _rewrite_texts(session: Session, survey_id: int, sheets: Sequence[Sheet]) -> None:
    old = session.execute(
        select(FeedbackText.question, FeedbackText.text, FeedbackText.state).where(
            FeedbackText.survey_id == survey_id
        )
    ).all()
    new = [
        (question, text, TextState.UNREAD)
        for sheet in sheets
        for question, text in sheet.texts.items()
    ]
    session.execute(delete(FeedbackText).where(FeedbackText.survey_id == survey_id))
    rows = [
        {
            "key": secrets.token_bytes(KEY_BYTES),
            "survey_id": survey_id,
            "question": question,
            "text": text,
            "state": state,
        }
        for question, text, state in (*old, *new)
    ]
    store_in_order(session, FeedbackText, in_random_order(rows))


def forget_dead_rows() -> None:
    """Let go of what deleted rows leave behind, where the database is not told to by itself.

    PostgreSQL keeps old versions of rows, with the transaction that made them, until VACUUM, and a
    plain VACUUM leaves their bytes in pages that other rows still use: these small tables are
    written anew as a whole. SQLite overwrites what is deleted (`core.database`), and its log is
    emptied here.
    """
    db.session.remove()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if connection.dialect.name == POSTGRESQL:
            names = ", ".join(table.__tablename__ for table in REWRITTEN)
            connection.exec_driver_sql(f"VACUUM (FULL) {names}")
        else:
            # Whoever writes waits meanwhile: not for long, as the next sweep tries again.
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE_SECONDS * 1000}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
