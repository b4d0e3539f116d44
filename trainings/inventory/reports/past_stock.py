"""What lay in the stores at the end of a past day: the sum of the journal until then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from trainings.inventory.models import CardType, Edition, Movement, Store


@dataclass(frozen=True)
class StoredCards:
    """Cards of one edition in one store."""

    store_id: int
    store: str
    card: str
    running: int
    quantity: int


def load_stock_at(session: Session, instant: datetime) -> list[StoredCards]:
    """Return what lay where at an instant, by store and edition; what was empty is left out.

    Args:
        session: for reading; it costs four statements.
        instant: movements before it count.

    """
    lying = _moved(session, Movement.target_store_id, instant)
    for key, quantity in _moved(session, Movement.source_store_id, instant).items():
        lying[key] = lying.get(key, 0) - quantity
    stores = session.execute(select(Store.id, Store.name).order_by(Store.sort_key, Store.id)).all()
    editions = session.execute(
        select(Edition.id, CardType.title, Edition.running)
        .join(CardType, Edition.card_type_id == CardType.id)
        .order_by(CardType.sort_key, CardType.id, Edition.running)
    ).all()
    return [
        StoredCards(store_id, name, title, running, lying[store_id, edition_id])
        for store_id, name in stores
        for edition_id, title, running in editions
        if lying.get((store_id, edition_id))
    ]


def _moved(
    session: Session, store_id: InstrumentedAttribute[int | None], instant: datetime
) -> dict[tuple[int, int], int]:
    rows = session.execute(
        select(store_id, Movement.edition_id, func.sum(Movement.quantity))
        .where(store_id.is_not(None), Movement.at < instant)
        .group_by(store_id, Movement.edition_id)
    )
    return {(store or 0, edition): int(quantity) for store, edition, quantity in rows}
