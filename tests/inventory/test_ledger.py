"""Booking: journal and balances together, never below zero, never changed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import make_event, make_organisation
from tests.inventory.factories import (
    balance,
    fill,
    journal_sum,
    make_card,
    make_order,
    make_store,
    new_key,
)
from trainings.core.actors import SYSTEM
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.inventory.holds import end_holds, hold, move_holds_off
from trainings.inventory.ledger import Booking, LockedStock, lock_all_stores, lock_stores
from trainings.inventory.models import Edition, Movement, PlaceKind, Store, StoreKind
from trainings.inventory.rules import EVENT, LOSS, ORGANISATION, OTHER, PRINTER, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState

pytestmark = pytest.mark.both_databases


def stocked(session: Session, quantity: int = 100) -> tuple[LockedStock, Store, Edition]:
    card = make_card(session, editions=2)
    store = make_store(session)
    fill(session, store, card.editions[0], quantity)
    return lock_stores(session, [store.id], NOW), store, card.editions[0]


def refused(locked: LockedStock, booking: Booking) -> str:
    with pytest.raises(DomainError) as refusal:
        locked.book(SYSTEM, booking, key=new_key())
    return refusal.value.code


def test_a_booking_changes_both_balances(app: Flask) -> None:
    with transaction() as session:
        _, store, edition = stocked(session)
        box = make_store(session, "Box", kind=StoreKind.PARTNER)
        locked = lock_stores(session, [store.id, box.id], NOW)
        locked.book(
            SYSTEM, Booking(edition.id, 40, in_store(store.id), in_store(box.id)), key=new_key()
        )
        assert (balance(session, store, edition), balance(session, box, edition)) == (60, 40)
        assert journal_sum(session, store, edition) == 60


def test_nothing_leaves_that_is_not_there(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session, 10)
        assert refused(locked, Booking(edition.id, 11, in_store(store.id), OTHER)) == "not_enough"
        locked.book(SYSTEM, Booking(edition.id, 10, in_store(store.id), OTHER), key=new_key())
        assert refused(locked, Booking(edition.id, 1, in_store(store.id), LOSS)) == "not_enough"
        assert balance(session, store, edition) == 0


@pytest.mark.parametrize("quantity", [0, -5, 10**12])
def test_a_quantity_is_a_number_of_cards(app: Flask, quantity: int) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        booking = Booking(edition.id, quantity, in_store(store.id), OTHER)
        assert refused(locked, booking) == "bad_quantity"
        assert refused(locked, replace(booking, source=PRINTER, target=in_store(store.id)))


def test_a_key_books_once(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        booking = Booking(edition.id, 30, in_store(store.id), OTHER)
        first = locked.book(SYSTEM, booking, key="once")
        assert locked.book(SYSTEM, booking, key="once") is first
        assert balance(session, store, edition) == 70


def test_an_issue_keeps_the_kind_of_the_organisation(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        organisation = make_organisation(session)
        booking = Booking(
            edition.id, 5, in_store(store.id), ORGANISATION, organisation_id=organisation.id
        )
        assert locked.book(SYSTEM, booking, key="a").organisation_kind is organisation.kind


def test_cards_only_go_where_they_can(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        here = in_store(store.id)
        assert refused(locked, Booking(edition.id, 1, here, here)) == "same_place"
        assert refused(locked, Booking(edition.id, 1, here, PRINTER)) == "no_such_way"
        assert refused(locked, Booking(edition.id, 1, PRINTER, EVENT)) == "no_such_way"


def test_a_reversal_leads_back_once(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        event = make_event(session)
        given = locked.book(
            SYSTEM,
            Booking(edition.id, 12, in_store(store.id), EVENT, event_id=event.id),
            key="given",
        )
        back = locked.reverse(SYSTEM, given.id, reason="falsch", key="back")
        assert (back.source, back.target_store_id) == (PlaceKind.EVENT, store.id)
        assert (back.reverses_id, back.event_id) == (given.id, event.id)
        assert balance(session, store, edition) == 100
        for movement, code in ((given, "already_reversed"), (back, "is_reversal")):
            with pytest.raises(DomainError) as refusal:
                locked.reverse(SYSTEM, movement.id, reason="x", key=new_key())
            assert refusal.value.code == code


def test_a_receipt_that_is_given_away_cannot_be_reversed(app: Flask) -> None:
    with transaction() as session:
        card, store = make_card(session), make_store(session)
        received = fill(session, store, card.editions[0], 10)
        locked = lock_stores(session, [store.id], NOW)
        locked.book(
            SYSTEM, Booking(card.editions[0].id, 1, in_store(store.id), OTHER), key=new_key()
        )
        with pytest.raises(DomainError) as refusal:
            locked.reverse(SYSTEM, received.id, reason="doppelt", key=new_key())
        assert refusal.value.code == "not_enough"
        assert "nehmen Sie zuerst zurück, was mit diesen Karten" in refusal.value.sentence
        assert "Bitte geben Sie" not in refusal.value.sentence


def test_a_withdrawn_edition_only_comes_back(app: Flask) -> None:
    with transaction() as session:
        locked, store, edition = stocked(session)
        edition.withdrawn_at = NOW
        session.flush()
        here = in_store(store.id)
        assert refused(locked, Booking(edition.id, 1, here, OTHER)) == "edition_withdrawn"
        locked.book(SYSTEM, Booking(edition.id, 1, here, LOSS), key=new_key())
        locked.book(SYSTEM, Booking(edition.id, 1, OTHER, here), key=new_key())
        assert balance(session, store, edition) == 100


def test_what_is_held_leaves_for_nobody_else_until_the_hold_runs_out(app: Flask) -> None:
    until = NOW + timedelta(days=14)
    with transaction() as session:
        locked, store, edition = stocked(session)
        order = make_order(session)
        hold(locked, order.id, store.id, edition.card_type, quantity=70, until=until)
        booking = Booking(edition.id, 31, in_store(store.id), OTHER)
        assert refused(locked, booking) == "not_enough"
        lock_stores(session, [store.id], until).book(SYSTEM, booking, key=new_key())
        assert balance(session, store, edition) == 69


def test_the_oldest_edition_is_held_first(app: Flask) -> None:
    with transaction() as session:
        _, store, first = stocked(session)
        second = first.card_type.editions[1]
        fill(session, store, second, 50)
        locked, order = lock_stores(session, [store.id], NOW), make_order(session)
        until = NOW + timedelta(days=1)
        held = hold(locked, order.id, store.id, first.card_type, quantity=120, until=until)
        assert [(row.edition_id, row.quantity) for row in held] == [
            (first.id, 100),
            (second.id, 20),
        ]
        with pytest.raises(DomainError) as refusal:
            hold(locked, order.id, store.id, first.card_type, quantity=31, until=until)
        assert refusal.value.code == "not_enough"
        end_holds(session, order.id, NOW)
        assert sum(stock.free for stock in locked.stocks(store.id, [first, second])) == 150


def test_holds_of_a_withdrawn_edition_move_on(app: Flask) -> None:
    with transaction() as session:
        _, store, first = stocked(session)
        second = first.card_type.editions[1]
        fill(session, store, second, 30)
        locked, order = lock_all_stores(session, NOW), make_order(session)
        until = NOW + timedelta(days=1)
        hold(locked, order.id, store.id, first.card_type, quantity=80, until=until)
        first.withdrawn_at = NOW
        session.flush()
        assert move_holds_off(locked, first) == {order.id: 50}
        (old, new) = locked.stocks(store.id, [first, second])
        assert (old.held, new.held) == (0, 30)


def test_the_journal_cannot_be_changed(app: Flask) -> None:
    with transaction() as session:
        card, store = make_card(session), make_store(session)
        movement_id = fill(session, store, card.editions[0], 10).id
    with pytest.raises(RuntimeError, match="reversed"), transaction() as session:
        session.get_one(Movement, movement_id).quantity = 11
    with pytest.raises(RuntimeError, match="reversed"), transaction() as session:
        session.delete(session.get_one(Movement, movement_id))


def test_a_stocktake_books_what_is_there_even_if_it_is_held(app: Flask) -> None:
    until = NOW + timedelta(days=14)
    with transaction() as session:
        locked, store, edition = stocked(session)
        stocktake = Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=NOW)
        session.add(stocktake)
        session.flush()
        hold(locked, make_order(session).id, store.id, edition.card_type, quantity=70, until=until)
        about = {"stocktake_id": stocktake.id, "reason": "verlegt"}

        def differ(difference: int, key: str) -> Movement:
            return locked.book_difference(
                SYSTEM, store.id, edition.id, difference, **about, key=key
            )

        lost = differ(-60, "a")
        assert (lost.target, lost.stocktake_id) == (PlaceKind.LOSS, stocktake.id)
        assert differ(-60, "a") is lost
        (stock,) = locked.stocks(store.id, [edition])
        assert (stock.balance, stock.held, stock.free) == (40, 70, 0)
        with pytest.raises(DomainError) as refusal:
            differ(-41, "b")
        assert refusal.value.code == "taken_since"
        assert "noch 40" in refusal.value.sentence
        found = differ(5, "c")
        assert (found.source, found.target_store_id) == (PlaceKind.LOSS, store.id)
        assert balance(session, store, edition) == journal_sum(session, store, edition) == 45


def test_a_stocktake_finds_withdrawn_cards_in_a_box(app: Flask) -> None:
    with transaction() as session:
        card = make_card(session)
        store = make_store(session, "Partner", kind=StoreKind.PARTNER)
        card.editions[0].withdrawn_at = NOW
        stocktake = Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=NOW)
        session.add(stocktake)
        session.flush()
        lock_stores(session, [store.id], NOW).book_difference(
            SYSTEM, store.id, card.editions[0].id, 3,
            stocktake_id=stocktake.id, reason="gefunden", key="a",
        )  # fmt: skip
        assert balance(session, store, card.editions[0]) == 3


def test_a_hold_that_has_run_out_is_not_renewed_when_its_edition_is_withdrawn(app: Flask) -> None:
    until = NOW + timedelta(days=1)
    with transaction() as session:
        locked, store, first = stocked(session)
        fill(session, store, first.card_type.editions[1], 30)
        hold(locked, make_order(session).id, store.id, first.card_type, quantity=80, until=until)
        first.withdrawn_at = until
        session.flush()
        assert move_holds_off(lock_all_stores(session, until), first) == {}
