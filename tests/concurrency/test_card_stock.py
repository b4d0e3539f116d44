"""The last cards, wanted by many hands at the same second, go to one of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.inventory.factories import (
    balance,
    fill,
    journal_sum,
    make_card,
    make_order,
    make_store,
)
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.inventory.cards.operations import EditionData, create_edition
from trainings.inventory.cards.withdrawing import withdraw_edition
from trainings.inventory.holds import hold
from trainings.inventory.ledger import lock_stores
from trainings.inventory.models import CardType, Edition, Movement, Reservation, Store
from trainings.inventory.orders.models import OrderState
from trainings.inventory.orders.steps import lock_order
from trainings.inventory.stock import operations

pytestmark = pytest.mark.both_databases
THREADS = 8
Work = Callable[[], object]


@pytest.fixture
def stock(app: Flask) -> tuple[int, int, int]:
    """Two stores, 100 cards of the first edition in the first one."""
    with transaction() as session:
        store, other = make_store(session), make_store(session, "Keller")
        edition = make_card(session, editions=2).editions[0]
        fill(session, store, edition, 100)
        return store.id, other.id, edition.id


def issue(store_id: int, edition_id: int, quantity: int, key: str) -> int:
    with transaction() as session:
        return operations.issue(
            session, SYSTEM, store_id=store_id, edition_id=edition_id, quantity=quantity,
            reason="Messe", key=key, now=NOW,
        ).id  # fmt: skip


def transfer(source: int, target: int, edition_id: int, key: str) -> int:
    with transaction() as session:
        return operations.transfer(
            session, SYSTEM, source_id=source, target_id=target, edition_id=edition_id,
            quantity=10, key=key, now=NOW,
        ).id  # fmt: skip


def codes(results: list[object]) -> list[str]:
    assert not [each for each in results if isinstance(each, Exception)
                and not isinstance(each, DomainError)]  # fmt: skip
    return [each.code for each in results if isinstance(each, DomainError)]


def left(store_id: int, edition_id: int) -> int:
    session = db.session()
    store, edition = session.get_one(Store, store_id), session.get_one(Edition, edition_id)
    assert balance(session, store, edition) == journal_sum(session, store, edition)
    return balance(session, store, edition)


def test_the_last_cards_are_given_away_once(app: Flask, stock: tuple[int, int, int]) -> None:
    store, _, edition = stock
    results = run_together(
        app, [partial(issue, store, edition, 60, f"k{index}") for index in range(THREADS)]
    )
    assert codes(results) == ["not_enough"] * (THREADS - 1)
    assert left(store, edition) == 40


def test_one_form_from_many_browsers_books_once(app: Flask, stock: tuple[int, int, int]) -> None:
    store, _, edition = stock
    results = run_together(app, [partial(issue, store, edition, 10, "same")] * THREADS)
    assert codes(results) == []
    assert len(set(map(str, results))) == 1
    assert left(store, edition) == 90


def test_a_movement_is_taken_back_once(app: Flask, stock: tuple[int, int, int]) -> None:
    store, _, edition = stock
    movement = issue(store, edition, 50, "given")

    def reverse(key: str) -> int:
        with transaction() as session:
            return operations.reverse_movement(
                session, SYSTEM, movement, reason="falsch", key=key, now=NOW
            ).id

    results = run_together(app, [partial(reverse, f"k{index}") for index in range(THREADS)])
    assert codes(results) == ["already_reversed"] * (THREADS - 1)
    assert left(store, edition) == 100


def test_cards_that_go_to_and_fro_lock_nobody_out(app: Flask, stock: tuple[int, int, int]) -> None:
    first, second, edition = stock
    transfer(first, second, edition, "begin")
    works: list[Work] = [
        partial(transfer, *way, edition, f"k{index}-{way}")
        for index in range(THREADS // 2)
        for way in ((first, second), (second, first))
    ]
    results = run_together(app, works)
    assert set(codes(results)) <= {"not_enough"}
    assert left(first, edition) + left(second, edition) == 100


def test_editions_are_numbered_once_each(app: Flask, stock: tuple[int, int, int]) -> None:
    card = db.session.get_one(Edition, stock[2]).card_type_id

    def add() -> int:
        with transaction() as session:
            data = EditionData(NOW.date(), 100, "")
            return create_edition(session, SYSTEM, card, data, now=NOW).running

    results = run_together(app, [add] * THREADS)
    assert sorted(map(int, map(str, results))) == list(range(3, 3 + THREADS))


def test_an_edition_is_withdrawn_while_orders_reach_for_it(
    app: Flask, stock: tuple[int, int, int]
) -> None:
    store, _, edition = stock
    with transaction() as session:
        card = session.get_one(Edition, edition).card_type
        orders = [
            make_order(session, card, 10, state=OrderState.APPROVED).id for _ in range(THREADS)
        ]
        card_id = card.id

    def reach(order_id: int) -> int:
        with transaction() as session:
            lock_order(session, order_id)
            locked = lock_stores(session, [store], NOW)
            card = session.get_one(CardType, card_id)
            until = NOW + timedelta(days=1)
            hold(locked, order_id, store, card, quantity=10, until=until)
        return order_id

    def withdraw() -> object:
        with transaction() as session:
            return withdraw_edition(session, SYSTEM, edition, reason="Druckfehler", now=NOW)

    works: list[Work] = [partial(reach, order) for order in orders]
    results = run_together(app, [*works[:4], withdraw, *works[4:]])
    assert set(codes(results)) <= {"not_enough", "held_meanwhile"}
    db.session.rollback()
    withdrawn = db.session.get_one(Edition, edition, populate_existing=True).withdrawn_at
    held = db.session.scalar(
        select(func.count())
        .select_from(Reservation)
        .where(Reservation.edition_id == edition, Reservation.ended_at.is_(None))
    )
    assert (withdrawn is None) == ("held_meanwhile" in codes(results))
    assert held == 0 or withdrawn is None
    assert db.session.scalar(select(func.count()).select_from(Movement)) == 1
