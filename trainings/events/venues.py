"""Venues, rooms and formats (templates): what the office keeps ready for planning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.events.details import (
    USUAL_DOOR,
    DoorPolicy,
    Policy,
    apply_door_policy,
    apply_policy,
    check_minimum,
)
from trainings.events.models import (
    AgendaItem,
    EventKind,
    EventTemplate,
    Room,
    TemplateSession,
    Venue,
    Visibility,
)
from trainings.events.rules import SessionPlan, check_session_plans


@dataclass(frozen=True)
class VenueData:
    """A venue as the office describes it; all texts, the last four may be empty."""

    name: str
    street: str
    postcode: str
    town: str
    step_free: str = ""
    hearing_loop: str = ""
    parking: str = ""
    public_transport: str = ""


@dataclass(frozen=True)
class RoomPlan:
    """A room of a venue.

    Attributes:
        id: the stored room, or None for a new one.
        name: unique within the venue.
        seats: how many it holds, or None if nobody knows.

    """

    id: int | None
    name: str
    seats: int | None


@dataclass(frozen=True)
class TemplateSessionPlan:
    """A session of a format: on its first, second … day, wall-clock times."""

    day: int
    begins: time
    ends: time
    label: str


@dataclass(frozen=True)
class TemplateData:
    """A format as the office describes it; deadlines in calendar days before the first day."""

    kind: EventKind
    title: str
    summary: str
    contents: str
    aim: str
    capacity: int
    minimum: int
    visibility: Visibility
    registration_deadline_days: int
    withdrawal_deadline_days: int
    needs_deadline_days: int
    policy: Policy
    door: DoorPolicy = USUAL_DOOR


def create_venue(
    session: Session, actor: Actor, data: VenueData, *, rooms: Sequence[RoomPlan], now: datetime
) -> Venue:
    """Add a venue with its rooms.

    Raises:
        DomainError: `room_twice`.

    """
    venue = Venue(**asdict(data))
    session.add(venue)
    session.flush()
    _set_rooms(venue, rooms)
    record(session, actor, "venue_added", venue, now)
    return venue


def update_venue(
    session: Session,
    actor: Actor,
    venue_id: int,
    data: VenueData,
    *,
    rooms: Sequence[RoomPlan],
    now: datetime,
) -> None:
    """Change a venue and its rooms; rooms that are not named stay as they are.

    Raises:
        DomainError: `not_found` or `room_twice`.

    """
    venue = _lock_venue(session, venue_id)
    for name, value in asdict(data).items():
        setattr(venue, name, value)
    _set_rooms(venue, rooms)
    record(session, actor, "venue_changed", venue, now)


def set_venue_retired(
    session: Session, actor: Actor, venue_id: int, *, retired: bool, now: datetime
) -> None:
    """Offer a venue no longer for new events, or again.

    Raises:
        DomainError: `not_found`.

    """
    venue = _lock_venue(session, venue_id)
    venue.retired_at = now if retired else None
    record(session, actor, "venue_retired" if retired else "venue_reactivated", venue, now)


def create_template(
    session: Session,
    actor: Actor,
    data: TemplateData,
    *,
    sessions: Sequence[TemplateSessionPlan],
    agenda: Sequence[AgendaItem],
    now: datetime,
) -> EventTemplate:
    """Add a format.

    Raises:
        DomainError: `no_session`, `ends_before_begin`, `sessions_overlap` or
            `minimum_above_capacity`.

    """
    template = EventTemplate()
    _apply_template(template, data, sessions, agenda)
    session.add(template)
    record(session, actor, "template_added", template, now)
    return template


def update_template(
    session: Session,
    actor: Actor,
    template_id: int,
    data: TemplateData,
    *,
    sessions: Sequence[TemplateSessionPlan],
    agenda: Sequence[AgendaItem],
    now: datetime,
) -> None:
    """Change a format; events that were made from it stay as they are.

    Raises:
        DomainError: `not_found`, or as `create_template`.

    """
    template = _lock_template(session, template_id)
    # The positions are unique: the old rows go before the new ones come.
    template.sessions.clear()
    session.flush()
    _apply_template(template, data, sessions, agenda)
    record(session, actor, "template_changed", template, now)


def set_template_retired(
    session: Session, actor: Actor, template_id: int, *, retired: bool, now: datetime
) -> None:
    """Offer a format no longer for new events, or again.

    Raises:
        DomainError: `not_found`.

    """
    template = _lock_template(session, template_id)
    template.retired_at = now if retired else None
    record(session, actor, "template_retired" if retired else "template_reactivated", template, now)


def _apply_template(
    template: EventTemplate,
    data: TemplateData,
    sessions: Sequence[TemplateSessionPlan],
    agenda: Sequence[AgendaItem],
) -> None:
    check_minimum(data.minimum, data.capacity, field="minimum")
    # The same checks as for the dates of an event, on days that stand for the first, second …
    start = date(2001, 1, 1)
    check_session_plans(
        [
            SessionPlan(start + timedelta(days=plan.day - 1), plan.begins, plan.ends, plan.label)
            for plan in sessions
        ]
    )
    values = asdict(data)
    del values["policy"], values["door"]
    for name, value in values.items():
        setattr(template, name, value)
    apply_policy(template, data.policy)
    apply_door_policy(template, data.door)
    template.agenda = list(agenda)
    ordered = sorted(sessions, key=lambda plan: (plan.day, plan.begins))
    template.sessions = [
        TemplateSession(position=position, **asdict(plan)) for position, plan in enumerate(ordered)
    ]


def _set_rooms(venue: Venue, rooms: Sequence[RoomPlan]) -> None:
    known = {room.id: room for room in venue.rooms}
    for plan in rooms:
        if plan.id is None:
            venue.rooms.append(Room(name=plan.name, seats=plan.seats))
            continue
        if plan.id not in known:
            raise not_found()
        known[plan.id].name = plan.name
        known[plan.id].seats = plan.seats
    names_now = [room.name.casefold() for room in venue.rooms]
    if len(set(names_now)) < len(names_now):
        raise DomainError(
            "room_twice",
            "Zwei Räume eines Ortes können nicht gleich heißen.",
            field="rooms",
            status=422,
        )


def _lock_venue(session: Session, venue_id: int) -> Venue:
    venue = session.scalar(
        select(Venue).where(Venue.id == venue_id).with_for_update(key_share=True)
    )
    if venue is None:
        raise not_found()
    return venue


def _lock_template(session: Session, template_id: int) -> EventTemplate:
    template = session.scalar(
        select(EventTemplate).where(EventTemplate.id == template_id).with_for_update(key_share=True)
    )
    if template is None:
        raise not_found()
    return template
