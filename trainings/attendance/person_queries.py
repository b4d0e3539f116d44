"""One person's attendance at an event, with every recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from trainings.attendance.models import AttendanceChange, RecordingKind
from trainings.attendance.reads import (
    Attendee,
    EventHead,
    event_head,
    load_attendees,
    load_sessions,
)
from trainings.attendance.rules import Answer, Entry, SessionTime
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.people.models import Person
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class HistoryLine:
    """A recording as it arrived.

    Attributes:
        session: at which session.
        kind: what it says.
        actor_name: who recorded; empty for the application.
        at: when it was recorded.
        received_at: when it arrived.
        old: what was recorded before it arrived.
        new: what was recorded after that.

    """

    session: SessionTime
    kind: RecordingKind
    actor_name: str
    at: datetime
    received_at: datetime
    old: Entry
    new: Entry


@dataclass(frozen=True)
class PersonSheet:
    """One person's attendance, with every change.

    Attributes:
        event: the event.
        person: whose.
        sessions: in order of time.
        answers: whether attendance may be recorded now, for each session.
        history: in the order in which the recordings arrived.

    """

    event: EventHead
    person: Attendee
    sessions: tuple[SessionTime, ...]
    answers: tuple[Answer, ...]
    history: tuple[HistoryLine, ...]

    def column(self, session_id: int) -> int:
        """Return the number of a session, from 0.

        Raises:
            DomainError: `not_found` for a session of another event.

        """
        for number, found in enumerate(self.sessions):
            if found.id == session_id:
                return number
        raise not_found()


def person_sheet(
    session: Session, actor: Actor, number: str, registration_id: int, now: datetime
) -> PersonSheet:
    """Return one person's attendance at an event.

    Raises:
        DomainError: `not_found`, also for a foreign event and for somebody without a place.

    """
    event = event_head(session, actor, number)
    sessions = load_sessions(session, event.id)
    mine = and_(Registration.event_id == event.id, Registration.id == registration_id)
    people = load_attendees(session, mine, sessions)
    if not people:
        raise not_found()
    answers = tuple(event.access.answer(found.day, now) for found in sessions)
    history = _history(session, people[0], sessions)
    return PersonSheet(event, people[0], sessions, answers, history)


def _history(
    session: Session, person: Attendee, sessions: tuple[SessionTime, ...]
) -> tuple[HistoryLine, ...]:
    rows = session.execute(
        select(AttendanceChange, Person)
        .outerjoin(Person, AttendanceChange.actor_person_id == Person.id)
        .where(AttendanceChange.registration_id == person.id)
        .order_by(AttendanceChange.id.desc())
    )
    by_id = {found.id: found for found in sessions}
    # What a recording led to is what the next one that arrived found: a late one from a phone may
    # lead to nothing, since a newer one stands.
    after = {found.id: entry for found, entry in zip(sessions, person.entries, strict=True)}
    lines = []
    for row, actor in rows:
        old = Entry(row.old_mark, row.old_late_minutes, row.old_early_minutes)
        lines.append(
            HistoryLine(
                session=by_id[row.session_id],
                kind=row.kind,
                actor_name=actor.name if actor else "",
                at=row.at,
                received_at=row.received_at,
                old=old,
                new=after[row.session_id],
            )
        )
        after[row.session_id] = old
    return tuple(reversed(lines))
