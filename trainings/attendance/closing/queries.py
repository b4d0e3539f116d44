"""What the page of closing shows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.closing.operations import check_closing
from trainings.attendance.models import Attendance, AttendanceClosing
from trainings.attendance.reads import TAKES_PART, EventHead, event_head, load_sessions
from trainings.attendance.rules import SessionTime
from trainings.core.actors import Actor
from trainings.core.errors import DomainError
from trainings.people.models import Person
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class ClosingStep:
    """Somebody closed or opened the attendance."""

    at: datetime
    actor_name: str
    is_closed: bool
    reason: str


@dataclass(frozen=True)
class ClosingPage:
    """What is asked before the attendance of an event is closed, or opened again.

    Attributes:
        event: the event.
        sessions: in order of time.
        people: how many take part.
        unrecorded: of how many nothing is recorded, by session.
        obstacle: why it cannot be closed now; empty if it can.
        steps: who closed and opened it, the latest first.

    """

    event: EventHead
    sessions: tuple[SessionTime, ...]
    people: int
    unrecorded: tuple[int, ...]
    obstacle: str
    steps: tuple[ClosingStep, ...]

    @property
    def closed(self) -> bool:
        """Whether the attendance is closed."""
        return self.event.access.closed


def closing_page(session: Session, actor: Actor, number: str, now: datetime) -> ClosingPage:
    """Return what is asked before closing; five statements.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    event = event_head(session, actor, number)
    sessions = load_sessions(session, event.id)
    own = (Registration.event_id == event.id, TAKES_PART)
    people = session.scalar(select(func.count()).select_from(Registration).where(*own)) or 0
    marked = {
        row[0]: row[1]
        for row in session.execute(
            select(Attendance.session_id, func.count())
            .join(Registration, Attendance.registration_id == Registration.id)
            .where(*own)
            .group_by(Attendance.session_id)
        )
    }
    steps = session.execute(
        select(AttendanceClosing, Person)
        .outerjoin(Person, AttendanceClosing.actor_person_id == Person.id)
        .where(AttendanceClosing.event_id == event.id)
        .order_by(AttendanceClosing.id.desc())
    )
    return ClosingPage(
        event=event,
        sessions=sessions,
        people=people,
        unrecorded=tuple(people - marked.get(found.id, 0) for found in sessions),
        obstacle=_obstacle(event, sessions, now),
        steps=tuple(
            ClosingStep(row.at, person.name if person else "", row.is_closed, row.reason)
            for row, person in steps
        ),
    )


def _obstacle(event: EventHead, sessions: tuple[SessionTime, ...], now: datetime) -> str:
    try:
        check_closing(event.access.state, sessions, now)
    except DomainError as refusal:
        return refusal.sentence
    return ""
