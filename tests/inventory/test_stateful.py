"""Any sequence of bookings, holds and stocktakes against a simple model, on both databases.

The model says beforehand whether an operation is refused, and with which code; after each step the
database has to say the same as the model, so that what was refused has changed nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW, empty_database
from tests.factories import make_event, make_organisation
from tests.inventory.factories import make_card, make_order, make_store, new_key
from tests.inventory.model import CARD_OF, EDITIONS, STORES, Model, RefusedError, Spot
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.inventory.holds import end_holds, hold, move_holds_off
from trainings.inventory.ledger import (
    Booking,
    held_quantities,
    lock_all_stores,
    lock_stores,
)
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    PlaceKind,
    Reservation,
    StoreKind,
)
from trainings.inventory.rules import Place, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState
from trainings.inventory.stocktakes.operations import (
    abandon_stocktake,
    add_line,
    count_lines,
    open_stocktake,
    post_stocktake,
)
from trainings.inventory.stocktakes.queries import load_sheet

pytestmark = pytest.mark.both_databases
ORDERS = 3
OUTSIDE = [kind for kind in PlaceKind if kind is not PlaceKind.STORE]
quantities = st.integers(1, 9)
# Mostly the same store and edition, so that operations meet.
stores = st.sampled_from([0, 0, 0, *range(STORES)])
editions = st.sampled_from([0, 0, 0, *range(EDITIONS)])
orders = st.integers(0, ORDERS - 1)


class StockMachine(RuleBasedStateMachine):
    """Receives, moves, issues, holds, withdraws, counts and takes back in any order."""

    def __init__(self) -> None:
        super().__init__()
        db.session.remove()
        empty_database()
        self.model = Model()
        self.now = NOW
        self.counting: dict[int, int] = {}
        with transaction() as session:
            cards = [make_card(session, f"Karte {card}") for card in sorted(set(CARD_OF))]
            numbers: Counter[int] = Counter()
            self.card_ids = [card.id for card in cards]
            self.edition_ids = []
            for card in CARD_OF:
                numbers[card] += 1
                self.edition_ids.append(self.edition_of(session, card, numbers[card]))
            kinds = (StoreKind.OFFICE, StoreKind.PARTNER, StoreKind.PARTNER)
            self.store_ids = [
                make_store(session, f"Lager {number}", kind=kind).id
                for number, kind in enumerate(kinds)
            ]
            self.order_ids = [make_order(session).id for _ in range(ORDERS)]
            self.organisation_id = make_organisation(session).id
            self.event_id = make_event(session).id
        # Something to begin with, so that most sequences get as far as holds and stocktakes.
        for edition in range(EDITIONS):
            self.book(edition, 12, PlaceKind.PRINTER, 0)
            self.book(edition, 5, 0, 1)
        self.hold(order=0, store=1, card=0, quantity=4, hours=60)
        self.open_stocktake(store=0)

    def edition_of(self, session: Session, card: int, running: int) -> int:
        if running == 1:
            query = select(Edition.id).where(Edition.card_type_id == self.card_ids[card])
            return session.scalars(query).one()
        edition = Edition(
            card_type_id=self.card_ids[card], running=running, printed_on=NOW.date(), quantity=1
        )
        session.add(edition)
        session.flush()
        return edition.id

    def both(
        self, expected: Callable[[Model], object], operation: Callable[[Session], object]
    ) -> bool:
        """Do the same in the model and in the application; both refuse, or neither."""
        after, code = deepcopy(self.model), ""
        try:
            expected(after)
        except RefusedError as refusal:
            code = str(refusal)
        try:
            with transaction() as session:
                operation(session)
            answer = ""
        except DomainError as refusal:
            answer = refusal.code
            assert refusal.sentence
        assert answer == code
        if not code:
            self.model = after
        self.now += timedelta(minutes=1)
        return not code

    def place(self, spot: Spot) -> Place:
        return Place(spot) if isinstance(spot, PlaceKind) else in_store(self.store_ids[spot])

    def booking(self, edition: int, quantity: int, source: Spot, target: Spot) -> Booking:
        kinds = {source, target}
        return Booking(
            self.edition_ids[edition], quantity, self.place(source), self.place(target),
            organisation_id=self.organisation_id if PlaceKind.ORGANISATION in kinds else None,
            event_id=self.event_id if PlaceKind.EVENT in kinds else None,
        )  # fmt: skip

    def book(self, edition: int, quantity: int, source: Spot, target: Spot) -> None:
        booking = self.booking(edition, quantity, source, target)
        concerned = {end.store_id for end in (booking.source, booking.target)} - {None}
        self.both(
            lambda model: model.book(edition, quantity, source, target, self.now),
            lambda session: lock_stores(session, filter(None, concerned), self.now).book(
                SYSTEM, booking, key=new_key()
            ),
        )

    @rule(edition=editions, quantity=quantities, store=stores)
    def receive(self, edition: int, quantity: int, store: int) -> None:
        self.book(edition, quantity, PlaceKind.PRINTER, store)

    @rule(edition=editions, quantity=quantities, source=stores, to=stores)
    def transfer(self, edition: int, quantity: int, source: int, to: int) -> None:
        self.book(edition, quantity, source, to)

    @rule(edition=editions, quantity=quantities, store=stores, to=st.sampled_from(OUTSIDE))
    def issue_or_lose(self, edition: int, quantity: int, store: int, to: PlaceKind) -> None:
        self.book(edition, quantity, store, to)

    @rule(edition=editions, quantity=quantities, source=st.sampled_from(OUTSIDE), store=stores)
    def bring_back(self, edition: int, quantity: int, source: PlaceKind, store: int) -> None:
        self.book(edition, quantity, source, store)

    @rule(edition=editions, ends=st.tuples(st.sampled_from(OUTSIDE), st.sampled_from(OUTSIDE)))
    def lead_past_every_store(self, edition: int, ends: tuple[PlaceKind, PlaceKind]) -> None:
        self.book(edition, 1, *ends)

    @rule(which=st.integers(0, 60))
    def reverse(self, which: int) -> None:
        ids = db.session.scalars(select(Movement.id).order_by(Movement.id)).all()
        index = which % len(ids)
        self.both(
            lambda model: model.reverse(index, self.now),
            lambda session: lock_all_stores(session, self.now).reverse(
                SYSTEM, ids[index], reason="falsch", key=new_key()
            ),
        )

    @rule(which=st.integers(0, 60), store=stores)
    def send_a_form_again(self, which: int, store: int) -> None:
        keys = db.session.scalars(select(Movement.key).order_by(Movement.id)).all()
        booking = self.booking(0, 1, PlaceKind.PRINTER, store)
        self.both(
            lambda model: None,
            lambda session: lock_all_stores(session, self.now).book(
                SYSTEM, booking, key=keys[which % len(keys)]
            ),
        )

    @rule(order=orders, store=stores, card=st.sampled_from(sorted(set(CARD_OF))),
          quantity=quantities, hours=st.integers(1, 72))  # fmt: skip
    def hold(self, order: int, store: int, card: int, quantity: int, hours: int) -> None:
        until = self.now + timedelta(hours=hours)

        def operation(session: Session) -> None:
            locked = lock_stores(session, [self.store_ids[store]], self.now)
            hold(
                locked, self.order_ids[order], self.store_ids[store],
                session.get_one(CardType, self.card_ids[card]), quantity=quantity, until=until,
            )  # fmt: skip

        self.both(
            lambda model: model.hold(order, store, card, quantity, until=until, now=self.now),
            operation,
        )

    @rule(order=orders)
    def end_holds(self, order: int) -> None:
        def operation(session: Session) -> None:
            lock_all_stores(session, self.now)
            end_holds(session, self.order_ids[order], self.now)

        self.both(lambda model: model.end_holds(order), operation)

    @rule(order=orders)
    def send(self, order: int) -> None:
        """End the holds of an order and issue what they held, altogether or not at all."""

        def operation(session: Session) -> None:
            locked = lock_all_stores(session, self.now)
            for held in end_holds(session, self.order_ids[order], self.now):
                locked.book(
                    SYSTEM,
                    Booking(
                        held.edition_id, held.quantity, in_store(held.store_id),
                        Place(PlaceKind.ORGANISATION), organisation_id=self.organisation_id,
                        order_id=held.order_id,
                    ),
                    key=new_key(),
                )  # fmt: skip

        self.both(lambda model: model.send(order, self.now), operation)

    @rule(hours=st.integers(1, 48))
    def let_time_pass(self, hours: int) -> None:
        """Let holds run out; nobody sweeps them up."""
        self.now += timedelta(hours=hours)

    @precondition(lambda self: not self.model.withdrawn)
    @rule(edition=editions)
    def withdraw(self, edition: int) -> None:
        def operation(session: Session) -> None:
            locked = lock_all_stores(session, self.now)
            found = session.get_one(Edition, self.edition_ids[edition])
            found.withdrawn_at = self.now
            session.flush()
            move_holds_off(locked, found)

        self.both(lambda model: model.withdraw(edition, self.now), operation)

    @rule(store=stores)
    def open_stocktake(self, store: int) -> None:
        def operation(session: Session) -> None:
            opened = open_stocktake(session, SYSTEM, self.store_ids[store], self.now)
            self.counting[store] = opened.id

        self.both(lambda model: model.open_stocktake(store, self.now), operation)

    @precondition(lambda self: self.counting)
    @rule(which=stores, edition=editions)
    def find_an_edition(self, which: int, edition: int) -> None:
        store = self.counted_store(which)
        self.both(
            lambda model: model.add_line(store, edition),
            lambda session: add_line(
                session, SYSTEM, self.counting[store], self.edition_ids[edition], self.now
            ),
        )

    @precondition(lambda self: self.counting)
    @rule(which=stores, edition=editions, difference=st.sampled_from([0, 0, -2, -8, 1, 3]),
          ago=st.none() | st.integers(0, 4))  # fmt: skip
    def count(self, which: int, edition: int, difference: int, ago: int | None) -> None:
        store = self.counted_store(which)
        moment = self.now - timedelta(minutes=ago or 0)
        counted = max(0, self.model.book_value(store, edition, moment) + difference)
        self.both(
            lambda model: model.count(store, edition, counted, moment),
            lambda session: count_lines(
                session, SYSTEM, self.counting[store], {self.edition_ids[edition]: counted},
                counted_at=None if ago is None else moment, now=self.now,
            ),
        )  # fmt: skip

    @precondition(lambda self: self.counting)
    @rule(which=stores, leave_out=st.booleans())
    def post(self, which: int, leave_out: bool) -> None:
        store = self.counted_store(which)
        stocktake_id = self.counting[store]
        seen = load_sheet(db.session(), SYSTEM, stocktake_id, self.now).seen
        done = self.both(
            lambda model: model.post(store, self.now, leave_out=leave_out),
            lambda session: post_stocktake(
                session, SYSTEM, stocktake_id, seen=seen, reason="verlegt",
                left_out=self.edition_ids if leave_out else (), now=self.now,
            ),
        )  # fmt: skip
        if done:
            del self.counting[store]

    @precondition(lambda self: self.counting)
    @rule(which=stores)
    def give_up(self, which: int) -> None:
        store = self.counted_store(which)
        self.both(
            lambda model: model.counting.pop(store),
            lambda session: abandon_stocktake(
                session, SYSTEM, self.counting[store], reason="verzählt", now=self.now
            ),
        )
        del self.counting[store]

    def counted_store(self, which: int) -> int:
        return sorted(self.counting)[which % len(self.counting)]

    @invariant()
    def balances_are_the_sums_of_the_journal_and_never_negative(self) -> None:
        db.session.remove()
        summed: Counter[tuple[int, int]] = Counter()
        for movement in db.session.scalars(select(Movement)):
            assert movement.quantity > 0
            for sign, store in ((1, movement.target_store_id), (-1, movement.source_store_id)):
                if store is not None:
                    summed[store, movement.edition_id] += sign * movement.quantity
        stored = {
            (row.store_id, row.edition_id): row.quantity
            for row in db.session.scalars(select(Balance))
        }
        assert min(stored.values(), default=0) >= 0
        assert {key: cards for key, cards in stored.items() if cards} == {
            key: cards for key, cards in summed.items() if cards
        }
        for store, store_id in enumerate(self.store_ids):
            for edition, edition_id in enumerate(self.edition_ids):
                assert stored.get((store_id, edition_id), 0) == self.model.cards[store, edition]

    @invariant()
    def no_card_is_lost_or_created(self) -> None:
        """What was printed lies in a store, was given away or is lost."""
        movements = db.session.scalars(select(Movement)).all()
        assert len(movements) == len(self.model.journal)
        for edition, edition_id in enumerate(self.edition_ids):
            there: Counter[PlaceKind] = Counter()
            for each in movements:
                if each.edition_id == edition_id:
                    there[each.target] += each.quantity
                    there[each.source] -= each.quantity
            assert there.total() == 0
            assert -there[PlaceKind.PRINTER] == sum(
                cards for kind, cards in there.items() if kind is not PlaceKind.PRINTER
            )
            for kind in OUTSIDE:
                assert there[kind] == self.model.cards[kind, edition]

    @invariant()
    def holds_are_those_of_the_model_until_they_run_out(self) -> None:
        held = held_quantities(db.session(), self.now)
        for store, store_id in enumerate(self.store_ids):
            for edition, edition_id in enumerate(self.edition_ids):
                expected = self.model.held(store, edition, self.now)
                assert held.get((store_id, edition_id), 0) == expected
        rows = db.session.scalars(select(Reservation).where(Reservation.ended_at.is_(None)))
        assert Counter(
            (row.order_id, row.store_id, row.edition_id, row.quantity) for row in rows
        ) == Counter(
            (
                self.order_ids[each.order],
                self.store_ids[each.store],
                self.edition_ids[each.edition],
                each.quantity,
            )
            for each in self.model.holds
        )

    @invariant()
    def counts_stand_beside_the_book_value_of_their_moment(self) -> None:
        open_ids = select(Stocktake.id).where(Stocktake.state == StocktakeState.COUNTING)
        assert set(db.session.scalars(open_ids)) == set(self.counting.values())
        for store, stocktake_id in self.counting.items():
            lines = db.session.scalars(
                select(StocktakeLine).where(StocktakeLine.stocktake_id == stocktake_id)
            )
            found = {
                self.edition_ids.index(line.edition_id): (line.counted, line.book) for line in lines
            }
            assert found == {
                edition: line or (None, None)
                for edition, line in self.model.counting[store].lines.items()
            }


def test_any_sequence_of_operations_keeps_book_and_shelf_together(app: Flask) -> None:
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
