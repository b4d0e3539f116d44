"""Events as the office lists them, and one event with all who have to do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trainings.core.audit import AuditEntry
from trainings.core.formats import day_span
from trainings.core.paging import PAGE_SIZE, Paging, paging
from trainings.events.models import (
    Event,
    EventHost,
    EventInvitation,
    EventKind,
    EventState,
    ExtraDate,
    Pool,
    Venue,
)
from trainings.events.queries import event_with
from trainings.inventory.handouts.reads import figures_columns
from trainings.office.occupancy import Occupancy, occupancies
from trainings.people.models import Person
from trainings.registrations.models import (
    ATTENDING,
    Contingent,
    Registration,
    RegistrationState,
)


@dataclass(frozen=True)
class EventFilter:
    """Which events the list shows; None: all."""

    year: int | None = None
    state: EventState | None = None
    kind: EventKind | None = None


@dataclass(frozen=True)
class EventRow:
    """An event in the office's list."""

    number: str
    title: str
    kind: EventKind
    state: EventState
    first_day: date
    last_day: date
    venue: str
    town: str
    capacity: int
    minimum: int
    occupancy: Occupancy


@dataclass(frozen=True)
class EventList:
    """A page of events, where it is in the list, and the years that there are events of."""

    rows: list[EventRow]
    paging: Paging
    years: list[int]


def list_events(session: Session, wanted: EventFilter, now: datetime) -> EventList:
    """Return a page of events, the latest first; five statements."""
    conditions = _conditions(wanted)
    total = session.scalar(select(func.count()).select_from(Event).where(*conditions)) or 0
    place = paging(total)
    rows = session.execute(_rows(conditions).limit(PAGE_SIZE).offset(place.offset)).all()
    full = occupancies(session, [row.pool_id for row in rows], now)
    # The first four characters of a day are its year on both databases; the number has them too.
    years = session.scalars(select(func.substr(Event.number, 1, 4)).distinct())
    return EventList(
        rows=[
            EventRow(
                number=row.number,
                title=row.title,
                kind=row.kind,
                state=row.state,
                first_day=row.first_day,
                last_day=row.last_day,
                venue=row.venue or "",
                town=row.town or "",
                capacity=row.capacity,
                minimum=row.minimum,
                occupancy=full[row.pool_id],
            )
            for row in rows
        ],
        paging=place,
        years=sorted((int(year) for year in years), reverse=True),
    )


def _conditions(wanted: EventFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.year is not None:
        conditions.append(
            Event.first_day.between(date(wanted.year, 1, 1), date(wanted.year, 12, 31))
        )
    if wanted.state is not None:
        conditions.append(Event.state == wanted.state)
    if wanted.kind is not None:
        conditions.append(Event.kind == wanted.kind)
    return conditions


def _rows(conditions: Sequence[ColumnElement[bool]]) -> Select[*tuple[object, ...]]:
    return (
        select(
            Event.number,
            Event.title,
            Event.kind,
            Event.state,
            Event.first_day,
            Event.last_day,
            Event.pool_id,
            Event.minimum,
            Pool.capacity,
            Venue.name.label("venue"),
            Venue.town,
        )
        .join(Pool, Event.pool_id == Pool.id)
        .outerjoin(Venue, Event.venue_id == Venue.id)
        .where(*conditions)
        .order_by(Event.first_day.desc(), Event.number.desc())
    )


@dataclass(frozen=True)
class Happening:
    """One line of an event's history: a stable code, when, and who (empty: the application)."""

    action: str
    at: datetime
    actor: str


@dataclass(frozen=True)
class ComesAlong:
    """The waiting list that an extra date takes along: of which event, and how many people."""

    number: str
    first_day: date
    last_day: date
    people: int


@dataclass(frozen=True)
class CardFigures:
    """Pocket cards at an event, of all types."""

    planned: int
    taken: int
    handed_out: int

    @property
    def any(self) -> bool:
        """Whether anything is planned or moved."""
        return bool(self.planned or self.taken or self.handed_out)


@dataclass(frozen=True)
class EventPage:
    """One event with all who have to do with it.

    Attributes:
        event: with sessions, place and trainers.
        coming: who has a place or came without a registration, by name.
        waiting: who waits or is offered a place, in order.
        gone: who came and went, by name.
        occupancy: how full it is.
        contingents: places held for organisations.
        hosts: for whom an in-house event is.
        invited: who is invited, by name.
        history: what happened, the latest first.
        comes_along: of the draft of an extra date, the waiting list that it takes along.
        cards: pocket cards at the event.

    """

    event: Event
    coming: list[Registration]
    waiting: list[Registration]
    gone: list[Registration]
    occupancy: Occupancy
    contingents: list[Contingent]
    hosts: list[EventHost]
    invited: list[EventInvitation]
    history: list[Happening]
    comes_along: ComesAlong | None
    cards: CardFigures


def event_page(session: Session, number: str, now: datetime) -> EventPage:
    """Return one event for the office; eleven statements, for a draft one more.

    Raises:
        DomainError: `not_found`.

    """
    event, cards = event_with(session, number, figures_columns())
    people = registrations_of(session, event)
    queue = (
        RegistrationState.OFFERED,
        RegistrationState.WAITING,
        RegistrationState.AWAITING_RELEASE,
    )
    return EventPage(
        event=event,
        coming=[row for row in people if row.state in ATTENDING],
        waiting=sorted(
            (row for row in people if row.state in queue), key=lambda row: (row.rank, row.id)
        ),
        gone=[row for row in people if row.state not in (*ATTENDING, *queue)],
        occupancy=occupancies(session, [event.pool_id], now)[event.pool_id],
        contingents=contingents_of(session, event),
        hosts=hosts_of(session, event),
        invited=invitations_of(session, event),
        history=history_of(session, "events", event.id),
        comes_along=_comes_along(session, event) if event.state is EventState.DRAFT else None,
        cards=CardFigures(*cards),
    )


def _comes_along(session: Session, event: Event) -> ComesAlong | None:
    people = (
        select(func.count())
        .where(Registration.event_id == Event.id, Registration.state == RegistrationState.WAITING)
        .correlate(Event)
        .scalar_subquery()
    )
    row = session.execute(
        select(Event.number, Event.first_day, Event.last_day, people)
        .join(ExtraDate, ExtraDate.waiting_from_id == Event.id)
        .where(ExtraDate.event_id == event.id)
    ).one_or_none()
    return ComesAlong(*row) if row else None


def registrations_of(session: Session, event: Event) -> list[Registration]:
    """Return all registrations of an event with person and needs, by name; two statements."""
    return list(
        session.scalars(
            select(Registration)
            .join(Person, Registration.person_id == Person.id)
            .where(Registration.event_id == event.id)
            .options(joinedload(Registration.person), selectinload(Registration.needs))
            .order_by(Person.sort_key, Registration.id)
        )
    )


def contingents_of(session: Session, event: Event) -> list[Contingent]:
    """Return the contingents of an event with their organisations."""
    return list(
        session.scalars(
            select(Contingent)
            .where(Contingent.pool_id == event.pool_id)
            .options(joinedload(Contingent.organisation))
            .order_by(Contingent.id)
        )
    )


def hosts_of(session: Session, event: Event) -> list[EventHost]:
    """Return for which organisations an event is, with them."""
    return list(
        session.scalars(
            select(EventHost)
            .where(EventHost.event_id == event.id)
            .options(joinedload(EventHost.organisation))
            .order_by(EventHost.organisation_id)
        )
    )


def invitations_of(session: Session, event: Event) -> list[EventInvitation]:
    """Return who is invited to an event, with the persons, by name."""
    return list(
        session.scalars(
            select(EventInvitation)
            .join(Person, EventInvitation.person_id == Person.id)
            .where(EventInvitation.event_id == event.id)
            .options(joinedload(EventInvitation.person))
            .order_by(Person.sort_key, Person.id)
        )
    )


def history_of(session: Session, table: str, row_id: int) -> list[Happening]:
    """Return what happened to a row, the latest first; at most 50 lines."""
    rows = session.execute(
        select(AuditEntry.action, AuditEntry.at, Person)
        .outerjoin(Person, AuditEntry.actor_person_id == Person.id)
        .where(AuditEntry.subject_type == table, AuditEntry.subject_id == row_id)
        .order_by(AuditEntry.id.desc())
        .limit(50)
    )
    return [Happening(action, at, person.name if person else "") for action, at, person in rows]


def events_to_come(session: Session, without: str, now_day: date) -> list[tuple[int, str]]:
    """Return published events that may stand in for another one, for a field to choose from."""
    rows = session.execute(
        select(Event.id, Event.number, Event.title, Event.first_day, Event.last_day)
        .where(
            Event.state == EventState.PUBLISHED,
            Event.first_day >= now_day,
            Event.number != without,
        )
        .order_by(Event.first_day, Event.number)
    )
    return [
        (row.id, f"{day_span(row.first_day, row.last_day)} · {row.number} · {row.title}")
        for row in rows
    ]
