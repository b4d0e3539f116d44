"""Makes free texts for tests."""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.feedback.factories import make_attended, make_closed_survey, make_format, make_version
from trainings.core.database import db
from trainings.events.models import EventTemplate
from trainings.feedback.models import (
    FeedbackText,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyState,
    TextState,
)


def make_texts(
    session: Session,
    *written: str,
    release: Release = Release.EVENT,
    first_day: date = date(2025, 4, 16),
    template: EventTemplate | None = None,
    version: QuestionnaireVersion | None = None,
    people: int = 0,
) -> Survey:
    """Add a closed survey of a training with these unread texts."""
    event = make_attended(
        session, people, first_day=first_day, template=template or make_format(session)
    )
    return make_closed_survey(
        session,
        event,
        version or make_version(session),
        {},
        answered=6,
        release=release,
        texts={"words": written},
    )


def make_hidden(session: Session, hidden: str) -> Survey:
    """Add a survey whose one text nobody may read: `open` or `waiting`."""
    survey = make_texts(session, "Herr Verborgen war da.", release=Release.WAITING)
    if hidden == "open":
        survey.state = SurveyState.OPEN
        survey.closes_on = date(2030, 1, 1) + timedelta(days=1)
    session.flush()
    return survey


def keys() -> list[bytes]:
    """Return the keys of all texts, ascending."""
    return list(db.session.scalars(select(FeedbackText.key).order_by(FeedbackText.key)))


def stored() -> list[tuple[str, TextState]]:
    """Return text and state of all texts, by ascending key, as everybody sees them now."""
    db.session.rollback()
    rows = db.session.execute(
        select(FeedbackText.text, FeedbackText.state).order_by(FeedbackText.key)
    )
    return [(text, state) for text, state in rows]
