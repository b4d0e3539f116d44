"""What several pages and the operations of the attendance load: one statement each."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.access import EventAccess, access_columns
from trainings.attendance.certificates.rules import CERTIFIED_KINDS
from trainings.attendance.models import Attendance, AttendanceChange, AttendanceMark
from trainings.attendance.rules import NOTHING, Change, Entry, Mark, SessionTime, normalise_ticket
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.events.models import KIND_NAMES, Event, EventKind, EventSession, Room, Venue
from trainings.people.models import Person
from trainings.registrations.models import ATTENDING, Registration, RegistrationState

TAKES_PART = Registration.state.in_(ATTENDING)
"""The condition that somebody takes part: only those are recorded."""


def has_attended() -> ColumnElement[bool]:
    """Return the condition that the registration around it has at least one attended session."""
    return exists().where(
        Attendance.registration_id == Registration.id,
        Attendance.mark == AttendanceMark.PRESENT,
    )


@dataclass(frozen=True)
class EventHead:
    """What stands above each page of an event."""

    access: EventAccess
    number: str
    title: str
    kind: EventKind
    first_day: date
    town: str | None
    room: str | None

    @property
    def id(self) -> int:
        """The event's id."""
        return self.access.event_id

    @property
    def last_day(self) -> date:
        """The day of its last session."""
        return self.access.last_day

    @property
    def kind_name(self) -> str:
        """„Training“."""
        return KIND_NAMES[self.kind]

    @property
    def certified(self) -> bool:
        """Whether its certificates are issued by themselves, and not on request only."""
        return self.kind in CERTIFIED_KINDS

    @property
    def place(self) -> str:
        """„Essen, Raum 304“."""
        return ", ".join(filter(None, (self.town, self.room)))


@dataclass(frozen=True)
class Attendee:
    """Somebody who takes part.

    Attributes:
        id: of the registration.
        name: as lists sort it.
        organisation: with its unit, as they were when the person registered.
        ticket: code of the ticket.
        entries: one for each session of the event, in their order.
        walk_in: came without a registration.

    """

    id: int
    name: str
    organisation: str
    ticket: str | None
    entries: tuple[Entry, ...]
    walk_in: bool = False

    @property
    def marks(self) -> tuple[Mark, ...]:
        """The entries without their minutes."""
        return tuple(entry.mark for entry in self.entries)


def event_head(session: Session, actor: Actor, number: str) -> EventHead:
    """Return what stands above the pages of an event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    return event_head_with(session, actor, number, [])[0]


def event_head_with(
    session: Session, actor: Actor, number: str, columns: Sequence[ColumnElement[Any]]
) -> tuple[EventHead, Sequence[Any]]:
    """Return what stands above the pages of an event, and more columns about it.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    statement = head_statement(actor).add_columns(*columns).where(Event.number == number)
    row = session.execute(statement).one_or_none()
    event = head_of(actor, row[: len(row) - len(columns)]) if row else None
    if row is None or event is None or not event.access.allowed:
        raise not_found()
    return event, row[len(row) - len(columns) :]


def load_sessions(session: Session, event_id: int) -> tuple[SessionTime, ...]:
    """Return the sessions of an event in order of time."""
    return tuple(found for _, found in load_sessions_of(session, [event_id]))


def load_changes(session: Session, session_id: int) -> list[Change]:
    """Return all changes in a session, of those who take part, in their order."""
    return load_all_changes(
        session,
        AttendanceChange.session_id == session_id,
        AttendanceChange.registration_id.in_(select(Registration.id).where(TAKES_PART)),
    )


def head_statement(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Return the statement whose rows `head_of` understands."""
    columns = [Event.number, Event.title, Event.kind, Event.first_day, Venue.town, Room.name]
    return (
        select(*access_columns(actor), *columns)
        .outerjoin(Venue, Event.venue_id == Venue.id)
        .outerjoin(Room, Event.room_id == Room.id)
    )


def head_of(actor: Actor, row: Sequence[Any]) -> EventHead:
    """Return the head of an event from a row of `head_statement`."""
    return EventHead(EventAccess(actor, *row[:5]), *row[5:])


def load_sessions_of(
    session: Session, event_ids: Collection[int]
) -> Iterator[tuple[int, SessionTime]]:
    """Return the sessions of several events in order of time, each with the event's id."""
    rows = session.execute(
        select(
            EventSession.event_id,
            EventSession.id,
            EventSession.day,
            EventSession.begins,
            EventSession.ends,
            EventSession.label,
        )
        .where(EventSession.event_id.in_(event_ids))
        .order_by(EventSession.day, EventSession.begins, EventSession.id)
    )
    return ((row[0], SessionTime(*row[1:])) for row in rows)


def load_attendees(
    session: Session, which: ColumnElement[bool], sessions: Sequence[SessionTime]
) -> tuple[Attendee, ...]:
    """Return those who have a place, by name, with their marks.

    Args:
        session: for reading.
        which: condition on the registrations.
        sessions: of the event, in the order that the marks shall have.

    """
    people = session.execute(
        select(Registration, Person)
        .join(Person, Registration.person_id == Person.id)
        .where(which, TAKES_PART)
        .order_by(Person.sort_key, Registration.id)
    ).all()
    entries = {
        (row[0], row[1]): Entry(*row[2:])
        for row in session.execute(
            select(
                Attendance.registration_id,
                Attendance.session_id,
                Attendance.mark,
                Attendance.late_minutes,
                Attendance.early_minutes,
            )
            .join(Registration)
            .where(which, TAKES_PART)
        )
    }
    return tuple(
        Attendee(
            registration.id,
            person.list_name,
            organisation_of(registration),
            registration.ticket,
            tuple(entries.get((registration.id, found.id), NOTHING) for found in sessions),
            registration.state is RegistrationState.WALK_IN,
        )
        for registration, person in people
    )


def has_ticket(code: str) -> ColumnElement[bool]:
    """Return the condition that a registration has, or had, the ticket with this code.

    The state of one that was given up says why its ticket is void.
    """
    ticket = normalise_ticket(code)
    return or_(Registration.ticket == ticket, Registration.spent_ticket == ticket)


def organisation_of(registration: Registration) -> str:
    """Return „Stadt Essen, Jugendamt“, as it was at the registration."""
    return ", ".join(filter(None, (registration.organisation_name, registration.unit)))


def load_all_changes(session: Session, *which: ColumnElement[bool]) -> list[Change]:
    """Return all changes under these conditions in the order in which they were recorded."""
    rows = session.execute(
        select(AttendanceChange, Person)
        .outerjoin(Person, AttendanceChange.actor_person_id == Person.id)
        .where(*which)
        .order_by(AttendanceChange.at, AttendanceChange.key)
    )
    return [
        Change(
            key=row.key,
            registration_id=row.registration_id,
            session_id=row.session_id,
            kind=row.kind,
            actor_id=row.actor_person_id,
            actor_name=person.name if person else "",
            at=row.at,
            batch=row.batch,
            old=Entry(row.old_mark, row.old_late_minutes, row.old_early_minutes),
            new=Entry(row.new_mark, row.new_late_minutes, row.new_early_minutes),
            undoes_key=row.undoes_key,
        )
        for row, person in rows
    ]
