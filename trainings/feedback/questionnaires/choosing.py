"""Which version an event asks."""

from __future__ import annotations

from sqlalchemy import ColumnElement, exists, select
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
        use = use_of(event.kind, kind)
        usual = usual_questionnaires(session).get(use) if use else None
        chosen = usual.id if usual else None
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


def use_of(event_kind: EventKind, kind: SurveyKind) -> QuestionnaireUse | None:
    """Return what events of a kind ask then, unless their format says otherwise; None: nothing."""
    use = usual_use(event_kind)
    if kind is SurveyKind.FOLLOW_UP:
        return QuestionnaireUse.FOLLOW_UP if use is QuestionnaireUse.TRAINING else None
    return use


def usual_questionnaires(session: Session) -> dict[QuestionnaireUse, Questionnaire]:
    """Return the oldest questionnaire for each use that may be asked; one statement."""
    found: dict[QuestionnaireUse, Questionnaire] = {}
    for questionnaire in session.scalars(
        select(Questionnaire)
        .where(Questionnaire.retired_at.is_(None), was_released())
        .order_by(Questionnaire.id)
    ):
        found.setdefault(questionnaire.use, questionnaire)
    return found


def was_released() -> ColumnElement[bool]:
    """Return the condition that a questionnaire has a version that can be asked."""
    return exists().where(
        QuestionnaireVersion.questionnaire_id == Questionnaire.id,
        QuestionnaireVersion.state == VersionState.RELEASED,
    )
