"""Giving a place back after the deadline: one choice, no free text, and only the office sees it."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import log_in, make_event, make_person, make_venue
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.registrations.models import LateReason, Registration, RegistrationState
from trainings.registrations.operations import register

pytestmark = pytest.mark.both_databases
SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well


@pytest.fixture
def registration_id(app: Flask, client: FlaskClient) -> int:
    """Somebody's registration, one minute after the deadline."""
    with transaction() as session:
        person = make_person(session)
        event = make_event(session, first_day=SOON, venue=make_venue(session))
        event.withdraw_until = utc_now() - timedelta(minutes=1)
        registration = register(session, Actor(person_id=person.id), event.id, now=utc_now())
        log_in(client, person.id)
        return registration.id


def stored(registration_id: int) -> tuple[RegistrationState, LateReason | None]:
    db.session.remove()
    row = db.session.get_one(Registration, registration_id)
    return row.state, row.late_reason


def test_the_page_asks_why_with_three_answers_and_no_text(
    client: FlaskClient, registration_id: int
) -> None:
    url = f"/meine/anmeldungen/{registration_id}/zurueckgeben"
    html = client.get(url).text
    for words in ("dienstlich", "persönlich", "keine Angabe"):
        assert words in html
    assert "<textarea" not in html
    answer = send(client, url, html)
    assert answer.status_code == 422
    assert "Bitte wählen Sie aus, warum." in answer.text
    assert stored(registration_id) == (RegistrationState.PLACED, None)
    assert send(client, url, html, {"late_reason": "krank"}).status_code == 422
    assert send(client, url, html, {"late_reason": "personal"}).status_code == 303
    assert stored(registration_id) == (RegistrationState.WITHDRAWN, LateReason.PERSONAL)


def test_the_link_in_the_mail_asks_the_same_and_keeps_the_page_until_it_is_answered(
    client: FlaskClient, registration_id: int
) -> None:
    way_out = db.session.scalars(select(OutgoingMail)).one().mail.way_out
    assert way_out is not None
    stranger = client.application.test_client()
    answer = submit(stranger, way_out[1])
    assert answer.status_code == 422
    assert "Bitte wählen Sie aus, warum." in answer.text
    html = answer.text
    assert send(stranger, way_out[1], html, {"late_reason": "\x00\u202e"}).status_code == 422
    assert stored(registration_id) == (RegistrationState.PLACED, None)
    assert send(stranger, way_out[1], html, {"late_reason": "official"}).status_code == 303
    assert stored(registration_id) == (RegistrationState.WITHDRAWN, LateReason.OFFICIAL)


def test_the_reason_is_in_no_mail(client: FlaskClient, registration_id: int) -> None:
    submit(
        client, f"/meine/anmeldungen/{registration_id}/zurueckgeben", {"late_reason": "personal"}
    )
    mails = db.session.scalars(select(OutgoingMail)).all()
    assert len(mails) == 2
    assert all("persönlich" not in str(mail.content) for mail in mails)
