"""Registrations of the demonstration with their history, tickets, needs and attendance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from trainings.attendance.ledger import new_key
from trainings.attendance.models import (
    Attendance,
    AttendanceChange,
    AttendanceMark,
    RecordingKind,
)
from trainings.cli.seed.files import Loading, Row, read
from trainings.core.clock import berlin_instant
from trainings.events.models import Event, EventInvitation, EventState, Visibility
from trainings.people.models import Person
from trainings.registrations.models import (
    Need,
    NeedKind,
    Registration,
    RegistrationChange,
    RegistrationState,
)
from trainings.registrations.moves import new_ticket

State = RegistrationState
MARKS = {
    "p": AttendanceMark.PRESENT,
    "a": AttendanceMark.ABSENT,
    "e": AttendanceMark.EXCUSED,
}
# Who was put into a place without having queued for it, by the note in the file.
PLACED_AT_ONCE = {
    "Ersatzperson": "substitute",
    "Übernommen vom abgesagten Termin": "taken_over",
}
FINAL_REASONS = {
    State.DECLINED: "declined",
    State.EXPIRED: "event_began",
    State.WITHDRAWN: "withdrawn",
    State.CANCELLED: "event_cancelled",
    State.SUBSTITUTED: "substituted",
}


@dataclass(frozen=True)
class _Request:
    """One row of the files, history and future alike.

    Attributes:
        requested_at: when it was made.
        decided_at: when it came to the state that it has.

    """

    event: Event
    person: Person
    state: State
    requested_at: datetime
    decided_at: datetime
    note: str
    marks: str
    needs: tuple[tuple[NeedKind, str], ...]


@dataclass(frozen=True)
class _Step:
    """One row of a history."""

    old: State | None
    new: State
    at: datetime
    reason: str


def load_registrations(loading: Loading) -> None:
    """Load all registrations in the order in which they were made."""
    requests = [
        *_read(loading, "registrations", _historical),
        *_read(loading, "upcoming_registrations", _upcoming),
    ]
    requests.sort(key=lambda request: request.requested_at)
    ranks: Counter[int] = Counter()
    registrations = []
    for request in requests:
        ranks[request.event.pool_id] += 1
        registrations.append(_registration(request, ranks[request.event.pool_id]))
    loading.session.add_all(registrations)
    loading.session.flush()
    pairs = list(zip(requests, registrations, strict=True))
    _insert(loading, RegistrationChange, _history_rows(loading, pairs))
    marks = _attendance_rows(pairs)
    _insert(loading, Attendance, [attendance for attendance, _ in marks])
    _insert(loading, AttendanceChange, [change for _, change in marks])
    _invite(loading, requests)


def _read(
    loading: Loading, name: str, make: Callable[[Loading, Row, Event, Person], _Request]
) -> list[_Request]:
    return [
        make(loading, row, loading.events[row["event_key"]], loading.people[row["person_key"]])
        for row in read(name)
        if row["event_key"] in loading.events
    ]


def _historical(_loading: Loading, row: Row, event: Event, person: Person) -> _Request:
    return _Request(
        event=event,
        person=person,
        state=State(row["state"]),
        requested_at=datetime.fromisoformat(row["requested_at"]),
        decided_at=datetime.fromisoformat(row["decided_at"]),
        note=row["note"],
        marks=row["attendance"],
        needs=(),
    )


def _upcoming(loading: Loading, row: Row, event: Event, person: Person) -> _Request:
    state = State(row["state"])
    requested_at = loading.now - timedelta(days=float(row["requested_days_ago"]))
    decided_at = requested_at
    if state is State.CANCELLED and event.cancelled_at:
        decided_at = event.cancelled_at
    elif state is State.WITHDRAWN:
        decided_at = requested_at + (loading.now - requested_at) / 2
    kinds = [NeedKind(kind) for kind in row["needs"].split()]
    # Beside needs the note is about the last of them, else about the registration.
    notes = [""] * (len(kinds) - 1) + [row["note"]]
    return _Request(
        event=event,
        person=person,
        state=state,
        requested_at=requested_at,
        decided_at=decided_at,
        note="" if kinds else row["note"],
        marks="",
        needs=tuple(zip(kinds, notes, strict=False)),
    )


def _registration(request: _Request, rank: int) -> Registration:
    organisation = request.person.organisation
    return Registration(
        pool_id=request.event.pool_id,
        event_id=request.event.id,
        person_id=request.person.id,
        state=request.state,
        rank=rank,
        requested_at=request.requested_at,
        state_since=request.decided_at,
        organisation_id=organisation.id,
        organisation_name=organisation.name,
        organisation_kind=organisation.kind,
        unit=request.person.unit,
        ticket=new_ticket() if request.state is State.PLACED else None,
        needs=[Need(kind=kind, note=note) for kind, note in request.needs],
    )


def _steps(request: _Request) -> list[_Step]:
    """Return the way to the state in the file; the files hold the last step only."""
    state, requested_at, decided_at = request.state, request.requested_at, request.decided_at
    if state is State.PLACED and request.note in PLACED_AT_ONCE:
        return [_Step(None, State.PLACED, decided_at, PLACED_AT_ONCE[request.note])]
    if state is State.DECLINED:
        return [
            _Step(None, State.AWAITING_RELEASE, requested_at, "requested"),
            _Step(State.AWAITING_RELEASE, state, decided_at, FINAL_REASONS[state]),
        ]
    if request.event.needs_release:
        steps = [_Step(None, State.AWAITING_RELEASE, requested_at, "requested")]
        if state is State.AWAITING_RELEASE:
            return steps
        steps.append(_Step(State.AWAITING_RELEASE, State.WAITING, requested_at, "released"))
    else:
        steps = [_Step(None, State.WAITING, requested_at, "requested")]
    if state is State.EXPIRED:
        return [*steps, _Step(State.WAITING, state, decided_at, FINAL_REASONS[state])]
    if state is not State.WAITING:
        placed_at = decided_at if state is State.PLACED else requested_at
        steps.append(_Step(State.WAITING, State.PLACED, placed_at, "placed_in_order"))
    if state in FINAL_REASONS:
        steps.append(_Step(State.PLACED, state, decided_at, FINAL_REASONS[state]))
    return steps


def _history_rows(
    loading: Loading, pairs: list[tuple[_Request, Registration]]
) -> list[dict[str, Any]]:
    by_the_office = {"declined", "event_cancelled", "taken_over"}
    return [
        {
            "registration_id": registration.id,
            "at": step.at,
            "actor_person_id": loading.coordinator.id
            if step.reason in by_the_office
            else registration.person_id,
            "from_state": step.old,
            "to_state": step.new,
            "reason": step.reason,
        }
        for request, registration in pairs
        for step in _steps(request)
    ]


def _attendance_rows(
    pairs: list[tuple[_Request, Registration]],
) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    """Return marks with the change that recorded them: by the trainer, when the session ended."""
    rows = []
    for request, registration in pairs:
        trainers = request.event.trainers
        recorded_by = trainers[0].person_id if trainers else None
        for session, letter in zip(request.event.sessions, request.marks, strict=False):
            if letter in MARKS:
                key = {"registration_id": registration.id, "session_id": session.id}
                recorded_at = berlin_instant(session.day, session.ends)
                change = {
                    **key,
                    "key": new_key(),
                    "kind": RecordingKind.SET,
                    "at": recorded_at,
                    "received_at": recorded_at,
                    "actor_person_id": recorded_by,
                    "old_mark": None,
                    "new_mark": MARKS[letter],
                }
                rows.append(({**key, "mark": MARKS[letter]}, change))
    return rows


def _insert(loading: Loading, model: type[Any], rows: list[dict[str, Any]]) -> None:
    if rows:
        loading.session.execute(insert(model), rows)


def _invite(loading: Loading, requests: list[_Request]) -> None:
    """Invite to events by invitation everybody who registered, and the demonstration's login."""
    invited = {
        (request.event.id, request.person.id)
        for request in requests
        if request.event.visibility is Visibility.INVITATION
    }
    guest = loading.people["demo-teilnahme"]
    invited |= {
        (event.id, guest.id)
        for event in loading.events.values()
        if event.visibility is Visibility.INVITATION and event.state is EventState.PUBLISHED
    }
    rows = [{"event_id": event, "person_id": person} for event, person in sorted(invited)]
    _insert(loading, EventInvitation, rows)
