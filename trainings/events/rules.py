"""The life of an event, its sessions and its deadlines: pure functions over plain values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from trainings.core.clock import berlin_day, berlin_instant, end_of_day, to_berlin
from trainings.core.errors import DomainError
from trainings.core.formats import day_and_span, long_date
from trainings.events.models import STATE_NAMES, EventState

EVENT_MOVES: dict[EventState, frozenset[EventState]] = {
    EventState.DRAFT: frozenset({EventState.PUBLISHED}),
    EventState.PUBLISHED: frozenset({EventState.HELD, EventState.CANCELLED}),
    EventState.HELD: frozenset(),
    EventState.CANCELLED: frozenset(),
}
"""Where an event may go from each state. A draft is not cancelled: it is deleted."""

LIVE_STATES = (EventState.DRAFT, EventState.PUBLISHED)
"""States in which an event occupies its trainers and its room."""

MOST_SESSIONS = 60
FIRST_DAY = date(2000, 1, 1)
LAST_DAY = date(2100, 12, 31)


@dataclass(frozen=True)
class SessionPlan:
    """A session as somebody plans it.

    Attributes:
        day: the day in Berlin.
        begins: wall-clock time.
        ends: wall-clock time, later on the same day.
        label: „Vormittag“ and the like; may be empty.

    """

    day: date
    begins: time
    ends: time
    label: str = ""


@dataclass(frozen=True)
class Deadlines:
    """Until when things may be done, as instants."""

    closes_at: datetime
    withdraw_until: datetime
    needs_until: datetime


def check_move(old: EventState, new: EventState) -> None:
    """Refuse a move that `EVENT_MOVES` does not have.

    Raises:
        DomainError: `illegal_move`.

    """
    if new not in EVENT_MOVES[old]:
        raise DomainError(
            "illegal_move",
            f"Diese Veranstaltung steht auf „{STATE_NAMES[old]}“ und kann nicht auf "
            f"„{STATE_NAMES[new]}“ wechseln.",
        )


def sessions_overlap(first: SessionPlan, second: SessionPlan) -> bool:
    """Say whether two sessions share time; one that begins when the other ends does not."""
    return first.day == second.day and first.begins < second.ends and second.begins < first.ends


def first_overlap(
    planned: Sequence[SessionPlan], others: Iterable[SessionPlan]
) -> SessionPlan | None:
    """Return the first planned session that shares time with one of the others, or None."""
    taken = list(others)
    for session in planned:
        if any(sessions_overlap(session, other) for other in taken):
            return session
    return None


def in_order(plans: Iterable[SessionPlan]) -> list[SessionPlan]:
    """Return the plans as they follow each other in time."""
    return sorted(plans, key=lambda plan: (plan.day, plan.begins, plan.ends))


def check_session_plans(plans: Sequence[SessionPlan]) -> list[SessionPlan]:
    """Check the sessions of one event and return them in order.

    Raises:
        DomainError: `no_session`, `too_many_sessions`, `absurd_day`, `ends_before_begin` or
            `sessions_overlap`, each at the field `sessions`.

    """
    if not plans:
        raise _refusal("no_session", "Eine Veranstaltung braucht mindestens einen Termin.")
    if len(plans) > MOST_SESSIONS:
        raise _refusal(
            "too_many_sessions", f"Mehr als {MOST_SESSIONS} Termine sind nicht vorgesehen."
        )
    for plan in plans:
        if not FIRST_DAY <= plan.day <= LAST_DAY:
            raise _refusal(
                "absurd_day", f"Bitte ein Jahr von {FIRST_DAY.year} bis {LAST_DAY.year}."
            )
        if plan.ends <= plan.begins:
            raise _refusal(
                "ends_before_begin",
                f"Der Termin am {long_date(plan.day)} endet, bevor er beginnt.",
            )
    ordered = in_order(plans)
    for earlier, later in pairwise(ordered):
        if sessions_overlap(earlier, later):
            raise _refusal(
                "sessions_overlap",
                f"Zwei Termine überschneiden sich am {long_date(later.day)}.",
            )
    return ordered


def _refusal(code: str, sentence: str) -> DomainError:
    return DomainError(code, sentence, field="sessions", status=422)


def deadlines_before(
    first_day: date, *, registration_days: int, withdrawal_days: int, needs_days: int
) -> Deadlines:
    """Return the deadlines that lie some days before the first day; each ends with its day.

    Args:
        first_day: day of the first session in Berlin.
        registration_days: calendar days between the registration deadline and the first day.
        withdrawal_days: the same for giving a place back.
        needs_days: the same for saying what one needs.

    """

    def before(days: int) -> datetime:
        return end_of_day(first_day - timedelta(days=days))

    return Deadlines(before(registration_days), before(withdrawal_days), before(needs_days))


def shift_instant(instant: datetime, days: int) -> datetime:
    """Return the same wall-clock time in Berlin some days later (or earlier)."""
    local = to_berlin(instant)
    return berlin_instant(local.date() + timedelta(days=days), local.time())


def begin_of(plans: Sequence[SessionPlan]) -> datetime:
    """Return the instant at which the first session begins."""
    return min(berlin_instant(plan.day, plan.begins) for plan in plans)


def end_of(plans: Sequence[SessionPlan]) -> datetime:
    """Return the instant at which the last session ends."""
    return max(berlin_instant(plan.day, plan.ends) for plan in plans)


def shift_sessions(plans: Sequence[SessionPlan], first_day: date) -> list[SessionPlan]:
    """Return the sessions moved so that the first one lies on a day; the gaps stay as they are."""
    start = min(plan.day for plan in plans)
    return [replace(plan, day=first_day + (plan.day - start)) for plan in plans]


@dataclass(frozen=True)
class Readiness:
    """What decides whether an event can be published.

    Attributes:
        sessions: its sessions.
        has_venue: whether the place is known.
        opens_at: from when on people may register.
        deadlines: until when things may be done.
        capacity: places.
        minimum: the least number of participants.
        needs_hosts: in-house, but for no organisation yet.
        needs_invitations: by invitation, but nobody is invited yet.

    """

    sessions: Sequence[SessionPlan]
    has_venue: bool
    opens_at: datetime
    deadlines: Deadlines
    capacity: int
    minimum: int
    needs_hosts: bool
    needs_invitations: bool


def publishing_obstacles(event: Readiness, now: datetime) -> list[str]:
    """Return what keeps a draft from being published, one German sentence each; empty: nothing."""
    obstacles = []
    if not event.sessions:
        obstacles.append("Es gibt noch keinen Termin.")
    if not event.has_venue:
        obstacles.append("Der Veranstaltungsort fehlt.")
    if event.capacity < 1:
        obstacles.append("Die Veranstaltung hat keine Plätze.")
    if event.minimum > event.capacity:
        obstacles.append("Die Mindestzahl ist größer als die Zahl der Plätze.")
    if event.needs_hosts:
        obstacles.append("Es fehlt, für welche Organisationen die Veranstaltung ist.")
    if event.needs_invitations:
        obstacles.append("Es ist noch niemand eingeladen.")
    if event.sessions:
        obstacles.extend(_time_obstacles(event, now))
    return obstacles


def _time_obstacles(event: Readiness, now: datetime) -> list[str]:
    begin = begin_of(event.sessions)
    if begin <= now:
        return [
            f"Der erste Termin liegt in der Vergangenheit: {_first_session_text(event.sessions)}."
        ]
    obstacles = deadline_obstacles(event.opens_at, event.deadlines, begin)
    if event.deadlines.closes_at <= now:
        obstacles.append("Der Anmeldeschluss ist schon vorbei.")
    return obstacles


def deadline_obstacles(opens_at: datetime, deadlines: Deadlines, begin: datetime) -> list[str]:
    """Return what is wrong with the deadlines of an event that begins at an instant."""
    obstacles = []
    named = (
        ("Der Anmeldeschluss", deadlines.closes_at),
        ("Die Frist, einen Platz zurückzugeben,", deadlines.withdraw_until),
        ("Die Frist für Bedarfe", deadlines.needs_until),
    )
    for name, instant in named:
        if instant > end_of_day(berlin_day(begin)):
            obstacles.append(f"{name} liegt nach dem ersten Tag der Veranstaltung.")
    if opens_at >= deadlines.closes_at:
        obstacles.append("Die Anmeldung endet, bevor sie beginnt.")
    return obstacles


def _first_session_text(sessions: Sequence[SessionPlan]) -> str:
    first = min(sessions, key=lambda session: (session.day, session.begins))
    return day_and_span(first.day, first.begins, first.ends)
