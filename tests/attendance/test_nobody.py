"""Pages of the attendance and its papers for events at which nobody takes part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.attendance.certified import make_closed_course, make_office, person_of
from tests.attendance.factories import registration_ids
from tests.browser_forms import submit
from tests.factories import log_in, make_event
from trainings.attendance.certificates.operations import issue_certificates
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail

pytestmark = pytest.mark.both_databases


def test_an_event_without_anybody_is_closed_without_a_promise(
    app: Flask, client: FlaskClient
) -> None:
    with transaction() as session:
        number = make_event(session, first_day=utc_now().date() - timedelta(days=5)).number
        log_in(client, make_office(session)[0])
    url = f"/einlass/{number}"
    before = client.get(f"{url}/abschluss").text
    assert "Niemand hat einen Platz" in before
    assert "Vollständig erfasst" not in before
    assert "bekommt jede Person" not in before
    assert "Noch hat niemand einen Platz" in client.get(f"{url}/bescheinigungen").text
    assert submit(client, f"{url}/abschluss", button="Anwesenheit abschließen").status_code == 303
    after = client.get(f"{url}/bescheinigungen").text
    assert "Niemand hat teilgenommen" in after
    assert "Alle als" not in after
    assert "Alle senden" not in after
    for ending in (".pdf", ".zip"):
        assert client.get(f"{url}/bescheinigungen{ending}").status_code == 404
    assert db.session.query(OutgoingMail).count() == 0
    for page in ("", "/uebersicht", "/papiere", "/abschluss"):
        assert client.get(f"{url}{page}").status_code == 200


def test_a_name_in_letters_that_no_font_has_still_has_its_papers(
    app: Flask, client: FlaskClient
) -> None:
    with transaction() as session:
        event = make_closed_course(session, "pppp")
        number, event_id = event.number, event.id
        person = person_of(session, registration_ids(session, event)[0])
        person.given_name, person.family_name = "太郎", "田中-" * 19 + "田中"
        session.flush()
        issue_certificates(session, SYSTEM, event_id, utc_now())
        log_in(client, make_office(session)[0])
    url = f"/einlass/{number}/bescheinigungen"
    assert "Ein Zeichen fehlt in der Schrift" in client.get(url).text
    assert client.get(f"{url}.pdf").data.startswith(b"%PDF-")
    assert client.get(f"{url}.zip").data.startswith(b"PK")
