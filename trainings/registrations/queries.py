"""What somebody may see, and the registrations of one person or one event."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, and_, bindparam, exists, false, func, or_, select, true
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.permissions import Permission
from trainings.events.models import (
    Event,
    EventHost,
    EventInvitation,
    EventState,
    EventTrainer,
    Visibility,
)
from trainings.organisations.models import Organisation
from trainings.people.models import Person
from trainings.registrations.models import (
    ACTIVE,
    Registration,
    RegistrationState,
)
from trainings.registrations.place_queries import by_living_organisation, chain
from trainings.registrations.rules import awaits_admission


# Kept for each actor, because four subqueries are dear to build; it holds no data.
@lru_cache(maxsize=256)
def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on `Event` for what the actor may see.

    The office sees everything. Visitors see public events; people who are logged in also those for
    partners, those of their organisation, those they are invited to, lead, or are registered for.
    """
    if actor.may(Permission.OFFICE):
        return true()
    published = Event.state != EventState.DRAFT
    if actor.person_id is None:
        return and_(published, Event.visibility == Visibility.PUBLIC)
    return and_(
        published,
        or_(
            Event.visibility.in_([Visibility.PUBLIC, Visibility.PARTNERS]),
            exists().where(
                EventHost.event_id == Event.id,
                EventHost.organisation_id.in_(actor.organisation_ids),
            ),
            exists().where(
                EventInvitation.event_id == Event.id,
                EventInvitation.person_id == actor.person_id,
            ),
            exists().where(
                EventTrainer.event_id == Event.id, EventTrainer.person_id == actor.person_id
            ),
            exists().where(
                Registration.event_id == Event.id, Registration.person_id == actor.person_id
            ),
        ),
    )


def seen_numbers(session: Session, actor: Actor, numbers: Iterable[str]) -> frozenset[str]:
    """Return those of the events whose page the actor may see: one statement, none without events.

    A contact knows of requests and places of the organisation also where the event itself is shown
    to those who are invited alone.
    """
    asked = sorted(set(numbers))
    if not asked:
        return frozenset()
    return frozenset(
        session.scalars(select(Event.number).where(Event.number.in_(asked), visible_to(actor)))
    )


@dataclass(frozen=True)
class MyPlace:
    """What a person's registration for an event is.

    Attributes:
        registration_id: of the person.
        state: an active one.
        position: on the waiting list; 0 for who does not wait.
        awaits_admission: whether the office gives the places and has not done so.
        offer_until: until when a place is offered.
        chain: the authority of the registration, then the group above it.

    """

    registration_id: int
    state: RegistrationState
    position: int = 0
    awaits_admission: bool = False
    offer_until: datetime | None = None
    chain: tuple[int, ...] = ()


_AHEAD = aliased(Registration)
_POSITION = (
    select(func.count())
    .where(
        _AHEAD.pool_id == Registration.pool_id,
        _AHEAD.state == RegistrationState.WAITING,
        _AHEAD.rank <= Registration.rank,
    )
    .correlate(Registration)
    .scalar_subquery()
)


_MY_PLACES = by_living_organisation(
    select(
        Registration.pool_id,
        Registration.id,
        Registration.state,
        Registration.offer_until,
        Organisation.id.label("organisation_id"),
        Organisation.parent_id,
        Event.admission,
        Event.admitted_at,
        _POSITION.label("position"),
    )
    .select_from(Registration)
    .join(Event, Registration.event_id == Event.id)
).where(
    Registration.pool_id.in_(bindparam("pools", expanding=True)),
    Registration.person_id == bindparam("person_id"),
    Registration.state.in_(ACTIVE),
)


def my_places(session: Session, actor: Actor, pool_ids: Iterable[int]) -> dict[int, MyPlace]:
    """Load what the actor's active registrations in these pools are, by pool, in one statement."""
    if actor.person_id is None:
        return {}
    values = {"pools": list(pool_ids), "person_id": actor.person_id}
    rows = session.execute(_MY_PLACES, values)
    return {
        row.pool_id: MyPlace(
            row.id,
            row.state,
            row.position if row.state is RegistrationState.WAITING else 0,
            awaits_admission=awaits_admission(row.admission, row.admitted_at),
            offer_until=row.offer_until,
            chain=chain(row.organisation_id, row.parent_id),
        )
        for row in rows
    }


@dataclass(frozen=True)
class MyRegistration:
    """One of a person's registrations, with its event."""

    registration: Registration
    event: Event
    position: int
    place: MyPlace | None = None


_OWN = (
    select(Registration)
    .join(Event, Registration.event_id == Event.id)
    .where(Registration.person_id == bindparam("person_id"))
    .order_by(Event.first_day, Registration.id)
    .options(
        joinedload(Registration.person),
        joinedload(Registration.event).joinedload(Event.venue),
        joinedload(Registration.event).joinedload(Event.room),
        joinedload(Registration.event).joinedload(Event.pool),
        joinedload(Registration.event).selectinload(Event.sessions),
    )
)


def my_registrations(session: Session, actor: Actor) -> list[MyRegistration]:
    """Load all registrations of the actor, the next event first, in three statements."""
    found = session.scalars(_OWN, {"person_id": actor.person_id}).all()
    positions = my_places(session, actor, [registration.pool_id for registration in found])
    return [
        MyRegistration(
            registration,
            registration.event,
            positions[registration.pool_id].position if registration.pool_id in positions else 0,
            positions.get(registration.pool_id) if registration.is_active else None,
        )
        for registration in found
    ]


def my_registration(session: Session, actor: Actor, registration_id: int) -> Registration:
    """Load one of the actor's own registrations.

    Raises:
        DomainError: `not_found`, also for somebody else's.

    """
    registration = session.scalar(
        select(Registration)
        .where(
            Registration.id == registration_id,
            Registration.person_id == actor.person_id if actor.person_id else false(),
        )
        .options(
            joinedload(Registration.person),
            joinedload(Registration.event).joinedload(Event.venue),
            joinedload(Registration.event).joinedload(Event.room),
            joinedload(Registration.event).selectinload(Event.sessions),
        )
    )
    if registration is None:
        raise not_found()
    return registration


def people_concerned(session: Session, event_id: int) -> list[Registration]:
    """Load the registrations that are active, with persons, in order of rank."""
    return list(
        session.scalars(
            select(Registration)
            .join(Person, Registration.person_id == Person.id)
            .where(Registration.event_id == event_id, Registration.state.in_(ACTIVE))
            .order_by(Registration.rank)
            .options(joinedload(Registration.person))
            .execution_options(populate_existing=True)
        )
    )
