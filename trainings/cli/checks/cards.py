"""Invariants of the pocket cards: balances, holds, reversals, retired stores."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.core.formats import count, number
from trainings.inventory.ledger import held_quantities, name_of
from trainings.inventory.models import Balance, Edition, Movement, Reservation, Store
from trainings.inventory.orders.models import CardOrder
from trainings.inventory.orders.rules import HOLDING, STATE_NAMES

Key = tuple[int, int]


def balances_equal_the_journal(session: Session, _now: datetime) -> list[str]:
    """Every balance is the sum of the movements, also where there is none of the two."""
    stored: dict[Key, int] = {
        (row.store_id, row.edition_id): row.quantity for row in session.scalars(select(Balance))
    }
    booked: dict[Key, int] = defaultdict(int)
    for column, sign in ((Movement.target_store_id, 1), (Movement.source_store_id, -1)):
        sums = select(func.coalesce(column, 0), Movement.edition_id, func.sum(Movement.quantity))
        for store_id, edition_id, moved in session.execute(
            sums.where(column.is_not(None)).group_by(column, Movement.edition_id)
        ):
            booked[int(store_id), edition_id] += sign * int(moved)
    return [
        f"{_place(session, key)}: Der Bestand ist {number(stored.get(key, 0))}, die Bewegungen "
        f"ergeben {number(booked[key])}."
        for key in sorted(stored.keys() | booked.keys())
        if stored.get(key, 0) != booked[key]
    ]


def holds_belong_to_open_orders(session: Session, _now: datetime) -> list[str]:
    """Cards are held for orders that are approved and not sent yet, and for no others."""
    rows = session.execute(
        select(CardOrder.number, CardOrder.state, func.sum(Reservation.quantity))
        .join(Reservation, Reservation.order_id == CardOrder.id)
        .where(Reservation.ended_at.is_(None), CardOrder.state.not_in(HOLDING))
        .group_by(CardOrder.number, CardOrder.state)
        .order_by(CardOrder.number)
    )
    return [
        f"Bestellung {order} ist „{STATE_NAMES[state]}“, und doch "
        f"{'ist' if held == 1 else 'sind'} für sie {count(int(held), 'Karte', 'Karten')} "
        "vorgemerkt."
        for order, state, held in rows
    ]


def holds_are_covered(session: Session, now: datetime) -> list[str]:
    """No more is held than lies there; a stocktake may find less, then somebody has to choose."""
    balances: dict[Key, int] = {
        (row.store_id, row.edition_id): row.quantity for row in session.scalars(select(Balance))
    }
    findings = []
    for key, held in sorted(held_quantities(session, now).items()):
        if held <= balances.get(key, 0):
            continue
        orders = session.scalars(
            select(CardOrder.number)
            .join(Reservation, Reservation.order_id == CardOrder.id)
            .where(
                Reservation.store_id == key[0],
                Reservation.edition_id == key[1],
                Reservation.ended_at.is_(None),
                Reservation.until > now,
            )
            .distinct()
            .order_by(CardOrder.number)
        )
        findings.append(
            f"{_place(session, key)}: {number(held)} Karten sind vorgemerkt, aber nur "
            f"{number(balances.get(key, 0))} da. Betroffen: {', '.join(orders)}."
        )
    return findings


def nothing_is_held_of_withdrawn_editions(session: Session, now: datetime) -> list[str]:
    """Nobody gets what is withdrawn: holds of it were moved to other editions."""
    rows = session.execute(
        select(CardOrder.number, Reservation.store_id, Reservation.edition_id)
        .join(Reservation, Reservation.order_id == CardOrder.id)
        .join(Edition, Edition.id == Reservation.edition_id)
        .where(
            Reservation.ended_at.is_(None),
            Reservation.until > now,
            Edition.withdrawn_at.is_not(None),
        )
        .order_by(CardOrder.number, Reservation.id)
    )
    return [
        f"{_place(session, (store_id, edition_id))}: Die Auflage ist zurückgezogen, aber für "
        f"Bestellung {order} vorgemerkt."
        for order, store_id, edition_id in rows
    ]


def reversals_mirror_what_they_reverse(session: Session, _now: datetime) -> list[str]:
    """Each reversal moves as many of the same cards the other way, and is not reversed itself."""
    original = aliased(Movement)
    rows = session.execute(
        select(Movement, original)
        .join(original, Movement.reverses_id == original.id)
        .order_by(Movement.id)
    )
    return [
        f"Bewegung {reversal.id} nimmt Bewegung {first.id} zurück, ist aber nicht ihr Gegenteil."
        for reversal, first in rows
        if first.reverses_id is not None or _way(reversal) != _way(first, back=True)
    ]


def retired_stores_are_empty(session: Session, _now: datetime) -> list[str]:
    """Nothing lies in a store that is used no longer."""
    rows = session.execute(
        select(Store.id, func.sum(Balance.quantity))
        .join(Balance, Balance.store_id == Store.id)
        .where(Store.retired_at.is_not(None), Balance.quantity > 0)
        .group_by(Store.id)
        .order_by(Store.id)
    )
    return [
        f"Lager {store_id} ist stillgelegt, enthält aber {count(int(left), 'Karte', 'Karten')}."
        for store_id, left in rows
    ]


def _way(movement: Movement, *, back: bool = False) -> tuple[object, ...]:
    """Return what a movement and the one that takes it back have in common."""
    ends = [
        (movement.source, movement.source_store_id),
        (movement.target, movement.target_store_id),
    ]
    return (
        *(reversed(ends) if back else ends),
        movement.edition_id,
        movement.quantity,
        movement.organisation_id,
        movement.event_id,
        movement.order_id,
        movement.stocktake_id,
    )


def _place(session: Session, key: Key) -> str:
    # By number: a box may bear the name of its trainer.
    edition = session.get_one(Edition, key[1], options=[joinedload(Edition.card_type)])
    return f"Lager {key[0]}, {name_of(edition)}"
