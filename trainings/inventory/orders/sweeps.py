"""What time does to orders: never confirmed, no longer held, old enough to be blanked."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.database import db, transaction
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.operations import lapse
from trainings.inventory.orders.rules import CONFIRMED_WITHIN, HOLDING, KEPT_FOR
from trainings.inventory.orders.steps import lock_order, move_order


def expire_card_orders(now: datetime) -> int:
    """End orders that nobody confirmed in time, and blank what they hold of persons.

    Returns:
        How many ended.

    """
    waiting = db.session.scalars(
        select(CardOrder.id)
        .where(
            CardOrder.state == OrderState.UNCONFIRMED,
            CardOrder.requested_at <= now - CONFIRMED_WITHIN,
        )
        .order_by(CardOrder.id)
    ).all()
    return sum(_expire(order_id, now) for order_id in waiting)


def _expire(order_id: int, now: datetime) -> int:
    with transaction() as session:
        order = lock_order(session, order_id)
        if order.state is not OrderState.UNCONFIRMED:
            return 0
        move_order(session, SYSTEM, order, OrderState.EXPIRED, now)
        # Typed by anybody who knew the address of the form, so it may name somebody.
        if order.organisation_id is None:
            order.organisation_name = ""
        _blank(order)
    return 1


def lapse_card_orders(now: datetime) -> int:
    """Free the cards of orders whose holds have run out, and tell those who ordered.

    Returns:
        How many lapsed.

    """
    due = db.session.scalars(
        select(CardOrder.id)
        .where(CardOrder.state.in_(HOLDING), CardOrder.held_until <= now)
        .order_by(CardOrder.id)
    ).all()
    return sum(_lapse(order_id, now) for order_id in due)


def _lapse(order_id: int, now: datetime) -> int:
    with transaction() as session:
        return int(lapse(session, SYSTEM, order_id, now))


def blank_card_orders(session: Session, now: datetime) -> int:
    """Blank who ordered, and where to, a year after an order was finished (`Retention.ORDER`).

    An order that was sent and never confirmed counts from the day on which it was sent.

    Returns:
        How many were blanked.

    """
    ended = func.coalesce(CardOrder.finished_at, CardOrder.sent_at)
    old = session.scalars(
        select(CardOrder)
        .where(ended <= now - KEPT_FOR, CardOrder.email != "")
        .order_by(CardOrder.id)
        .with_for_update(key_share=True)
    ).all()
    for order in old:
        _blank(order)
        record(session, SYSTEM, "card_order_blanked", order, now)
    return len(old)


def _blank(order: CardOrder) -> None:
    order.person_id = None
    order.name = order.email = order.recipient = order.street = order.purpose = ""
    order.received_note = ""
