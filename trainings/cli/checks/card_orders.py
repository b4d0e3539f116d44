"""Invariants of the orders of cards: their histories, what was approved, what was sent."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.cli.checks.histories import broken
from trainings.core.formats import number
from trainings.inventory.models import CardType, Edition, Movement
from trainings.inventory.orders.models import CardOrder, CardOrderLine, CardOrderStep, OrderState
from trainings.inventory.orders.rules import ORDER_MOVES, STATE_NAMES

_DECIDED = frozenset(
    {
        OrderState.APPROVED,
        OrderState.LAPSED,
        OrderState.PICKED,
        OrderState.SENT,
        OrderState.RECEIVED,
    }
)
"""States in which each line says how many were approved, and not all of them none."""
_SENT = frozenset({OrderState.SENT, OrderState.RECEIVED})


def histories_lead_to_the_states(session: Session, _now: datetime) -> list[str]:
    """Each history is a chain of allowed moves that ends at the state of its order."""
    histories: dict[int, list[tuple[OrderState | None, OrderState]]] = defaultdict(list)
    for order_id, old, new in session.execute(
        select(CardOrderStep.order_id, CardOrderStep.from_state, CardOrderStep.to_state).order_by(
            CardOrderStep.id
        )
    ):
        histories[order_id].append((old, new))
    orders = session.execute(
        select(CardOrder.id, CardOrder.number, CardOrder.state).order_by(CardOrder.number)
    )
    return [
        f"Bestellung {order}: {finding}"
        for order_id, order, state in orders
        if (finding := broken(histories[order_id], state, ORDER_MOVES))
    ]


def approved_orders_say_how_many(session: Session, _now: datetime) -> list[str]:
    """Somebody decided about each line of an approved order, and approved at least one card."""
    rows = session.execute(
        select(
            CardOrder.number,
            CardOrder.state,
            func.count(CardOrderLine.id),
            func.count(CardOrderLine.approved),
            func.coalesce(func.sum(CardOrderLine.approved), 0),
        )
        .outerjoin(CardOrderLine, CardOrderLine.order_id == CardOrder.id)
        .where(CardOrder.state.in_(_DECIDED))
        .group_by(CardOrder.number, CardOrder.state)
        .order_by(CardOrder.number)
    )
    return [
        f"Bestellung {order} ist „{STATE_NAMES[state]}“, aber nicht jede Karte ist entschieden "
        "oder keine genehmigt."
        for order, state, lines, decided, approved in rows
        if decided < lines or not approved
    ]


def sent_is_what_was_approved(session: Session, _now: datetime) -> list[str]:
    """Exactly what was approved is in the journal for orders that were sent, nothing for others.

    A movement that was reversed later still counts: it does not change what was sent.
    """
    booked: dict[tuple[int, int], int] = {
        (order_id or 0, card_id): int(quantity)
        for order_id, card_id, quantity in session.execute(
            select(Movement.order_id, Edition.card_type_id, func.sum(Movement.quantity))
            .join(Edition, Movement.edition_id == Edition.id)
            .where(Movement.order_id.is_not(None), Movement.reverses_id.is_(None))
            .group_by(Movement.order_id, Edition.card_type_id)
        )
    }
    approved: dict[tuple[int, int], int] = {
        (order_id, card_id): quantity or 0
        for order_id, card_id, quantity in session.execute(
            select(CardOrderLine.order_id, CardOrderLine.card_type_id, CardOrderLine.approved)
            .join(CardOrder, CardOrderLine.order_id == CardOrder.id)
            .where(CardOrder.state.in_(_SENT))
        )
    }
    wrong = sorted(
        key for key in booked.keys() | approved.keys() if booked.get(key, 0) != approved.get(key, 0)
    )
    return [
        f"Bestellung {session.get_one(CardOrder, key[0]).number}: Von „"
        f"{session.get_one(CardType, key[1]).title}“ {_are(approved.get(key, 0))} zu versenden, "
        f"gebucht {'ist' if booked.get(key) == 1 else 'sind'} {number(booked.get(key, 0))}."
        for key in wrong
    ]


def _are(cards: int) -> str:
    return "ist 1 Karte" if cards == 1 else f"sind {number(cards)} Karten"
