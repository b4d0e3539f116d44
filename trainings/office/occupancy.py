"""How full events are: places taken and held, people waiting; for many events at once."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from trainings.organisations.models import Organisation
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Contingent,
    Registration,
    RegistrationState,
)


@dataclass
class Occupancy:
    """How full one event is.

    Attributes:
        taken: places given or offered.
        held: places of contingents that nobody has taken yet.
        waiting: people on the waiting list.
        awaiting: people whose organisation has not released them yet.

    """

    taken: int = 0
    held: int = 0
    waiting: int = 0
    awaiting: int = 0


def occupancies(session: Session, pool_ids: Collection[int], now: datetime) -> dict[int, Occupancy]:
    """Return how full the events of these pools are; two statements."""
    found = {pool_id: Occupancy() for pool_id in pool_ids}
    parent = aliased(Organisation)
    rows = session.execute(
        select(
            Registration.pool_id,
            Registration.state,
            Registration.organisation_id,
            Organisation.parent_id,
            parent.parent_id.label("group_id"),
            func.count().label("number"),
        )
        .join(Organisation, Registration.organisation_id == Organisation.id)
        .outerjoin(parent, Organisation.parent_id == parent.id)
        .where(Registration.pool_id.in_(pool_ids), Registration.state.in_(ACTIVE))
        .group_by(
            Registration.pool_id,
            Registration.state,
            Registration.organisation_id,
            Organisation.parent_id,
            parent.parent_id,
        )
    ).all()
    for row in rows:
        occupancy = found[row.pool_id]
        if row.state in SEATED:
            occupancy.taken += row.number
        elif row.state is RegistrationState.WAITING:
            occupancy.waiting += row.number
        else:
            occupancy.awaiting += row.number
    contingents = session.execute(
        select(Contingent.pool_id, Contingent.organisation_id, Contingent.places).where(
            Contingent.pool_id.in_(pool_ids), Contingent.until > now
        )
    )
    for pool_id, organisation_id, places in contingents:
        used = sum(
            row.number
            for row in rows
            if row.pool_id == pool_id
            and row.state in SEATED
            and organisation_id in (row.organisation_id, row.parent_id, row.group_id)
        )
        found[pool_id].held += max(0, places - used)
    return found
