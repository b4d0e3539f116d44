"""What the tests of the pages about orders share."""

from __future__ import annotations

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import log_in, make_person
from tests.inventory.factories import make_order
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.inventory.models import CardType
from trainings.inventory.orders.models import CardOrder
from trainings.organisations.models import Organisation
from trainings.people.models import OrganisationContact

FORM = "/taschenkarten/bestellen"
THANKS = "/taschenkarten/bestellen/danke"
LIST = "/taschenkarten/bestellungen"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


def logged_in(app: Flask, make: Callable[[Session], int]) -> FlaskClient:
    with transaction() as session:
        person_id = make(session)
    client = app.test_client()
    log_in(client, person_id)
    return client


def contact_of(app: Flask, organisation_id: int) -> FlaskClient:
    def make(session: Session) -> int:
        home = session.get_one(Organisation, organisation_id)
        person = make_person(session, home, roles=(Role.CONTACT,))
        session.add(OrganisationContact(organisation_id=home.id, person_id=person.id))
        return person.id

    return logged_in(app, make)


def typed(card: int, **changes: str) -> dict[str, str]:
    return {
        f"card_{card}": "50",
        "name": "Käthe Öztürk",
        "email": "Kaethe@Stadt.example",
        "organisation_name": "Verein Ruhr",
        "recipient": "Poststelle",
        "street": "Weg 1",
        "postcode": "45127",
        "town": "Essen",
        "purpose": "Für die Streifen",
        **changes,
    }


def orders() -> list[CardOrder]:
    db.session.remove()
    return list(db.session.scalars(select(CardOrder).order_by(CardOrder.id)))


def mails() -> list[OutgoingMail]:
    db.session.remove()
    return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def page(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.get_data(as_text=True)


def new_order(card: int, **changes: object) -> str:
    with transaction() as session:
        at = utc_now()
        stored = session.get_one(CardType, card)
        return make_order(session, stored, 50, at=at, **changes).number  # type: ignore[arg-type]
