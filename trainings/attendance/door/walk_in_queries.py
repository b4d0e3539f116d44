"""People without a registration and refused recordings, as pages show them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session, aliased, selectinload

from trainings.attendance.door.refused_operations import COUNTABLE
from trainings.attendance.door.sync_wording import words_of
from trainings.attendance.models import MARK_NAMES, RecordingKind, RefusedRecording, WalkIn
from trainings.attendance.reads import EventHead, event_head, load_sessions, load_sessions_of
from trainings.attendance.rules import Answer, SessionTime, session_of_today
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.events.models import Event
from trainings.people.models import Person
from trainings.registrations.models import Registration

_OPEN = and_(WalkIn.registration_id.is_(None), WalkIn.dismissed_at.is_(None))
_REFUSALS_BY = (Event.first_day.desc(), Event.number, RefusedRecording.at, RefusedRecording.id)
_GUESTS_BY = (Event.first_day.desc(), Event.number, WalkIn.name, WalkIn.id)
_KIND_WORDS = {
    RecordingKind.SEEN: "Eintrittskarte gelesen",
    RecordingKind.FILL: "„Alle übrigen anwesend“",
    RecordingKind.UNDO: "Rücknahme",
    RecordingKind.WALK_IN: "ohne Anmeldung",
}


@dataclass(frozen=True)
class Guest:
    """Somebody who came without a registration.

    Attributes:
        id: of the note.
        number: of the event.
        title: of the event.
        name: as typed at the door.
        organisation: likewise, may be empty.
        at: when.
        by: who noted it.
        settled: completed or dismissed.
        sessions: in order of time.

    """

    id: int
    number: str
    title: str
    name: str
    organisation: str
    at: datetime
    by: str
    settled: bool
    sessions: tuple[SessionTime, ...]


@dataclass(frozen=True)
class GuestBook:
    """Those without a registration at one event, with one session in focus."""

    event: EventHead
    sessions: tuple[SessionTime, ...]
    current: SessionTime | None
    answer: Answer
    guests: tuple[Guest, ...]


@dataclass(frozen=True)
class Refusal:
    """A recording that was refused and that nobody has settled yet.

    Attributes:
        id: of the recording.
        number: of the event.
        title: of the event.
        name: whose; empty where nobody is known.
        what: what was recorded.
        session: at which session; None: it names none of the event.
        at: when.
        by: who recorded.
        reason: why it was refused.
        countable: whether the office can take it over, or can only let it go.

    """

    id: int
    number: str
    title: str
    name: str
    what: str
    session: SessionTime | None
    at: datetime
    by: str
    reason: tuple[str, str]
    countable: bool


@dataclass(frozen=True)
class Unsettled:
    """What the office has to settle after events."""

    refusals: tuple[Refusal, ...]
    guests: tuple[Guest, ...]


def guest_book(
    session: Session, actor: Actor, number: str, chosen_id: int | None, now: datetime
) -> GuestBook:
    """Return who came to an event without a registration.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    event = event_head(session, actor, number)
    sessions = load_sessions(session, event.id)
    by_clock = session_of_today(sessions, now)
    current = next((found for found in sessions if found.id == chosen_id), by_clock)
    answer = event.access.answer(current.day if current else None, now)
    guests = _guests(session, _OPEN, WalkIn.event_id == event.id)
    return GuestBook(event, sessions, current, answer, guests)


def guest(session: Session, walk_in_id: int) -> Guest:
    """Return somebody who came without a registration, settled or not; for the office.

    Raises:
        DomainError: `not_found`.

    """
    found = _guests(session, WalkIn.id == walk_in_id)
    if not found:
        raise not_found()
    return found[0]


def unsettled(session: Session) -> Unsettled:
    """Return what the office has to settle, the newest event first; five statements."""
    recorder = aliased(Person)
    rows = session.execute(
        select(RefusedRecording, Event, Person, recorder)
        .join(Event, RefusedRecording.event_id == Event.id)
        .join(recorder, RefusedRecording.actor_person_id == recorder.id)
        .outerjoin(Registration, RefusedRecording.registration_id == Registration.id)
        .outerjoin(Person, Registration.person_id == Person.id)
        .where(RefusedRecording.settled_at.is_(None))
        .order_by(*_REFUSALS_BY)
    ).all()
    sessions = {
        found.id: found for _, found in load_sessions_of(session, {row[0].event_id for row in rows})
    }
    refusals = tuple(
        Refusal(
            id=row.id,
            number=event.number,
            title=event.title,
            name=person.list_name if person else row.name,
            what=_what(row),
            session=sessions.get(row.session_id or 0),
            at=row.at,
            by=by.name,
            reason=words_of(Answer(row.reason)),
            countable=_is_countable(row),
        )
        for row, event, person, by in rows
    )
    return Unsettled(refusals, _guests(session, _OPEN))


def open_entries(session: Session) -> list[str]:
    """Return what the office has to settle, as its page names the rows, in their order.

    Two statements.
    """
    refusals = session.scalars(
        select(RefusedRecording.id)
        .join(Event, RefusedRecording.event_id == Event.id)
        .where(RefusedRecording.settled_at.is_(None))
        .order_by(*_REFUSALS_BY)
    )
    guests = session.scalars(
        select(WalkIn.id)
        .join(Event, WalkIn.event_id == Event.id)
        .where(_OPEN)
        .order_by(*_GUESTS_BY)
    )
    return [*(f"e-{row_id}" for row_id in refusals), *(f"g-{row_id}" for row_id in guests)]


def count_unsettled(session: Session) -> int:
    """Return how much the office has to settle; one statement."""
    refusals = select(func.count(RefusedRecording.id)).where(RefusedRecording.settled_at.is_(None))
    guests = select(func.count(WalkIn.id)).where(_OPEN)
    both = select(refusals.scalar_subquery() + guests.scalar_subquery())
    return session.scalar(both) or 0


def _what(row: RefusedRecording) -> str:
    if row.kind is RecordingKind.SET:
        return MARK_NAMES[row.mark] if row.mark else "nicht erfasst"
    return _KIND_WORDS[row.kind]


def _is_countable(row: RefusedRecording) -> bool:
    if row.session_id is None or row.reason == Answer.OTHER_EVENT:
        return False
    known = row.registration_id is not None and row.kind in COUNTABLE
    return known or row.kind is RecordingKind.WALK_IN


def _guests(session: Session, *which: ColumnElement[bool]) -> tuple[Guest, ...]:
    rows = session.execute(
        select(WalkIn, Event, Person)
        .join(Event, WalkIn.event_id == Event.id)
        .outerjoin(Person, WalkIn.actor_person_id == Person.id)
        .where(*which)
        .options(selectinload(WalkIn.sessions))
        .order_by(*_GUESTS_BY)
    ).all()
    times = list(load_sessions_of(session, {row[0].event_id for row in rows}))
    return tuple(
        Guest(
            id=walk_in.id,
            number=event.number,
            title=event.title,
            name=walk_in.name,
            organisation=walk_in.organisation,
            at=walk_in.at,
            by=by.name if by else "",
            settled=walk_in.registration_id is not None or walk_in.dismissed_at is not None,
            sessions=tuple(
                found
                for _, found in times
                if found.id in {each.session_id for each in walk_in.sessions}
            ),
        )
        for walk_in, event, by in rows
    )
