"""Pages of the cards that no test of their folder holds to a number of statements."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from tests.factories import make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.inventory.holds import hold
from trainings.inventory.ledger import lock_stores
from trainings.inventory.orders.models import OrderLimit, OrderState
from trainings.inventory.orders.steps import move_order
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState

pytestmark = pytest.mark.both_databases
HOME = "/taschenkarten"
ORDERS = f"{HOME}/bestellungen/TK-2026-000"

PAGES = {
    f"{HOME}/bestellen": 3,
    f"{HOME}/bestellen/danke": 1,
    f"{ORDERS}1/ablehnen": 5,
    f"{ORDERS}2": 6,
    f"{ORDERS}2/packliste": 5,
    f"{ORDERS}3/erhalten": 5,
    f"{HOME}/grenzen": 3,
    f"{HOME}/lager/neu/box": 2,
    f"{HOME}/lager/neu/partner": 2,
    f"{HOME}/inventuren/neu": 2,
    f"{HOME}/inventuren/1/abbrechen": 4,
    f"{HOME}/karten/neu": 1,
}


@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_with_one_row_and_with_thirty(office: FlaskClient, rows: int) -> None:
    now = utc_now()
    with transaction() as session:
        home = make_organisation(session, "Stadt Herne")
        card, store = make_card(session, editions=min(rows, 12)), make_store(session)
        for edition in card.editions:
            fill(session, store, edition, 10)
        quantity = 5 * len(card.editions)
        _, held, sent = (
            make_order(session, card, quantity, number=f"TK-2026-000{serial}", organisation=home)
            for serial in (1, 2, 3)
        )
        held.lines[0].approved = held.lines[0].requested
        held.store, held.held_until = store, now + timedelta(days=7)
        for order, states in ((held, 1), (sent, 3)):
            for state in (OrderState.APPROVED, OrderState.PICKED, OrderState.SENT)[:states]:
                move_order(session, SYSTEM, order, state, now)
        hold(
            lock_stores(session, [store.id], now), held.id, store.id, card,
            quantity=quantity, until=now + timedelta(days=7),
        )  # fmt: skip
        stocktake = Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=now)
        stocktake.lines = [StocktakeLine(edition_id=edition.id) for edition in card.editions]
        session.add(stocktake)
        for index in range(rows):
            make_card(session, f"Karte {index}")
            make_store(session, f"Lager {index}")
            limited = make_organisation(session, f"Kreis {index}")
            make_person(session, limited)
            session.add(OrderLimit(organisation_id=limited.id, per_year=3))
    costs = {}
    for url in PAGES:
        db.session.remove()
        with counted_statements() as statements:
            assert office.get(url).status_code == 200, url
        costs[url] = len([each for each in statements if not each.startswith("PRAGMA")])
    assert costs == PAGES
    assert max(costs.values()) <= 12
