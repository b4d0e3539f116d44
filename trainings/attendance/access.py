"""Who may record at which event: trainers at their own ones, the office at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Exists, exists, false, func, select
from sqlalchemy.orm import Session

from trainings.attendance.models import AttendanceClosing
from trainings.attendance.rules import Answer, recording_answer
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventState, EventTrainer
from trainings.registrations.models import RegistrationState


@dataclass(frozen=True)
class EventAccess:
    """What an actor may do at an event.

    Attributes:
        actor: who asks.
        event_id: the event.
        state: of the event.
        last_day: of the event.
        is_trainer: the actor is one of its trainers.
        closed: its attendance is closed.

    """

    actor: Actor
    event_id: int
    state: EventState
    last_day: date
    is_trainer: bool
    closed: bool

    @property
    def by_office(self) -> bool:
        """Whether the actor belongs to the office."""
        return self.actor.may(Permission.OFFICE)

    @property
    def allowed(self) -> bool:
        """Whether the actor may see who is there."""
        return self.by_office or (self.is_trainer and self.actor.may(Permission.ATTENDANCE))

    def answer(
        self,
        session_day: date | None,
        now: datetime,
        place: RegistrationState = RegistrationState.PLACED,
    ) -> Answer:
        """Say whether attendance may be recorded now; see `rules.recording_answer`."""
        return recording_answer(
            self.state,
            self.last_day,
            session_day,
            now,
            by_office=self.by_office,
            place=place,
            closed=self.closed,
        )


def trains_event(actor: Actor) -> Exists:
    """Return the condition that the actor is a trainer of the event of the statement around it."""
    return exists().where(
        EventTrainer.event_id == Event.id, EventTrainer.person_id == actor.person_id
    )


def closed_event() -> ColumnElement[bool]:
    """Return whether the attendance of the event of the statement around it is closed."""
    last = (
        select(AttendanceClosing.is_closed)
        .where(AttendanceClosing.event_id == Event.id)
        .order_by(AttendanceClosing.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(last, false())


def access_columns(actor: Actor) -> list[Any]:
    """Return the columns from which `EventAccess` is made, behind the actor."""
    return [Event.id, Event.state, Event.last_day, trains_event(actor), closed_event()]


def event_access(session: Session, actor: Actor, event_id: int) -> EventAccess:
    """Return what the actor may do at an event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    row = session.execute(select(*access_columns(actor)).where(Event.id == event_id)).one_or_none()
    if row is None:
        raise not_found()
    access = EventAccess(actor, *row)
    if not access.allowed:
        raise not_found()
    return access
