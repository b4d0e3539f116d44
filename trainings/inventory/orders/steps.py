"""The state of an order and its history change together, here and nowhere else."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import not_found
from trainings.inventory.orders.models import CardOrder, CardOrderStep, OrderState
from trainings.inventory.orders.rules import FINISHED, check_order_move


def lock_order(session: Session, order_id: int) -> CardOrder:
    """Lock an order and read it anew; organisations are locked before, stores after it.

    Raises:
        DomainError: `not_found`.

    """
    order = session.scalar(
        select(CardOrder)
        .where(CardOrder.id == order_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if order is None:
        raise not_found()
    return order


def move_order(
    session: Session,
    actor: Actor,
    order: CardOrder,
    state: OrderState,
    now: datetime,
    *,
    reason: str = "",
) -> None:
    """Give a locked or new order another state, with its row in the history and in the audit.

    Args:
        session: the open transaction.
        actor: who acts; the system for what time brings, nobody for whoever follows a link.
        order: the order; a new one has no steps yet.
        state: the state that it gets.
        now: the present instant.
        reason: why, as both sides read it.

    Raises:
        DomainError: `order_moved_on`.

    """
    before = order.state if order.steps else None
    check_order_move(before, state)
    order.state = state
    if state in FINISHED:
        order.finished_at = now
    order.steps.append(
        CardOrderStep(
            at=now, person_id=actor.person_id, from_state=before, to_state=state, reason=reason
        )
    )
    session.flush()
    record(session, actor, f"card_order_{state}", order, now)
