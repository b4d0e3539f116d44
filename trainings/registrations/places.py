"""The locked section: everything that can change who sits where goes through `with_places`.

Locks are taken in one order everywhere, persons, rooms and pools, each by ascending id, so that
two operations never wait for each other. On PostgreSQL they are row locks (`FOR NO KEY UPDATE`:
nothing here changes a key, and the stronger `FOR UPDATE` would make every row that refers to the
person wait as well); on SQLite the transaction is alone from its beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from trainings.core.actors import SYSTEM, Actor
from trainings.core.clock import berlin_instant
from trainings.core.errors import not_found
from trainings.events.bookings import lock_people_and_rooms
from trainings.events.models import Event, EventState, Pool
from trainings.people.models import Person
from trainings.registrations import mails
from trainings.registrations.models import (
    Registration,
    RegistrationState,
    Wish,
)
from trainings.registrations.moves import (
    OtherDate,
    end_wait,
    move,
    placed_elsewhere,
    wish_and_others,
)
from trainings.registrations.offer_rules import Passing, passing_on
from trainings.registrations.place_queries import load_places, load_queue
from trainings.registrations.rules import (
    Places,
    awaits_admission,
    next_places,
)

Result = TypeVar("Result")


class _MoreLocksError(Exception):
    def __init__(
        self,
        person_ids: frozenset[int] = frozenset(),
        event_ids: frozenset[int] = frozenset(),
    ) -> None:
        super().__init__()
        self.person_ids = person_ids
        self.event_ids = event_ids


class LockedPlaces:
    """The places of one event while its lock is held.

    Attributes:
        session: the open transaction.
        event: loaded under the lock.
        now: the present instant.
        persons: who is locked.
        ended: the days of the other dates that were off with a place, by its registration.

    """

    def __init__(
        self,
        session: Session,
        event: Event,
        persons: frozenset[int],
        now: datetime,
        section: Mapping[int, LockedPlaces],
    ) -> None:
        self.session = session
        self.event = event
        self.now = now
        self.persons = persons
        self.ended: dict[int, list[tuple[date, date]]] = {}
        self._section = section
        self._lost_a_seat = False

    def places(self) -> Places:
        """Load the pool as it is now; a contingent whose date has passed no longer holds."""
        return load_places(self.session, self.event.pool, self.now)

    def hold(self, person_ids: Iterable[int]) -> None:
        """Lock these persons as well, before their registrations change.

        A place in another event ends what a person waits for here, under the person's lock alone.
        """
        missing = frozenset(person_ids) - self.persons
        if missing:
            raise _MoreLocksError(person_ids=missing)

    def free_elsewhere(self, event_id: int) -> None:
        """Lock the places of another event as well, before somebody leaves a seat there.

        When the work is done that seat is offered to the next one.
        """
        if event_id not in self._section:
            raise _MoreLocksError(event_ids=frozenset({event_id}))
        self._section[event_id]._lost_a_seat = True

    def pass_on_what_was_left(self) -> None:
        """Offer a seat that `free_elsewhere` has freed to the next one, and tell them."""
        event = self.event
        if not self._lost_a_seat or event.state is not EventState.PUBLISHED:
            return
        if self.now < begins_at(event):
            self.session.flush()
            served = self.fill(SYSTEM, "promoted")
            mails.served(self.session, served, self.now, ended=self.ended)

    def fill(self, actor: Actor, reason: str, *, asked: Collection[int] = ()) -> list[Registration]:
        """Give or offer every free place to the first on the waiting list for whom it may.

        Whoever asks right now gets a free place at once; whoever has been waiting is offered one,
        as the event says. Where the office admits, nobody gets a place before it has done so.

        Args:
            actor: on whose behalf.
            reason: code for the history, such as `promoted`.
            asked: registrations of those who ask right now.

        Returns:
            Who got or was offered a place, in order.

        """
        event, session = self.event, self.session
        if awaits_admission(event.admission, event.admitted_at):
            return []
        places = self.places()
        if places.taken >= places.capacity:
            return []
        chosen = next_places(places, load_queue(session, event, asked))
        way = passing_on(event.offer_days, event.short_notice, begins_at(event), self.now)
        if way.how is Passing.OFFICE:
            chosen = [seeker for seeker in chosen if seeker.id in asked]
        # Their other registrations must stand still while they get this place.
        self.hold(seeker.person_id for seeker in chosen)
        served = [session.get_one(Registration, seeker.id) for seeker in chosen]
        for registration in served:
            if way.until is None or registration.id in asked:
                self.place(registration, actor, reason)
            else:
                self.offer(registration, way.until, actor)
        return served

    def place(
        self, registration: Registration, actor: Actor, reason: str, *, note: str = ""
    ) -> None:
        """Give somebody a place; the other dates that the person would have taken are off.

        Raises:
            DomainError: `illegal_move`, `placed_elsewhere`.

        """
        wish, others = wish_and_others(self.session, registration)
        if any(other.registration.state is RegistrationState.PLACED for other in others):
            raise placed_elsewhere()
        to = RegistrationState.PLACED
        move(self.session, registration, to, actor, reason=reason, now=self.now, note=note)
        self._fulfil(registration, wish, others, actor)

    def end_other_waits(self, registration: Registration, actor: Actor) -> None:
        """End what else somebody waits for who has come to a place that serves a wish."""
        wish, others = wish_and_others(self.session, registration)
        self._fulfil(registration, wish, others, actor)

    def _fulfil(
        self,
        registration: Registration,
        wish: Wish | None,
        others: Sequence[OtherDate],
        actor: Actor,
    ) -> None:
        for other in others:
            # Whoever only waits holds no place, so the other pools need no lock: the person has
            # one. An offered place has to go to the next one.
            if other.registration.state is RegistrationState.OFFERED:
                self.free_elsewhere(other.registration.event_id)
            end_wait(self.session, other.registration, actor, self.now)
        if others:
            self.ended[registration.id] = [other.days for other in others]
        if wish is not None and wish.ended_at is None:
            wish.ended_at = self.now

    def offer(
        self, registration: Registration, until: datetime, actor: Actor, *, note: str = ""
    ) -> None:
        """Offer somebody a place until an instant.

        Raises:
            DomainError: `illegal_move`.

        """
        to = RegistrationState.OFFERED
        move(self.session, registration, to, actor, reason="offered", now=self.now, note=note)
        registration.offer_until = until


def with_places(
    session: Session,
    event_id: int,
    person_ids: Iterable[int],
    now: datetime,
    work: Callable[[LockedPlaces], Result],
    *,
    room_ids: Iterable[int] = (),
) -> Result:
    """Run `work` while nobody else can change the places of the event or of these persons.

    See `with_many_places`.

    Args:
        session: the open transaction.
        event_id: the event.
        person_ids: who is concerned for certain.
        now: the present instant.
        work: what to do; it may run more than once.
        room_ids: rooms that are booked or left.

    Raises:
        DomainError: `not_found`, if there is no such event.

    """
    return with_many_places(
        session, [event_id], person_ids, now, lambda places: work(*places), room_ids=room_ids
    )


def with_many_places(
    session: Session,
    event_ids: Sequence[int],
    person_ids: Iterable[int],
    now: datetime,
    work: Callable[[list[LockedPlaces]], Result],
    *,
    room_ids: Iterable[int] = (),
) -> Result:
    """Run `work` while nobody else can change the places of these events or of these persons.

    All persons are locked first, then rooms, then all pools, each by ascending id: two operations
    with events in common never wait for each other in a circle.

    If `work` wants to give a place to somebody who is not locked yet, or to free a seat in yet
    another event, it is undone and run again with that person or event locked as well: locking it
    then and there could deadlock.

    Args:
        session: the open transaction.
        event_ids: the events.
        person_ids: who is concerned for certain.
        now: the present instant.
        work: what to do, with the events in the order of their pools; it may run more than once.
        room_ids: rooms that are booked or left.

    Raises:
        DomainError: `not_found`, if there is no such event.

    """
    persons, events, rooms = frozenset(person_ids), frozenset(event_ids), frozenset(room_ids)
    asked = events
    while True:
        ordered = _by_pool(session, events) if len(events) > 1 else list(events)
        section: dict[int, LockedPlaces] = {}
        savepoint = session.begin_nested()
        try:
            lock_persons(session, persons)
            lock_people_and_rooms(session, person_ids=(), room_ids=rooms)
            for event_id in ordered:
                event = lock_pool(session, event_id)
                section[event_id] = LockedPlaces(session, event, persons, now, section)
            result = work([section[event_id] for event_id in ordered if event_id in asked])
            for places in section.values():
                places.pass_on_what_was_left()
        except _MoreLocksError as more:
            savepoint.rollback()
            persons |= more.person_ids
            events |= more.event_ids
        else:
            savepoint.commit()
            return result


def _by_pool(session: Session, event_ids: Collection[int]) -> list[int]:
    # A pool never changes hands, so the order may be read before the locks.
    statement = select(Event.id).where(Event.id.in_(event_ids)).order_by(Event.pool_id)
    return list(session.scalars(statement))


def lock_persons(session: Session, person_ids: Iterable[int]) -> None:
    """Lock persons by ascending id."""
    ids = sorted(set(person_ids))
    if ids:
        session.execute(
            select(Person.id)
            .where(Person.id.in_(ids))
            .order_by(Person.id)
            .with_for_update(key_share=True)
        ).all()


def lock_pool(session: Session, event_id: int) -> Event:
    """Lock the pool of an event and load the event as it is under the lock.

    Raises:
        DomainError: `not_found`.

    """
    locked = session.scalar(
        select(Pool)
        .join(Event, Event.pool_id == Pool.id)
        .where(Event.id == event_id)
        .with_for_update(key_share=True, of=Pool)
        .execution_options(populate_existing=True)
    )
    if locked is None:
        raise not_found()
    # A statement of its own: it begins after the lock was granted, so it sees what the former
    # holder committed. A join in the locking statement may show the event as it was before.
    event = session.execute(
        select(Event)
        .where(Event.id == event_id)
        .options(joinedload(Event.venue), joinedload(Event.room))
        .execution_options(populate_existing=True)
    ).scalar_one()
    set_committed_value(event, "pool", locked)
    return event


def begins_at(event: Event) -> datetime:
    """Return the instant at which the first session begins."""
    first = min(event.sessions, key=lambda session: (session.day, session.begins))
    return berlin_instant(first.day, first.begins)
