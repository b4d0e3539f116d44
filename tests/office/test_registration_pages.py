"""The office registers and withdraws somebody who called."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import make_event, make_organisation, make_person, make_venue
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail, build_message
from trainings.core.settings import Settings
from trainings.events.models import Event, EventState
from trainings.organisations.models import Organisation
from trainings.registrations.models import (
    LateReason,
    NeedKind,
    Registration,
    RegistrationState,
    Release,
)

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


NEW = {
    "email": "Neu@stadt-musterhausen.example",
    "given_name": "Ayşe",
    "family_name": "Yılmaz",
    "unit": "Ordnungsamt",
    "function": "Leitung",
}


def organisation_id() -> str:
    return str(db.session.scalars(select(Organisation.id)).first())


def test_somebody_without_account_is_added_and_registered_in_one_form(
    office: FlaskClient, number: str
) -> None:
    url = f"/koordination/veranstaltungen/{number}/anmelden"
    half = submit(office, url, {**NEW, "family_name": ""})
    assert half.status_code == 422
    assert "Ordnungsamt" in half.text
    data = {**NEW, "organisation_id": organisation_id(), "needs": ["step_free"], "note": "Rampe"}
    html = office.get(url).text
    answers = [send(office, url, html, data) for _ in range(2)]
    assert "Ayşe Yılmaz hat einen Platz." in office.get(answers[0].location).text
    registration = db.session.scalars(select(Registration)).one()
    person = registration.person
    assert (person.email, person.account) == ("neu@stadt-musterhausen.example", None)
    assert (person.unit, person.function) == ("Ordnungsamt", "Leitung")
    assert {need.kind: need.note for need in registration.needs} == {
        NeedKind.STEP_FREE: "",
        NeedKind.OTHER: "Rampe",
    }


def test_the_organisation_is_chosen_by_the_address_and_said(
    office: FlaskClient, number: str
) -> None:
    url = f"/koordination/veranstaltungen/{number}/anmelden"
    with transaction() as session:
        essen = make_organisation(session, "Stadt Essen", domains=("essen.example",)).id
        for name in ("Jobcenter A", "Jobcenter B"):
            make_organisation(session, name, domains=("jobcenter.example",))
        make_person(session, email="bekannt@essen.example")
    said = "Nach der Adresse vorausgewählt: Stadt Essen."
    data = {**NEW, "email": "neu@essen.example"}
    half = submit(office, url, {"email": "neu@essen.example"})
    named = submit(office, url, data)
    for answer in (half, named):
        assert answer.status_code == 422
        assert said in answer.text
        assert f'<option selected value="{essen}"' in answer.text
    # Somebody's own choice stays, and where several would do nobody guesses.
    chosen = submit(office, url, {**data, "given_name": "", "organisation_id": organisation_id()})
    several = submit(office, url, {**NEW, "email": "neu@jobcenter.example"})
    for answer in (chosen, several, submit(office, url, {**data, "email": "neu@"})):
        assert answer.status_code == 422
        assert "vorausgewählt" not in answer.text
    assert "vorausgewählt" not in office.get(url).text
    done = send(office, url, named.text)
    assert "Ayşe Yılmaz hat einen Platz." in office.get(done.location).text
    assert db.session.scalars(select(Registration.organisation_id)).one() == essen


def test_the_first_mail_says_what_is_stored_and_the_second_does_not(
    office: FlaskClient, number: str, settings: Settings
) -> None:
    url = f"/koordination/veranstaltungen/{number}/anmelden"
    submit(office, url, {**NEW, "organisation_id": organisation_id()})
    registration_id = db.session.scalars(select(Registration.id)).one()
    submit(office, f"/koordination/anmeldungen/{registration_id}/abmelden")
    first, second = db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)).all()
    message = build_message(first, settings, utc_now())
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        for words in ("Artikel 14", "von der Geschäftsstelle", "/datenschutz", "Auskunft"):
            assert words in body.get_content()
    assert second.mail.information == ()


def test_somebody_who_joined_is_not_informed_again(office: FlaskClient, number: str) -> None:
    register(office, number)
    assert db.session.scalars(select(OutgoingMail)).one().mail.information == ()


@pytest.mark.parametrize("is_released", [False, True])
def test_the_office_notes_a_release_that_is_there_already(
    office: FlaskClient, number: str, is_released: bool
) -> None:
    with transaction() as session:
        session.scalars(select(Event)).one().needs_release = True
    url = f"/koordination/veranstaltungen/{number}/anmelden"
    data = {"email": CALLER, **({"is_released": "y"} if is_released else {})}
    answer = submit(office, url, data)
    page = office.get(answer.location).text
    release = db.session.scalars(select(Release)).one_or_none()
    if is_released:
        assert "Jörg Weiß hat einen Platz." in page
        assert release is not None
        assert (release.name, release.function) == ("Wiebke Beispiel", "Geschäftsstelle")
    else:
        assert "die Freigabe steht noch aus" in page
        assert release is None
        assert states() == [RegistrationState.AWAITING_RELEASE]


def test_the_office_withdraws_somebody_after_the_deadline(office: FlaskClient, number: str) -> None:
    register(office, number)
    with transaction() as session:
        session.scalars(select(Event)).one().withdraw_until = utc_now()
    registration_id = db.session.scalars(select(Registration.id)).one()
    url = f"/koordination/anmeldungen/{registration_id}/abmelden"
    answer = submit(office, url, {"late_reason": "official"})
    assert "Jörg Weiß ist abgemeldet." in office.get(answer.location).get_data(as_text=True)
    assert states() == [RegistrationState.WITHDRAWN]
    assert db.session.scalars(select(Registration.late_reason)).one() is LateReason.OFFICIAL
    assert submit(office, url).status_code == 409
    assert office.get("/koordination/anmeldungen/999999/abmelden").status_code == 404


@pytest.mark.parametrize("held", [False, True])
def test_nobody_is_withdrawn_from_what_has_begun(
    office: FlaskClient, number: str, held: bool
) -> None:
    register(office, number)
    page = f"/koordination/veranstaltungen/{number}"
    registration_id = db.session.scalars(select(Registration.id)).one()
    links = [
        f"/koordination/anmeldungen/{registration_id}/{what}" for what in ("abmelden", "ersatz")
    ]
    html = office.get(page).text
    assert all(f'href="{link}"' in html for link in links)
    with transaction() as session:
        event = session.scalars(select(Event)).one()
        today = utc_now().date()
        event.sessions[0].day = event.first_day = today - timedelta(days=1)
        event.sessions[-1].day = event.last_day = today - timedelta(days=held)
        if held:
            event.state = EventState.HELD
    html = office.get(page).text
    assert "Weiß, Jörg" in html
    assert not any(f'href="{link}"' in html for link in links)
    html = office.get(links[0]).text
    assert "hat schon begonnen" in html
    assert "geht an die nächste Person" not in html
    assert "Ersatzperson benennen" not in html
    assert submit(office, links[0]).status_code == 409
