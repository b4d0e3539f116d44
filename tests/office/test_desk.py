"""What „Mein Tag“ says about pocket cards, and that it says nothing without need."""

from __future__ import annotations

from collections.abc import Callable

from flask.testing import FlaskClient

from tests.inventory.factories import fill, make_card, make_order, make_store
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.inventory.orders.models import OrderState


def desk(client: FlaskClient) -> str:
    return client.get("/koordination/").get_data(as_text=True)


def test_cards_with_which_nothing_is_to_be_done_are_not_mentioned(
    browser: Callable[[Role], FlaskClient],
) -> None:
    client = browser(Role.COORDINATOR)
    with transaction() as session:
        card = make_card(session)
        card.reorder_level = 50
        fill(session, make_store(session), card.editions[0], 50)
        for state in (OrderState.SENT, OrderState.RECEIVED, OrderState.DECLINED):
            make_order(session, card, state=state)
    assert 'id="taschenkarten"' not in desk(client)


def test_orders_and_low_cards_are_named_with_a_link(
    browser: Callable[[Role], FlaskClient],
) -> None:
    client = browser(Role.COORDINATOR)
    with transaction() as session:
        card = make_card(session, "Sicher an der Haustür")
        card.reorder_level = 50
        fill(session, make_store(session), card.editions[0], 49)
        for state in (
            OrderState.REQUESTED,
            OrderState.LAPSED,
            OrderState.APPROVED,
            OrderState.PICKED,
        ):
            make_order(session, card, state=state)
    page = desk(client)
    for words, link in {
        "2 Bestellungen warten auf eine Entscheidung": "/taschenkarten/bestellungen?stand=offen",
        "1 Bestellung ist zusammenzustellen": "/taschenkarten/bestellungen?stand=approved",
        "1 Sendung liegt zum Versand bereit": "/taschenkarten/bestellungen?stand=picked",
        "Unter dem Meldebestand: Sicher an der Haustür, noch 49 frei": "/taschenkarten/vorschau",
    }.items():
        assert words in page
        assert f'href="{link}"' in page
