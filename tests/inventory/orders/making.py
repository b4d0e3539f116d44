"""Makes orders that are wanted, approved, held."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import actor_for, make_person
from tests.inventory.factories import fill, make_card, make_store
from trainings.core.actors import Actor
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.inventory.models import CardType, Reservation, Store
from trainings.inventory.orders import entry, operations
from trainings.inventory.orders.models import CardOrder

UNTIL = date(2026, 3, 16)


def office(session: Session) -> Actor:
    return actor_for(make_person(session, roles=(Role.COORDINATOR,)))


def wanted(card: CardType, quantity: int = 50, **changes: object) -> entry.Wanted:
    base = entry.Wanted(
        quantities={card.id: quantity},
        name="Käthe Öztürk",
        email="kaethe@stadt.example",
        organisation_id=None,
        organisation_name="Verein Ruhr",
        recipient="Poststelle",
        street="Weg 1",
        postcode="45127",
        town="Essen",
        purpose="Für die Streifen",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def stocked(session: Session, *quantities: int) -> tuple[CardType, Store]:
    card = make_card(session, editions=len(quantities))
    store = make_store(session)
    for edition, quantity in zip(card.editions, quantities, strict=True):
        fill(session, store, edition, quantity)
    return card, store


def approved(
    session: Session, actor: Actor, order: CardOrder, store: Store, quantity: int | None = None,
    *, reason: str = "", beyond_limit: bool = False,
) -> CardOrder:  # fmt: skip
    (line,) = order.lines
    return operations.approve(
        session, actor, order.id, store_id=store.id, until=UNTIL, now=NOW, reason=reason,
        quantities={line.id: line.requested if quantity is None else quantity},
        beyond_limit=beyond_limit,
    )  # fmt: skip


def kinds(session: Session) -> list[str]:
    session.flush()
    return list(session.scalars(select(OutgoingMail.kind).order_by(OutgoingMail.id)))


def held(session: Session) -> int:
    rows = session.scalars(select(Reservation).where(Reservation.ended_at.is_(None)))
    return sum(row.quantity for row in rows)
