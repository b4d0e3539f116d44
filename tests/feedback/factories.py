"""Makes questionnaires, surveys and answers for tests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import LONG_AGO, make_event, make_person
from tests.registered import make_registration
from trainings.core.actors import SYSTEM
from trainings.core.clock import berlin_day
from trainings.events.models import Event, EventKind, EventState, EventTemplate, Visibility
from trainings.feedback.answering.operations import submit
from trainings.feedback.answers import Sheet
from trainings.feedback.content import Content, Option, Question, QuestionKind, Section
from trainings.feedback.models import (
    Channel,
    FeedbackCount,
    FeedbackText,
    PendingAnswer,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
    VersionState,
)
from trainings.feedback.questionnaires.standard import AGREEMENT
from trainings.feedback.surveys.rights import grant
from trainings.feedback.surveys.steps import open_survey

SMALL = Content(
    "Wie war es?",
    (
        Section(
            "Fragen",
            (
                Question("useful", QuestionKind.SCALE, "Es war nützlich.", labels=AGREEMENT),
                Question(
                    "again",
                    QuestionKind.SINGLE,
                    "Kämen Sie wieder?",
                    options=(Option("yes", "ja"), Option("no", "nein")),
                ),
                Question(
                    "liked",
                    QuestionKind.MULTIPLE,
                    "Was war gut?",
                    options=(Option("talk", "Vortrag"), Option("play", "Übung")),
                ),
                Question("often", QuestionKind.NUMBER, "Wie oft?", most=50),
                Question("words", QuestionKind.TEXT, "Was noch?"),
            ),
        ),
    ),
)
"""One question of each kind."""


def make_version(
    session: Session,
    content: Content = SMALL,
    *,
    use: QuestionnaireUse = QuestionnaireUse.TRAINING,
    title: str = "Training",
    state: VersionState = VersionState.RELEASED,
    questionnaire: Questionnaire | None = None,
) -> QuestionnaireVersion:
    """Add a version, of a new questionnaire unless told otherwise."""
    questionnaire = questionnaire or Questionnaire(title=title, use=use)
    session.add(questionnaire)
    session.flush()
    last = session.scalar(
        select(func.max(QuestionnaireVersion.number)).where(
            QuestionnaireVersion.questionnaire_id == questionnaire.id
        )
    )
    version = QuestionnaireVersion(
        questionnaire_id=questionnaire.id,
        number=(last or 0) + 1,
        state=state,
        content=content.to_json(),
        created_at=LONG_AGO,
        released_at=LONG_AGO if state is VersionState.RELEASED else None,
    )
    session.add(version)
    session.flush()
    return version


def make_format(session: Session, title: str = "Konflikte") -> EventTemplate:
    """Add a format of trainings."""
    template = EventTemplate(
        kind=EventKind.TRAINING,
        title=title,
        capacity=12,
        minimum=6,
        visibility=Visibility.PARTNERS,
        registration_deadline_days=14,
        withdrawal_deadline_days=7,
        needs_deadline_days=7,
    )
    session.add(template)
    session.flush()
    return template


def make_attended(
    session: Session,
    people: int,
    *,
    first_day: date = date(2026, 4, 16),
    template: EventTemplate | None = None,
    title: str = "Professioneller Umgang mit Konflikten",
) -> Event:
    """Add a training of two days that took place; everybody was there."""
    event = make_event(session, first_day=first_day, title=title, state=EventState.HELD)
    event.template_id = template.id if template else None
    marks = "p" * len(event.sessions)
    for _ in range(people):
        make_registration(session, event, make_person(session), marks=marks)
    return event


def make_open_survey(
    session: Session,
    event: Event,
    version: QuestionnaireVersion,
    now: datetime,
    *,
    rights: int = 6,
    kind: SurveyKind = SurveyKind.AFTER,
    channel: Channel = Channel.MAIL,
) -> tuple[Survey, list[str]]:
    """Open a survey; return it with the codes of its rights."""
    survey = Survey(event_id=event.id, kind=kind, state=SurveyState.PLANNED, channel=channel)
    session.add(survey)
    open_survey(session, SYSTEM, survey, version, now)
    return survey, grant(session, survey, rights)


def make_closed_survey(
    session: Session,
    event: Event,
    version: QuestionnaireVersion,
    counts: Mapping[str, Mapping[str, int]],
    *,
    answered: int,
    invited: int = 12,
    closes_on: date | None = None,
    release: Release = Release.EVENT,
    kind: SurveyKind = SurveyKind.AFTER,
    texts: Mapping[str, tuple[str, ...]] | None = None,
) -> Survey:
    """Add a closed survey with its sums.

    Args:
        session: the open transaction.
        event: that asked.
        version: what it asked.
        counts: how many people chose each value, by question.
        answered: how many answered.
        invited: how many were asked.
        closes_on: its last day; three weeks after the event if not given.
        release: into which tables its answers flow.
        kind: when it asked.
        texts: unread free texts by question.

    """
    last = closes_on or event.last_day + timedelta(days=21)
    survey = Survey(
        event_id=event.id,
        kind=kind,
        state=SurveyState.CLOSED,
        version_id=version.id,
        opened_on=min(event.last_day, last),
        closes_on=last,
        invited=invited,
        answered=answered,
        release=release,
    )
    session.add(survey)
    session.flush()
    for question, values in counts.items():
        for value, people in values.items():
            row = FeedbackCount(survey_id=survey.id, question=question, value=value)
            row.people = people
            session.add(row)
    for question, written in (texts or {}).items():
        for number, text in enumerate(written):
            key = f"{survey.id:08d}{question[:4]:<4}{number:04d}".encode()
            session.add(FeedbackText(key=key, survey_id=survey.id, question=question, text=text))
    session.flush()
    return survey


def make_sheet(useful: str = "4", words: str = "") -> Sheet:
    """Return answers to `SMALL`."""
    values = {"useful": (useful,), "again": ("yes",), "liked": ("talk", "play"), "often": ("3",)}
    return Sheet(values, {"words": words} if words else {})


def answer(session: Session, codes: list[str], now: datetime, **values: str) -> None:
    """Answer with each of these codes."""
    for code in codes:
        submit(session, code, make_sheet(**values), now)


def pending(session: Session, survey: Survey) -> int:
    """Return how many answers wait for a batch."""
    waiting = select(func.count()).where(PendingAnswer.survey_id == survey.id)
    return session.scalar(waiting) or 0


def at_noon(day: date) -> datetime:
    """Return an instant on a day in Berlin."""
    now = datetime.fromisoformat(f"{day.isoformat()}T11:00:00+00:00")
    assert berlin_day(now) == day
    return now
