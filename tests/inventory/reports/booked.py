"""Books movements for the tests of the reports, each at an instant of its own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.inventory.factories import fill, make_card, make_store, new_key
from trainings.core.actors import SYSTEM
from trainings.inventory.ledger import Booking, lock_all_stores
from trainings.inventory.models import CardType, Edition, Movement, PlaceKind, Store
from trainings.inventory.rules import Place, in_store


@dataclass
class Shelf:
    """A card with its editions, and the office's store in which they lie."""

    session: Session
    card: CardType
    store: Store

    @property
    def edition(self) -> Edition:
        """The first edition."""
        return self.card.editions[0]

    def give(
        self,
        quantity: int,
        at: datetime = NOW,
        *,
        to: PlaceKind = PlaceKind.OTHER,
        edition: Edition | None = None,
        store: Store | None = None,
        **about: int | None,
    ) -> Movement:
        """Give cards away, or lose them."""
        return self._book(quantity, at, edition, store, Place(to), outwards=True, **about)

    def take(
        self,
        quantity: int,
        at: datetime = NOW,
        *,
        source: PlaceKind = PlaceKind.OTHER,
        edition: Edition | None = None,
        store: Store | None = None,
        **about: int | None,
    ) -> Movement:
        """Take cards back, or find them."""
        return self._book(quantity, at, edition, store, Place(source), outwards=False, **about)

    def move(self, quantity: int, target: Store, at: datetime = NOW) -> Movement:
        """Bring cards into another store."""
        return self._book(quantity, at, None, None, in_store(target.id), outwards=True)

    def reverse(self, movement: Movement, at: datetime = NOW) -> Movement:
        """Take a movement back."""
        locked = lock_all_stores(self.session, at)
        return locked.reverse(SYSTEM, movement.id, reason="falsch", key=new_key())

    def _book(
        self,
        quantity: int,
        at: datetime,
        edition: Edition | None,
        store: Store | None,
        other: Place,
        *,
        outwards: bool,
        **about: int | None,
    ) -> Movement:
        own = in_store((store or self.store).id)
        source, target = (own, other) if outwards else (other, own)
        booking = Booking((edition or self.edition).id, quantity, source, target, **about)
        return lock_all_stores(self.session, at).book(SYSTEM, booking, key=new_key())


def make_shelf(session: Session, quantity: int = 5_000, *, editions: int = 1) -> Shelf:
    """Add a card, its store, and so many of each edition in it, long ago."""
    card, store = make_card(session, editions=editions), make_store(session)
    for edition in card.editions:
        fill(session, store, edition, quantity)
    return Shelf(session, card, store)
