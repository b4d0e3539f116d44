"""What lies where: balances and holds by card, store and edition."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from trainings.core.errors import not_found
from trainings.inventory.ledger import held_quantities
from trainings.inventory.models import Balance, CardType, Edition, Store, StoreKind
from trainings.inventory.rules import Stock

_STORES_IN_ORDER = (
    case((Store.kind == StoreKind.OFFICE, 0), (Store.kind == StoreKind.BOX, 1), else_=2),
    Store.sort_key,
    Store.id,
)
_EDITIONS = (
    select(Edition)
    .join(Edition.card_type)
    .options(contains_eager(Edition.card_type))
    .order_by(CardType.sort_key, CardType.id, Edition.running)
)


@dataclass(frozen=True)
class StockRow:
    """Cards of one edition in one store."""

    store: Store
    edition: Edition
    stock: Stock


@dataclass(frozen=True)
class CardStock:
    """One card with all that lies in the stores.

    Attributes:
        card: the card.
        editions: all its editions, the oldest first.
        rows: what may be handed out, by store and edition.
        withdrawn: what lies there of withdrawn editions.

    """

    card: CardType
    editions: tuple[Edition, ...]
    rows: tuple[StockRow, ...]
    withdrawn: tuple[StockRow, ...]

    @property
    def balance(self) -> int:
        """How many lie in all stores, without withdrawn ones."""
        return sum(row.stock.balance for row in self.rows)

    @property
    def held(self) -> int:
        """How many of them are held for orders."""
        return sum(row.stock.held for row in self.rows)

    @property
    def free(self) -> int:
        """How many of them may still be given to somebody."""
        return sum(row.stock.free for row in self.rows)

    @property
    def available(self) -> int:
        """How many of the free ones lie in stores; those in the boxes of trainers are promised."""
        return sum(row.stock.free for row in self.rows if row.store.kind is not StoreKind.BOX)

    @property
    def is_low(self) -> bool:
        """Whether a reprint is due, by the same sum as the foresight and the mail to the office."""
        return self.available < self.card.reorder_level


def load_stock(
    session: Session, now: datetime, *, with_retired: bool = False, card_id: int | None = None
) -> list[CardStock]:
    """Return all cards in German order with what lies in the stores; five statements.

    Args:
        session: the database session.
        now: the present instant; holds that have run out hold nothing.
        with_retired: also retired cards of which nothing is left.
        card_id: this card only, retired or not.

    """
    editions = select(Edition).order_by(Edition.running)
    cards = select(CardType).order_by(CardType.sort_key, CardType.id)
    if card_id is not None:
        editions = editions.where(Edition.card_type_id == card_id)
        cards = cards.where(CardType.id == card_id)
    of_card: dict[int, list[Edition]] = defaultdict(list)
    for edition in session.scalars(editions):
        of_card[edition.card_type_id].append(edition)
    known = session.scalars(cards).all()
    rows = _rows(session, now, [each for several in of_card.values() for each in several])
    found = []
    for card in known:
        lying = [row for row in rows if row.edition.card_type_id == card.id]
        if card.retired_at is None or lying or with_retired or card_id is not None:
            found.append(
                CardStock(
                    card,
                    tuple(of_card[card.id]),
                    tuple(row for row in lying if row.edition.withdrawn_at is None),
                    tuple(row for row in lying if row.edition.withdrawn_at is not None),
                )
            )
    return found


def load_card_stock(session: Session, card_id: int, now: datetime) -> CardStock:
    """Return one card with what lies in the stores.

    Raises:
        DomainError: `not_found`.

    """
    found = load_stock(session, now, card_id=card_id)
    if not found:
        raise not_found()
    return found[0]


def load_rows(
    session: Session,
    now: datetime,
    *,
    store_id: int | None = None,
    edition_id: int | None = None,
) -> list[StockRow]:
    """Return what lies in the stores, by store, card and edition; four statements.

    Args:
        session: the database session.
        now: the present instant.
        store_id: in this store only.
        edition_id: of this edition only.

    """
    statement = _EDITIONS
    if edition_id is not None:
        statement = statement.where(Edition.id == edition_id)
    return _rows(session, now, session.scalars(statement), store_id)


def _rows(
    session: Session, now: datetime, editions: Iterable[Edition], store_id: int | None = None
) -> list[StockRow]:
    """Return what lies or is held of the editions, by store and then in the order given."""
    stores = select(Store).order_by(*_STORES_IN_ORDER)
    balances = select(Balance.store_id, Balance.edition_id, Balance.quantity).where(
        Balance.quantity > 0
    )
    if store_id is not None:
        stores = stores.where(Store.id == store_id)
        balances = balances.where(Balance.store_id == store_id)
    lying = {(store, edition): quantity for store, edition, quantity in session.execute(balances)}
    held = held_quantities(session, now, store_id=store_id)
    ordered = list(editions)
    return [
        StockRow(
            store, edition, Stock(edition.id, edition.running, lying.get(key, 0), held.get(key, 0))
        )
        for store in session.scalars(stores)
        for edition in ordered
        if (key := (store.id, edition.id)) in lying or key in held
    ]


def list_stores(session: Session, *, with_retired: bool = False) -> list[Store]:
    """Return the stores with the trainer or partner whose they are, by kind and name."""
    statement = (
        select(Store)
        .options(joinedload(Store.person), joinedload(Store.organisation))
        .order_by(*_STORES_IN_ORDER)
    )
    if not with_retired:
        statement = statement.where(Store.retired_at.is_(None))
    return list(session.scalars(statement))


def find_store(session: Session, store_id: int) -> Store:
    """Return a store with the trainer or partner whose it is.

    Raises:
        DomainError: `not_found`.

    """
    store = session.scalar(
        select(Store)
        .where(Store.id == store_id)
        .options(joinedload(Store.person), joinedload(Store.organisation))
        .execution_options(populate_existing=True)
    )
    if store is None:
        raise not_found()
    return store


def list_editions(session: Session, *, only_issuable: bool = False) -> list[Edition]:
    """Return editions with their cards, by card and number.

    Args:
        session: the database session.
        only_issuable: leave out withdrawn ones and those of retired cards.

    """
    statement = _EDITIONS
    if only_issuable:
        statement = statement.where(Edition.withdrawn_at.is_(None), CardType.retired_at.is_(None))
    return list(session.scalars(statement))
