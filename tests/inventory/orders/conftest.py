"""A card with cards of it in the store, and the browser of the office."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import make_person
from tests.inventory.factories import fill, make_card, make_store
from tests.inventory.orders.browsing import logged_in
from trainings.core.database import transaction
from trainings.core.permissions import Role


@pytest.fixture
def card(app: Flask) -> int:
    with transaction() as session:
        card, store = make_card(session, editions=2), make_store(session)
        fill(session, store, card.editions[0], 30)
        fill(session, store, card.editions[1], 500)
        return card.id


@pytest.fixture
def office(app: Flask) -> FlaskClient:
    return logged_in(app, lambda session: make_person(session, roles=(Role.COORDINATOR,)).id)
