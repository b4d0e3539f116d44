"""What the pages of the attendance show, each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from trainings.attendance.access import trains_event
from trainings.attendance.extras import Extra, ExtraOffer, load_extras
from trainings.attendance.models import Attendance, AttendanceChange, AttendanceMark
from trainings.attendance.reads import (
    TAKES_PART,
    Attendee,
    EventHead,
    event_head_with,
    has_ticket,
    head_of,
    head_statement,
    load_all_changes,
    load_attendees,
    load_changes,
    load_sessions,
    load_sessions_of,
    organisation_of,
)
from trainings.attendance.rules import (
    Answer,
    Change,
    Mark,
    SessionTime,
    Tally,
    changes_in_force,
    current_session,
    last_step,
    name_matches,
    session_of_today,
    tally,
)
from trainings.attendance.sheet_rules import Choice, Only, fits, page_of, pages_of
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, berlin_instant
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventState
from trainings.people.models import Person
from trainings.registrations.models import Registration

LISTED_FOR = timedelta(days=30)
"""How long after its last day an event stands in the list."""
FOUND_AT_A_GLANCE = 15
EVERYBODY = Choice()


@dataclass(frozen=True)
class Sheet:
    """The attendance of an event, with one session in focus.

    Attributes:
        event: the event.
        sessions: in order of time.
        people: all who have a place, by name.
        current: the session in focus; None where the event has no sessions.
        answer: whether attendance may be recorded now in that session.
        last: the own step that can be taken back there.
        counted: numbers of the sessions, from 0, by which people are looked for.
        choice: who is looked for, and which page.
        extras: buttons of other rooms beside the names.

    """

    event: EventHead
    sessions: tuple[SessionTime, ...]
    people: tuple[Attendee, ...]
    current: SessionTime | None
    answer: Answer
    last: tuple[Change, ...]
    counted: tuple[int, ...]
    choice: Choice
    extras: tuple[Extra, ...] = ()

    @property
    def found(self) -> tuple[Attendee, ...]:
        """Those who are looked for."""
        return tuple(
            person
            for person in self._fitting(self.choice.only)
            if name_matches(person.name, self.choice.name)
        )

    @property
    def shown(self) -> Sequence[Attendee]:
        """Those of them who stand on this page."""
        return page_of(self.found, self.choice.page)

    @property
    def pages(self) -> int:
        """How many pages they take."""
        return pages_of(len(self.found))

    @property
    def numbers(self) -> dict[Only | None, int]:
        """How many there are of each kind that can be looked for; None: everybody."""
        return {only: len(self._fitting(only)) for only in (None, *Only)}

    def _fitting(self, only: Only | None) -> list[Attendee]:
        return [
            person
            for person in self.people
            if fits((person.entries[column] for column in self.counted), only)
        ]

    @property
    def searchable(self) -> bool:
        """Whether there are more people than one finds at a glance."""
        return len(self.people) > FOUND_AT_A_GLANCE

    @property
    def column(self) -> int | None:
        """Number of the session in focus, from 0."""
        return self.sessions.index(self.current) if self.current else None

    @property
    def tally(self) -> Tally:
        """The counts of the session in focus."""
        return tally(() if self.column is None else (p.marks[self.column] for p in self.people))


@dataclass(frozen=True)
class TicketCard:
    """What the address in a ticket's code shows.

    Attributes:
        answer: `UNKNOWN` and `OTHER_EVENT` come without anything else.
        event: the event.
        person: the holder's name, given name first.
        organisation: with its unit.
        session: the session that would be marked.
        mark: what is recorded there.
        last: the change that made it so, if it is still in force.
        own: the actor made that change, so it can be taken back here.

    """

    answer: Answer
    event: EventHead | None = None
    person: str = ""
    organisation: str = ""
    session: SessionTime | None = None
    mark: Mark = None
    last: Change | None = None
    own: bool = False


@dataclass(frozen=True)
class EventLine:
    """An event in the list.

    Attributes:
        event: the event.
        sessions: in order of time.
        people: how many have a place.
        marked: how many marks are recorded, of all people in all sessions.

    """

    event: EventHead
    sessions: tuple[SessionTime, ...]
    people: int
    marked: int

    @property
    def cancelled(self) -> bool:
        """Whether the event is off."""
        return self.event.access.state is EventState.CANCELLED

    @property
    def first_times(self) -> tuple[time, time] | None:
        """Begin and end of the first day."""
        day = [found for found in self.sessions if found.day == self.event.first_day]
        return (day[0].begins, day[-1].ends) if day else None

    @property
    def unrecorded(self) -> int:
        """How many marks are missing when everything is over."""
        return self.people * len(self.sessions) - self.marked


def my_events(session: Session, actor: Actor, now: datetime) -> list[EventLine]:
    """Return what is not over for 30 days: a trainer's own events, for the office all."""
    recent = and_(Event.last_day >= berlin_day(now) - LISTED_FOR, Event.state != EventState.DRAFT)
    mine = recent if actor.may(Permission.OFFICE) else and_(recent, trains_event(actor))
    events = [
        head_of(actor, row)
        for row in session.execute(
            head_statement(actor).where(mine).order_by(Event.first_day, Event.number)
        )
    ]
    ids = [event.id for event in events]
    times: dict[int, list[SessionTime]] = {event.id: [] for event in events}
    for event_id, found in load_sessions_of(session, ids):
        times[event_id].append(found)
    count = (
        select(Registration.event_id, func.count())
        .where(Registration.event_id.in_(ids), TAKES_PART)
        .group_by(Registration.event_id)
    )
    placed = {row[0]: row[1] for row in session.execute(count)}
    marked = {row[0]: row[1] for row in session.execute(count.join(Attendance))}
    return [
        EventLine(event, tuple(times[event.id]), placed.get(event.id, 0), marked.get(event.id, 0))
        for event in events
    ]


def sheet(
    session: Session,
    actor: Actor,
    number: str,
    chosen_id: int | None,
    now: datetime,
    *,
    choice: Choice = EVERYBODY,
    by_all_sessions: bool = False,
    offers: Mapping[str, ExtraOffer] | None = None,
) -> Sheet:
    """Return the attendance of an event.

    Args:
        session: for reading.
        actor: a trainer of the event, or somebody of the office.
        number: of the event.
        chosen_id: the session to look at; None or a foreign one: the current one by the clock.
        now: the present instant.
        choice: who is looked for, and which page.
        by_all_sessions: look at all sessions that have begun, not at the one in focus alone.
        offers: buttons of other rooms, for a page that has them.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    offers = offers or {}
    conditions = [offer.concerns() for offer in offers.values()]
    event, answers = event_head_with(session, actor, number, conditions)
    concerned = [source for source, concerns in zip(offers, answers, strict=True) if concerns]
    sessions = load_sessions(session, event.id)
    people = load_attendees(session, Registration.event_id == event.id, sessions)
    complete = {
        found.id
        for column, found in enumerate(sessions)
        if all(person.marks[column] for person in people)
    }
    by_clock = current_session(sessions, complete, now)
    current = next((found for found in sessions if found.id == chosen_id), by_clock)
    last: tuple[Change, ...] = ()
    if current is not None:
        last = last_step(load_changes(session, current.id), actor.person_id)
    answer = event.access.answer(current.day if current else None, now)
    counted = tuple(
        column
        for column, found in enumerate(sessions)
        if (berlin_instant(found.day, found.begins) <= now if by_all_sessions else found == current)
    )
    extras = load_extras(session, event.id, concerned)
    return Sheet(event, sessions, people, current, answer, last, counted, choice, extras)


def ticket_card(
    session: Session, actor: Actor, ticket: str, chosen_id: int | None, now: datetime
) -> TicketCard:
    """Return what a ticket's code shows to somebody who may record attendance.

    Args:
        session: for reading.
        actor: who holds the phone.
        ticket: code as scanned or typed.
        chosen_id: the session to look at; None: today's, by the clock.
        now: the present instant.

    """
    row = session.execute(
        head_statement(actor)
        .add_columns(Registration, Person)
        .join(Registration, Registration.event_id == Event.id)
        .join(Person, Registration.person_id == Person.id)
        .where(has_ticket(ticket))
    ).one_or_none()
    if row is None:
        return TicketCard(Answer.UNKNOWN)
    event = head_of(actor, row[:-2])
    registration, person = row[-2:]
    if not event.access.allowed:
        return TicketCard(Answer.OTHER_EVENT)
    sessions = load_sessions(session, event.id)
    today = session_of_today(sessions, now)
    chosen = next((found for found in sessions if found.id == chosen_id), today)
    answer = event.access.answer(chosen.day if chosen else None, now, registration.state)
    mark, last = None, None
    if chosen is not None:
        mark = session.scalar(
            select(Attendance.mark).where(
                Attendance.registration_id == registration.id, Attendance.session_id == chosen.id
            )
        )
        changes = load_all_changes(
            session,
            AttendanceChange.session_id == chosen.id,
            AttendanceChange.registration_id == registration.id,
        )
        last = changes_in_force(changes).get(registration.id)
    if answer is Answer.READY and mark is AttendanceMark.PRESENT:
        answer = Answer.ALREADY
    organisation = organisation_of(registration)
    own = last is not None and last.actor_id == actor.person_id
    return TicketCard(answer, event, person.name, organisation, chosen, mark, last, own)
