"""What the office's day says of cards that run low is what the foresight and the stock say."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store
from trainings.core.database import transaction
from trainings.inventory.models import Reservation
from trainings.inventory.reports.outlook import load_low_cards, load_lying
from trainings.inventory.stock.queries import load_stock

pytestmark = pytest.mark.both_databases


@pytest.mark.parametrize(("level", "is_low"), [(70, False), (71, True)])
def test_boxes_holds_and_withdrawn_editions_do_not_count(
    app: Flask, level: int, is_low: bool
) -> None:
    with transaction() as session:
        person = make_person(session, make_organisation(session, "Stadt"))
        card, store = make_card(session, editions=2), make_store(session)
        partner = make_store(session, "Lager Bochum")
        make_card(session, "Andere")
        old, new = card.editions
        old.withdrawn_at, card.reorder_level = NOW, level
        fill(session, store, new, 100)
        fill(session, partner, new, 5)
        fill(session, store, old, 500)
        fill(session, make_store(session, "Box", person=person), new, 300)
        order = make_order(session, card)
        for cards, at, days in ((store, 30, 3), (partner, 9, 3), (store, 40, -3)):
            session.add(
                Reservation(
                    order_id=order.id, store_id=cards.id, edition_id=new.id, quantity=at,
                    until=NOW + timedelta(days=days),
                )
            )  # fmt: skip
        session.flush()
        assert load_lying(session, NOW)[card.id].free == 70
        found = load_stock(session, NOW, card_id=card.id)[0]
        assert (found.free_for_orders, found.free, found.is_low) == (70, 370, is_low)
        low = load_low_cards(session, NOW)
        assert [(each.title, each.free) for each in low] == ([(card.title, 70)] if is_low else [])
