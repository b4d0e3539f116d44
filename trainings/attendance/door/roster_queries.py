"""What a phone needs to know of an event to record without a network: names and ticket hashes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.door.settled_queries import Settled, settled_refusals
from trainings.attendance.door.sync_rules import salt_of, ticket_hash
from trainings.attendance.reads import (
    Attendee,
    EventHead,
    event_head,
    load_attendees,
    load_sessions,
)
from trainings.attendance.rules import Answer, SessionTime, recording_answer
from trainings.core.actors import Actor
from trainings.core.clock import berlin_instant
from trainings.core.settings import current_settings
from trainings.events.models import Event
from trainings.registrations.models import Registration

ROSTER_LIVES = timedelta(hours=24)
"""How long after the event a phone may keep the names."""


@dataclass(frozen=True)
class Roster:
    """What a phone may keep of an event.

    Attributes:
        event: the event.
        offline: whether it may keep names at all; if not, there are none here.
        expires_at: when the phone forgets them by itself.
        salt: of the ticket hashes.
        sessions: in order of time.
        settled: what the office has settled of the recordings that this trainer was refused.
        people: who takes part, by name.
        void: hashes of tickets that count no more, each with its answer.

    """

    event: EventHead
    offline: bool
    expires_at: datetime | None
    salt: str
    sessions: tuple[SessionTime, ...]
    settled: tuple[Settled, ...]
    people: tuple[Attendee, ...] = ()
    void: tuple[tuple[str, Answer], ...] = ()


def roster(session: Session, actor: Actor, number: str, now: datetime) -> Roster:
    """Return what a trainer's phone keeps of an event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    event = event_head(session, actor, number)
    sessions = load_sessions(session, event.id)
    offline = bool(session.scalar(select(Event.offline_roster).where(Event.id == event.id)))
    ends = [berlin_instant(found.day, found.ends) for found in sessions]
    expires_at = max(ends) + ROSTER_LIVES if ends else None
    salt = salt_of(current_settings().secret_key, number)
    settled = settled_refusals(session, event.id, actor.person_id)
    if not offline:
        return Roster(event, offline, expires_at, salt, sessions, settled)
    people = load_attendees(session, Registration.event_id == event.id, sessions)
    spent = session.execute(
        select(Registration.spent_ticket, Registration.state).where(
            Registration.event_id == event.id, Registration.spent_ticket.is_not(None)
        )
    )
    void = tuple(
        (
            ticket_hash(salt, ticket or ""),
            recording_answer(
                event.access.state, event.last_day, None, now, by_office=True, place=state
            ),
        )
        for ticket, state in spent
    )
    return Roster(event, offline, expires_at, salt, sessions, settled, people, void)
