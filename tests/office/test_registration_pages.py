"""The office registers and withdraws somebody who called."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import submit
from tests.factories import make_event, make_person, make_venue
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.events.models import Event
from trainings.registrations.models import Registration, RegistrationState

SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well
CALLER = "ruft.an@stadt-musterhausen.example"


@pytest.fixture
def number(app: Flask) -> str:
    with transaction() as session:
        make_person(session, given_name="Jörg", family_name="Weiß", email=CALLER)
        event = make_event(
            session, first_day=SOON, capacity=1, minimum=0, venue=make_venue(session)
        )
        return event.number


def states() -> list[RegistrationState]:
    db.session.remove()
    return list(db.session.scalars(select(Registration.state).order_by(Registration.id)))


def register(office: FlaskClient, number: str, email: str = CALLER) -> str:
    url = f"/koordination/veranstaltungen/{number}/anmelden"
    answer = submit(office, url, {"email": email})
    page = office.get(answer.location) if answer.status_code == 303 else answer
    return page.get_data(as_text=True)


def test_the_office_registers_a_person_it_knows(office: FlaskClient, number: str) -> None:
    assert "Jörg Weiß hat einen Platz." in register(office, number)
    assert states() == [RegistrationState.PLACED]


def test_a_second_registration_speaks_of_the_person_and_not_of_the_office(
    office: FlaskClient, number: str
) -> None:
    register(office, number)
    assert "Diese Person ist für diese Veranstaltung schon angemeldet." in register(office, number)


def test_an_unknown_address_is_named_and_nobody_is_registered(
    office: FlaskClient, number: str
) -> None:
    assert "Diese Adresse kennen wir nicht." in register(office, number, "wer@x.example")
    assert states() == []


def test_the_office_withdraws_somebody_after_the_deadline(office: FlaskClient, number: str) -> None:
    register(office, number)
    with transaction() as session:
        session.scalars(select(Event)).one().withdraw_until = utc_now()
    registration_id = db.session.scalars(select(Registration.id)).one()
    url = f"/koordination/anmeldungen/{registration_id}/abmelden"
    answer = submit(office, url)
    assert "Jörg Weiß ist abgemeldet." in office.get(answer.location).get_data(as_text=True)
    assert states() == [RegistrationState.WITHDRAWN]
    assert submit(office, url).status_code == 409
    assert office.get("/koordination/anmeldungen/999999/abmelden").status_code == 404
