"""What time brings to demand: new dates for those who wait for any, and the end of wishes.

Each event has a transaction of its own, as in `sweeps`; a second run changes nothing.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventState
from trainings.people.models import Person
from trainings.registrations import demand_mails, mails
from trainings.registrations.affiliation import employee
from trainings.registrations.demand_operations import coming_place
from trainings.registrations.entry import enter
from trainings.registrations.models import (
    ACTIVE,
    Registration,
    Wish,
    WishedRegistration,
)
from trainings.registrations.places import LockedPlaces, lock_persons, with_places
from trainings.registrations.queries import visible_to


def serve_wishes(now: datetime) -> int:
    """Register those who wish for the next free date on dates that they were never registered for.

    Events are taken by their days, people in the order of their wishes.

    Returns:
        How many registrations were made.

    """
    never_registered = ~exists().where(
        Registration.event_id == Event.id, Registration.person_id == Wish.person_id
    )
    rows = db.session.execute(
        select(Event.id, Wish.person_id)
        .join(Wish, Wish.template_id == Event.template_id)
        .where(
            Event.state == EventState.PUBLISHED,
            Event.opens_at <= now,
            Event.closes_at > now,
            Wish.next_free,
            Wish.ended_at.is_(None),
            never_registered,
        )
        .order_by(Event.first_day, Event.id)
    ).all()
    wishing: dict[int, set[int]] = defaultdict(set)
    for event_id, person_id in rows:
        wishing[event_id].add(person_id)
    return sum(_serve(event_id, persons, now) for event_id, persons in wishing.items())


def _serve(event_id: int, persons: set[int], now: datetime) -> int:
    with transaction() as session:
        return with_places(session, event_id, persons, now, lambda places: _enter(places, persons))


def _enter(places: LockedPlaces, persons: set[int]) -> int:
    session, event, now = places.session, places.event, places.now
    wishes = session.scalars(
        select(Wish)
        .where(
            Wish.template_id == event.template_id,
            Wish.person_id.in_(persons),
            Wish.next_free,
            Wish.ended_at.is_(None),
            ~exists().where(
                Registration.event_id == event.id, Registration.person_id == Wish.person_id
            ),
        )
        .order_by(Wish.created_at, Wish.id)
        .options(joinedload(Wish.person).joinedload(Person.organisation))
        .execution_options(populate_existing=True)
    ).all()
    entered = []
    for wish in wishes:
        if not _sees(session, wish.person, event):
            continue
        if coming_place(session, wish.person_id, wish.template_id, now) is not None:
            continue
        try:
            entered.append(
                enter(places, SYSTEM, wish.person_id, needs={}, in_window=True, reason="next_free")
            )
        except DomainError:
            continue  # leads it, sits elsewhere at that time, or registration has closed
    served = places.fill(SYSTEM, "promoted")
    mails.served(session, served, now, ended=places.ended)
    for registration in entered:
        if registration not in served:
            demand_mails.waits_for_new_date(session, registration, now)
    return len(entered)


def _sees(session: Session, person: Person, event: Event) -> bool:
    found = session.scalar(
        select(Event.id).where(Event.id == event.id, visible_to(employee(person)))
    )
    return found is not None


def end_idle_wishes(now: datetime) -> int:
    """End the wishes that have no date left.

    A wish for the next free date stays open until there is a place or the person ends it.

    Returns:
        How many ended.

    """
    idle = db.session.execute(
        select(Wish.id, Wish.person_id).where(_has_no_date_left()).order_by(Wish.id)
    ).all()
    return sum(_end(wish_id, person_id, now) for wish_id, person_id in idle)


def _has_no_date_left() -> ColumnElement[bool]:
    waits = exists().where(
        WishedRegistration.wish_id == Wish.id,
        Registration.id == WishedRegistration.registration_id,
        Registration.state.in_(ACTIVE),
    )
    return and_(Wish.ended_at.is_(None), ~Wish.next_free, ~waits)


def _end(wish_id: int, person_id: int, now: datetime) -> int:
    with transaction() as session:
        lock_persons(session, [person_id])
        wish = session.scalar(select(Wish).where(Wish.id == wish_id, _has_no_date_left()))
        if wish is None:
            return 0
        wish.ended_at = now
        return 1
