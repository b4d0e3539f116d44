"""The state of a survey changes here and nowhere else.

A survey is locked after everything else that an operation locks (persons, pools, registrations).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_day
from trainings.core.errors import not_found
from trainings.core.settings import current_settings
from trainings.feedback.models import (
    Channel,
    QuestionnaireVersion,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.rules import check_survey_move, group_size, last_answer_day


def lock_survey(session: Session, survey_id: int) -> Survey:
    """Lock a survey and read it anew.

    Raises:
        DomainError: `not_found`.

    """
    survey = session.scalar(
        select(Survey)
        .where(Survey.id == survey_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if survey is None:
        raise not_found()
    return survey


def lock_survey_of(session: Session, event_id: int, kind: SurveyKind) -> Survey | None:
    """Lock the survey of an event, if there is one; whoever makes one has locked its pool."""
    survey_id = session.scalar(
        select(Survey.id).where(Survey.event_id == event_id, Survey.kind == kind)
    )
    return lock_survey(session, survey_id) if survey_id is not None else None


def plan_survey(
    session: Session,
    actor: Actor,
    event_id: int,
    kind: SurveyKind,
    now: datetime,
    *,
    state: SurveyState = SurveyState.PLANNED,
    channel: Channel = Channel.MAIL,
) -> Survey:
    """Choose how an event will ask, or that it will not; its pool is locked.

    Args:
        session: the open transaction.
        actor: who chooses.
        event_id: the event.
        kind: which survey.
        now: the present instant.
        state: `PLANNED` or `OMITTED`.
        channel: how people get their rights.

    Raises:
        DomainError: `survey_moved_on`.

    """
    survey = lock_survey_of(session, event_id, kind)
    if survey is None or survey.state is not state:
        check_survey_move(survey.state if survey else None, state)
    if survey is None:
        survey = Survey(event_id=event_id, kind=kind)
        session.add(survey)
    survey.state, survey.channel = state, channel
    session.flush()
    record(session, actor, "survey_planned", survey, now, state=state.value, channel=channel.value)
    return survey


def open_survey(
    session: Session,
    actor: Actor,
    survey: Survey,
    version: QuestionnaireVersion,
    now: datetime,
) -> None:
    """Begin to take answers to a version; it stays this version until the survey closes.

    Args:
        session: the open transaction.
        actor: the system, or whoever prints slips.
        survey: locked, or new and not yet stored.
        version: released; what is asked.
        now: the present instant.

    Raises:
        DomainError: `survey_moved_on`.

    """
    check_survey_move(survey.state, SurveyState.OPEN)
    today = berlin_day(now)
    survey.state = SurveyState.OPEN
    survey.version_id = version.id
    survey.opened_on = today
    survey.closes_on = last_answer_day(survey.kind, today)
    survey.smallest_group = smallest_group(session)
    session.add(survey)
    session.flush()
    record(session, actor, "survey_opened", survey, now, version=version.id)


def smallest_group(session: Session) -> int:
    """Return the smallest group that is shown now; one statement."""
    promised = session.scalar(select(func.max(Survey.smallest_group)))
    return group_size(current_settings().feedback_smallest_group, promised)
