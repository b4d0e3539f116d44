"""Invariants of the feedback: rights and answers add up, and nothing tells whose they are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import func, not_, or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.clock import berlin_day
from trainings.core.formats import number
from trainings.events.models import Event
from trainings.feedback.content import Content, QuestionKind
from trainings.feedback.models import (
    SURVEY_KIND_NAMES,
    FeedbackCount,
    FeedbackInvitation,
    FeedbackRight,
    PendingAnswer,
    PendingRight,
    QuestionnaireVersion,
    Survey,
    SurveyState,
    UsedRight,
    VersionState,
)
from trainings.feedback.rules import RIGHTS_KEPT_FOR
from trainings.feedback.surveys.reads import attended
from trainings.registrations.models import Registration

_PerSurvey = type[FeedbackRight | PendingRight | UsedRight | PendingAnswer | FeedbackInvitation]
_NOT_COUNTED = {QuestionKind.TEXT, QuestionKind.MULTIPLE}
"""Kinds of questions of which nobody, or one person several times, is in the counts."""


def rights_add_up_to_the_invited(session: Session, now: datetime) -> list[str]:
    """While rights are kept, each one that was given is unused, pending, used or taken back."""
    unused, pending, used = (
        _rows_of(session, table) for table in (FeedbackRight, PendingRight, UsedRight)
    )
    taken_back = _taken_back(session)
    return [
        f"{_name(survey)}: Eingeladen sind {number(survey.invited)}, Berechtigungen gibt es "
        f"{number(total)}."
        for survey in _with_rights(session, now)
        if (total := unused.get(survey.id, 0) + pending.get(survey.id, 0) + used.get(survey.id, 0))
        not in range(survey.invited - taken_back.get(survey.id, 0), survey.invited + 1)
    ]


def _taken_back(session: Session) -> dict[int, int]:
    """Return how many rights of each survey may have been taken from who was absent after all.

    Without codes, that is after the reminder, only those who were never invited are known.
    """
    rows = session.execute(
        select(FeedbackInvitation.survey_id, func.count())
        .join(Survey, FeedbackInvitation.survey_id == Survey.id)
        .join(Registration, FeedbackInvitation.registration_id == Registration.id)
        .where(or_(FeedbackInvitation.token == "", not_(attended(Survey.event_id))))
        .group_by(FeedbackInvitation.survey_id)
    )
    return dict(rows.all())


def used_rights_equal_the_answered(session: Session, now: datetime) -> list[str]:
    """While rights are kept, as many are used as answers are counted."""
    used = _rows_of(session, UsedRight)
    return [
        f"{_name(survey)}: Geantwortet haben {number(survey.answered)}, benutzte Berechtigungen "
        f"gibt es {number(used.get(survey.id, 0))}."
        for survey in _with_rights(session, now)
        if used.get(survey.id, 0) != survey.answered
    ]


def counts_add_up_to_the_answered(session: Session, _now: datetime) -> list[str]:
    """Each who answered is counted once at each question that has one answer."""
    rows = session.execute(
        select(
            FeedbackCount.survey_id, FeedbackCount.question, func.sum(FeedbackCount.people)
        ).group_by(FeedbackCount.survey_id, FeedbackCount.question)
    )
    counted = {(survey_id, question): int(people) for survey_id, question, people in rows}
    return [
        f"{_name(survey)}, Frage „{question}“: Gezählt sind {number(people)}, geantwortet haben "
        f"{number(survey.answered)}."
        for survey in _surveys(session)
        for question in _counted_questions(survey)
        if (people := counted.get((survey.id, question), 0)) != survey.answered
    ]


def surveys_ask_released_versions(session: Session, _now: datetime) -> list[str]:
    """Surveys ask, and asked, versions that never change."""
    return [
        f"{_name(survey)}: Gefragt wird ein Entwurf."
        for survey in _surveys(session)
        if survey.version and survey.version.state is not VersionState.RELEASED
    ]


def codes_are_forgotten_in_time(session: Session, _now: datetime) -> list[str]:
    """After the reminder, and after the last day, no code stands beside a registration."""
    kept = session.scalars(
        select(FeedbackInvitation.survey_id)
        .join(Survey, FeedbackInvitation.survey_id == Survey.id)
        .where(
            FeedbackInvitation.token != "",
            or_(Survey.state == SurveyState.CLOSED, Survey.reminded_on.is_not(None)),
        )
    )
    ids = set(kept)
    return [
        f"{_name(survey)}: Es sind noch Codes von Eingeladenen gespeichert."
        for survey in _surveys(session)
        if survey.id in ids
    ]


def pending_rights_equal_pending_answers(session: Session, _now: datetime) -> list[str]:
    """Right and answer wait and leave together."""
    rights, answers = _rows_of(session, PendingRight), _rows_of(session, PendingAnswer)
    return [
        f"{_name(survey)}: Es warten {number(answers.get(survey.id, 0))} Antworten und "
        f"{number(rights.get(survey.id, 0))} Berechtigungen."
        for survey in _surveys(session)
        if rights.get(survey.id, 0) != answers.get(survey.id, 0)
    ]


def closed_surveys_have_nothing_pending(session: Session, _now: datetime) -> list[str]:
    """Nothing waits any more: it was counted when the survey closed."""
    answers = _rows_of(session, PendingAnswer)
    return [
        f"{_name(survey)}: Abgeschlossen, aber es warten noch Antworten."
        for survey in _surveys(session)
        if survey.state is SurveyState.CLOSED and answers.get(survey.id)
    ]


def _surveys(session: Session) -> Sequence[Survey]:
    return session.scalars(
        select(Survey)
        .options(joinedload(Survey.event).load_only(Event.number), joinedload(Survey.version))
        .order_by(Survey.id)
    ).all()


def _with_rights(session: Session, now: datetime) -> Iterator[Survey]:
    """Return the surveys whose rights are not to be forgotten yet."""
    forgotten = berlin_day(now) - RIGHTS_KEPT_FOR
    return (
        survey
        for survey in _surveys(session)
        if not (
            survey.state is SurveyState.CLOSED
            and survey.closes_on is not None
            and survey.closes_on < forgotten
        )
    )


def _rows_of(session: Session, table: _PerSurvey) -> dict[int, int]:
    """Return how many rows of a table each survey has."""
    rows = session.execute(select(table.survey_id, func.count()).group_by(table.survey_id))
    return {row[0]: row[1] for row in rows}


def _counted_questions(survey: Survey) -> list[str]:
    version: QuestionnaireVersion | None = survey.version
    if version is None:
        return []
    questions = Content.from_json(version.content).questions
    return [question.key for question in questions if question.kind not in _NOT_COUNTED]


def _name(survey: Survey) -> str:
    return f"{survey.event.number}, {SURVEY_KIND_NAMES[survey.kind]}"
