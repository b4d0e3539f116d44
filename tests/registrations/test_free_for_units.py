"""What pages say about free places to somebody who works in a unit of an authority."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.factories import log_in, make_organisation, make_person
from tests.registered import make_registration
from tests.registrations.demand import make_dates, make_template
from trainings.core.database import transaction
from trainings.organisations.models import Level

SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well


@pytest.mark.parametrize("in_unit", [False, True])
def test_a_limit_of_the_authority_holds_for_its_units(
    app: Flask, client: FlaskClient, in_unit: bool
) -> None:
    with transaction() as session:
        city = make_organisation(session, "Stadt Essen")
        unit = make_organisation(session, "Ordnungsamt", parent=city, level=Level.UNIT)
        template = make_template(session)
        (event,) = make_dates(
            session, template, 1, first_day=SOON, capacity=12, organisation_limit=1
        )
        make_registration(session, event, make_person(session, city))
        person = make_person(session, unit if in_unit else city)
        number, template_id, person_id = event.number, template.id, person.id
    log_in(client, person_id)
    page = client.get(f"/veranstaltungen/{number}").get_data(as_text=True)
    assert "Auf die Warteliste setzen" in page
    assert "Ihre Organisation hat schon alle Plätze" in page
    assert "Ausgebucht" in client.get("/veranstaltungen/").get_data(as_text=True)
    assert number not in client.get("/veranstaltungen/?frei=1").get_data(as_text=True)
    assert "11 freie Plätze" not in client.get(f"/bedarf/{template_id}").get_data(as_text=True)
