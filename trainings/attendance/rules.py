"""The rules of attendance: which session is meant, who may be recorded when, what can be undone.

Pure functions over plain values. "Not recorded" is None and differs from "absent" everywhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from trainings.attendance.models import AttendanceMark
from trainings.core.clock import berlin_day, to_berlin
from trainings.events.models import EventState
from trainings.registrations.models import RegistrationState

Mark = AttendanceMark | None

TRAINERS_CORRECT_FOR = timedelta(days=14)
"""How long after the last day trainers may still record; the office may always."""


@dataclass(frozen=True)
class SessionTime:
    """A session of an event: wall-clock times in Europe/Berlin."""

    id: int
    day: date
    begins: time
    ends: time
    label: str


class Answer(StrEnum):
    """What a ticket, or a name in the list, answers to "record this person now"."""

    READY = "ready"
    """May be recorded; nobody has recorded it as present yet."""
    ALREADY = "already_recorded"
    UNKNOWN = "unknown_ticket"
    OTHER_EVENT = "other_event"
    """The actor is neither a trainer of the event nor of the office."""
    EVENT_DRAFT = "event_draft"
    EVENT_CANCELLED = "event_cancelled"
    WITHDRAWN = "withdrawn"
    WAITING = "waiting_list"
    SUBSTITUTED = "substituted"
    NO_PLACE = "no_place"
    OTHER_DAY = "other_day"
    """No session today."""
    TOO_EARLY = "too_early"
    """The session that was chosen is on a later day."""
    TOO_LATE = "too_late"


_EVENT_ANSWERS = {
    EventState.DRAFT: Answer.EVENT_DRAFT,
    EventState.CANCELLED: Answer.EVENT_CANCELLED,
}
_STATE_ANSWERS = {
    RegistrationState.WITHDRAWN: Answer.WITHDRAWN,
    RegistrationState.WAITING: Answer.WAITING,
    RegistrationState.SUBSTITUTED: Answer.SUBSTITUTED,
    RegistrationState.CANCELLED: Answer.EVENT_CANCELLED,
}


def session_of_today(sessions: Iterable[SessionTime], now: datetime) -> SessionTime | None:
    """Return the session running now or next today, after the last one that one; None elsewhere.

    Args:
        sessions: of one event, in order of time.
        now: the present instant.

    """
    local = to_berlin(now)
    today = [session for session in sessions if session.day == local.date()]
    running_or_next = (session for session in today if local.time() < session.ends)
    return next(running_or_next, today[-1] if today else None)


def current_session(
    sessions: Sequence[SessionTime], complete: Collection[int], now: datetime
) -> SessionTime | None:
    """Return the session that the attendance page opens with.

    While one of today's sessions runs or is still to come, that one. Else the first one in the past
    in which somebody is not recorded yet, else the last one in the past, else the first one.

    Args:
        sessions: of one event, in order of time.
        complete: ids of the sessions in which everybody is recorded.
        now: the present instant.

    """
    today = session_of_today(sessions, now)
    if today is not None and to_berlin(now).time() < today.ends:
        return today
    begun = [session for session in sessions if session.day <= berlin_day(now)]
    if not begun:
        return sessions[0] if sessions else None
    incomplete = (session for session in begun if session.id not in complete)
    return next(incomplete, begun[-1])


def recording_answer(
    event_state: EventState,
    last_day: date,
    session_day: date | None,
    now: datetime,
    *,
    by_office: bool,
    place: RegistrationState = RegistrationState.PLACED,
) -> Answer:
    """Say whether attendance may be recorded now; `READY` if so.

    Args:
        event_state: of the event.
        last_day: of the event.
        session_day: day of the session that is meant; None: none is today and none was chosen.
        now: the present instant.
        by_office: the actor belongs to the office, which may always correct.
        place: the state of the registration.

    """
    today = berlin_day(now)
    # A cancelled event is the better reason than a registration that was cancelled with it.
    if event_state in _EVENT_ANSWERS:
        return _EVENT_ANSWERS[event_state]
    if place is not RegistrationState.PLACED:
        return _STATE_ANSWERS.get(place, Answer.NO_PLACE)
    if session_day is None:
        return Answer.OTHER_DAY
    if today < session_day:
        return Answer.TOO_EARLY
    if not by_office and today > last_day + TRAINERS_CORRECT_FOR:
        return Answer.TOO_LATE
    return Answer.READY


@dataclass(frozen=True)
class Tally:
    """How many are there, missing, not recorded; those excused are missing too."""

    present: int
    absent: int
    excused: int
    unrecorded: int

    @property
    def missing(self) -> int:
        """Those who were recorded and are not there."""
        return self.absent + self.excused

    @property
    def total(self) -> int:
        """All who have a place."""
        return self.present + self.missing + self.unrecorded


def tally(marks: Iterable[Mark]) -> Tally:
    """Count the marks of one session."""
    found = list(marks)
    return Tally(
        present=found.count(AttendanceMark.PRESENT),
        absent=found.count(AttendanceMark.ABSENT),
        excused=found.count(AttendanceMark.EXCUSED),
        unrecorded=found.count(None),
    )


@dataclass(frozen=True)
class Change:
    """One recording or correction in one session.

    Attributes:
        id: rises with time.
        registration_id: whose mark changed.
        actor_id: the person who changed it; None for the system.
        actor_name: for the page.
        at: when.
        batch: the same for all changes of one step.
        old: the mark before.
        new: the mark after.
        undoes_id: the change that this one took back.

    """

    id: int
    registration_id: int
    actor_id: int | None
    actor_name: str
    at: datetime
    batch: str
    old: Mark
    new: Mark
    undoes_id: int | None


def changes_in_force(changes: Iterable[Change]) -> dict[int, Change]:
    """Return the last change of each registration that was not taken back.

    Args:
        changes: all of one session, in order of their ids.

    """
    known = list(changes)
    undone = {change.undoes_id for change in known}
    return {
        change.registration_id: change
        for change in known
        if change.undoes_id is None and change.id not in undone
    }


def last_step(changes: Iterable[Change], actor_id: int | None) -> tuple[Change, ...]:
    """Return what "undo" would take back: the actor's last step that is still in force.

    A mark that somebody else has changed since is left alone: undoing takes back one's own work
    only. An undo itself cannot be undone; the next one reaches one step further back.

    Args:
        changes: all of one session, in order of their ids.
        actor_id: who asks.

    """
    own = [change for change in changes_in_force(changes).values() if change.actor_id == actor_id]
    if not own:
        return ()
    newest = max(own, key=lambda change: change.id)
    return tuple(change for change in own if change.batch == newest.batch)


def is_undone(changes: Iterable[Change], batch: str) -> bool:
    """Say whether a step was taken back, wholly or as far as it was still in force."""
    known = list(changes)
    step = {change.id for change in known if change.batch == batch}
    return any(change.undoes_id in step for change in known)


def normalise_ticket(text: str) -> str:
    """Return a ticket's code as it is stored, from what somebody typed: „abcd-efgh jkmn“."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())
