"""Cards that a store holds for approved orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.inventory.ledger import LockedStock, issuable
from trainings.inventory.models import CardType, Edition, Reservation
from trainings.inventory.rules import allot, not_enough


def hold(
    locked: LockedStock,
    order_id: int,
    store_id: int,
    card_type: CardType,
    *,
    quantity: int,
    until: datetime,
    remedy: str = "",
) -> list[Reservation]:
    """Hold cards for an order, the oldest edition first.

    Args:
        locked: with the store.
        order_id: the order; it is locked.
        store_id: where they lie.
        card_type: which card.
        quantity: how many, positive.
        until: when the hold runs out.
        remedy: what helps if there are too few, where neither number nor store can be chosen.

    Raises:
        DomainError: `not_enough`.

    """
    editions = issuable(_editions(locked.session, card_type.id))
    stocks = locked.stocks(store_id, editions)
    chosen = allot(stocks, quantity)
    if sum(taken for _, taken in chosen) < quantity:
        raise not_enough(card_type.title, locked.stores[store_id].name, stocks, remedy)
    held = [
        Reservation(
            order_id=order_id, store_id=store_id, edition_id=edition, quantity=taken, until=until
        )
        for edition, taken in chosen
    ]
    locked.session.add_all(held)
    locked.session.flush()
    return held


def end_holds(session: Session, order_id: int, now: datetime) -> list[Reservation]:
    """End what is held for a locked order, whose stores are locked too, and return it."""
    held = session.scalars(
        select(Reservation)
        .where(Reservation.order_id == order_id, Reservation.ended_at.is_(None))
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    ).all()
    for reservation in held:
        reservation.ended_at = now
    session.flush()
    return list(held)


def move_holds_off(locked: LockedStock, edition: Edition) -> dict[int, int]:
    """Hold other editions of the card for the orders for which this one was held.

    For an edition that is withdrawn; all stores and the orders are locked, and its `withdrawn_at`
    is set already. Holds that have run out hold nothing, so nothing is missing for them.

    Returns:
        For each order concerned how many cards are missing, 0 if all could be replaced.

    """
    session, now = locked.session, locked.now
    others = issuable(_editions(session, edition.card_type_id))
    rows = session.scalars(
        select(Reservation)
        .where(
            Reservation.edition_id == edition.id,
            Reservation.ended_at.is_(None),
            Reservation.until > now,
        )
        .order_by(Reservation.id)
        .execution_options(populate_existing=True)
    ).all()
    missing: dict[int, int] = {}
    for row in rows:
        row.ended_at = now
        chosen = allot(locked.stocks(row.store_id, others), row.quantity)
        session.add_all(
            Reservation(
                order_id=row.order_id,
                store_id=row.store_id,
                edition_id=other,
                quantity=taken,
                until=row.until,
            )
            for other, taken in chosen
        )
        session.flush()
        short = row.quantity - sum(taken for _, taken in chosen)
        missing[row.order_id] = missing.get(row.order_id, 0) + short
    return missing


def _editions(session: Session, card_type_id: int) -> Sequence[Edition]:
    return session.scalars(
        select(Edition)
        .where(Edition.card_type_id == card_type_id)
        .order_by(Edition.running)
        .execution_options(populate_existing=True)
    ).all()
