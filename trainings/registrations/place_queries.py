"""What a pool looks like: who sits, what is held, who waits, who sits elsewhere at the time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TypeVarTuple

from sqlalchemy import BindParameter, Select, and_, bindparam, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased

from trainings.events.models import Event, EventSession, Pool
from trainings.organisations.models import Level, Organisation
from trainings.registrations.models import (
    SEATED,
    Contingent,
    Registration,
    RegistrationState,
    WishedRegistration,
)
from trainings.registrations.rules import (
    Hold,
    Places,
    Seeker,
)

Columns = TypeVarTuple("Columns")

_AFTER = aliased(Organisation)
# An organisation counts as the one that it was merged into, a unit as its authority.
_COUNTS_FOR = case(
    (Organisation.merged_into_id.is_not(None), Organisation.merged_into_id),
    (Organisation.level == Level.UNIT, Organisation.parent_id),
)
_AFTER_COUNTS_FOR = case(
    (_AFTER.merged_into_id.is_not(None), _AFTER.merged_into_id),
    (_AFTER.level == Level.UNIT, _AFTER.parent_id),
)
_MERGED = (
    select(Organisation.id.label("before_id"), Organisation.merged_into_id.label("after_id"))
    .where(Organisation.merged_into_id.is_not(None))
    .cte("merged", recursive=True)
)
_MERGED = _MERGED.union_all(
    select(_MERGED.c.before_id, _AFTER_COUNTS_FOR)
    .join(_AFTER, _AFTER.id == _MERGED.c.after_id)
    .where(_AFTER_COUNTS_FOR.is_not(None))
)
_LIVING = (
    select(_MERGED.c.before_id, _MERGED.c.after_id)
    .join(Organisation, Organisation.id == _MERGED.c.after_id)
    .where(_COUNTS_FOR.is_(None))
    .subquery("living")
)


def by_living_organisation(statement: Select[*Columns]) -> Select[*Columns]:
    """Join to registrations the organisation for which their places count today.

    A registration keeps the one it was made under; if that was merged, it counts for the one that
    goes on. `Organisation` in the statement is that one.
    """
    return statement.outerjoin(_LIVING, _LIVING.c.before_id == Registration.organisation_id).join(
        Organisation,
        Organisation.id == func.coalesce(_LIVING.c.after_id, Registration.organisation_id),
    )


# These run for every registration, and some on every page: they are built once, since that takes
# longer than to run them.
_STANDING = (
    by_living_organisation(
        select(
            Registration.pool_id,
            Organisation.id,
            Organisation.parent_id,
            Registration.state,
            func.count(),
        ).select_from(Registration)
    )
    .where(
        Registration.pool_id.in_(bindparam("pools", expanding=True)),
        Registration.state.in_([*SEATED, RegistrationState.WAITING]),
    )
    .group_by(
        Registration.pool_id,
        Organisation.id,
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
    by_living_organisation(
        select(
            Registration.id,
            Registration.person_id,
            Organisation.id.label("organisation_id"),
            Organisation.parent_id,
        ).select_from(Registration)
    )
    .where(
        Registration.pool_id == bindparam("pool_id"),
        Registration.state == RegistrationState.WAITING,
        Registration.person_id.not_in(
            select(_SEAT.person_id).where(
                _SEAT.event_id.in_(overlapping_events(bindparam("event_id"))),
                _SEAT.state.in_(SEATED),
            )
        ),
        # By one wish there is one place, and one offer at a time: whoever has not answered yet is
        # passed over and keeps the rank. Who asks for this very date has given the answer.
        ~exists().where(
            _LINK.registration_id == Registration.id,
            _OTHER_LINK.wish_id == _LINK.wish_id,
            _GIVEN.id == _OTHER_LINK.registration_id,
            or_(
                _GIVEN.state == RegistrationState.PLACED,
                and_(
                    _GIVEN.state == RegistrationState.OFFERED,
                    Registration.id.not_in(bindparam("asked", expanding=True)),
                ),
            ),
        ),
    )
    .order_by(Registration.rank)
)


def load_queue(session: Session, event: Event, asked: Collection[int] = ()) -> list[Seeker]:
    """Load who waits, first come first, without those who cannot be served now.

    These are who sits elsewhere at the same time, and who was offered another date of the same wish
    and has not answered yet.

    Args:
        session: for reading, or the open transaction.
        event: which.
        asked: registrations of those who ask right now; another date's offer does not stop them.

    """
    values = {"pool_id": event.pool_id, "event_id": event.id, "asked": list(asked)}
    rows = session.execute(_QUEUE, values)
    return [
        Seeker(row.id, row.person_id, chain(row.organisation_id, row.parent_id)) for row in rows
    ]


def seats_elsewhere(
    session: Session,
    event_id: int,
    person_ids: Sequence[int],
    *,
    states: Collection[RegistrationState] = SEATED,
) -> dict[int, str]:
    """Load who of these persons sits in another event at the same time, and in which (number).

    Args:
        session: for reading, or the open transaction.
        event_id: the event.
        person_ids: who.
        states: what counts as sitting: a place that is offered does, unless told otherwise.

    """
    rows = session.execute(
        select(Registration.person_id, Event.number)
        .join(Event, Registration.event_id == Event.id)
        .where(
            Registration.event_id.in_(overlapping_events(event_id)),
            Registration.state.in_(states),
            Registration.person_id.in_(person_ids),
        )
        .order_by(Event.number)
    )
    return {row.person_id: row.number for row in rows}


def offers_by_same_wish(session: Session, registration_ids: Collection[int]) -> dict[int, str]:
    """Load for which of these registrations another date of the wish is offered, and which."""
    rows = session.execute(
        select(_LINK.registration_id, Event.number)
        .join(_OTHER_LINK, _OTHER_LINK.wish_id == _LINK.wish_id)
        .join(_GIVEN, _GIVEN.id == _OTHER_LINK.registration_id)
        .join(Event, _GIVEN.event_id == Event.id)
        .where(
            _LINK.registration_id.in_(registration_ids),
            _LINK.registration_id != _OTHER_LINK.registration_id,
            _GIVEN.state == RegistrationState.OFFERED,
        )
        .order_by(Event.number)
    )
    return {row.registration_id: row.number for row in rows}


def offers_at_the_time(
    session: Session, event_id: int, person_ids: Sequence[int]
) -> Sequence[Registration]:
    """Load what these persons are offered in other events at the time of this one."""
    return session.scalars(
        select(Registration)
        .where(
            Registration.event_id.in_(overlapping_events(event_id)),
            Registration.state == RegistrationState.OFFERED,
            Registration.person_id.in_(person_ids),
        )
        .order_by(Registration.id)
        .execution_options(populate_existing=True)
    ).all()


def chain(organisation_id: int, parent_id: int | None) -> tuple[int, ...]:
    """Return an authority and the group above it, nearest first."""
    return (organisation_id,) if parent_id is None else (organisation_id, parent_id)
