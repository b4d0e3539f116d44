"""What the trainers of one event may read, and the office only where a setting says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.access import trains_event
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import long_date
from trainings.core.permissions import Permission, Role
from trainings.core.settings import current_settings
from trainings.events.models import Event
from trainings.feedback.models import (
    Questionnaire,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.results.queries import Results, load_event_results, load_results
from trainings.feedback.results.rules import Height
from trainings.feedback.results.tables import Table
from trainings.feedback.rules import may_show
from trainings.feedback.surveys.steps import smallest_group


@dataclass(frozen=True)
class EventPage:
    """The results of one event.

    Attributes:
        number: of the event.
        title: of the event.
        first_day: of the event.
        last_day: of the event.
        kind: what is shown.
        kinds: what was or is asked at all.
        questionnaire: title of what was asked; empty if nothing was.
        results: None if there is nothing to show.
        reason: a sentence why, and when there will be something.
        of_format: the mean of the format by question, where enough answered.
        smallest: the smallest group.

    """

    number: str
    title: str
    first_day: date
    last_day: date
    kind: SurveyKind
    kinds: tuple[SurveyKind, ...]
    questionnaire: str
    results: Results | None
    reason: str
    of_format: dict[str, float]
    smallest: int


def load_event_page(
    session: Session, actor: Actor, number: str, kind: SurveyKind, today: date
) -> EventPage:
    """Return the results of an event that the actor may read.

    Args:
        session: for reading; at most ten statements.
        actor: who asks.
        number: of the event.
        kind: which survey.
        today: the present day in Berlin.

    Raises:
        DomainError: `not_found`, also for a foreign event; `results_for_trainers` (403): somebody
            of the office, who may see the event but not what was answered there.

    """
    event, is_trainer = _load_event(session, actor, number)
    surveys = {
        survey.kind: (survey, questionnaire_id, title)
        for survey, questionnaire_id, title in _load_surveys(session, event.id)
    }
    smallest = smallest_group(session)
    survey, questionnaire_id, title = surveys.get(kind, (None, None, ""))
    if survey and not is_trainer and not current_settings().feedback_office_sees_events:
        raise DomainError(
            "results_for_trainers",
            "Was zu einer einzelnen Veranstaltung geantwortet wurde, lesen nur deren Trainerinnen "
            "und Trainer. Die Geschäftsstelle sieht Summen in der Auswertung.",
            status=403,
        )
    results = load_event_results(session, survey.id, smallest) if survey else None
    return EventPage(
        event.number,
        event.title,
        event.first_day,
        event.last_day,
        kind,
        tuple(each for each in SurveyKind if each in surveys or each is kind),
        title,
        results,
        "" if results else _reason(survey, smallest, today),
        _means_of_format(session, event.template_id, questionnaire_id, kind, smallest)
        if results and event.template_id and questionnaire_id
        else {},
        smallest,
    )


def _load_event(session: Session, actor: Actor, number: str) -> tuple[Event, bool]:
    row = session.execute(
        select(Event, trains_event(actor)).where(Event.number == number)
    ).one_or_none()
    if row is None:
        raise not_found()
    event, trains = row
    is_trainer = trains and Role.TRAINER in actor.roles
    if not (is_trainer or actor.may(Permission.OFFICE)):
        raise not_found()
    return event, is_trainer


def _load_surveys(session: Session, event_id: int) -> list[tuple[Survey, int | None, str]]:
    rows = session.execute(
        select(Survey, Questionnaire.id, Questionnaire.title)
        .outerjoin(QuestionnaireVersion, Survey.version_id == QuestionnaireVersion.id)
        .outerjoin(Questionnaire, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .where(Survey.event_id == event_id)
    )
    return [(survey, asked, title or "") for survey, asked, title in rows]


def _reason(survey: Survey | None, smallest: int, today: date) -> str:
    """Say why nothing is shown, and never how many answered."""
    if survey is None:
        return "Zu dieser Veranstaltung wurde noch nicht gefragt."
    if survey.state is SurveyState.OMITTED:
        return "Bei dieser Veranstaltung entfällt die Rückmeldung."
    if survey.state is SurveyState.PLANNED or survey.closes_on is None:
        return (
            "Die Rückmeldung hat noch nicht begonnen. Ergebnisse gibt es, wenn sie abgeschlossen "
            f"ist und mindestens {smallest} Personen geantwortet haben."
        )
    if survey.state is SurveyState.OPEN and today <= survey.closes_on:
        return (
            f"Antworten werden bis {long_date(survey.closes_on)} angenommen. Ergebnisse gibt es "
            f"am Tag danach, wenn mindestens {smallest} Personen geantwortet haben; bis dahin "
            "sieht niemand, wie viele es sind."
        )
    if survey.state is SurveyState.OPEN or (
        survey.release is Release.WAITING and may_show(survey.answered, smallest)
    ):
        # The worker counts and decides within minutes.
        return (
            "Die Rückmeldung ist abgeschlossen und wird noch ausgewertet. Bitte sehen Sie in "
            "einigen Minuten wieder nach."
        )
    if may_show(survey.answered, smallest):
        # The smallest group was larger when it was decided, and nobody had been promised that.
        return (
            "Die Antworten stehen mit denen anderer Veranstaltungen zusammen, weil sie allein zu "
            "wenige waren; dabei bleibt es. Sie zählen in den Summen des Formats mit."
        )
    return (
        f"Weniger als {smallest} Personen haben geantwortet. Ihre Antworten fließen nur in die "
        "Summen des Formats ein, sobald auch diese groß genug sind."
    )


def _means_of_format(
    session: Session, template_id: int, questionnaire_id: int, kind: SurveyKind, smallest: int
) -> dict[str, float]:
    """Return the means of the format over all years, as its own page shows them."""
    table = Table(questionnaire_id, kind, Height.FORMAT, template_id)
    results = load_results(session, table, smallest, with_texts=False)
    if results is None:
        return {}
    return {asked.question.key: asked.mean for asked in results.questions if asked.mean is not None}
