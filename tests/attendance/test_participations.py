"""What contacts see of their people's participations, and no more."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.factories import log_in, make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState
from trainings.organisations.models import Level, Organisation
from trainings.people.models import OrganisationContact
from trainings.registrations.models import RegistrationState

HERE = "/organisation/teilnahmen"


@pytest.fixture
def contact(app: Flask) -> FlaskClient:
    """Return the browser of a city's contact, with participations in two years."""
    with transaction() as session:
        city = make_organisation(session, "Stadt Essen")
        unit = make_organisation(session, "Ordnungsamt", parent=city, level=Level.UNIT)
        other = make_organisation(session, "Kreis Unna")
        person = make_person(session, city, roles=(Role.CONTACT,))
        session.add(OrganisationContact(organisation_id=city.id, person_id=person.id))
        recent = make_event(session, first_day=date(2025, 5, 6), state=EventState.HELD)
        older = make_event(session, first_day=date(2024, 5, 6), state=EventState.HELD)
        for event, name, marks in (
            (recent, "Anna", "ap--"),
            (recent, "Ben", "eeaa"),
            (recent, "=Cem", ""),
            (older, "Dana", "pppp"),
        ):
            employee = make_person(session, city, given_name=name)
            make_registration(session, event, employee, marks=marks)
        in_unit = make_person(session, unit, given_name="Olga")
        registration = make_registration(session, recent, in_unit, marks="pppp")
        registration.organisation_id = city.id
        make_registration(session, recent, make_person(session, other, given_name="Uwe"), marks="p")
    client = app.test_client()
    log_in(client, person.id)
    return client


def test_contacts_see_who_took_part_and_not_why_somebody_was_absent(contact: FlaskClient) -> None:
    html = contact.get(HERE).get_data(as_text=True)
    for name in ("Anna", "Ben", "Cem", "Olga"):
        assert name in html
    for name in ("Uwe", "Dana", "entschuldigt"):
        assert name not in html
    assert html.count("<b>teilgenommen") == 2
    assert html.count("<b>nicht teilgenommen") == 1
    assert html.count("<b>nicht erfasst") == 1
    older = contact.get(f"{HERE}?jahr=2024").get_data(as_text=True)
    assert "Dana" in older
    assert "Anna" not in older
    assert "Anna" in contact.get(f"{HERE}?jahr=1000").get_data(as_text=True)


def test_the_export_holds_the_own_people_only_and_no_formulas(contact: FlaskClient) -> None:
    answer = contact.get(f"{HERE}.csv")
    assert answer.content_type == "text/csv; charset=utf-8"
    lines = answer.get_data(as_text=True).removeprefix("\ufeff").splitlines()
    assert lines[0].startswith("Familienname;Vorname;Organisation")
    assert len(lines) == 6
    text = "\n".join(lines)
    assert "Uwe" not in text
    assert "'=Cem" in text
    assert ";06.05.2024;07.05.2024;teilgenommen" in text
    only = contact.get(f"{HERE}.csv?jahr=2024").get_data(as_text=True).splitlines()
    assert len(only) == 2


def test_somebody_who_came_without_a_registration_took_part(contact: FlaskClient) -> None:
    with transaction() as session:
        city = session.scalars(select(Organisation).filter_by(name="Stadt Essen")).one()
        event = session.scalars(select(Event).filter_by(first_day=date(2025, 5, 6))).one()
        came = make_person(session, city, given_name="Zoe")
        make_registration(session, event, came, state=RegistrationState.WALK_IN, marks="pp--")
    html = contact.get(HERE).get_data(as_text=True)
    assert "Zoe" in html
    assert html.count("<b>teilgenommen") == 3
    assert "Zoe" in contact.get(f"{HERE}.csv").get_data(as_text=True)
