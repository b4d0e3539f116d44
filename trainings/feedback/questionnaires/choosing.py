"""Which version an event asks."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.events.models import Event, EventKind
from trainings.feedback.models import (
    FeedbackPlan,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    SurveyKind,
    VersionState,
)
from trainings.feedback.rules import usual_use


def version_for(session: Session, event: Event, kind: SurveyKind) -> QuestionnaireVersion | None:
    """Return the version that an event would ask now; None: it asks nothing.

    What is chosen for the format of the event counts, even if nothing was chosen; else the oldest
    questionnaire in use for such events.
    """
    plan = session.get(FeedbackPlan, event.template_id) if event.template_id else None
    if plan is not None:
        chosen = plan.after_id if kind is SurveyKind.AFTER else plan.follow_up_id
    else:
        chosen = _usual(session, event.kind, kind)
    if chosen is None:
        return None
    return session.scalar(
        select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.questionnaire_id == chosen,
            QuestionnaireVersion.state == VersionState.RELEASED,
        )
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
    )


def _usual(session: Session, event_kind: EventKind, kind: SurveyKind) -> int | None:
    use = usual_use(event_kind)
    if kind is SurveyKind.FOLLOW_UP:
        use = QuestionnaireUse.FOLLOW_UP if use is QuestionnaireUse.TRAINING else None
    if use is None:
        return None
    return session.scalar(
        select(Questionnaire.id)
        .where(Questionnaire.use == use, Questionnaire.retired_at.is_(None))
        .order_by(Questionnaire.id)
        .limit(1)
    )
