"""Which questionnaire the events of a format ask: choosing it, and showing what is chosen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.events.models import EventKind, EventTemplate
from trainings.feedback.models import (
    FeedbackPlan,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    SurveyKind,
    VersionState,
)
from trainings.feedback.questionnaires.choosing import (
    use_of,
    usual_questionnaires,
    was_released,
)
from trainings.feedback.questionnaires.operations import lock_questionnaire


class Usual(Enum):
    """The choice to have none: what is usual for such events counts."""

    USUAL = "usual"


USUAL = Usual.USUAL
Choice = int | Usual | None
"""A questionnaire, what is usual, or nothing."""


@dataclass(frozen=True)
class Asked:
    """What the events of a format ask at one time.

    Attributes:
        choice: what was chosen.
        title: of the questionnaire that it comes to; None: nothing is asked.
        usual: of the questionnaire that would be usual; None: nothing would be asked.

    """

    choice: Choice
    title: str | None
    usual: str | None

    @property
    def is_usual(self) -> bool:
        """Whether nothing was chosen."""
        return self.choice is USUAL


@dataclass(frozen=True)
class FormatPlan:
    """A format and what its events ask.

    Attributes:
        template_id: the format.
        title: its name.
        kind: of its events.
        after: what is asked after the last session.
        follow_up: what is asked three months later.

    """

    template_id: int
    title: str
    kind: EventKind
    after: Asked
    follow_up: Asked


def choose_questionnaires(
    session: Session,
    actor: Actor,
    template_id: int,
    after: Choice,
    follow_up: Choice,
    *,
    now: datetime,
) -> None:
    """Choose what the events of a format ask; surveys that are open keep what they ask.

    What is usual holds for both times or for none: if only one is chosen, the other is kept as it
    is usual now.

    Args:
        session: the open transaction.
        actor: the office.
        template_id: the format.
        after: what is asked after the last session.
        follow_up: what is asked three months later.
        now: the present instant.

    Raises:
        DomainError: `not_found`, or `not_askable` for a questionnaire that is retired or was never
            released.

    """
    template = session.scalar(
        select(EventTemplate).where(EventTemplate.id == template_id).with_for_update(key_share=True)
    )
    if template is None:
        raise not_found()
    plan = session.get(FeedbackPlan, template_id, populate_existing=True)
    if after is USUAL and follow_up is USUAL:
        if plan is not None:
            session.delete(plan)
            session.flush()
            record(session, actor, "feedback_plan_removed", template, now)
        return
    usual = usual_questionnaires(session)
    after_id = _resolved(after, usual, use_of(template.kind, SurveyKind.AFTER))
    follow_up_id = _resolved(follow_up, usual, use_of(template.kind, SurveyKind.FOLLOW_UP))
    kept = {plan.after_id, plan.follow_up_id} if plan else set()
    for questionnaire_id in sorted({after_id, follow_up_id} - kept - {None}):  # type: ignore[type-var]
        _check_askable(session, questionnaire_id)  # type: ignore[arg-type]
    if plan is None:
        plan = FeedbackPlan(template_id=template_id)
        session.add(plan)
    plan.after_id, plan.follow_up_id = after_id, follow_up_id
    session.flush()
    record(
        session, actor, "feedback_plan_changed", template, now,
        after=after_id, follow_up=follow_up_id,
    )  # fmt: skip


def _resolved(
    choice: Choice, usual: dict[QuestionnaireUse, Questionnaire], use: QuestionnaireUse | None
) -> int | None:
    if not isinstance(choice, Usual):
        return choice
    return usual[use].id if use in usual else None


def _check_askable(session: Session, questionnaire_id: int) -> None:
    """Lock a questionnaire, so that nobody takes it out of use meanwhile."""
    questionnaire = lock_questionnaire(session, questionnaire_id)
    released = select(QuestionnaireVersion.id).where(
        QuestionnaireVersion.questionnaire_id == questionnaire_id,
        QuestionnaireVersion.state == VersionState.RELEASED,
    )
    if questionnaire.retired_at is not None or session.scalar(released.limit(1)) is None:
        raise DomainError(
            "not_askable",
            f"Der Fragebogen „{questionnaire.title}“ ist stillgelegt oder noch nicht freigegeben. "
            "Bitte wählen Sie einen anderen.",
        )


def list_plans(session: Session, template_id: int | None = None) -> list[FormatPlan]:
    """Return what the formats in use ask, by kind and title; two statements.

    Args:
        session: for reading.
        template_id: only this format.

    """
    after, follow_up = aliased(Questionnaire), aliased(Questionnaire)
    query = (
        select(EventTemplate, FeedbackPlan, after.title, follow_up.title)
        .outerjoin(FeedbackPlan, FeedbackPlan.template_id == EventTemplate.id)
        .outerjoin(after, FeedbackPlan.after_id == after.id)
        .outerjoin(follow_up, FeedbackPlan.follow_up_id == follow_up.id)
        .where(EventTemplate.retired_at.is_(None))
        .order_by(EventTemplate.title, EventTemplate.id)
    )
    if template_id is not None:
        query = query.where(EventTemplate.id == template_id)
    usual = {use: found.title for use, found in usual_questionnaires(session).items()}

    def asked(
        template: EventTemplate, kind: SurveyKind, chosen: tuple[int | None, str | None] | None
    ) -> Asked:
        use = use_of(template.kind, kind)
        ordinary = usual.get(use) if use else None
        return Asked(*chosen, ordinary) if chosen else Asked(USUAL, ordinary, ordinary)

    return [
        FormatPlan(
            template.id,
            template.title,
            template.kind,
            asked(template, SurveyKind.AFTER, (plan.after_id, first) if plan else None),
            asked(template, SurveyKind.FOLLOW_UP, (plan.follow_up_id, second) if plan else None),
        )
        for template, plan, first, second in session.execute(query)
    ]


def askable_questionnaires(session: Session) -> list[tuple[int, str]]:
    """Return the questionnaires that may be chosen: id and title; one statement."""
    rows = session.execute(
        select(Questionnaire.id, Questionnaire.title)
        .where(Questionnaire.retired_at.is_(None), was_released())
        .order_by(Questionnaire.title, Questionnaire.id)
    )
    return [(row.id, row.title) for row in rows]
