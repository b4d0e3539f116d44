"""Introducing oneself once, after an address was verified."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from tests import factories
from tests.browser_forms import send, submit
from tests.people.mailbox import letters
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.organisations.models import Level, Organisation, OrganisationKind
from trainings.people.models import Account, Person

REGISTER = "/konto/registrieren"
NEW = "/konto/neu"
NAMES = {"given_name": "Kübra", "family_name": "Öztürk-Lindner", "unit": "Ordnungsamt"}


@pytest.fixture
def organisations(app: Flask) -> dict[str, int]:
    with transaction() as session:
        made = [
            factories.make_organisation(session, "Stadt Essen", domains=("stadt-essen.example",)),
            factories.make_organisation(
                session,
                "Polizeipräsidium Essen",
                kind=OrganisationKind.STATE_POLICE,
                domains=("polizei.example",),
            ),
            factories.make_organisation(
                session,
                "Landeskriminalamt",
                kind=OrganisationKind.STATE_AUTHORITY,
                domains=("polizei.example",),
            ),
        ]
        return {organisation.name: organisation.id for organisation in made}


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def verify(client: FlaskClient, email: str, weiter: str = "/veranstaltungen/") -> TestResponse:
    submit(client, f"{REGISTER}?weiter={weiter}", {"email": email})
    return submit(client, letters()[-1].link)


def person() -> Person:
    return db.session.scalars(select(Person)).one()


def test_new_person_is_asked_once_and_led_to_where_they_wanted_to_go(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    response = verify(client, "neu@stadt-essen.example", "/meine/anmeldungen")
    assert (response.status_code, response.location) == (303, NEW)
    page = text_of(client.get(NEW))
    assert "neu@stadt-essen.example" in page
    assert "Stadt Essen" in page
    assert "<select" not in page

    response = submit(client, NEW, {**NAMES, "title": "Dr."})

    assert (response.status_code, response.location) == (303, "/meine/anmeldungen")
    assert "Dr. Kübra Öztürk-Lindner" in text_of(client.get("/konto/"))
    stored = person()
    assert stored.email == "neu@stadt-essen.example"
    assert stored.unit == "Ordnungsamt"
    assert stored.sort_key == "ozturk lindner kubra"
    assert [row.role for row in stored.roles] == [Role.PARTICIPANT]
    assert stored.account is not None
    assert stored.account.last_login_at is not None


def test_the_answer_to_an_unknown_domain_stands_at_the_field_and_tells_nothing_of_accounts(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    with transaction() as session:
        factories.make_person(session, email="bekannt@web.example")
    answers = []
    for email in ("bekannt@web.example", "fremd@web.example", "x@fremd-stadt-essen.example"):
        response = submit(client, REGISTER, {"email": email})
        answers.append((response.status_code, "keine dienstliche Adresse" in text_of(response)))
    assert answers == [(422, True)] * 3
    assert letters() == []


def test_known_address_of_an_organisation_gets_the_same_answer_and_logs_in(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    with transaction() as session:
        factories.make_person(session, email="bekannt@stadt-essen.example")
    first = submit(client, REGISTER, {"email": "bekannt@stadt-essen.example"})
    second = submit(client, REGISTER, {"email": "neu@stadt-essen.example"})
    assert (first.status_code, first.location) == (second.status_code, second.location)
    assert submit(client, letters()[0].link).location == "/"


def test_shared_domain_offers_its_organisations_by_kind(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@polizei.example")
    page = text_of(client.get(NEW))
    assert '<optgroup label="Landespolizei">' in page
    assert "Polizeipräsidium Essen" in page
    assert "Stadt Essen" not in page

    response = submit(client, NEW, NAMES)
    assert response.status_code == 422
    assert "Bitte wählen Sie Ihre Organisation." in text_of(response)
    assert "Öztürk-Lindner" in text_of(response)

    chosen = organisations["Landeskriminalamt"]
    response = submit(client, NEW, {**NAMES, "organisation_id": str(chosen)})
    assert response.status_code == 303
    assert person().organisation_id == chosen


@pytest.mark.parametrize("choice", ["foreign", "0", "-1", "9" * 30, "9" * 5000, "x", "\x00", "³"])
def test_organisation_that_was_not_offered_is_refused(
    client: FlaskClient, organisations: dict[str, int], choice: str
) -> None:
    verify(client, "neu@polizei.example")
    value = str(organisations["Stadt Essen"]) if choice == "foreign" else choice
    response = submit(client, NEW, {**NAMES, "organisation_id": value})
    assert response.status_code == 422
    assert "steht nicht zur Wahl" in text_of(response)
    assert db.session.scalar(select(func.count()).select_from(Person)) == 0


def test_form_without_a_verified_address_leads_to_where_one_is_verified(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    for response in (client.get(NEW), client.post(NEW, data=NAMES)):
        assert (response.status_code, response.location) == (303, REGISTER)


def test_verified_address_is_forgotten_after_half_an_hour(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    with client.session_transaction() as cookie:
        email, next_url, at = cookie["verified"]
        cookie["verified"] = [email, next_url, at - 1801]
    assert client.get(NEW).location == REGISTER


def test_double_submit_makes_one_person_and_logs_in_both_times(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    page = text_of(client.get(NEW))
    with client.session_transaction() as cookie:
        before = dict(cookie)
    assert send(client, NEW, page, NAMES).status_code == 303
    with client.session_transaction() as cookie:
        cookie.clear()
        cookie.update(before)  # both were sent before the first answer came
    assert send(client, NEW, page, NAMES).location == "/veranstaltungen/"
    assert db.session.scalar(select(func.count()).select_from(Person)) == 1
    assert db.session.scalar(select(func.count()).select_from(Account)) == 1
    assert client.get("/konto/").status_code == 200


def test_back_button_after_having_joined_leads_to_the_account(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    submit(client, NEW, NAMES)
    assert client.get(NEW).location == "/konto/"


def test_verifying_another_address_logs_out_who_was_there_before(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    with transaction() as session:
        other = factories.make_person(session).id
    factories.log_in(client, other)
    verify(client, "neu@stadt-essen.example")
    assert client.get("/konto/").status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("given_name", "", "Bitte geben Sie Ihren Vornamen ein."),
        ("given_name", " \u202e\u200b ", "Bitte geben Sie Ihren Vornamen ein."),
        ("family_name", "<script>", "Der Name darf nur"),
        ("family_name", "Müller 😀", "Der Name darf nur"),
        ("family_name", "M" * 81, "Bitte höchstens 80 Zeichen."),
        ("title", "T" * 41, "Bitte höchstens 40 Zeichen."),
        ("unit", "U" * 100_000, "Bitte höchstens 120 Zeichen."),
    ],
)
def test_wrong_detail_gets_a_sentence_at_its_field(
    client: FlaskClient, organisations: dict[str, int], field: str, value: str, sentence: str
) -> None:
    verify(client, "neu@stadt-essen.example")
    response = submit(client, NEW, {**NAMES, field: value})
    assert response.status_code == 422
    assert sentence in text_of(response)


def test_hostile_text_is_cleaned_or_escaped(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    hostile = {
        "given_name": "Ku\u0308bra\x00\u202e",
        "family_name": "O'Neil",
        "unit": "<b>Amt</b> & \u2066Co",
    }
    assert submit(client, NEW, hostile).status_code == 303
    assert person().given_name == "Kübra"
    assert person().unit == "<b>Amt</b> & Co"
    page = text_of(client.get("/konto/"))
    assert "&lt;b&gt;Amt&lt;/b&gt; &amp; Co" in page
    assert "<b>Amt" not in page


def test_doubled_and_missing_fields_are_no_error(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    assert submit(client, NEW, {"given_name": ["A", "B"], "family_name": []}).status_code == 422
    assert client.post(NEW).status_code == 422


def test_name_in_the_mail_is_the_one_that_was_given(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    verify(client, "neu@stadt-essen.example")
    submit(client, NEW, NAMES)
    submit(client, "/konto/anmelden", {"email": "neu@stadt-essen.example"})
    assert [letter.name for letter in letters()] == ["", "Kübra Öztürk-Lindner"]


def test_event_page_may_post_its_own_form_with_the_target_in_the_address(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    page = text_of(client.get(REGISTER))
    target = f"{REGISTER}?weiter=/veranstaltungen/2026-014"
    page = page.replace(f'action="{REGISTER}"', f'action="{target}"')
    send(client, REGISTER, page, {"email": "neu@stadt-essen.example"})
    submit(client, letters()[0].link)
    assert submit(client, NEW, NAMES).location == "/veranstaltungen/2026-014"


def test_retired_organisation_no_longer_lets_new_people_in(
    client: FlaskClient, organisations: dict[str, int]
) -> None:
    with transaction() as session:
        session.get_one(Organisation, organisations["Stadt Essen"]).retired_at = utc_now()
    assert submit(client, REGISTER, {"email": "neu@stadt-essen.example"}).status_code == 422


def test_group_owns_the_domain_for_its_authorities(app: Flask, client: FlaskClient) -> None:
    with transaction() as session:
        group = factories.make_organisation(
            session, "Zoll", level=Level.GROUP, domains=("zoll.example",)
        )
        for town in ("Essen", "Dortmund"):
            factories.make_organisation(session, f"Hauptzollamt {town}", parent=group)
    verify(client, "neu@zoll.example")
    page = text_of(client.get(NEW))
    assert "Hauptzollamt Dortmund" in page
    assert ">Zoll<" not in page
