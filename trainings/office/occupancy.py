"""How full events are: places taken and held, people waiting; for many events at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.organisations.models import Organisation
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Contingent,
    Registration,
    RegistrationState,
)
from trainings.registrations.place_queries import by_living_organisation, chain
from trainings.registrations.rules import Hold, Places


@dataclass
class Occupancy:
    """How full one event is.

    Attributes:
        taken: places given or offered.
        offered: those that are only offered.
        held: places of contingents that nobody has taken yet.
        waiting: people on the waiting list.
        awaiting: people whose organisation has not released them yet.

    """

    taken: int = 0
    offered: int = 0
    held: int = 0
    waiting: int = 0
    awaiting: int = 0


def occupancies(session: Session, pool_ids: Collection[int], now: datetime) -> dict[int, Occupancy]:
    """Return how full the events of these pools are; two statements."""
    found = {pool_id: Occupancy() for pool_id in pool_ids}
    seated: dict[int, Counter[tuple[int, ...]]] = defaultdict(Counter)
    for pool_id, state, own, parent, number in session.execute(
        by_living_organisation(
            select(
                Registration.pool_id,
                Registration.state,
                Organisation.id,
                Organisation.parent_id,
                func.count(),
            ).select_from(Registration)
        )
        .where(Registration.pool_id.in_(pool_ids), Registration.state.in_(ACTIVE))
        .group_by(
            Registration.pool_id,
            Registration.state,
            Organisation.id,
            Organisation.parent_id,
        )
    ):
        occupancy = found[pool_id]
        if state in SEATED:
            occupancy.taken += number
            occupancy.offered += number if state is RegistrationState.OFFERED else 0
            seated[pool_id][chain(own, parent)] += number
        elif state is RegistrationState.WAITING:
            occupancy.waiting += number
        else:
            occupancy.awaiting += number
    holds: dict[int, list[Hold]] = defaultdict(list)
    for pool_id, organisation_id, places in session.execute(
        select(Contingent.pool_id, Contingent.organisation_id, Contingent.places).where(
            Contingent.pool_id.in_(pool_ids), Contingent.until > now
        )
    ):
        holds[pool_id].append(Hold(organisation_id, places))
    for pool_id, held in holds.items():
        # What is held is a matter of the rules: somebody of an authority takes from its own
        # contingent or from that of its group, never from both.
        found[pool_id].held = Places(0, tuple(held), seated[pool_id]).held
    return found
