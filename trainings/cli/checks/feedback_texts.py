"""Invariants of the free texts: what was taken out is gone, and nobody reads one too early."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, not_, select
from sqlalchemy.orm import Session

from trainings.core.formats import count
from trainings.feedback.content import Content, QuestionKind
from trainings.feedback.models import FeedbackText, QuestionnaireVersion, Survey, TextState
from trainings.feedback.texts.reads import READABLE


def removed_texts_are_empty(session: Session, _now: datetime) -> list[str]:
    """Nothing is left of a text that was taken out."""
    rows = session.execute(
        select(FeedbackText.survey_id, func.count())
        .where(FeedbackText.state == TextState.REMOVED, FeedbackText.text != "")
        .group_by(FeedbackText.survey_id)
        .order_by(FeedbackText.survey_id)
    )
    return [
        f"Rückmeldung {survey_id}: {_texts(number)} entfernt und trotzdem noch da."
        for survey_id, number in rows
    ]


def texts_are_read_when_they_may_be(session: Session, _now: datetime) -> list[str]:
    """Texts of a survey that runs, or that flows into no table, are all unread."""
    rows = session.execute(
        select(FeedbackText.survey_id, func.count())
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .where(not_(READABLE), FeedbackText.state != TextState.UNREAD)
        .group_by(FeedbackText.survey_id)
        .order_by(FeedbackText.survey_id)
    )
    return [
        f"Rückmeldung {survey_id}: {_texts(number)} durchgesehen, obwohl noch niemand lesen "
        "darf, was dort steht."
        for survey_id, number in rows
    ]


def texts_belong_to_a_free_question(session: Session, _now: datetime) -> list[str]:
    """Each text answers a free question of the version that its survey asks."""
    rows = session.execute(
        select(
            FeedbackText.survey_id,
            FeedbackText.question,
            QuestionnaireVersion.id,
            func.count(),
        )
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .outerjoin(QuestionnaireVersion, Survey.version_id == QuestionnaireVersion.id)
        .group_by(FeedbackText.survey_id, FeedbackText.question, QuestionnaireVersion.id)
        .order_by(FeedbackText.survey_id, FeedbackText.question)
    ).all()
    asked = {
        version_id: {
            question.key
            for question in Content.from_json(content).questions
            if question.kind is QuestionKind.TEXT
        }
        for version_id, content in session.execute(
            select(QuestionnaireVersion.id, QuestionnaireVersion.content)
        )
    }
    return [
        f"Rückmeldung {survey_id}: {_texts(number)} einer Frage zugeordnet, die es in ihrer "
        f"Fassung nicht gibt ({question})."
        for survey_id, question, version_id, number in rows
        if question not in asked.get(version_id, ())
    ]


def _texts(number: int) -> str:
    return count(number, "Text ist", "Texte sind")
