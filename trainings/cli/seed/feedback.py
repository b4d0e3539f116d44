"""The feedback of the demonstration: closed surveys with their sums and free texts."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import date

from sqlalchemy import insert, select

from trainings.cli.seed.base import BEGINNING
from trainings.cli.seed.files import Loading, read
from trainings.core.tokens import digest
from trainings.events.models import Event
from trainings.feedback.models import (
    KEY_BYTES,
    Channel,
    FeedbackCount,
    FeedbackRight,
    FeedbackText,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    Survey,
    SurveyKind,
    SurveyState,
    TextState,
    UsedRight,
    VersionState,
)
from trainings.feedback.questionnaires.standard import provide_standard
from trainings.feedback.results.releasing import release_results
from trainings.feedback.rules import (
    REMINDED_AFTER,
    RIGHTS_KEPT_FOR,
    TEXTS_KEPT_FOR,
    follow_up_day,
    last_answer_day,
    usual_use,
)
from trainings.feedback.surveys.rights import new_code
from trainings.feedback.surveys.steps import smallest_group

Surveys = dict[tuple[str, str], Survey]


def load_feedback(loading: Loading) -> None:
    """Load what was answered, as it is kept: sums and texts, and nobody's answers.

    A survey that would still be open on the day of loading is left out.
    """
    provide_standard(loading.session, BEGINNING)
    surveys = _load_surveys(loading)
    release_results(loading.session, loading.now)
    for table, rows in (
        (FeedbackCount, _counts(surveys)),
        (FeedbackText, _texts(loading, surveys)),
        (FeedbackRight, _rights(loading, surveys, lambda each: each.invited - each.answered)),
        (UsedRight, _rights(loading, surveys, lambda each: each.answered)),
    ):
        if stored := list(rows):
            loading.session.execute(insert(table), stored)


def _load_surveys(loading: Loading) -> Surveys:
    session = loading.session
    released_versions = select(Questionnaire.use, QuestionnaireVersion.id).join(
        QuestionnaireVersion.questionnaire
    )
    versions = dict(
        session.execute(
            released_versions.where(QuestionnaireVersion.state == VersionState.RELEASED)
        ).all()
    )
    promised = smallest_group(session)
    surveys: Surveys = {}
    for row in read("feedback_surveys"):
        event, kind = loading.events.get(row["event_key"]), SurveyKind(row["kind"])
        if event is None or _closes_on(event, kind) >= loading.today:
            continue
        use = usual_use(event.kind)
        if kind is SurveyKind.FOLLOW_UP:
            use = QuestionnaireUse.FOLLOW_UP
        if use is None:
            raise ValueError(f"Nothing is asked there: {row}")
        opened_on = _opened_on(event, kind)
        channel = Channel(row["channel"])
        survey = Survey(
            event_id=event.id,
            kind=kind,
            state=SurveyState.CLOSED,
            channel=channel,
            version_id=versions[use],
            opened_on=opened_on,
            closes_on=_closes_on(event, kind),
            reminded_on=opened_on + REMINDED_AFTER if channel is Channel.MAIL else None,
            smallest_group=promised,
            invited=int(row["invited"]),
            answered=int(row["answered"]),
        )
        surveys[row["event_key"], row["kind"]] = survey
    session.add_all(surveys.values())
    session.flush()
    return surveys


def _opened_on(event: Event, kind: SurveyKind) -> date:
    return event.last_day if kind is SurveyKind.AFTER else follow_up_day(event.last_day)


def _closes_on(event: Event, kind: SurveyKind) -> date:
    return last_answer_day(kind, _opened_on(event, kind))


def _counts(surveys: Surveys) -> Iterator[dict[str, object]]:
    for row in read("feedback_answers"):
        survey = surveys.get((row["event_key"], row["kind"]))
        if survey is None:
            continue
        for pair in row["values"].split():
            value, people = pair.split(":")
            yield {
                "survey_id": survey.id,
                "question": row["question"],
                "value": value,
                "people": int(people),
            }


def _texts(loading: Loading, surveys: Surveys) -> Iterator[dict[str, object]]:
    """Return what was written, but for what would have been deleted since."""
    for row in read("feedback_texts"):
        survey = surveys.get((row["event_key"], row["kind"]))
        if survey is None or survey.closes_on is None:
            continue
        if survey.closes_on + TEXTS_KEPT_FOR >= loading.today:
            yield {
                "key": secrets.token_bytes(KEY_BYTES),
                "survey_id": survey.id,
                "question": row["question"],
                "text": row["text"],
                "state": TextState(row["state"]),
            }


def _rights(
    loading: Loading, surveys: Surveys, number: Callable[[Survey], int]
) -> Iterator[dict[str, object]]:
    """Return rights whose codes nobody has, for surveys of which they are not forgotten yet."""
    for survey in surveys.values():
        if survey.closes_on and survey.closes_on >= loading.today - RIGHTS_KEPT_FOR:
            for _ in range(number(survey)):
                yield {"token_hash": digest(new_code()), "survey_id": survey.id}
