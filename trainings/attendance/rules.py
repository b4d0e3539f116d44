"""The rules of attendance: which session is meant, who may be recorded when, what can be undone.

Pure functions over plain values. "Not recorded" is None and differs from "absent" everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from trainings.attendance.models import AttendanceMark, RecordingKind
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.errors import DomainError
from trainings.core.text import sort_key
from trainings.events.models import EventState
from trainings.registrations.models import ATTENDING, RegistrationState

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

    @property
    def minutes(self) -> int:
        """How long it takes by the wall clock."""
        return (self.ends.hour - self.begins.hour) * 60 + self.ends.minute - self.begins.minute


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
    CLOSED = "attendance_closed"
    """The attendance of the event is closed."""
    SESSION_MOVED = "session_moved"
    """A phone recorded it before the session was moved or dropped."""
    NOT_ALLOWED = "not_allowed"
    """The phone's queue comes from somebody who is no longer a trainer of the event."""


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
    closed: bool = False,
) -> Answer:
    """Say whether attendance may be recorded now; `READY` if so.

    Args:
        event_state: of the event.
        last_day: of the event.
        session_day: day of the session that is meant; None: none is today and none was chosen.
        now: the present instant.
        by_office: the actor belongs to the office, which may always correct.
        place: the state of the registration.
        closed: the attendance of the event is closed.

    """
    today = berlin_day(now)
    # A cancelled event is the better reason than a registration that was cancelled with it.
    if event_state in _EVENT_ANSWERS:
        return _EVENT_ANSWERS[event_state]
    if place not in ATTENDING:
        return _STATE_ANSWERS.get(place, Answer.NO_PLACE)
    if closed:
        return Answer.CLOSED
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
class Entry:
    """What is recorded of somebody at a session.

    Attributes:
        mark: None is "not recorded".
        late: minutes after the begin; only with `PRESENT`.
        early: minutes before the end; only with `PRESENT`.

    """

    mark: Mark = None
    late: int = 0
    early: int = 0


NOTHING = Entry()
THERE = Entry(AttendanceMark.PRESENT)


@dataclass(frozen=True)
class Change:
    """One recording of somebody at one session, from a page, a scan or a phone's queue.

    Attributes:
        key: unique; given by whoever recorded.
        registration_id: whose.
        session_id: at which session.
        kind: how it is folded.
        actor_id: the person who recorded; None for the system.
        actor_name: for the page.
        at: when it was recorded.
        batch: the same for all changes of one step.
        old: what was recorded before it arrived.
        new: what it says; of an undo: what it led back to.
        undoes_key: the recording that this one took back.

    """

    key: str
    registration_id: int
    session_id: int
    kind: RecordingKind
    actor_id: int | None
    actor_name: str
    at: datetime
    batch: str
    old: Entry
    new: Entry
    undoes_key: str | None = None

    @property
    def order(self) -> tuple[datetime, str]:
        """Where it stands among those of the same person and session; the key decides a draw."""
        return self.at, self.key


def check_minutes(entry: Entry, session: SessionTime) -> Entry:
    """Return an entry whose minutes fit the session; without `PRESENT` there are none.

    Raises:
        DomainError: `wrong_minutes`: late and early together leave nothing of the session.

    """
    if entry.mark is not AttendanceMark.PRESENT:
        return Entry(entry.mark)
    if min(entry.late, entry.early) < 0 or entry.late + entry.early >= session.minutes:
        raise DomainError(
            "wrong_minutes",
            f"Der Termin dauert {session.minutes} Minuten. Bitte geben Sie zusammen weniger an, "
            "oder wählen Sie „fehlt“.",
            field="minutes",
        )
    return entry


def apply(entry: Entry, kind: RecordingKind, says: Entry) -> Entry:
    """Return what is recorded after a recording.

    Args:
        entry: what was recorded before.
        kind: of the recording.
        says: the mark and the minutes that a `SET` carries.

    """
    if kind is RecordingKind.SET:
        return says
    if kind is RecordingKind.SEEN and entry.mark is not AttendanceMark.PRESENT:
        return THERE
    if kind is RecordingKind.FILL and entry.mark is None:
        return THERE
    return entry


def fold(changes: Iterable[Change]) -> tuple[Entry, Change | None]:
    """Return what the recordings of one person at one session come to, and which one decided.

    They are taken in the order in which they were recorded, without those that were taken back. So
    the result does not depend on the order in which they arrive, nor on how often: a phone may send
    its queue hours later, and twice.
    """
    known = list(changes)
    undone = {change.undoes_key for change in known}
    entry: Entry = NOTHING
    deciding: Change | None = None
    for change in sorted(known, key=lambda found: found.order):
        if change.kind is RecordingKind.UNDO or change.key in undone:
            continue
        after = apply(entry, change.kind, change.new)
        if after != entry:
            entry, deciding = after, change
    return entry, deciding


def changes_in_force(changes: Iterable[Change]) -> dict[int, Change]:
    """Return by registration the recording that decided what is recorded now.

    Args:
        changes: all of one session.

    """
    by_person: dict[int, list[Change]] = {}
    for change in changes:
        by_person.setdefault(change.registration_id, []).append(change)
    found = {person: fold(own)[1] for person, own in by_person.items()}
    return {person: change for person, change in found.items() if change is not None}


def last_step(changes: Iterable[Change], actor_id: int | None) -> tuple[Change, ...]:
    """Return what "undo" would take back: the actor's last step that is still in force.

    A mark that somebody else has changed since is left alone: undoing takes back one's own work
    only. An undo itself cannot be undone; the next one reaches one step further back.

    Args:
        changes: all of one session.
        actor_id: who asks.

    """
    own = [change for change in changes_in_force(changes).values() if change.actor_id == actor_id]
    if not own:
        return ()
    newest = max(own, key=lambda change: change.order)
    return tuple(change for change in own if change.batch == newest.batch)


def is_undone(changes: Iterable[Change], batch: str) -> bool:
    """Say whether a step was taken back, wholly or as far as it was still in force."""
    known = list(changes)
    step = {change.key for change in known if change.batch == batch}
    return any(change.undoes_key in step for change in known)


REPEATED_WITHIN = timedelta(minutes=1)


def is_repetition(last: Change | None, change: Change) -> bool:
    """Say whether somebody records the same thing again at once, by a double press or a scan.

    Such a recording is not kept. A later one is, though it changes nothing: it says that the person
    was seen at that time, should an earlier contradiction still be on the way from another phone.

    Args:
        last: the newest recording of the same person and session.
        change: the one that arrives.

    """
    return (
        last is not None
        and last.kind is change.kind
        and last.actor_id == change.actor_id
        and last.new == change.new
        and change.at - last.at <= REPEATED_WITHIN
    )


def normalise_ticket(text: str) -> str:
    """Return a ticket's code as it is stored, from what somebody typed: „abcd-efgh jkmn“."""
    return "".join(sign for sign in text.upper() if sign.isascii() and sign.isalnum())


def name_matches(name: str, typed: str) -> bool:
    """Say whether each word that somebody typed begins a word of a name.

    „Oeztuerk“, „ozturk“ and „Öztürk“ all find „Öztürk“; an empty search finds everybody.
    """
    words = _plain_words(name)
    return all(any(word.startswith(part) for word in words) for part in _plain_words(typed))


def _plain_words(text: str) -> list[str]:
    """Return the words without what German spelling leaves open: ä and ae are both a."""
    return re.sub("(?<=[aou])e", "", sort_key(text)).split()
