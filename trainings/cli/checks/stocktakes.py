"""Invariants of the stocktakes: what was booked is what was counted less what the book said."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core.formats import number
from trainings.inventory.ledger import name_of
from trainings.inventory.models import Edition, Movement
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState

_Key = tuple[int, int, int | None]
"""Stocktake, edition, store."""


def posted_differences_equal_the_counts(session: Session, _now: datetime) -> list[str]:
    """Each line of a posted stocktake booked, in its store, what was counted less the book value.

    What was reversed later still counts: the stocktake is a document and does not change.
    """
    expected: dict[_Key, int] = {
        (stocktake_id, edition_id, store_id): (counted or 0) - (book or 0)
        for stocktake_id, edition_id, store_id, counted, book in session.execute(
            select(
                StocktakeLine.stocktake_id,
                StocktakeLine.edition_id,
                Stocktake.store_id,
                StocktakeLine.counted,
                StocktakeLine.book,
            )
            .join(Stocktake, StocktakeLine.stocktake_id == Stocktake.id)
            .where(Stocktake.state == StocktakeState.POSTED)
        )
    }
    booked: dict[_Key, int] = defaultdict(int)
    movements = session.scalars(
        select(Movement)
        .join(Stocktake, Movement.stocktake_id == Stocktake.id)
        .where(Movement.reverses_id.is_(None), Stocktake.state == StocktakeState.POSTED)
    )
    for movement in movements:
        sign, store_id = 1, movement.target_store_id
        if store_id is None:
            sign, store_id = -1, movement.source_store_id
        key = (movement.stocktake_id or 0, movement.edition_id, store_id)
        booked[key] += sign * movement.quantity
    return [
        f"Inventur {key[0]}, Lager {key[2]}, {_name(session, key[1])}: Der Unterschied ist "
        f"{number(expected.get(key, 0))}, gebucht ist {number(booked.get(key, 0))}."
        for key in sorted(expected.keys() | booked.keys())
        if expected.get(key, 0) != booked.get(key, 0)
    ]


def only_posted_stocktakes_have_movements(session: Session, _now: datetime) -> list[str]:
    """Nothing was booked by a stocktake that is still counted or was given up."""
    rows = session.execute(
        select(Movement.id, Movement.stocktake_id)
        .join(Stocktake, Movement.stocktake_id == Stocktake.id)
        .where(Stocktake.state != StocktakeState.POSTED)
        .order_by(Movement.id)
    )
    return [
        f"Bewegung {movement_id} gehört zu Inventur {stocktake_id}, die nicht gebucht ist."
        for movement_id, stocktake_id in rows
    ]


def _name(session: Session, edition_id: int) -> str:
    return name_of(session.get_one(Edition, edition_id, options=[joinedload(Edition.card_type)]))
