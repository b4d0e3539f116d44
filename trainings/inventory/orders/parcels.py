"""What is held for an order and what of it is packed, read from a loaded order."""

from __future__ import annotations

from collections import defaultdict

from trainings.inventory.models import Reservation
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.rules import HOLDING


def live_holds(order: CardOrder) -> list[Reservation]:
    """Return what is held for an order as it is picked: the oldest edition first."""
    held = [each for each in order.reservations if each.ended_at is None]
    return sorted(held, key=lambda each: (each.edition.card_type_id, each.edition.running))


def missing_holds(order: CardOrder) -> dict[int, int]:
    """Return how many approved cards are not held, by card type; empty if all are.

    What was sent is no longer held, and nothing of it is missing.
    """
    if order.state not in HOLDING:
        return {}
    held: dict[int, int] = defaultdict(int)
    for each in live_holds(order):
        held[each.edition.card_type_id] += each.quantity
    return {
        line.card_type_id: line.approved - held[line.card_type_id]
        for line in order.lines
        if line.approved and held[line.card_type_id] < line.approved
    }


def changed_since_picked(order: CardOrder) -> bool:
    """Say whether other cards are held than those that were packed, as when one is withdrawn."""
    if order.state is not OrderState.PICKED:
        return False
    picked_at = order.steps[-1].at
    return any(each.ended_at and each.ended_at >= picked_at for each in order.reservations)
