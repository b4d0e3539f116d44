"""What the pages and papers of stocktakes show."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.inventory.ledger import held_quantities
from trainings.inventory.models import Balance, CardType, Edition, Reservation, Store
from trainings.inventory.orders.models import CardOrder
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState
from trainings.inventory.stocktakes.reads import countable_by
from trainings.inventory.stocktakes.rules import fingerprint
from trainings.people.models import Person

MOST_LISTED = 200
"""Stocktakes on one page; of a single store nobody has as many."""


@dataclass(frozen=True)
class Line:
    """One edition of a stocktake.

    Attributes:
        edition_id: the edition.
        title: of the card.
        running: number of the edition.
        withdrawn: it is no longer issued.
        counted: how many there are; None: not counted.
        book: the balance at that moment.
        counted_at: when.
        counted_by: by whom.
        balance: in the book now.
        held: how many of them are held for orders now.

    """

    edition_id: int
    title: str
    running: int
    withdrawn: bool
    counted: int | None
    book: int | None
    counted_at: datetime | None
    counted_by: str
    balance: int
    held: int

    @property
    def name(self) -> str:
        """„Schütze dich und dein Team vor Gewalt, Auflage 2“."""
        return f"{self.title}, Auflage {self.running}"

    @property
    def difference(self) -> int | None:
        """What the shelf has more (or less) than the book; None: not counted."""
        return None if self.counted is None or self.book is None else self.counted - self.book

    @property
    def since(self) -> int | None:
        """What came since the counting less what left; None: not counted."""
        return None if self.book is None else self.balance - self.book

    @property
    def expected(self) -> int:
        """The balance as soon as the difference is booked."""
        return self.balance + (self.difference or 0)


@dataclass(frozen=True)
class Sheet:
    """A stocktake with its lines, by card and edition; four statements.

    Attributes:
        id: its number.
        state: where it stands.
        store_id: which store was counted.
        store: its name.
        opened_at: when it was opened.
        opened_by: by whom.
        finished_at: when it was posted or given up.
        finished_by: by whom.
        reason: why book and shelf differ, or why it was given up.
        lines: its editions.

    """

    id: int
    state: StocktakeState
    store_id: int
    store: str
    opened_at: datetime
    opened_by: str
    finished_at: datetime | None
    finished_by: str
    reason: str
    lines: tuple[Line, ...]

    @property
    def is_open(self) -> bool:
        """Whether it is still counted."""
        return self.state is StocktakeState.COUNTING

    @property
    def uncounted(self) -> list[Line]:
        """Editions that nobody has counted."""
        return [line for line in self.lines if line.counted is None]

    @property
    def differing(self) -> list[Line]:
        """Editions of which the shelf has more or fewer than the book."""
        return [line for line in self.lines if line.difference]

    @property
    def short(self) -> list[Line]:
        """Editions of which more are held for orders than there are, or will be when posted."""
        if self.state is StocktakeState.ABANDONED:
            return []
        return [line for line in self.lines if line.held > self.left_of(line)]

    def left_of(self, line: Line) -> int:
        """Return how many are left of an edition: of an open stocktake when it is posted."""
        return line.expected if self.is_open else line.balance

    @property
    def seen(self) -> str:
        """What changes with every count."""
        return fingerprint(
            (line.edition_id, line.counted, line.book, line.counted_at) for line in self.lines
        )


def load_sheet(session: Session, actor: Actor, stocktake_id: int, now: datetime) -> Sheet:
    """Load a stocktake.

    Raises:
        DomainError: `not_found`, also for one of a foreign store.

    """
    opener, closer = aliased(Person), aliased(Person)
    found = session.execute(
        select(Stocktake, Store, opener, closer)
        .join(Store, Stocktake.store_id == Store.id)
        .outerjoin(opener, Stocktake.opened_by_id == opener.id)
        .outerjoin(closer, Stocktake.finished_by_id == closer.id)
        .where(Stocktake.id == stocktake_id, countable_by(actor))
    ).one_or_none()
    if found is None:
        raise not_found()
    stocktake, store, opened_by, finished_by = found
    return Sheet(
        id=stocktake.id,
        state=stocktake.state,
        store_id=store.id,
        store=store.name,
        opened_at=stocktake.opened_at,
        opened_by=opened_by.name if opened_by else "",
        finished_at=stocktake.finished_at,
        finished_by=finished_by.name if finished_by else "",
        reason=stocktake.reason,
        lines=tuple(_load_lines(session, stocktake, now)),
    )


def _load_lines(session: Session, stocktake: Stocktake, now: datetime) -> Iterable[Line]:
    store_id = stocktake.store_id
    held = held_quantities(session, now, store_id=store_id)
    rows = session.execute(
        select(StocktakeLine, Edition, CardType.title, Balance.quantity, Person)
        .join(Edition, StocktakeLine.edition_id == Edition.id)
        .join(CardType, Edition.card_type_id == CardType.id)
        .outerjoin(Balance, (Balance.edition_id == Edition.id) & (Balance.store_id == store_id))
        .outerjoin(Person, StocktakeLine.counted_by_id == Person.id)
        .where(StocktakeLine.stocktake_id == stocktake.id)
        .order_by(CardType.sort_key, CardType.id, Edition.running)
    )
    for line, edition, title, quantity, person in rows:
        yield Line(
            edition_id=edition.id,
            title=title,
            running=edition.running,
            withdrawn=edition.withdrawn_at is not None,
            counted=line.counted,
            book=line.book,
            counted_at=line.counted_at,
            counted_by=person.name if person else "",
            balance=quantity or 0,
            held=held.get((store_id, edition.id), 0),
        )


def orders_held_for(
    session: Session, store_id: int, edition_ids: Iterable[int], now: datetime
) -> dict[int, list[tuple[str, int]]]:
    """Return for which orders editions are held in a store: numbers and quantities."""
    rows = session.execute(
        select(Reservation.edition_id, CardOrder.number, func.sum(Reservation.quantity))
        .join(CardOrder, Reservation.order_id == CardOrder.id)
        .where(
            Reservation.store_id == store_id,
            Reservation.edition_id.in_(list(edition_ids)),
            Reservation.ended_at.is_(None),
            Reservation.until > now,
        )
        .group_by(Reservation.edition_id, CardOrder.id, CardOrder.number)
        .order_by(CardOrder.id)
    )
    orders: dict[int, list[tuple[str, int]]] = {}
    for edition_id, number, quantity in rows:
        orders.setdefault(edition_id, []).append((number, int(quantity)))
    return orders


def countable_stores(session: Session, actor: Actor) -> list[Store]:
    """Return the stores that somebody may count, by name."""
    return list(
        session.scalars(
            select(Store)
            .where(countable_by(actor), Store.retired_at.is_(None))
            .order_by(Store.sort_key, Store.id)
        )
    )


def editions_to_add(session: Session, sheet: Sheet) -> list[tuple[int, str]]:
    """Return the editions that are not listed yet, with their names; withdrawn ones, too."""
    listed = [line.edition_id for line in sheet.lines]
    rows = session.execute(
        select(Edition, CardType.title)
        .join(CardType, Edition.card_type_id == CardType.id)
        .where(Edition.id.not_in(listed))
        .order_by(CardType.sort_key, CardType.id, Edition.running)
    )
    return [
        (
            edition.id,
            f"{title}, Auflage {edition.running}"
            f"{' (zurückgezogen)' if edition.withdrawn_at else ''}",
        )
        for edition, title in rows
    ]


@dataclass(frozen=True)
class Entry:
    """A stocktake in the list.

    Attributes:
        stocktake: the stocktake.
        store: name of the store.
        opened_by: who opened it.
        editions: how many lines it has.
        counted: how many of them are counted.
        missing: cards that are not there.
        surplus: cards that are too many.

    """

    stocktake: Stocktake
    store: str
    opened_by: str
    editions: int
    counted: int
    missing: int
    surplus: int


def list_stocktakes(session: Session, actor: Actor, store_id: int | None = None) -> list[Entry]:
    """Return the stocktakes that somebody may see, the latest first; one statement.

    Args:
        session: for reading.
        actor: the office, or a trainer: of the own box.
        store_id: of this store only.

    """
    difference = StocktakeLine.counted - StocktakeLine.book
    sums = (
        select(
            StocktakeLine.stocktake_id,
            func.count().label("editions"),
            func.count(StocktakeLine.counted).label("counted"),
            func.sum(difference).filter(difference < 0).label("missing"),
            func.sum(difference).filter(difference > 0).label("surplus"),
        )
        .group_by(StocktakeLine.stocktake_id)
        .subquery()
    )
    query = (
        select(Stocktake, Store.name, Person, sums)
        .join(Store, Stocktake.store_id == Store.id)
        .outerjoin(Person, Stocktake.opened_by_id == Person.id)
        .outerjoin(sums, sums.c.stocktake_id == Stocktake.id)
        .where(countable_by(actor))
        .order_by(Stocktake.opened_at.desc(), Stocktake.id.desc())
        .limit(MOST_LISTED)
    )
    if store_id is not None:
        query = query.where(Stocktake.store_id == store_id)
    return [
        Entry(
            stocktake=row.Stocktake,
            store=row.name,
            opened_by=row.Person.name if row.Person else "",
            editions=row.editions or 0,
            counted=row.counted or 0,
            missing=-int(row.missing or 0),
            surplus=int(row.surplus or 0),
        )
        for row in session.execute(query)
    ]
