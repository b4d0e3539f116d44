"""Two people of the office at the same moment: the last cards, the last of a limit, one parcel."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.factories import actor_for, make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.inventory.models import Balance, Movement, Reservation
from trainings.inventory.orders import limits, operations
from trainings.inventory.orders.models import CardOrder, OrderState

pytestmark = pytest.mark.both_databases
ROUNDS = 4


def prepare(quantity: int, *, limit: int | None = None) -> tuple[Actor, int, list[int]]:
    """Store a quantity, and two orders for 100 of it each."""
    with transaction() as session:
        actor = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        card, store = make_card(session), make_store(session)
        fill(session, store, card.editions[0], quantity)
        city = make_organisation(session, "Stadt Essen")
        if limit is not None:
            limits.set_limit(session, actor, city.id, limit, NOW)
        orders = [make_order(session, card, 100, organisation=city).id for _ in range(2)]
        return actor, store.id, orders


def approve(actor: Actor, store_id: int, order_id: int) -> int:
    with transaction() as session:
        order = session.get_one(CardOrder, order_id)
        quantities = {line.id: line.requested for line in order.lines}
        session.expunge_all()
        operations.approve(
            session, actor, order_id, store_id=store_id, quantities=quantities,
            until=date(2026, 3, 16), reason="", now=NOW,
        )  # fmt: skip
    return order_id


def send(actor: Actor, order_id: int) -> int:
    with transaction() as session:
        operations.send(session, actor, order_id, NOW)
    return order_id


def outcome(app: Flask, functions: list[Callable[[], int]]) -> tuple[list[int], list[DomainError]]:
    results = run_together(app, functions)
    refusals = [result for result in results if isinstance(result, DomainError)]
    winners = [result for result in results if isinstance(result, int)]
    assert len(winners) + len(refusals) == len(results), results
    return winners, refusals


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_orders_claim_the_last_cards(app: Flask, _round: int) -> None:
    actor, store_id, orders = prepare(100)
    winners, refusals = outcome(app, [partial(approve, actor, store_id, order) for order in orders])
    assert len(winners) == 1
    (refusal,) = refusals
    assert refusal.code == "not_enough"
    assert "ist keine Karte mehr" in refusal.sentence
    held = select(func.sum(Reservation.quantity)).where(Reservation.ended_at.is_(None))
    assert db.session.scalar(held) == 100


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_orders_claim_the_rest_of_a_limit(app: Flask, _round: int) -> None:
    actor, store_id, orders = prepare(1000, limit=150)
    winners, refusals = outcome(app, [partial(approve, actor, store_id, order) for order in orders])
    assert len(winners) == 1
    assert [refusal.code for refusal in refusals] == ["limit_exceeded"]
    assert "noch 50 Karten" in refusals[0].sentence


def test_one_parcel_is_sent_by_many_hands(app: Flask) -> None:
    actor, store_id, (order_id, _) = prepare(1000)
    approve(actor, store_id, order_id)
    with transaction() as session:
        operations.pick(session, actor, order_id, NOW)
    winners, refusals = outcome(app, [partial(send, actor, order_id)] * 6)
    assert len(winners) == 1
    assert {refusal.code for refusal in refusals} == {"order_moved_on"}
    moved = select(func.sum(Movement.quantity)).where(Movement.order_id == order_id)
    assert db.session.scalar(moved) == 100
    assert db.session.scalar(select(Balance.quantity)) == 900


def test_an_order_is_cancelled_while_it_is_sent(app: Flask) -> None:
    actor, store_id, (order_id, _) = prepare(1000)
    approve(actor, store_id, order_id)
    with transaction() as session:
        operations.pick(session, actor, order_id, NOW)

    def cancel() -> int:
        with transaction() as session:
            operations.cancel(session, actor, order_id, NOW)
        return order_id

    winners, refusals = outcome(app, [partial(send, actor, order_id), cancel])
    assert (len(winners), len(refusals)) == (1, 1)
    order = db.session.get_one(CardOrder, order_id)
    gone = 100 if order.state is OrderState.SENT else 0
    assert db.session.scalar(select(Balance.quantity)) == 1000 - gone
