"""What the pages of surveys show: never how many have answered while a survey is open."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.attendance.access import trains_event
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import not_found
from trainings.core.paging import PAGE_SIZE
from trainings.core.settings import current_settings
from trainings.events.models import Event
from trainings.feedback.models import (
    Channel,
    FeedbackInvitation,
    QuestionnaireVersion,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.rules import LATEST_OPENING
from trainings.feedback.surveys.reads import TAKES_PLACE, asks, attended, overseen_by
from trainings.feedback.surveys.timing import (
    LONGEST_OPEN,
    Phase,
    latest_opening_day,
    opening_day,
    phase_of,
)
from trainings.feedback.surveys.wording import Way
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class SurveyView:
    """One survey of an event, or that there is none yet.

    Attributes:
        kind: which one.
        phase: what people read of it.
        channel: how people get their rights; by mail unless somebody chose otherwise.
        opens_on: the first day on which it may open.
        opened_on: when it opened.
        closes_on: its last day.
        invited: how many people were asked. Whose right was taken back counts on while it runs:
            a number that falls only if the right was unused would tell who has answered.
        planned: somebody has chosen how it asks.
        questionnaire: „Training, Fassung 2“; empty as long as it is not open.

    """

    kind: SurveyKind
    phase: Phase
    channel: Channel
    opens_on: date
    opened_on: date | None
    closes_on: date | None
    invited: int
    planned: bool
    questionnaire: str

    @property
    def way(self) -> Way:
        """What is chosen now."""
        if self.phase is Phase.OMITTED:
            return Way.OMIT
        return Way.SLIPS if self.channel is Channel.SLIPS else Way.MAIL

    @property
    def latest_day(self) -> date | None:
        """The last day that the office may set."""
        return self.opened_on + LONGEST_OPEN if self.opened_on else None


@dataclass(frozen=True)
class EventSurveys:
    """The surveys of one event.

    Attributes:
        id: of the event.
        number: of the event.
        title: of the event.
        first_day: of the event.
        last_day: of the event.
        takes_place: it is neither a draft nor cancelled.
        attended: how many people attended so far.
        sees_results: whether the actor may read what was answered, once a survey has closed.
        today: in Berlin.
        after: what is asked at once.
        later: what is asked three months later.

    """

    id: int
    number: str
    title: str
    first_day: date
    last_day: date
    takes_place: bool
    attended: int
    sees_results: bool
    today: date
    after: SurveyView
    later: SurveyView

    @property
    def surveys(self) -> tuple[SurveyView, SurveyView]:
        """Both, in order of time."""
        return self.after, self.later

    def may_choose(self, survey: SurveyView) -> bool:
        """Say whether how it asks may still be chosen."""
        in_time = self.today <= latest_opening_day(survey.kind, self.last_day)
        return self.takes_place and in_time and survey.phase in {Phase.COMING, Phase.OMITTED}

    @property
    def may_print(self) -> bool:
        """Whether slips can be printed now, as far as the day tells."""
        coming = self.after.phase is Phase.COMING and self.after.planned
        ready = coming and self.today >= self.last_day
        chosen = self.takes_place and self.after.channel is Channel.SLIPS
        return chosen and (ready or self.after.phase is Phase.RUNNING)

    @property
    def may_print_anew(self) -> bool:
        """Whether slips were printed that can be replaced."""
        return self.may_print and self.after.phase is Phase.RUNNING


@dataclass(frozen=True)
class ListedEvent:
    """One row of the list.

    Attributes:
        number: of the event.
        title: of the event.
        first_day: of the event.
        last_day: of the event.
        after: what is asked at once.
        later: what is asked three months later.

    """

    number: str
    title: str
    first_day: date
    last_day: date
    after: SurveyView
    later: SurveyView


def load_event_surveys(session: Session, actor: Actor, number: str, now: datetime) -> EventSurveys:
    """Return the surveys of an event, in two statements.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    present = select(func.count()).select_from(Registration).where(attended(Event.id))
    row = session.execute(
        select(
            Event,
            present.correlate(Event).scalar_subquery(),
            trains_event(actor),
            asks(SurveyKind.AFTER),
            asks(SurveyKind.FOLLOW_UP),
        ).where(Event.number == number, overseen_by(actor))
    ).one_or_none()
    if row is None:
        raise not_found()
    event, people, trains, asks_after, asks_later = row
    surveys = {survey.kind: (survey, asked) for survey, asked in _surveys(session, [event.id])}
    today = berlin_day(now)
    return EventSurveys(
        id=event.id,
        number=event.number,
        title=event.title,
        first_day=event.first_day,
        last_day=event.last_day,
        takes_place=event.state in TAKES_PLACE,
        attended=people,
        sees_results=trains or current_settings().feedback_office_sees_events,
        today=today,
        after=_view(event, SurveyKind.AFTER, surveys, asks_after, today),
        later=_view(event, SurveyKind.FOLLOW_UP, surveys, asks_later, today),
    )


def count_events(session: Session, actor: Actor, phase: Phase | None, now: datetime) -> int:
    """Return how many events the list has."""
    listed = _listed(actor, phase, berlin_day(now))
    return session.scalar(select(func.count()).select_from(Event).where(listed)) or 0


def list_events(
    session: Session, actor: Actor, phase: Phase | None, now: datetime, *, offset: int
) -> list[ListedEvent]:
    """Return the events that ask or have asked, newest first, in two statements.

    Args:
        session: for reading.
        actor: a trainer sees own events, the office all.
        phase: only those of which a survey is in it; None: all.
        now: the present instant.
        offset: how many are left out at the beginning.

    """
    today = berlin_day(now)
    rows = session.execute(
        select(Event, asks(SurveyKind.AFTER), asks(SurveyKind.FOLLOW_UP))
        .where(_listed(actor, phase, today))
        .order_by(Event.last_day.desc(), Event.number.desc())
        .offset(offset)
        .limit(PAGE_SIZE)
    ).all()
    stored: dict[int, _Stored] = {}
    for survey, asked in _surveys(session, [event.id for event, _, _ in rows]):
        stored.setdefault(survey.event_id, {})[survey.kind] = survey, asked
    listed = []
    for event, asks_after, asks_later in rows:
        surveys = stored.get(event.id, {})
        listed.append(
            ListedEvent(
                event.number,
                event.title,
                event.first_day,
                event.last_day,
                _view(event, SurveyKind.AFTER, surveys, asks_after, today),
                _view(event, SurveyKind.FOLLOW_UP, surveys, asks_later, today),
            )
        )
    return listed


_Stored = dict[SurveyKind, tuple[Survey, int]]


def _surveys(session: Session, event_ids: Sequence[int]) -> list[tuple[Survey, int]]:
    """Return the surveys of events, each with how many people were asked."""
    by_mail = (
        select(func.count())
        .select_from(FeedbackInvitation)
        .where(FeedbackInvitation.survey_id == Survey.id)
        .scalar_subquery()
    )
    runs_by_mail = and_(Survey.state == SurveyState.OPEN, Survey.channel == Channel.MAIL)
    rows = session.execute(
        select(Survey, case((runs_by_mail, by_mail), else_=Survey.invited))
        .where(Survey.event_id.in_(event_ids))
        .options(joinedload(Survey.version).joinedload(QuestionnaireVersion.questionnaire))
    )
    return [(survey, asked) for survey, asked in rows]


def _view(event: Event, kind: SurveyKind, surveys: _Stored, asks: bool, today: date) -> SurveyView:
    survey, invited = surveys.get(kind, (None, 0))
    version = survey.version if survey else None
    return SurveyView(
        kind=kind,
        phase=phase_of(
            kind,
            survey.state if survey else None,
            survey.closes_on if survey else None,
            last_day=event.last_day,
            today=today,
            asks=asks and event.state in TAKES_PLACE,
        ),
        channel=survey.channel if survey else Channel.MAIL,
        opens_on=opening_day(kind, event.last_day),
        opened_on=survey.opened_on if survey else None,
        closes_on=survey.closes_on if survey else None,
        invited=invited,
        planned=survey is not None and survey.state is SurveyState.PLANNED,
        questionnaire=f"„{version.questionnaire.title}“, Fassung {version.number}"
        if version
        else "",
    )


def _listed(actor: Actor, phase: Phase | None, today: date) -> ColumnElement[bool]:
    """Return whether the event of the statement around it is in the list."""
    takes_place = Event.state.in_(TAKES_PLACE)
    of_event = Survey.event_id == Event.id
    running = and_(Survey.state == SurveyState.OPEN, Survey.closes_on >= today)
    in_phase: ColumnElement[bool]
    if phase is Phase.RUNNING:
        in_phase = exists().where(of_event, running)
    elif phase is Phase.OVER:
        closed = Survey.state == SurveyState.CLOSED
        over = and_(Survey.state == SurveyState.OPEN, Survey.closes_on < today)
        in_phase = exists().where(of_event, or_(closed, over))
    elif phase is Phase.COMING:
        decided = exists().where(
            of_event, Survey.kind == SurveyKind.AFTER, Survey.state != SurveyState.PLANNED
        )
        in_time = Event.last_day >= today - LATEST_OPENING
        in_phase = and_(takes_place, asks(SurveyKind.AFTER), in_time, ~decided)
    else:
        in_phase = or_(exists().where(of_event), and_(takes_place, asks(SurveyKind.AFTER)))
    return and_(overseen_by(actor), in_phase)
