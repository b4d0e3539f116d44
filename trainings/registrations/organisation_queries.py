"""The places that are held for organisations, as their contacts see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.core.errors import not_found
from trainings.events.models import Event, EventState, Pool
from trainings.organisations.models import Organisation
from trainings.registrations.models import Contingent
from trainings.registrations.place_queries import load_pools
from trainings.registrations.release_rules import Overseen
from trainings.registrations.rules import Places


@dataclass(frozen=True)
class HeldPlaces:
    """A contingent with how much of it is used.

    Attributes:
        places: how many are held altogether.
        unused: those that nobody has taken yet.
        free: places of the event that are free for everyone besides.

    """

    id: int
    organisation: str
    number: str
    title: str
    first_day: date
    last_day: date
    until: datetime
    places: int
    unused: int
    free: int

    @property
    def used(self) -> int:
        """How many places people of the organisation have."""
        return self.places - self.unused


def held_places(session: Session, overseen: Overseen, now: datetime) -> list[HeldPlaces]:
    """Load the contingents in coming events of which somebody disposes, in three statements."""
    rows = session.execute(
        select(
            Contingent.id,
            Contingent.organisation_id,
            Contingent.places,
            Contingent.until,
            Organisation.name.label("organisation"),
            Event.number,
            Event.title,
            Event.first_day,
            Event.last_day,
            Event.pool_id,
            Pool.capacity,
            Pool.organisation_limit,
        )
        .join(Organisation, Contingent.organisation_id == Organisation.id)
        .join(Event, Event.pool_id == Contingent.pool_id)
        .join(Pool, Event.pool_id == Pool.id)
        .where(
            Contingent.organisation_id.in_(overseen.spoken_for | overseen.authorities),
            Contingent.until > now,
            Event.state == EventState.PUBLISHED,
            Event.last_day >= berlin_day(now),
        )
        .order_by(Event.first_day, Event.number, Organisation.sort_key)
    ).all()
    capacities = {row.pool_id: (row.capacity, row.organisation_limit) for row in rows}
    pools, _ = load_pools(session, capacities, now)
    return [
        HeldPlaces(
            id=row.id,
            organisation=row.organisation,
            number=row.number,
            title=row.title,
            first_day=row.first_day,
            last_day=row.last_day,
            until=row.until,
            places=row.places,
            unused=pools[row.pool_id].unused[row.organisation_id],
            free=max(pools[row.pool_id].free, 0),
        )
        for row in rows
    ]


def find_held_places(
    session: Session, overseen: Overseen, contingent_id: int, now: datetime
) -> HeldPlaces:
    """Load one of these contingents.

    Raises:
        DomainError: `not_found`, also for one that has ended.

    """
    for row in held_places(session, overseen, now):
        if row.id == contingent_id:
            return row
    raise not_found()


@dataclass(frozen=True)
class OwnHold:
    """How much of the places held for somebody's own organisation is used."""

    used: int
    unused: int
    places: int


def own_holds(places: Places, organisation_ids: tuple[int, ...]) -> list[OwnHold]:
    """Return the contingents of a pool that are held for somebody's organisations."""
    unused = places.unused
    return [
        OwnHold(
            used=hold.places - unused[hold.organisation_id],
            unused=unused[hold.organisation_id],
            places=hold.places,
        )
        for hold in places.holds
        if hold.organisation_id in organisation_ids
    ]
