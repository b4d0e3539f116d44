"""What the stock should be after any sequence of operations: dictionaries instead of a database.

Stores, editions and orders are counted from 0; a place is the index of a store or a kind of place.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from trainings.inventory.models import PlaceKind

Spot = int | PlaceKind
CARD_OF = (0, 0, 1)
"""The card of each edition: two of one, one of another."""
EDITIONS = len(CARD_OF)
STORES = 3
OFFICE = 0
"""The store to which cards of a withdrawn edition may come back."""
LEADS_OUT = (PlaceKind.ORGANISATION, PlaceKind.EVENT, PlaceKind.OTHER, PlaceKind.LOSS)


class RefusedError(Exception):
    """The operation is to be refused with this code."""


@dataclass
class Held:
    """Cards held for an order."""

    order: int
    store: int
    edition: int
    quantity: int
    until: datetime


@dataclass
class Booked:
    """A movement."""

    edition: int
    quantity: int
    source: Spot
    target: Spot
    at: datetime
    of_stocktake: bool = False
    is_reversal: bool = False
    reversed: bool = False


@dataclass
class Counting:
    """An open stocktake: for each edition counted and book, or nothing yet."""

    opened_at: datetime
    lines: dict[int, tuple[int, int] | None]


@dataclass
class Model:
    """The stock."""

    cards: Counter[tuple[Spot, int]] = field(default_factory=Counter)
    holds: list[Held] = field(default_factory=list)
    journal: list[Booked] = field(default_factory=list)
    withdrawn: set[int] = field(default_factory=set)
    counting: dict[int, Counting] = field(default_factory=dict)

    def held(self, store: int, edition: int, now: datetime) -> int:
        return sum(
            each.quantity
            for each in self.holds
            if (each.store, each.edition) == (store, edition) and each.until > now
        )

    def free(self, store: int, edition: int, now: datetime) -> int:
        return max(0, self.cards[store, edition] - self.held(store, edition, now))

    def write(self, booked: Booked) -> None:
        self.cards[booked.source, booked.edition] -= booked.quantity
        self.cards[booked.target, booked.edition] += booked.quantity
        self.journal.append(booked)

    def book(self, edition: int, quantity: int, source: Spot, target: Spot, now: datetime) -> None:
        if source == target:
            raise RefusedError("same_place")
        in_store = not isinstance(target, PlaceKind)
        if not in_store and (isinstance(source, PlaceKind) or target not in LEADS_OUT):
            raise RefusedError("no_such_way")
        if edition in self.withdrawn and target not in {OFFICE, PlaceKind.LOSS}:
            raise RefusedError("edition_withdrawn")
        if not isinstance(source, PlaceKind) and quantity > self.free(source, edition, now):
            raise RefusedError("not_enough")
        self.write(Booked(edition, quantity, source, target, now))

    def reverse(self, index: int, now: datetime) -> None:
        booked = self.journal[index]
        if booked.is_reversal:
            raise RefusedError("is_reversal")
        if booked.reversed:
            raise RefusedError("already_reversed")
        source, target = booked.target, booked.source
        if not isinstance(source, PlaceKind) and (
            booked.quantity > self.free(source, booked.edition, now)
        ):
            raise RefusedError("not_enough")
        booked.reversed = True
        self.write(
            Booked(
                booked.edition, booked.quantity, source, target, now,
                of_stocktake=booked.of_stocktake, is_reversal=True,
            )
        )  # fmt: skip

    def allot(self, store: int, card: int, quantity: int, now: datetime) -> list[tuple[int, int]]:
        chosen = []
        for edition, its_card in enumerate(CARD_OF):
            if its_card == card and edition not in self.withdrawn:
                taken = min(quantity, self.free(store, edition, now))
                quantity -= taken
                if taken:
                    chosen.append((edition, taken))
        return chosen

    def hold(
        self, order: int, store: int, card: int, quantity: int, *, until: datetime, now: datetime
    ) -> None:
        chosen = self.allot(store, card, quantity, now)
        if sum(taken for _, taken in chosen) < quantity:
            raise RefusedError("not_enough")
        self.holds += [Held(order, store, edition, taken, until) for edition, taken in chosen]

    def end_holds(self, order: int) -> list[Held]:
        ended = [each for each in self.holds if each.order == order]
        self.holds = [each for each in self.holds if each.order != order]
        return ended

    def send(self, order: int, now: datetime) -> None:
        for each in self.end_holds(order):
            self.book(each.edition, each.quantity, each.store, PlaceKind.ORGANISATION, now)

    def withdraw(self, edition: int, now: datetime) -> None:
        self.withdrawn.add(edition)
        concerned = [each for each in self.holds if each.edition == edition and each.until > now]
        for each in concerned:
            self.holds.remove(each)
            self.holds += [
                Held(each.order, each.store, other, taken, each.until)
                for other, taken in self.allot(each.store, CARD_OF[edition], each.quantity, now)
            ]

    def open_stocktake(self, store: int, now: datetime) -> None:
        if store in self.counting:
            raise RefusedError("stocktake_open")
        moved = {each.edition for each in self.journal if store in {each.source, each.target}}
        self.counting[store] = Counting(now, dict.fromkeys(sorted(moved)))

    def add_line(self, store: int, edition: int) -> None:
        if edition in self.counting[store].lines:
            raise RefusedError("already_listed")
        self.counting[store].lines[edition] = None

    def book_value(self, store: int, edition: int, moment: datetime) -> int:
        """Add up the journal to a moment: another way than the application's, which goes back."""
        until = [each for each in self.journal if each.edition == edition and each.at <= moment]
        came = sum(each.quantity for each in until if each.target == store)
        return came - sum(each.quantity for each in until if each.source == store)

    def count(self, store: int, edition: int, counted: int, moment: datetime) -> None:
        counting = self.counting[store]
        if moment < counting.opened_at:
            raise RefusedError("counted_before_opening")
        if edition not in counting.lines:
            raise RefusedError("not_found")
        counting.lines[edition] = (counted, self.book_value(store, edition, moment))

    def post(self, store: int, now: datetime, *, leave_out: bool) -> None:
        lines = self.counting.pop(store).lines
        if all(line is None for line in lines.values()):
            raise RefusedError("nothing_counted")
        if None in lines.values() and not leave_out:
            raise RefusedError("not_counted")
        for edition, line in sorted(lines.items()):
            difference = line[0] - line[1] if line else 0
            if self.cards[store, edition] + difference < 0:
                raise RefusedError("taken_since")
            if difference:
                source, target = (
                    (PlaceKind.LOSS, store) if difference > 0 else (store, PlaceKind.LOSS)
                )
                self.write(Booked(edition, abs(difference), source, target, now, of_stocktake=True))
