"""What people do with the survey of an event: choose how it asks, print slips, set its last day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import long_date
from trainings.core.permissions import Permission
from trainings.events.models import Event
from trainings.feedback.models import (
    Channel,
    FeedbackRight,
    QuestionnaireVersion,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.questionnaires.choosing import version_for
from trainings.feedback.rules import takes_answers
from trainings.feedback.surveys.reads import TAKES_PLACE, count_attended, overseen_by
from trainings.feedback.surveys.rights import grant, take_back
from trainings.feedback.surveys.steps import lock_survey_of, open_survey, plan_survey
from trainings.feedback.surveys.timing import check_last_day, latest_opening_day
from trainings.feedback.surveys.wording import Way
from trainings.registrations.places import lock_pool


@dataclass(frozen=True)
class Slips:
    """What stands on printed slips; the codes are stored nowhere.

    Attributes:
        title: of the event.
        number: of the event.
        first_day: of the event.
        last_day: of the event.
        closes_on: the last day on which an answer is taken.
        codes: one for each slip, in random order.

    """

    title: str
    number: str
    first_day: date
    last_day: date
    closes_on: date
    codes: list[str]


def choose_way(
    session: Session, actor: Actor, number: str, kind: SurveyKind, *, way: Way, now: datetime
) -> Survey:
    """Choose how an event will ask, or that it will not, before it does.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or the office.
        number: of the event.
        kind: which survey.
        way: `SLIPS` only after the event, where people are together.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for a foreign event; `not_asked`, `too_late`, `no_slips` or
            `survey_moved_on`.

    """
    event = _lock_event(session, actor, number)
    if way is Way.SLIPS and kind is SurveyKind.FOLLOW_UP:
        raise DomainError(
            "no_slips",
            "Drei Monate danach ist niemand mehr vor Ort. Bitte wählen Sie „per Mail“ oder "
            "„entfällt“.",
            field="way",
            status=422,
        )
    _check_takes_place(event)
    if way is not Way.OMIT:
        _version_of(session, event, kind)
    _check_in_time(event, kind, now)
    return plan_survey(
        session,
        actor,
        event.id,
        kind,
        now,
        state=SurveyState.OMITTED if way is Way.OMIT else SurveyState.PLANNED,
        channel=Channel.SLIPS if way is Way.SLIPS else Channel.MAIL,
    )


def print_slips(
    session: Session, actor: Actor, number: str, now: datetime, *, anew: bool = False
) -> Slips:
    """Give rights on paper to as many people as attended; the first print opens the survey.

    A second submit of the same form finds nobody without a slip. It cannot get the first one's
    codes, since these are stored nowhere: who lost them prints anew.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or the office.
        number: of the event.
        now: the present instant.
        anew: take back all rights that were not used, and print as many new ones.

    Raises:
        DomainError: `not_found`, also for a foreign event; `no_slips_chosen`, `too_early`,
            `too_late`, `not_asked`, `survey_over`, `nobody_present` or `all_printed`.

    """
    event = _lock_event(session, actor, number)
    survey = lock_survey_of(session, event.id, SurveyKind.AFTER)
    if survey is None or survey.channel is not Channel.SLIPS:
        raise DomainError(
            "no_slips_chosen",
            "Für diese Veranstaltung sind keine Zettel vorgesehen. Bitte wählen Sie zuerst „mit "
            "Zetteln vor Ort“; läuft die Rückmeldung schon per Mail, gibt es keine Zettel mehr.",
        )
    attended = count_attended(session, event.id)
    if not attended:
        raise DomainError(
            "nobody_present",
            "Noch ist niemand als anwesend erfasst. Bitte erfassen Sie zuerst die Anwesenheit; "
            "dann gibt es einen Zettel für jede Person, die da war.",
        )
    if survey.state is SurveyState.PLANNED:
        _open_for_slips(session, actor, event, survey, now)
    elif not takes_answers(survey.state, survey.closes_on, berlin_day(now)):
        raise _over(survey)
    if anew:
        unused = select(FeedbackRight.token_hash).where(FeedbackRight.survey_id == survey.id)
        survey.invited -= take_back(session, survey, list(session.scalars(unused)))
    missing = attended - survey.invited
    if missing <= 0:
        raise _nothing_missing(anew=anew)
    codes = grant(session, survey, missing)
    # Without a number: how many were printed anew would say how many have answered.
    record(session, actor, "slips_printed", survey, now, anew=anew)
    assert survey.closes_on is not None  # noqa: S101 – a check of the table holds it
    return Slips(
        event.title, event.number, event.first_day, event.last_day, survey.closes_on, codes
    )


def set_last_day(
    session: Session, actor: Actor, number: str, kind: SurveyKind, *, day: date, now: datetime
) -> Survey:
    """Set the last day of an open survey.

    Args:
        session: the open transaction.
        actor: the office.
        number: of the event.
        kind: which survey.
        day: from today to 60 days after the survey opened.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `survey_over` or `bad_last_day`.

    """
    if not actor.may(Permission.OFFICE):
        raise not_found()
    event = _lock_event(session, actor, number)
    survey = lock_survey_of(session, event.id, kind)
    if survey is None or survey.opened_on is None:
        raise not_found()
    today = berlin_day(now)
    if not takes_answers(survey.state, survey.closes_on, today):
        raise _over(survey)
    check_last_day(survey.opened_on, day, today)
    survey.closes_on = day
    session.flush()
    record(session, actor, "survey_last_day_set", survey, now, last_day=day.isoformat())
    return survey


def _lock_event(session: Session, actor: Actor, number: str) -> Event:
    """Lock the pool of an event that the actor sees, as whoever makes a survey has to."""
    event_id = session.scalar(select(Event.id).where(Event.number == number, overseen_by(actor)))
    if event_id is None:
        raise not_found()
    return lock_pool(session, event_id)


def _check_takes_place(event: Event) -> None:
    """Refuse drafts, which could not be deleted any more, and what was cancelled.

    Raises:
        DomainError: `not_asked`.

    """
    if event.state not in TAKES_PLACE:
        raise DomainError(
            "not_asked",
            "Entwürfe und abgesagte Veranstaltungen fragen nicht nach einer Rückmeldung.",
        )


def _version_of(session: Session, event: Event, kind: SurveyKind) -> QuestionnaireVersion:
    """Return what a locked event would ask.

    Raises:
        DomainError: `not_asked`.

    """
    _check_takes_place(event)
    version = version_for(session, event, kind)
    if version is None:
        raise DomainError(
            "not_asked",
            "Für diese Veranstaltung ist kein Fragebogen vorgesehen. Welches Format was fragt, "
            "legt die Geschäftsstelle beim Fragebogen fest.",
        )
    return version


def _check_in_time(event: Event, kind: SurveyKind, now: datetime) -> None:
    latest = latest_opening_day(kind, event.last_day)
    if berlin_day(now) > latest:
        raise DomainError(
            "too_late",
            f"Dafür ist es zu spät: Fragen ließ sich bis {long_date(latest)}. Es ist nichts weiter "
            "zu tun.",
        )


def _open_for_slips(
    session: Session, actor: Actor, event: Event, survey: Survey, now: datetime
) -> None:
    _check_in_time(event, SurveyKind.AFTER, now)
    if berlin_day(now) < event.last_day:
        raise DomainError(
            "too_early",
            f"Zettel gibt es am letzten Tag der Veranstaltung, ab {long_date(event.last_day)}. "
            "Erst dann steht fest, wie viele da waren.",
        )
    version = _version_of(session, event, SurveyKind.AFTER)
    open_survey(session, actor, survey, version, now)


def _over(survey: Survey) -> DomainError:
    until = f" am {long_date(survey.closes_on)}" if survey.closes_on else ""
    return DomainError(
        "survey_over",
        f"Diese Rückmeldung endete{until} und läuft nicht wieder an. Es ist nichts weiter zu tun.",
    )


def _nothing_missing(*, anew: bool) -> DomainError:
    if anew:
        return DomainError(
            "all_printed",
            "Es ist kein Zettel neu zu drucken; die ausgegebenen gelten weiter.",
        )
    return DomainError(
        "all_printed",
        "Es fehlt kein Zettel: Für alle, die bisher als anwesend erfasst sind, ist einer gedruckt. "
        "Sind Zettel verloren gegangen, wählen Sie „Neu drucken“.",
    )
