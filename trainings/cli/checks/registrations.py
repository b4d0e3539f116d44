"""Invariants of registrations: states, histories, tickets, attendance."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from trainings.attendance.models import Attendance
from trainings.cli.checks.histories import broken
from trainings.events.models import Event, EventSession
from trainings.registrations.models import (
    ACTIVE,
    ATTENDING,
    SEATED,
    Registration,
    RegistrationChange,
    RegistrationState,
    Substitution,
)
from trainings.registrations.rules import REGISTRATION_MOVES

Step = tuple[RegistrationState | None, RegistrationState]


def nobody_is_registered_twice(session: Session, _now: datetime) -> list[str]:
    """Nobody has more than one active registration for an event."""
    rows = session.execute(
        select(Event.number, Registration.person_id)
        .join(Event, Event.pool_id == Registration.pool_id)
        .where(Registration.state.in_(ACTIVE))
        .group_by(Event.number, Registration.person_id)
        .having(func.count() > 1)
        .order_by(Event.number, Registration.person_id)
    )
    return [f"{number}: Person {person_id} ist doppelt angemeldet." for number, person_id in rows]


def nobody_sits_in_two_events_at_once(session: Session, _now: datetime) -> list[str]:
    """Nobody has places in two events whose sessions overlap."""
    one, other = aliased(Registration), aliased(Registration)
    mine, others = aliased(EventSession), aliased(EventSession)
    first, second = aliased(Event), aliased(Event)
    rows = session.execute(
        select(one.person_id, first.number, second.number)
        .join(mine, mine.event_id == one.event_id)
        .join(
            others,
            and_(others.day == mine.day, mine.begins < others.ends, others.begins < mine.ends),
        )
        .join(
            other,
            and_(
                other.event_id == others.event_id,
                other.person_id == one.person_id,
                one.event_id < other.event_id,
            ),
        )
        .join(first, first.id == one.event_id)
        .join(second, second.id == other.event_id)
        .where(one.state.in_(SEATED), other.state.in_(SEATED))
        .distinct()
        .order_by(first.number, second.number, one.person_id)
    )
    return [
        f"Person {person_id} hat zur selben Zeit Plätze in {number} und {other_number}."
        for person_id, number, other_number in rows
    ]


def tickets_belong_to_places(session: Session, _now: datetime) -> list[str]:
    """Whoever has a place has a ticket, and nobody else has one."""
    placed = Registration.state == RegistrationState.PLACED
    rows = session.scalars(
        select(Registration)
        .where(
            or_(
                and_(placed, Registration.ticket.is_(None)),
                and_(~placed, Registration.ticket.is_not(None)),
            )
        )
        .order_by(Registration.id)
    )
    return [
        f"Anmeldung {row.id} hat eine Zusage, aber keine Eintrittskarte."
        if row.ticket is None
        else f"Anmeldung {row.id} hat eine Eintrittskarte, aber keine Zusage."
        for row in rows
    ]


def attendance_belongs_to_places(session: Session, _now: datetime) -> list[str]:
    """Attendance is recorded for people who take part, at sessions of their own event."""
    rows = session.execute(
        select(Attendance.id, Registration.id, Registration.event_id == EventSession.event_id)
        .join(Registration, Attendance.registration_id == Registration.id)
        .join(EventSession, Attendance.session_id == EventSession.id)
        .where(
            or_(
                Registration.state.not_in(ATTENDING),
                Registration.event_id != EventSession.event_id,
            )
        )
        .order_by(Attendance.id)
    )
    return [
        f"Anwesenheit {attendance_id} gehört zu Anmeldung {registration_id}, die keine Zusage hat."
        if same_event
        else f"Anwesenheit {attendance_id} liegt an einem Termin einer anderen Veranstaltung."
        for attendance_id, registration_id, same_event in rows
    ]


def substitutes_sit_in_the_place_of_somebody_else(session: Session, _now: datetime) -> list[str]:
    """Whoever was replaced has no place there any more, and another person came instead."""
    replaced = aliased(Registration)
    rows = session.execute(
        select(Registration.id, Event.number)
        .join(Substitution, Substitution.registration_id == Registration.id)
        .join(replaced, Substitution.replaced_id == replaced.id)
        .join(Event, Registration.event_id == Event.id)
        .where(
            or_(
                replaced.state != RegistrationState.SUBSTITUTED,
                replaced.pool_id != Registration.pool_id,
                replaced.person_id == Registration.person_id,
            )
        )
        .order_by(Registration.id)
    )
    return [
        f"{row.number}: Anmeldung {row.id} steht für jemanden, der den Platz nicht abgegeben hat."
        for row in rows
    ]


_MAY_STAY = frozenset({RegistrationState.WAITING})
"""The office puts somebody at another place on the list: a step that stays on it."""


def histories_lead_to_the_states(session: Session, _now: datetime) -> list[str]:
    """Each history is a chain of allowed moves that ends at the state of its registration."""
    histories: dict[int, list[Step]] = defaultdict(list)
    for registration_id, old, new in session.execute(
        select(
            RegistrationChange.registration_id,
            RegistrationChange.from_state,
            RegistrationChange.to_state,
        ).order_by(RegistrationChange.id)
    ):
        histories[registration_id].append((old, new))
    registrations = session.execute(
        select(Registration.id, Registration.state).order_by(Registration.id)
    )
    return [
        f"Anmeldung {registration_id}: {finding}"
        for registration_id, state in registrations
        if (
            finding := broken(
                histories[registration_id], state, REGISTRATION_MOVES, may_stay=_MAY_STAY
            )
        )
    ]
