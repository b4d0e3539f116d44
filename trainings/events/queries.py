"""Reads of what is planned, each in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session, contains_eager, joinedload, selectinload

from trainings.core.errors import not_found
from trainings.core.permissions import Role
from trainings.events.models import Event, EventTemplate, EventTrainer, Room, Venue
from trainings.people.models import Person, PersonRole


def event_by_number(session: Session, number: str) -> Event:
    """Return an event with sessions, place, places and trainers; three statements.

    Raises:
        DomainError: `not_found`.

    """
    return event_with(session, number, [])[0]


def event_with(
    session: Session, number: str, columns: Sequence[ColumnElement[Any]]
) -> tuple[Event, Sequence[Any]]:
    """Return an event as `event_by_number` does, and more columns about it.

    Raises:
        DomainError: `not_found`.

    """
    row = session.execute(
        select(Event, *columns)
        .where(Event.number == number)
        .options(
            joinedload(Event.pool),
            joinedload(Event.venue),
            joinedload(Event.room),
            joinedload(Event.replaced_by),
            joinedload(Event.template),
            selectinload(Event.sessions),
            selectinload(Event.trainers).joinedload(EventTrainer.person),
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    return row[0], row[1:]


def trainer_choices(session: Session) -> list[tuple[int, str]]:
    """Return all who hold the role of a trainer, by name, for a field to choose from."""
    people = session.scalars(
        select(Person)
        .join(PersonRole, PersonRole.person_id == Person.id)
        .where(PersonRole.role == Role.TRAINER, Person.anonymised_at.is_(None))
        .order_by(Person.sort_key, Person.id)
    )
    return [(person.id, person.list_name) for person in people]


def venues_with_rooms(session: Session, *, with_retired: bool = False) -> list[Venue]:
    """Return the venues with their rooms, by town and name; one statement."""
    statement = (
        select(Venue)
        .outerjoin(Venue.rooms)
        .options(contains_eager(Venue.rooms))
        .order_by(Venue.town, Venue.name, Venue.id)
        .execution_options(populate_existing=True)
    )
    if not with_retired:
        statement = statement.where(Venue.retired_at.is_(None))
    return list(session.scalars(statement).unique())


def find_venue(session: Session, venue_id: int) -> Venue:
    """Return a venue with its rooms.

    Raises:
        DomainError: `not_found`.

    """
    venue = session.scalar(
        select(Venue).where(Venue.id == venue_id).options(selectinload(Venue.rooms))
    )
    if venue is None:
        raise not_found()
    return venue


def find_place(session: Session, venue_id: int | None, room_id: int | None) -> str:
    """Return „Haus der Technik, Essen, Raum 304“ for a venue and a room; empty for none."""
    venue = None if venue_id is None else session.get(Venue, venue_id)
    room = None if room_id is None else session.get(Room, room_id)
    if venue is None:
        return ""
    return ", ".join(filter(None, (venue.name, venue.town, room.name if room else "")))


def templates(session: Session, *, with_retired: bool = False) -> list[EventTemplate]:
    """Return the formats, by title; one statement."""
    statement = select(EventTemplate).order_by(EventTemplate.title, EventTemplate.id)
    if not with_retired:
        statement = statement.where(EventTemplate.retired_at.is_(None))
    return list(session.scalars(statement))


def find_template(session: Session, template_id: int) -> EventTemplate:
    """Return a format with its sessions.

    Raises:
        DomainError: `not_found`.

    """
    template = session.scalar(
        select(EventTemplate)
        .where(EventTemplate.id == template_id)
        .options(selectinload(EventTemplate.sessions))
    )
    if template is None:
        raise not_found()
    return template
