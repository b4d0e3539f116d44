"""Invariants of the places, by the same rules that give them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trainings.events.models import Admission, Event, EventState, Pool
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Contingent,
    Registration,
    RegistrationState,
    Release,
)
from trainings.registrations.offer_rules import Passing, passing_on
from trainings.registrations.place_queries import load_places, load_queue
from trainings.registrations.places import begins_at
from trainings.registrations.rules import next_places


def no_pool_is_overbooked(session: Session, now: datetime) -> list[str]:
    """Nobody sits where there is no place."""
    return [
        f"{event.number} ist überbucht: {places.taken} Zusagen für {places.capacity} Plätze."
        for event in _events(session)
        if (places := load_places(session, event.pool, now)).taken > places.capacity
    ]


def held_places_are_kept(session: Session, now: datetime) -> list[str]:
    """Fit what is taken and what is held for organisations into the capacity together."""
    holding = exists().where(Contingent.pool_id == Event.pool_id, Contingent.until > now)
    return [
        f"{event.number} hält mehr Plätze vor, als frei sind: {places.taken} Zusagen und "
        f"{places.held} vorgehaltene bei {places.capacity} Plätzen."
        for event in _events(session, holding)
        if (places := load_places(session, event.pool, now)).free < 0 and places.held
    ]


def organisation_limits_are_kept(session: Session, _now: datetime) -> list[str]:
    """No authority was given more places than one may have.

    It counts by what an authority was then: merging two may bring more together than one may have,
    and nobody loses a place by that.
    """
    rows = session.execute(
        select(Event.number, Registration.organisation_id, func.count(), Pool.organisation_limit)
        .join(Event, Registration.event_id == Event.id)
        .join(Pool, Registration.pool_id == Pool.id)
        .where(Registration.state.in_(SEATED))
        .group_by(Event.number, Registration.organisation_id, Pool.organisation_limit)
        .having(func.count() > Pool.organisation_limit)
        .order_by(Event.number, Registration.organisation_id)
    )
    return [
        f"{event}: Organisation {organisation_id} hat {number} Plätze, erlaubt sind {limit}."
        for event, organisation_id, number, limit in rows
    ]


def nobody_waits_beside_a_free_place(session: Session, now: datetime) -> list[str]:
    """Whoever could have a place has it: nobody waits for one that is free for them."""
    waited_for = exists().where(
        Registration.event_id == Event.id, Registration.state == RegistrationState.WAITING
    )
    findings = []
    for event in _events(session, waited_for, Event.state == EventState.PUBLISHED):
        if begins_at(event) <= now or not _passes_on_by_itself(event, now):
            continue
        places = load_places(session, event.pool, now)
        number = len(next_places(places, load_queue(session, event)))
        if number:
            findings.append(
                f"{event.number}: {number} auf der Warteliste, für die ein Platz frei ist."
            )
    return findings


def _passes_on_by_itself(event: Event, now: datetime) -> bool:
    if event.admission is Admission.BY_OFFICE and event.admitted_at is None:
        return False
    way = passing_on(event.offer_days, event.short_notice, begins_at(event), now)
    return way.how is not Passing.OFFICE


def offers_have_an_end(session: Session, _now: datetime) -> list[str]:
    """Name until when it holds for each place that is offered, and for nothing else."""
    rows = session.execute(
        select(Registration.id, Event.number)
        .join(Event, Registration.event_id == Event.id)
        .where(
            (Registration.state == RegistrationState.OFFERED)
            != Registration.offer_until.is_not(None)
        )
        .order_by(Registration.id)
    )
    return [
        f"{row.number}: Anmeldung {row.id} hat ein Angebot ohne Frist oder eine Frist ohne Angebot."
        for row in rows
    ]


def releases_are_decided_once(session: Session, _now: datetime) -> list[str]:
    """Whoever was released is not waiting for it, and whoever waits was not decided."""
    rows = session.execute(
        select(Registration.id, Event.number)
        .join(Event, Registration.event_id == Event.id)
        .join(Release, Release.registration_id == Registration.id)
        .where(Registration.state == RegistrationState.AWAITING_RELEASE)
        .order_by(Registration.id)
    )
    return [
        f"{row.number}: Anmeldung {row.id} wartet auf eine Freigabe, über die entschieden ist."
        for row in rows
    ]


def _events(session: Session, *conditions: ColumnElement[bool]) -> list[Event]:
    """Load events in whose pools somebody sits or waits."""
    in_use = exists().where(Registration.event_id == Event.id, Registration.state.in_(ACTIVE))
    return list(
        session.scalars(
            select(Event)
            .where(in_use, *conditions)
            .options(joinedload(Event.pool), selectinload(Event.sessions))
            .order_by(Event.number)
        )
    )
