"""The locked section: everything that can change who sits where goes through `with_places`.

Locks are taken in one order everywhere, persons by ascending id and then the pool, so that two
operations never wait for each other. On PostgreSQL they are row locks (`FOR NO KEY UPDATE`: nothing
here changes a key, and the stronger `FOR UPDATE` would make every row that refers to the person
wait as well); on SQLite the transaction is alone from its beginning.
"""

from __future__ import annotations

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import BindParameter, Select, and_, bindparam, exists, func, select
from sqlalchemy.orm import Session, aliased, joinedload
from sqlalchemy.orm.attributes import set_committed_value

from trainings.core.actors import Actor
from trainings.core.clock import berlin_instant
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event, EventSession, Pool
from trainings.organisations.models import Organisation
from trainings.people.models import Person
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Contingent,
    Registration,
    RegistrationChange,
    RegistrationState,
    Wish,
    WishedRegistration,
)
from trainings.registrations.offer_rules import Passing, passing_on
from trainings.registrations.rules import (
    Hold,
    Places,
    Seeker,
    awaits_admission,
    check_move,
    next_places,
)

Result = TypeVar("Result")

# No letters or digits that look alike; 12 of 31 are 59 bits, and a ticket alone opens nothing:
# only somebody who may record attendance can use it.
TICKET_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
TICKET_LENGTH = 12


class _MorePersonsError(Exception):
    def __init__(self, person_ids: frozenset[int]) -> None:
        super().__init__()
        self.person_ids = person_ids


class LockedPlaces:
    """The places of one event while its lock is held.

    Attributes:
        session: the open transaction.
        event: loaded under the lock.
        now: the present instant.

    """

    def __init__(
        self, session: Session, event: Event, persons: frozenset[int], now: datetime
    ) -> None:
        self.session = session
        self.event = event
        self.now = now
        self.persons = persons

    def places(self) -> Places:
        """Load the pool as it is now; a contingent whose date has passed no longer holds."""
        return load_places(self.session, self.event.pool, self.now)

    def hold(self, person_ids: Iterable[int]) -> None:
        """Lock these persons as well, before their registrations change.

        A place in another event ends what a person waits for here, under the person's lock alone.
        """
        missing = frozenset(person_ids) - self.persons
        if missing:
            raise _MorePersonsError(missing)

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
        chosen = next_places(places, load_queue(session, event))
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
        wish, others = _wish_and_others(self.session, registration)
        if any(other.state is RegistrationState.PLACED for other in others):
            raise placed_elsewhere()
        to = RegistrationState.PLACED
        move(self.session, registration, to, actor, reason=reason, now=self.now, note=note)
        self._fulfil(wish, others, actor)

    def end_other_waits(self, registration: Registration, actor: Actor) -> None:
        """End what else somebody waits for who has come to a place that serves a wish."""
        self._fulfil(*_wish_and_others(self.session, registration), actor)

    def _fulfil(self, wish: Wish | None, others: list[Registration], actor: Actor) -> None:
        for other in others:
            # Whoever only waits holds no place, so the other pools need no lock: the person has
            # one. An offered place has to go to the next one, which `end_fulfilled_wishes` does.
            if other.state is not RegistrationState.OFFERED:
                end_wait(self.session, other, actor, self.now)
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
) -> Result:
    """Run `work` while nobody else can change the places of the event or of these persons.

    See `with_many_places`.

    Args:
        session: the open transaction.
        event_id: the event.
        person_ids: who is concerned for certain.
        now: the present instant.
        work: what to do; it may run more than once.

    Raises:
        DomainError: `not_found`, if there is no such event.

    """
    return with_many_places(session, [event_id], person_ids, now, lambda places: work(*places))


def with_many_places(
    session: Session,
    event_ids: Sequence[int],
    person_ids: Iterable[int],
    now: datetime,
    work: Callable[[list[LockedPlaces]], Result],
) -> Result:
    """Run `work` while nobody else can change the places of these events or of these persons.

    All persons are locked first, then all pools, both by ascending id: two operations with events
    in common never wait for each other in a circle.

    If `work` wants to give a place to somebody who is not locked yet, it is undone and run again
    with that person locked as well: locking a person after the pool could deadlock.

    Args:
        session: the open transaction.
        event_ids: the events.
        person_ids: who is concerned for certain.
        now: the present instant.
        work: what to do, with the events in the order of their pools; it may run more than once.

    Raises:
        DomainError: `not_found`, if there is no such event.

    """
    persons = frozenset(person_ids)
    ordered = _by_pool(session, event_ids) if len(event_ids) > 1 else event_ids
    while True:
        savepoint = session.begin_nested()
        try:
            lock_persons(session, persons)
            events = [lock_pool(session, event_id) for event_id in ordered]
            result = work([LockedPlaces(session, event, persons, now) for event in events])
        except _MorePersonsError as more:
            savepoint.rollback()
            persons |= more.person_ids
        else:
            savepoint.commit()
            return result


def _by_pool(session: Session, event_ids: Sequence[int]) -> list[int]:
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


# These run for every registration, and some on every page: they are built once, since that takes
# longer than to run them.
_STANDING = (
    select(
        Registration.pool_id,
        Registration.organisation_id,
        Organisation.parent_id,
        Registration.state,
        func.count(),
    )
    .join(Organisation, Registration.organisation_id == Organisation.id)
    .where(
        Registration.pool_id.in_(bindparam("pools", expanding=True)),
        Registration.state.in_([*SEATED, RegistrationState.WAITING]),
    )
    .group_by(
        Registration.pool_id,
        Registration.organisation_id,
        Organisation.parent_id,
        Registration.state,
    )
)
_HOLDS = (
    select(Contingent.pool_id, Contingent.organisation_id, Contingent.places)
    .where(
        Contingent.pool_id.in_(bindparam("pools", expanding=True)),
        Contingent.until > bindparam("now"),
    )
    .order_by(Contingent.id)
)


def load_pools(
    session: Session, capacities: Mapping[int, tuple[int, int | None]], now: datetime
) -> tuple[dict[int, Places], Counter[int]]:
    """Load the places of many pools, and how many wait in each, in two statements.

    Args:
        session: for reading, or the open transaction.
        capacities: capacity, and the most places of one organisation, by id of the pool.
        now: the present instant; a contingent whose date has passed no longer holds.

    """
    pools = list(capacities)
    seated: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    waiting: Counter[int] = Counter()
    for pool_id, own, parent, state, number in session.execute(_STANDING, {"pools": pools}):
        if state in SEATED:
            seated[pool_id][chain(own, parent)] += number
        else:
            waiting[pool_id] += number
    holds: dict[int, list[Hold]] = defaultdict(list)
    for pool_id, organisation_id, number in session.execute(_HOLDS, {"pools": pools, "now": now}):
        holds[pool_id].append(Hold(organisation_id, number))
    places = {
        pool_id: Places(
            capacity=capacity,
            organisation_limit=limit,
            holds=tuple(holds[pool_id]),
            seated=seated[pool_id],
        )
        for pool_id, (capacity, limit) in capacities.items()
    }
    return places, waiting


def load_places(session: Session, pool: Pool, now: datetime) -> Places:
    """Load the places of a pool in two statements."""
    places, _ = load_pools(session, {pool.id: (pool.capacity, pool.organisation_limit)}, now)
    return places[pool.id]


_MINE, _OTHER = aliased(EventSession), aliased(EventSession)


def overlapping_events(event_id: int | BindParameter[int]) -> Select[int]:
    """Return a subquery of the ids of other events with a session at the same time."""
    return (
        select(_OTHER.event_id)
        .join(
            _MINE,
            (_MINE.event_id == event_id)
            & (_MINE.day == _OTHER.day)
            & (_MINE.begins < _OTHER.ends)
            & (_OTHER.begins < _MINE.ends),
        )
        .where(_OTHER.event_id != event_id)
    )


_SEAT = aliased(Registration)
_LINK, _OTHER_LINK = aliased(WishedRegistration), aliased(WishedRegistration)
_GIVEN = aliased(Registration)
_QUEUE = (
    select(
        Registration.id,
        Registration.person_id,
        Registration.organisation_id,
        Organisation.parent_id,
    )
    .join(Organisation, Registration.organisation_id == Organisation.id)
    .where(
        Registration.pool_id == bindparam("pool_id"),
        Registration.state == RegistrationState.WAITING,
        Registration.person_id.not_in(
            select(_SEAT.person_id).where(
                _SEAT.event_id.in_(overlapping_events(bindparam("event_id"))),
                _SEAT.state.in_(SEATED),
            )
        ),
        # Somebody who got a place by the same wish waits on only until the next sweep.
        ~exists().where(
            _LINK.registration_id == Registration.id,
            _OTHER_LINK.wish_id == _LINK.wish_id,
            _GIVEN.id == _OTHER_LINK.registration_id,
            _GIVEN.state == RegistrationState.PLACED,
        ),
    )
    .order_by(Registration.rank)
)


def load_queue(session: Session, event: Event) -> list[Seeker]:
    """Load who waits, first come first, without those who sit elsewhere at the same time."""
    rows = session.execute(_QUEUE, {"pool_id": event.pool_id, "event_id": event.id})
    return [
        Seeker(row.id, row.person_id, chain(row.organisation_id, row.parent_id)) for row in rows
    ]


def seats_elsewhere(session: Session, event_id: int, person_ids: Sequence[int]) -> dict[int, str]:
    """Load who of these persons sits in another event at the same time, and in which (number)."""
    rows = session.execute(
        select(Registration.person_id, Event.number)
        .join(Event, Registration.event_id == Event.id)
        .where(
            Registration.event_id.in_(overlapping_events(event_id)),
            Registration.state.in_(SEATED),
            Registration.person_id.in_(person_ids),
        )
        .order_by(Event.number)
    )
    return {row.person_id: row.number for row in rows}


def chain(organisation_id: int, parent_id: int | None) -> tuple[int, ...]:
    """Return an authority and the group above it, nearest first."""
    return (organisation_id,) if parent_id is None else (organisation_id, parent_id)


def move(
    session: Session,
    registration: Registration,
    to: RegistrationState,
    actor: Actor,
    *,
    reason: str,
    now: datetime,
    note: str = "",
) -> None:
    """Take a registration to another state and note who, when and why.

    Args:
        session: the open transaction; the pool is locked.
        registration: whose.
        to: the new state.
        actor: who moves it.
        reason: stable code for the history.
        now: the present instant.
        note: the office's reason in its words, or the rule that decided.

    Raises:
        DomainError: `illegal_move`.

    """
    old = registration.state
    check_move(old, to)
    registration.state = to
    registration.state_since = now
    registration.ticket = new_ticket() if to is RegistrationState.PLACED else None
    registration.offer_until = None
    note_change(session, registration, old, actor, reason=reason, now=now, note=note)


def note_change(
    session: Session,
    registration: Registration,
    old: RegistrationState | None,
    actor: Actor,
    *,
    reason: str,
    now: datetime,
    note: str = "",
) -> None:
    """Add a row to the history of a registration."""
    session.add(
        RegistrationChange(
            registration=registration,
            at=now,
            actor_person_id=actor.person_id,
            from_state=old,
            to_state=registration.state,
            reason=reason,
            note=note,
        )
    )


def last_rank(session: Session, pool_id: int) -> int:
    """Return the highest rank that was given in a pool, 0 in an empty one."""
    highest = select(func.max(Registration.rank)).where(Registration.pool_id == pool_id)
    return session.scalar(highest) or 0


_WISH_AND_OTHERS = (
    select(Wish, Registration)
    .join(_LINK, _LINK.wish_id == Wish.id)
    .outerjoin(
        _OTHER_LINK,
        and_(
            _OTHER_LINK.wish_id == Wish.id,
            _OTHER_LINK.registration_id != _LINK.registration_id,
        ),
    )
    .outerjoin(
        Registration,
        and_(Registration.id == _OTHER_LINK.registration_id, Registration.state.in_(ACTIVE)),
    )
    .where(_LINK.registration_id == bindparam("registration_id"))
    .order_by(Registration.id)
    .execution_options(populate_existing=True)
)


def _wish_and_others(
    session: Session, registration: Registration
) -> tuple[Wish | None, list[Registration]]:
    """Load the wish that a registration serves, and what else is active for it."""
    session.flush()
    rows = session.execute(_WISH_AND_OTHERS, {"registration_id": registration.id}).all()
    wish = rows[0][0] if rows else None
    return wish, [other for _, other in rows if other is not None]


def end_wait(session: Session, registration: Registration, actor: Actor, now: datetime) -> None:
    """End what somebody waits for or is offered, now that there is a place by the same wish."""
    to = RegistrationState.WITHDRAWN
    move(session, registration, to, actor, reason="placed_elsewhere", now=now)


def placed_elsewhere() -> DomainError:
    """Return the refusal of a second place by the same wish."""
    return DomainError(
        "placed_elsewhere",
        "Sie haben inzwischen an einem anderen der gewünschten Termine einen Platz. Möchten Sie "
        "lieber diesen Termin, geben Sie bitte zuerst den anderen Platz zurück.",
    )


def begins_at(event: Event) -> datetime:
    """Return the instant at which the first session begins."""
    first = min(event.sessions, key=lambda session: (session.day, session.begins))
    return berlin_instant(first.day, first.begins)


def new_ticket() -> str:
    """Return a random ticket code."""
    return "".join(secrets.choice(TICKET_LETTERS) for _ in range(TICKET_LENGTH))
