"""Who is asked: those who attended, as several operations and pages load them."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.access import trains_event
from trainings.attendance.reads import TAKES_PART, has_attended
from trainings.core.actors import Actor
from trainings.core.clock import berlin_instant
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventKind, EventState
from trainings.feedback.models import FeedbackPlan, Questionnaire, QuestionnaireUse, SurveyKind
from trainings.feedback.questionnaires.choosing import use_of, was_released
from trainings.registrations.models import Registration

TAKES_PLACE = (EventState.PUBLISHED, EventState.HELD)
"""States of events that ask: drafts and cancelled ones never do."""


def attended(event_id: int | SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Return the condition that a registration of an event has at least one attended session."""
    return and_(Registration.event_id == event_id, TAKES_PART, has_attended())


def count_attended(session: Session, event_id: int) -> int:
    """Return how many people attended an event; one statement."""
    return (
        session.scalar(select(func.count()).select_from(Registration).where(attended(event_id)))
        or 0
    )


def overseen_by(actor: Actor) -> ColumnElement[bool]:
    """Return the condition that the actor sees the surveys of the event around it."""
    if actor.may(Permission.OFFICE):
        return Event.id.is_not(None)
    return trains_event(actor)


def asks(kind: SurveyKind) -> ColumnElement[bool]:
    """Return the condition that the event around it asks, by its format or by its kind.

    The same as `choosing.version_for` says of one event.
    """
    follow_up = kind is SurveyKind.FOLLOW_UP
    chosen = FeedbackPlan.follow_up_id if follow_up else FeedbackPlan.after_id
    of_format = FeedbackPlan.template_id == Event.template_id
    kinds: dict[QuestionnaireUse, list[EventKind]] = defaultdict(list)
    for each in EventKind:
        use = use_of(each, kind)
        if use is not None:
            kinds[use].append(each)
    usual = (
        and_(
            Event.kind.in_(of_use),
            exists().where(
                Questionnaire.use == use, Questionnaire.retired_at.is_(None), was_released()
            ),
        )
        for use, of_use in kinds.items()
    )
    return or_(
        exists().where(of_format, chosen.is_not(None)),
        and_(~exists().where(of_format), or_(*usual)),
    )


def ends_at(event: Event) -> datetime:
    """Return the instant at which the last session ends."""
    last = max(event.sessions, key=lambda session: (session.day, session.ends))
    return berlin_instant(last.day, last.ends)
