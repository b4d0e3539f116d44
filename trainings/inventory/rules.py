"""What may be booked, how many are free, which edition leaves first: pure rules of the stock."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trainings.core.errors import DomainError
from trainings.core.formats import number
from trainings.inventory.models import LARGEST_QUANTITY, PlaceKind, StoreKind

GIVEN_AWAY = frozenset({PlaceKind.ORGANISATION, PlaceKind.EVENT, PlaceKind.OTHER})
"""Places from which cards are in use; what comes from there into a store is a return."""
ORDERS_FROM = frozenset({StoreKind.OFFICE, StoreKind.PARTNER})
"""Stores from which orders are sent; the reorder level counts what is free there, no boxes."""
_OUT_OF_A_STORE = GIVEN_AWAY | {PlaceKind.STORE, PlaceKind.LOSS}


@dataclass(frozen=True)
class Place:
    """One end of a movement.

    Attributes:
        kind: what it is.
        store_id: which store; None for everything else.

    """

    kind: PlaceKind
    store_id: int | None = None

    @property
    def is_store(self) -> bool:
        """Whether a balance is kept for it."""
        return self.kind is PlaceKind.STORE


PRINTER = Place(PlaceKind.PRINTER)
ORGANISATION = Place(PlaceKind.ORGANISATION)
EVENT = Place(PlaceKind.EVENT)
OTHER = Place(PlaceKind.OTHER)
RETURN = Place(PlaceKind.RETURN)
LOSS = Place(PlaceKind.LOSS)


def in_store(store_id: int) -> Place:
    """Return a store as the end of a movement."""
    return Place(PlaceKind.STORE, store_id)


def check_quantity(quantity: int, *, field: str | None = "quantity") -> None:
    """Refuse what is no number of cards.

    Raises:
        DomainError: `bad_quantity`, status 422.

    """
    if not 0 < quantity <= LARGEST_QUANTITY:
        raise DomainError(
            "bad_quantity",
            f"Bitte geben Sie eine ganze Zahl von 1 bis {number(LARGEST_QUANTITY)} an.",
            field=field,
            status=422,
        )


def check_ends(source: Place, target: Place, *, is_reversal: bool = False) -> None:
    """Refuse a movement that leads nowhere: anything may come into a store, not all may follow.

    Args:
        source: from where.
        target: to where.
        is_reversal: takes another movement back, so it may also lead to where cards only come from.

    Raises:
        DomainError: `same_place` or `no_such_way`, status 422.

    """
    if source == target:
        raise DomainError(
            "same_place",
            "Von und nach sind derselbe Ort. Bitte wählen Sie zwei verschiedene.",
            field="target",
            status=422,
        )
    if is_reversal:
        return
    if not target.is_store and not (source.is_store and target.kind in _OUT_OF_A_STORE):
        raise DomainError(
            "no_such_way",
            "Eine Bewegung beginnt oder endet in einem Lager. Bitte wählen Sie ein Lager aus.",
            field="target",
            status=422,
        )


def may_leave_withdrawn(target: Place, target_kind: StoreKind | None) -> bool:
    """Say whether cards of a withdrawn edition may still go there.

    They are issued to nobody and to no box; they may come back to the office and be destroyed.

    Args:
        target: where they are to go.
        target_kind: whose store it is; None if it is no store.

    """
    return target.kind is PlaceKind.LOSS or target_kind is StoreKind.OFFICE


@dataclass(frozen=True)
class Stock:
    """Cards of one edition in one store.

    Attributes:
        edition_id: the edition.
        running: its number among the editions of its card; the lowest leaves first.
        balance: how many lie there.
        held: how many of them are held for approved orders.

    """

    edition_id: int
    running: int
    balance: int
    held: int = 0

    @property
    def free(self) -> int:
        """How many may be given to somebody else; a stocktake may have left fewer than are held."""
        return max(0, self.balance - self.held)


def allot(stocks: Iterable[Stock], quantity: int) -> list[tuple[int, int]]:
    """Choose editions for a quantity, the oldest first.

    Args:
        stocks: editions of one card that may be issued, in one store.
        quantity: cards wanted.

    Returns:
        Pairs of an edition and how many of it; together fewer than wanted if there are not enough.

    """
    chosen = []
    for stock in sorted(stocks, key=lambda each: each.running):
        taken = min(stock.free, quantity)
        if taken > 0:
            chosen.append((stock.edition_id, taken))
            quantity -= taken
    return chosen


def cards_left(free: int) -> str:
    """Say how few cards are left, as a part of a refusal: „sind nur noch 80 Karten“."""
    if not free:
        return "ist keine Karte mehr"
    return "ist nur noch 1 Karte" if free == 1 else f"sind nur noch {number(free)} Karten"


def not_enough(what: str, where: str, stocks: Sequence[Stock], remedy: str = "") -> DomainError:
    """Return the refusal for somebody who wants more than is free.

    Args:
        what: the cards in words, such as „Schütze dich, Auflage 2“.
        where: the store's name.
        stocks: what lies there of them.
        remedy: a sentence with what helps where neither number nor store can be chosen.

    """
    free = sum(each.free for each in stocks)
    held = sum(each.held for each in stocks)
    kept = f" ({number(held)} sind für Bestellungen vorgemerkt)" if held else ""
    advice = (
        f"Bitte geben Sie höchstens {number(free)} an"
        if free
        else "Bitte wählen Sie ein anderes Lager"
    )
    return DomainError(
        "not_enough",
        f"Im Lager „{where}“ {cards_left(free)} von „{what}“ frei{kept}. {remedy or f'{advice}.'}",
        field="quantity",
    )


def taken_since(what: str, balance: int, missing: int) -> DomainError:
    """Return the refusal for a stocktake by which fewer cards were there than were taken since.

    Args:
        what: the cards in words.
        balance: how many there are by the book now.
        missing: how many the stocktake found to be missing.

    """
    return DomainError(
        "taken_since",
        f"Von „{what}“ wurden seit der Zählung Karten entnommen: Im Buch stehen noch "
        f"{number(balance)}, nach der Zählung fehlen aber {number(missing)}. Bitte zählen Sie "
        "diese Auflage noch einmal.",
    )
