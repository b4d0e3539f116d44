"""Planning events: from the draft to its publication.

What people must be told about (moving, cancelling, changing the places of a published event) is in
`registrations.event_operations`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.numbering import next_number
from trainings.events.bookings import check_bookings, lock_event
from trainings.events.details import (
    EventDetails,
    apply_details,
    at_short_notice,
    check_details,
    details_of,
    door_policy_of,
    plans_of,
    policy_of,
    readiness_of,
    replace_sessions,
    shifted,
)
from trainings.events.models import (
    AgendaItem,
    Event,
    EventHost,
    EventInvitation,
    EventState,
    EventTemplate,
    EventTrainer,
    ExtraDate,
    NumberSeries,
    Pool,
)
from trainings.events.planning import lock_draft
from trainings.events.rules import (
    SessionPlan,
    check_move,
    check_session_plans,
    deadlines_before,
    end_of,
    publishing_obstacles,
    shift_sessions,
)

UID_BYTES = 20


def next_event_number(session: Session, year: int) -> str:
    """Take the next number of a year, such as `2026-014`; it is never given again."""
    return f"{year}-{next_number(session, NumberSeries, year):03d}"


def create_event(
    session: Session,
    actor: Actor,
    details: EventDetails,
    *,
    sessions: Sequence[SessionPlan],
    capacity: int,
    now: datetime,
    organisation_limit: int | None = None,
    agenda: Sequence[AgendaItem] = (),
    template_id: int | None = None,
) -> Event:
    """Make a draft and give it its number, that of the year of its first session.

    Raises:
        DomainError: what is wrong with the sessions, see `check_session_plans`; `wrong_deadlines`;
            `minimum_above_capacity`.

    """
    ordered = check_session_plans(sessions)
    check_details(details, ordered, capacity)
    event = Event(
        number=next_event_number(session, ordered[0].day.year),
        uid=secrets.token_hex(UID_BYTES),
        template_id=template_id,
        agenda=list(agenda),
        pool=Pool(capacity=capacity, organisation_limit=organisation_limit),
        created_at=now,
    )
    apply_details(event, details)
    replace_sessions(event, ordered)
    event.changed_at = now
    session.add(event)
    record(session, actor, "event_created", event, now, number=event.number)
    return event


def create_event_from_template(
    session: Session, actor: Actor, template_id: int, first_day: date, now: datetime
) -> Event:
    """Make a draft from a format: its texts, sessions, places and deadlines.

    Args:
        session: the open transaction.
        actor: who plans.
        template_id: the format.
        first_day: day of the first session in Berlin.
        now: the present instant; registration opens at once when it is published.

    Raises:
        DomainError: `not_found`, `retired`, or what `create_event` refuses.

    """
    template = session.get(EventTemplate, template_id)
    if template is None:
        raise not_found()
    if template.retired_at is not None:
        raise DomainError(
            "retired", "Dieses Format wird nicht mehr angeboten.", field="template_id"
        )
    sessions = [
        SessionPlan(first_day + timedelta(days=row.day - 1), row.begins, row.ends, row.label)
        for row in template.sessions
    ]
    details = EventDetails(
        kind=template.kind,
        title=template.title,
        summary="\n\n".join(filter(None, (template.summary, template.aim))),
        contents=template.contents,
        visibility=template.visibility,
        minimum=template.minimum,
        opens_at=now,
        deadlines=deadlines_before(
            first_day,
            registration_days=template.registration_deadline_days,
            withdrawal_days=template.withdrawal_deadline_days,
            needs_days=template.needs_deadline_days,
        ),
        policy=policy_of(template),
        door=door_policy_of(template),
    )
    return create_event(
        session,
        actor,
        at_short_notice(details, first_day, now),
        sessions=sessions,
        capacity=template.capacity,
        agenda=template.agenda,
        template_id=template.id,
        now=now,
    )


def copy_event(
    session: Session,
    actor: Actor,
    event_id: int,
    first_day: date,
    now: datetime,
    *,
    with_trainers: bool = True,
    with_room: bool = True,
) -> Event:
    """Make a draft like another event on other days; nobody who registered is taken over.

    Args:
        session: the open transaction.
        actor: who plans.
        event_id: the event to copy, in any state.
        first_day: day of the first session in Berlin; the gaps between the days stay.
        now: the present instant.
        with_trainers: also the trainers, if they are free.
        with_room: also the room, if it is free.

    Raises:
        DomainError: `not_found`, `trainer_booked`, `room_booked`, or what `create_event` refuses.

    """
    original = lock_event(session, event_id)
    plans = shift_sessions(plans_of(original), first_day)
    trainers = [row.person_id for row in original.trainers] if with_trainers else []
    room_id = original.room_id if with_room else None
    check_bookings(session, event_id=None, trainer_ids=trainers, room_id=room_id, sessions=plans)
    shift = (first_day - original.first_day).days
    details = details_of(original)
    details = replace(details, opens_at=now, deadlines=shifted(details.deadlines, shift))
    event = create_event(
        session,
        actor,
        at_short_notice(details, first_day, now),
        sessions=plans,
        capacity=max(1, original.pool.capacity),
        organisation_limit=original.pool.organisation_limit,
        agenda=original.agenda,
        template_id=original.template_id,
        now=now,
    )
    event.venue_id = original.venue_id
    event.room_id = room_id
    for position, person_id in enumerate(trainers):
        event.trainers.append(EventTrainer(person_id=person_id, position=position))
    event.hosts = [EventHost(organisation_id=row.organisation_id) for row in original.hosts]
    event.invitations = [EventInvitation(person_id=row.person_id) for row in original.invitations]
    record(session, actor, "event_copied", event, now, original=original.id)
    return event


def publish_event(session: Session, actor: Actor, event_id: int, now: datetime) -> None:
    """Publish a draft.

    Raises:
        DomainError: `not_found`, `illegal_move` or `not_ready`, with all reasons.

    """
    event = lock_event(session, event_id)
    check_move(event.state, EventState.PUBLISHED)
    obstacles = publishing_obstacles(readiness_of(event), now)
    if obstacles:
        raise DomainError("not_ready", " ".join(obstacles))
    event.state = EventState.PUBLISHED
    event.published_at = now
    event.changed_at = now
    record(session, actor, "event_published", event, now)


def mark_held(session: Session, actor: Actor, event_id: int, now: datetime) -> None:
    """Close an event that took place; its last session has ended.

    Raises:
        DomainError: `not_found`, `illegal_move` or `not_over`.

    """
    event = lock_event(session, event_id)
    check_move(event.state, EventState.HELD)
    if now < end_of(plans_of(event)):
        raise DomainError(
            "not_over", "Die Veranstaltung ist noch nicht zu Ende. Bitte warten Sie so lange."
        )
    event.state = EventState.HELD
    event.changed_at = now
    record(session, actor, "event_held", event, now)


def delete_draft(session: Session, actor: Actor, event_id: int, now: datetime) -> None:
    """Delete a draft; its number is not given again.

    Raises:
        DomainError: `not_found` or `not_a_draft`.

    """
    event = lock_draft(session, event_id)
    record(session, actor, "event_deleted", event, now, number=event.number)
    pool = event.pool
    session.execute(delete(ExtraDate).where(ExtraDate.event_id == event.id))
    session.delete(event)
    session.flush()
    session.delete(pool)
