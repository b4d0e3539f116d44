"""What time brings to the free texts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day
from trainings.core.database import db
from trainings.feedback.models import FeedbackText, Survey, SurveyState
from trainings.feedback.rules import TEXTS_KEPT_FOR
from trainings.feedback.surveys.settling import forget_dead_rows
from trainings.feedback.texts.operations import REDACTED, REMOVED

_LATELY = timedelta(minutes=15)
"""Longer than the pause of the worker; what it missed goes with the next batch."""


def forget_texts(session: Session, now: datetime) -> int:
    """Delete the texts of surveys whose last day is three years ago (`Retention.FEEDBACK`).

    Returns:
        How many were deleted.

    """
    old = select(Survey.id).where(
        Survey.state == SurveyState.CLOSED, Survey.closes_on < berlin_day(now) - TEXTS_KEPT_FOR
    )
    result = session.execute(delete(FeedbackText).where(FeedbackText.survey_id.in_(old)))
    return int(result.rowcount)  # type: ignore[attr-defined]


def forget_overwritten_texts(now: datetime) -> int:
    """Let go of what the database still keeps of texts that were made unreadable lately.

    Returns:
        How many times the office did so.

    """
    overwritten = (
        select(func.count())
        .select_from(AuditEntry)
        .where(AuditEntry.action.in_((REDACTED, REMOVED)), AuditEntry.at > now - _LATELY)
    )
    number = db.session.scalar(overwritten) or 0
    if number:
        forget_dead_rows()
    return number
