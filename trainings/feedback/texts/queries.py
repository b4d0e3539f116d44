"""Free texts as results show them: only those that the office looked through."""

from __future__ import annotations

import secrets
from collections import defaultdict

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from trainings.feedback.models import FeedbackText, Survey, TextState

_RANDOM = secrets.SystemRandom()


def shown_texts(session: Session, which: ColumnElement[bool]) -> dict[str, list[str]]:
    """Return the texts that may be read, in random order, by the key of their question.

    Args:
        session: for reading; one statement.
        which: condition on `Survey`; whoever asks sees to it that these may be shown.

    """
    found: dict[str, list[str]] = defaultdict(list)
    for question, text in session.execute(
        select(FeedbackText.question, FeedbackText.text).where(
            FeedbackText.survey_id.in_(select(Survey.id).where(which)),
            FeedbackText.state == TextState.SHOWN,
        )
    ):
        found[question].append(text)
    return {question: _RANDOM.sample(texts, len(texts)) for question, texts in found.items()}


def count_removed(session: Session, which: ColumnElement[bool]) -> dict[str, int]:
    """Return how many texts were removed, by the key of their question; one statement.

    Args:
        session: for reading.
        which: condition on `Survey`.

    """
    rows = session.execute(
        select(FeedbackText.question, func.count())
        .where(
            FeedbackText.survey_id.in_(select(Survey.id).where(which)),
            FeedbackText.state == TextState.REMOVED,
        )
        .group_by(FeedbackText.question)
    )
    return dict(rows.all())
