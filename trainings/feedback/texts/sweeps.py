"""What time brings to the free texts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.feedback.models import FeedbackText, Survey, SurveyState
from trainings.feedback.rules import TEXTS_KEPT_FOR


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
