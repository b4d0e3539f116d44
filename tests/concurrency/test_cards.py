"""Several people at once for the same cards: threads that really commit, on both databases."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together, without_immediate
from tests.conftest import NOW
from tests.factories import LONG_AGO, actor_for, make_person
from tests.inventory.factories import (
    balance,
    fill,
    journal_sum,
    make_card,
    make_order,
    make_store,
    new_key,
)
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Role
from trainings.inventory.holds import hold
from trainings.inventory.ledger import Booking, LockedStock, lock_stores
from trainings.inventory.models import CardType, Edition, Movement, Reservation, Store
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.steps import lock_order
from trainings.inventory.rules import OTHER, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine
from trainings.inventory.stocktakes.operations import count_lines, open_stocktake, post_stocktake
from trainings.inventory.stocktakes.queries import load_sheet

pytestmark = pytest.mark.both_databases
THREADS = 12
ROUNDS = 5


@dataclass(frozen=True)
class Shelf:
    """The office's store with the last cards of an edition, and a trainer's empty box."""

    office: Actor
    store_id: int
    box_id: int
    edition_id: int
    card_id: int

    def stored(self, store_id: int) -> int:
        """Return the balance; the journal has to say the same."""
        db.session.remove()
        session = db.session()
        store = session.get_one(Store, store_id)
        edition = session.get_one(Edition, self.edition_id)
        assert balance(session, store, edition) == journal_sum(session, store, edition)
        return balance(session, store, edition)


def make_shelf(cards: int = 100, in_box: int = 0) -> Shelf:
    with transaction() as session:
        office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        trainer = make_person(session, roles=(Role.TRAINER,))
        card = make_card(session)
        store, box = make_store(session), make_store(session, "Box", person=trainer)
        for place, number in ((store, cards), (box, in_box)):
            if number:
                fill(session, place, card.editions[0], number)
        return Shelf(office, store.id, box.id, card.editions[0].id, card.id)


def transfer(shelf: Shelf, source: int, target: int, cards: int, key: str = "") -> int:
    with transaction() as session:
        booking = Booking(shelf.edition_id, cards, in_store(source), in_store(target))
        locked = lock_stores(session, [source, target], NOW)
        return locked.book(shelf.office, booking, key=key or new_key()).id


def approve(shelf: Shelf, order_id: int, cards: int) -> int:
    with transaction() as session:
        order = lock_order(session, order_id)
        locked = lock_stores(session, [shelf.store_id], NOW)
        held = hold(
            locked, order.id, shelf.store_id, session.get_one(CardType, shelf.card_id),
            quantity=cards, until=NOW + timedelta(days=14),
        )  # fmt: skip
        order.state = OrderState.APPROVED
        return sum(row.quantity for row in held)


def counted_stocktake(shelf: Shelf, cards: int) -> tuple[int, str]:
    """Open a stocktake and count; return it with what was seen of it."""
    with transaction() as session:
        stocktake_id = open_stocktake(session, shelf.office, shelf.store_id, LONG_AGO).id
    with transaction() as session:
        count_lines(session, shelf.office, stocktake_id, {shelf.edition_id: cards}, now=LONG_AGO)
    return stocktake_id, load_sheet(db.session(), shelf.office, stocktake_id, NOW).seen


def post(shelf: Shelf, stocktake_id: int, seen: str) -> None:
    with transaction() as session:
        post_stocktake(session, shelf.office, stocktake_id, seen=seen, reason="weg", now=NOW)


def requested_order() -> int:
    with transaction() as session:
        return make_order(session, state=OrderState.REQUESTED).id


@pytest.mark.parametrize("round_", range(ROUNDS))
def test_an_order_a_trainer_and_a_stocktake_want_the_last_hundred(app: Flask, round_: int) -> None:
    """Whoever comes first gets them; the others are told, and no card is there twice."""
    shelf, order_id = make_shelf(), requested_order()
    stocktake_id, seen = counted_stocktake(shelf, 0)
    claims: list[Callable[[], object]] = [
        partial(approve, shelf, order_id, 100),
        partial(transfer, shelf, shelf.store_id, shelf.box_id, 100),
        partial(post, shelf, stocktake_id, seen),
    ]
    # Each may be the first to start its thread.
    turned = claims[round_ % 3 :] + claims[: round_ % 3]
    results = dict(zip(turned, run_together(app, turned), strict=True))
    approved, moved, posted = (results[claim] for claim in claims)
    in_box, in_store_now = shelf.stored(shelf.box_id), shelf.stored(shelf.store_id)
    held = db.session.scalar(select(func.sum(Reservation.quantity))) or 0
    lost = db.session.scalar(
        select(func.sum(Movement.quantity)).where(Movement.stocktake_id.is_not(None))
    ) or 0  # fmt: skip
    assert in_box + in_store_now + lost == 100
    refusals = [
        each for each in (approved, moved, posted) if each is not None and not isinstance(each, int)
    ]
    assert all(isinstance(each, DomainError) for each in refusals), refusals
    codes = Counter(each.code for each in refusals if isinstance(each, DomainError))
    if isinstance(moved, int):
        assert (in_box, held, codes) == (100, 0, {"not_enough": 1, "taken_since": 1})
    elif isinstance(approved, int):
        # A stocktake states what is there, even if it was promised: the order lacks cards then.
        assert (posted, held, lost, codes) == (None, 100, 100, {"not_enough": 1})
    else:
        assert (posted, held, lost, codes) == (None, 0, 100, {"not_enough": 2})
    for refusal in refusals:
        assert isinstance(refusal, DomainError)
        assert "Bitte" in refusal.sentence
        assert "Auflage" in refusal.sentence or "Lager Essen" in refusal.sentence
    state = db.session.get_one(CardOrder, order_id).state
    assert (state is OrderState.APPROVED) == isinstance(approved, int)


def test_many_want_the_last_cards_and_exactly_these_are_given(app: Flask) -> None:
    shelf = make_shelf(100)

    def issue(cards: int) -> int:
        with transaction() as session:
            booking = Booking(shelf.edition_id, cards, in_store(shelf.store_id), OTHER)
            locked = lock_stores(session, [shelf.store_id], NOW)
            return locked.book(SYSTEM, booking, key=new_key()).quantity

    results = run_together(app, [partial(issue, 30)] * THREADS)
    assert Counter(type(each) for each in results) == {int: 3, DomainError: THREADS - 3}
    assert shelf.stored(shelf.store_id) == 10
    sentences = {each.sentence for each in results if isinstance(each, DomainError)}
    assert any("höchstens 10 an" in sentence for sentence in sentences)


def test_the_same_form_twice_at_the_same_second_books_once(app: Flask) -> None:
    shelf = make_shelf()

    def submit() -> str:
        def work(session: Session) -> Outcome:
            booking = Booking(shelf.edition_id, 40, in_store(shelf.store_id), OTHER)
            locked = lock_stores(session, [shelf.store_id], NOW)
            movement = locked.book(shelf.office, booking, key="form-1")
            return Outcome(f"/bewegung/{movement.id}")

        return once("form-1", NOW, work).url

    results = run_together(app, [submit] * THREADS)
    assert len(set(results)) == 1
    assert all(isinstance(each, str) for each in results), results
    assert shelf.stored(shelf.store_id) == 60


def test_the_same_key_books_once_even_without_a_form(app: Flask) -> None:
    shelf = make_shelf()
    booked = run_together(
        app, [partial(transfer, shelf, shelf.store_id, shelf.box_id, 40, "step-1")] * THREADS
    )
    assert len(set(booked)) == 1
    assert isinstance(booked[0], int)
    assert (shelf.stored(shelf.store_id), shelf.stored(shelf.box_id)) == (60, 40)


def test_a_movement_is_taken_back_once(app: Flask) -> None:
    shelf = make_shelf()
    movement_id = transfer(shelf, shelf.store_id, shelf.box_id, 40)
    # Enough in the box that the second reversal would not fail for want of cards.
    transfer(shelf, shelf.store_id, shelf.box_id, 50)

    def take_back() -> int:
        with transaction() as session:
            locked = lock_stores(session, [shelf.store_id, shelf.box_id], NOW)
            return locked.reverse(shelf.office, movement_id, reason="falsch", key=new_key()).id

    results = run_together(app, [take_back] * 4)
    codes = [each.code for each in results if isinstance(each, DomainError)]
    assert codes == ["already_reversed"] * 3
    assert (shelf.stored(shelf.store_id), shelf.stored(shelf.box_id)) == (50, 50)


def test_transfers_in_opposite_directions_do_not_block_each_other(app: Flask) -> None:
    shelf = make_shelf(500, in_box=500)
    there = partial(transfer, shelf, shelf.store_id, shelf.box_id, 7)
    back = partial(transfer, shelf, shelf.box_id, shelf.store_id, 5)
    results = run_together(app, [there, back] * (THREADS // 2))
    assert [each for each in results if not isinstance(each, int)] == []
    moved = (THREADS // 2) * 2
    assert shelf.stored(shelf.store_id) == 500 - moved
    assert shelf.stored(shelf.box_id) == 500 + moved


def test_one_stocktake_is_opened_and_posted_once(app: Flask) -> None:
    shelf = make_shelf()

    def begin() -> int:
        with transaction() as session:
            return open_stocktake(session, shelf.office, shelf.store_id, LONG_AGO).id

    opened = run_together(app, [begin] * 4)
    codes = [each.code for each in opened if isinstance(each, DomainError)]
    assert codes == ["stocktake_open"] * 3
    (stocktake_id,) = db.session.scalars(select(Stocktake.id))
    with transaction() as session:
        count_lines(session, shelf.office, stocktake_id, {shelf.edition_id: 90}, now=LONG_AGO)
    seen = load_sheet(db.session(), shelf.office, stocktake_id, NOW).seen
    posted = run_together(app, [partial(post, shelf, stocktake_id, seen)] * 4)
    assert posted.count(None) == 1
    codes = [each.code for each in posted if isinstance(each, DomainError)]
    assert codes == ["stocktake_finished"] * 3
    assert shelf.stored(shelf.store_id) == 90


def test_counting_while_cards_leave_keeps_a_book_value_that_was_true(app: Flask) -> None:
    shelf = make_shelf()
    with transaction() as session:
        stocktake_id = open_stocktake(session, shelf.office, shelf.store_id, LONG_AGO).id

    def count() -> None:
        with transaction() as session:
            count_lines(session, shelf.office, stocktake_id, {shelf.edition_id: 100}, now=NOW)

    leave = partial(transfer, shelf, shelf.store_id, shelf.box_id, 10)
    run_together(app, [count, *[leave] * 6])
    db.session.remove()
    line = db.session.get_one(StocktakeLine, (stocktake_id, shelf.edition_id))
    assert line.book in range(40, 101, 10)
    assert line.counted is not None
    expected = shelf.stored(shelf.store_id) + line.counted - line.book
    post(shelf, stocktake_id, load_sheet(db.session(), shelf.office, stocktake_id, NOW).seen)
    assert shelf.stored(shelf.store_id) == expected


def test_without_the_lock_the_same_cards_are_given_twice(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: nothing else keeps them apart."""
    shelf = make_shelf(100)
    all_have_looked = threading.Barrier(2)
    plain_stocks = LockedStock.stocks

    def look_and_wait(self: LockedStock, *args: object) -> object:
        found = plain_stocks(self, *args)  # type: ignore[arg-type]
        all_have_looked.wait(60)
        return found

    def take() -> int:
        with transaction() as session:
            stores = {shelf.store_id: session.get_one(Store, shelf.store_id)}
            booking = Booking(shelf.edition_id, 100, in_store(shelf.store_id), OTHER)
            return LockedStock(session, stores, NOW).book(SYSTEM, booking, key=new_key()).id

    monkeypatch.setattr(LockedStock, "stocks", look_and_wait)
    if backend == "sqlite":
        with without_immediate():
            results = run_together(app, [take] * 2)
        # There the database refuses whoever has read before the other one wrote.
        assert Counter(map(type, results)) == {int: 1, OperationalError: 1}
        return
    results = run_together(app, [take] * 2)
    assert all(isinstance(each, int) for each in results), results
    issued = db.session.scalar(
        select(func.sum(Movement.quantity)).where(Movement.target == "other")
    )
    assert issued == 200
