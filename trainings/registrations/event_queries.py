"""The public list of events and the page of one, loaded in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import lru_cache

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import not_found
from trainings.events.models import (
    Event,
    EventKind,
    EventSession,
    EventState,
    EventTrainer,
    Pool,
    Venue,
)
from trainings.registrations.models import (
    ACTIVE,
    Registration,
    RegistrationState,
)
from trainings.registrations.place_queries import load_pools
from trainings.registrations.queries import MyPlace, my_places, visible_to
from trainings.registrations.rules import Places, awaits_admission

PAGE_SIZE = 50
# An alias is dear to make, so it is made once.
_REPLACEMENT = aliased(Event)


@dataclass(frozen=True)
class EventRow:
    """One event in a list."""

    id: int
    number: str
    kind: EventKind
    title: str
    state: EventState
    first_day: date
    last_day: date
    begins: time
    ends: time
    town: str
    opens_at: datetime
    closes_at: datetime
    places: Places
    waiting: int
    mine: MyPlace | None
    replacement: tuple[date, date] | None
    awaits_admission: bool


@dataclass(frozen=True)
class EventFilter:
    """What a list of events is limited to.

    Attributes:
        kind: one kind, or None for all.
        month: the first day of a month, or None for all.
        town: where, or empty for everywhere.
        only_free: only events with a free place for the person.

    """

    kind: EventKind | None = None
    month: date | None = None
    town: str = ""
    only_free: bool = False

    def matches(self, kind: EventKind, first_day: date, town: str | None) -> bool:
        """Say whether an event is among those asked for; free places are not looked at."""
        return (
            self.kind in (None, kind)
            and self.month in (None, first_day.replace(day=1))
            and self.town in ("", town)
        )


@dataclass(frozen=True)
class EventList:
    """One page of a list of events."""

    rows: list[EventRow]
    total: int
    page: int
    pages: int
    months: list[date]
    towns: list[str]


# Here as below: a statement that many pages send is built once, for everybody or for each actor,
# since that takes longer than to run it.
@lru_cache(maxsize=256)
def _upcoming(actor: Actor) -> Select[int, EventKind, date, str | None]:
    return (
        select(Event.id, Event.kind, Event.first_day, Venue.town)
        .outerjoin(Venue, Event.venue_id == Venue.id)
        .where(
            visible_to(actor),
            Event.state.in_([EventState.PUBLISHED, EventState.CANCELLED]),
            Event.last_day >= bindparam("today"),
        )
        .order_by(Event.first_day, Event.number)
    )


def list_events(
    session: Session, actor: Actor, wanted: EventFilter, page: int, now: datetime
) -> EventList:
    """Load a page of the upcoming events that the actor may see, in at most six statements."""
    candidates = session.execute(_upcoming(actor), {"today": berlin_day(now)}).all()
    ids = [
        id_ for id_, kind, first_day, town in candidates if wanted.matches(kind, first_day, town)
    ]
    visible = {row.id for row in candidates}
    if wanted.only_free:
        # Whether a place is free for this person depends on contingents and limits, which the rules
        # know and SQL does not; there are at most some hundred upcoming events.
        everything = _load_rows(session, actor, ids, visible, now)
        free = [row for row in everything if is_free_for(row, actor, now)]
        total, pages, page = _pages(len(free), page)
        rows = free[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    else:
        total, pages, page = _pages(len(ids), page)
        shown = ids[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
        rows = _load_rows(session, actor, shown, visible, now)
    return EventList(
        rows=rows,
        total=total,
        page=page,
        pages=pages,
        months=sorted({row.first_day.replace(day=1) for row in candidates}),
        towns=sorted({row.town for row in candidates if row.town}),
    )


def is_free_for(row: EventRow, actor: Actor, now: datetime) -> bool:
    """Say whether the person could get a place in this event right now."""
    return (
        row.state is EventState.PUBLISHED
        and row.opens_at <= now < row.closes_at
        and row.mine is None
        and row.places.free_for(actor.counted_for) > 0
    )


@dataclass(frozen=True)
class NextDate:
    """The next day on which a person has a place."""

    registration_id: int
    day: date
    begins: time
    ends: time
    town: str


_NEXT_DATE = (
    select(
        Registration.id,
        EventSession.day,
        func.min(EventSession.begins),
        func.max(EventSession.ends),
        Venue.town,
    )
    .join(Event, Registration.event_id == Event.id)
    .join(EventSession, EventSession.event_id == Event.id)
    .outerjoin(Venue, Event.venue_id == Venue.id)
    .where(
        Registration.person_id == bindparam("person_id"),
        Registration.state == RegistrationState.PLACED,
        Event.state == EventState.PUBLISHED,
        EventSession.day >= bindparam("today"),
    )
    .group_by(Registration.id, EventSession.day, Venue.town)
    .order_by(EventSession.day)
    .limit(1)
)


def next_date(session: Session, actor: Actor, now: datetime) -> NextDate | None:
    """Load the next day on which the actor has a place, in one statement."""
    if actor.person_id is None:
        return None
    values = {"person_id": actor.person_id, "today": berlin_day(now)}
    row = session.execute(_NEXT_DATE, values).first()
    return NextDate(*row[:4], row[4] or "") if row else None


def _pages(total: int, page: int) -> tuple[int, int, int]:
    pages = max(1, -(-total // PAGE_SIZE))
    return total, pages, min(max(page, 1), pages)


_EVENT_ROWS = (
    select(
        Event.id,
        Event.number,
        Event.kind,
        Event.title,
        Event.state,
        Event.first_day,
        Event.last_day,
        Event.opens_at,
        Event.closes_at,
        Event.admission,
        Event.admitted_at,
        Event.pool_id,
        Event.replaced_by_id,
        Pool.capacity,
        Pool.organisation_limit,
        Venue.town,
        _REPLACEMENT.first_day.label("replacement_first"),
        _REPLACEMENT.last_day.label("replacement_last"),
    )
    .join(Pool, Event.pool_id == Pool.id)
    .outerjoin(Venue, Event.venue_id == Venue.id)
    .outerjoin(_REPLACEMENT, Event.replaced_by_id == _REPLACEMENT.id)
    .where(Event.id.in_(bindparam("ids", expanding=True)))
    .order_by(Event.first_day, Event.number)
)


def _load_rows(
    session: Session,
    actor: Actor,
    ids: Sequence[int],
    visible: Collection[int],
    now: datetime,
) -> list[EventRow]:
    if not ids:
        return []
    found = session.execute(_EVENT_ROWS, {"ids": ids}).all()
    pool_ids = [row.pool_id for row in found]
    places, waiting = load_pools(
        session, {row.pool_id: (row.capacity, row.organisation_limit) for row in found}, now
    )
    mine = my_places(session, actor, pool_ids)
    times = _first_day_times(session, ids)
    return [
        EventRow(
            id=row.id,
            number=row.number,
            kind=row.kind,
            title=row.title,
            state=row.state,
            first_day=row.first_day,
            last_day=row.last_day,
            begins=times[row.id][0],
            ends=times[row.id][1],
            town=row.town or "",
            opens_at=row.opens_at,
            closes_at=row.closes_at,
            places=places[row.pool_id],
            waiting=waiting[row.pool_id],
            mine=mine.get(row.pool_id),
            replacement=(
                (row.replacement_first, row.replacement_last)
                if row.replaced_by_id in visible
                else None
            ),
            awaits_admission=awaits_admission(row.admission, row.admitted_at),
        )
        for row in found
    ]


_FIRST_DAY_TIMES = (
    select(EventSession.event_id, func.min(EventSession.begins), func.max(EventSession.ends))
    .join(Event, EventSession.event_id == Event.id)
    .where(
        EventSession.event_id.in_(bindparam("ids", expanding=True)),
        EventSession.day == Event.first_day,
    )
    .group_by(EventSession.event_id)
)


def _first_day_times(session: Session, event_ids: Sequence[int]) -> dict[int, tuple[time, time]]:
    rows = session.execute(_FIRST_DAY_TIMES, {"ids": event_ids})
    return {event_id: (begins, ends) for event_id, begins, ends in rows}


@dataclass(frozen=True)
class EventPage:
    """Everything about one event that its page shows to one person.

    Attributes:
        event: the event.
        places: how full it is.
        waiting: how many wait.
        mine: the person's own registration.
        replacement: the event in its place, if the person may see it.

    """

    event: Event
    places: Places
    waiting: int
    mine: MyPlace | None
    replacement: Event | None


@lru_cache(maxsize=256)
def _whole_event(actor: Actor) -> Select[Event]:
    return (
        select(Event)
        .where(Event.number == bindparam("number"), visible_to(actor))
        .options(
            joinedload(Event.pool),
            joinedload(Event.venue),
            joinedload(Event.room),
            joinedload(Event.replaced_by),
            selectinload(Event.sessions),
            selectinload(Event.trainers).joinedload(EventTrainer.person),
        )
    )


def find_event(session: Session, actor: Actor, number: str) -> Event:
    """Load an event that the actor may see, with all that belongs to it.

    Raises:
        DomainError: `not_found`, also for an event that exists and is not shown to the actor.

    """
    event = session.scalar(_whole_event(actor), {"number": number})
    if event is None:
        raise not_found()
    return event


@dataclass(frozen=True)
class Booking:
    """What a registration needs of an event.

    Attributes:
        event_id: the event.
        needs_until: until when needs are asked.
        ended: how often the actor was registered for it and is no longer.

    """

    event_id: int
    needs_until: datetime
    ended: int


@lru_cache(maxsize=256)
def _booking(actor: Actor) -> Select[int, datetime, int]:
    ended = (
        select(func.count())
        .where(
            Registration.event_id == Event.id,
            Registration.person_id == actor.person_id,
            Registration.state.not_in(ACTIVE),
        )
        .scalar_subquery()
    )
    return select(Event.id, Event.needs_until, ended).where(
        Event.number == bindparam("number"), visible_to(actor)
    )


def find_booking(session: Session, actor: Actor, number: str) -> Booking:
    """Load what a registration needs of an event that the actor may see, in one statement.

    Raises:
        DomainError: as `find_event`.

    """
    row = session.execute(_booking(actor), {"number": number}).one_or_none()
    if row is None:
        raise not_found()
    return Booking(*row)


def event_page(session: Session, actor: Actor, number: str, now: datetime) -> EventPage:
    """Load the page of an event in at most seven statements.

    Raises:
        DomainError: `not_found`.

    """
    event = find_event(session, actor, number)
    pool = event.pool
    places, waiting = load_pools(session, {pool.id: (pool.capacity, pool.organisation_limit)}, now)
    return EventPage(
        event=event,
        places=places[pool.id],
        waiting=waiting[pool.id],
        mine=my_places(session, actor, [pool.id]).get(pool.id),
        replacement=_replacement(session, actor, event),
    )


def _replacement(session: Session, actor: Actor, event: Event) -> Event | None:
    if event.replaced_by_id is None:
        return None
    return session.scalar(select(Event).where(Event.id == event.replaced_by_id, visible_to(actor)))
