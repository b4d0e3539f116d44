"""What operations and pages of stocktakes both read."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, false, func, select, true
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.permissions import Permission
from trainings.inventory.models import Balance, Movement, Store


def countable_by(actor: Actor) -> ColumnElement[bool]:
    """Return whose stores somebody may count: the office all, a trainer the own box."""
    if actor.may(Permission.OFFICE):
        return true()
    if actor.may(Permission.ATTENDANCE):
        return Store.person_id == actor.person_id
    return false()


def balances(session: Session, store_id: int) -> dict[int, int]:
    """Return how many cards lie in a store by the book, by edition."""
    rows = session.execute(
        select(Balance.edition_id, Balance.quantity).where(Balance.store_id == store_id)
    )
    return dict(iter(rows))


def moved_since(session: Session, store_id: int, moment: datetime) -> dict[int, int]:
    """Return how many cards came into a store after a moment less those that left, by edition."""
    net: dict[int, int] = {}
    for sign, store in ((1, Movement.target_store_id), (-1, Movement.source_store_id)):
        moved = (
            select(Movement.edition_id, func.sum(Movement.quantity))
            .where(store == store_id, Movement.at > moment)
            .group_by(Movement.edition_id)
        )
        for edition, quantity in session.execute(moved):
            net[edition] = net.get(edition, 0) + sign * int(quantity)
    return net
