"""One's own account: details, password, logging out everywhere, and the cost of its pages."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests import factories
from tests.browser_forms import send, submit
from tests.people.mailbox import letters
from tests.statements import counted_statements
from trainings.core.audit import AuditEntry
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.people.models import Account, Person
from trainings.people.passwords import password_matches

EMAIL = "kuebra@polizei.example"
PASSWORD = "Vier Kühe grasen am Kanal"


@pytest.fixture
def person_id(app: Flask) -> int:
    with transaction() as session:
        home = factories.make_organisation(session, "Stadt Essen")
        for town in ("Essen", "Bochum"):
            factories.make_organisation(
                session, f"Polizeipräsidium {town}", domains=("polizei.example",)
            )
        return factories.make_person(session, home, email=EMAIL, unit="Wache").id


@pytest.fixture
def me(client: FlaskClient, person_id: int) -> FlaskClient:
    """Return a browser in which the person has just logged in."""
    factories.log_in(client, person_id)
    with client.session_transaction() as cookie:
        cookie["proved_at"] = int(utc_now().timestamp())
    return client


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def account() -> Account:
    return db.session.scalars(select(Account)).one()


@pytest.mark.parametrize("url", ["/konto/", "/konto/angaben", "/konto/passwort"])
def test_visitor_is_led_to_the_login_and_back(client: FlaskClient, url: str) -> None:
    response = client.get(url)
    assert response.status_code == 302
    assert response.location == f"/konto/anmelden?weiter={url}"


def test_roles_are_named_in_words(app: Flask, client: FlaskClient) -> None:
    with transaction() as session:
        person = factories.make_person(session, roles=(Role.TRAINER, Role.ADMIN))
        person_id = person.id
    factories.log_in(client, person_id)
    assert "Training, Verwaltung" in text_of(client.get("/konto/"))


def test_details_change_and_keep_the_organisation_that_the_domain_does_not_tell(
    me: FlaskClient, person_id: int
) -> None:
    page = text_of(me.get("/konto/angaben"))
    assert "Stadt Essen" in page
    assert "Polizeipräsidium Bochum" in page
    assert 'value="Wache"' in page

    response = submit(me, "/konto/angaben", {"family_name": "Ångström", "function": "Leitung"})

    assert (response.status_code, response.location) == (303, "/konto/")
    stored = db.session.get_one(Person, person_id)
    assert (stored.family_name, stored.function, stored.unit) == ("Ångström", "Leitung", "Wache")
    assert stored.organisation.name == "Stadt Essen"
    assert stored.sort_key == "angstrom erika"


def test_details_saved_again_after_going_back_are_not_lost(me: FlaskClient) -> None:
    page = text_of(me.get("/konto/angaben"))
    send(me, "/konto/angaben", page, {"unit": "Erste"})
    send(me, "/konto/angaben", page, {"unit": "Zweite"})
    assert db.session.scalars(select(Person)).one().unit == "Zweite"


def test_organisation_of_others_is_refused(me: FlaskClient) -> None:
    with transaction() as session:
        foreign = factories.make_organisation(session, "Zollamt", domains=("zoll.example",)).id
    response = submit(me, "/konto/angaben", {"organisation_id": str(foreign)})
    assert response.status_code == 422
    assert "steht nicht zur Wahl" in text_of(response)


def test_password_can_be_set_and_logs_out_everywhere_else(
    app: Flask, me: FlaskClient, person_id: int
) -> None:
    other = app.test_client()
    factories.log_in(other, person_id)

    response = submit(me, "/konto/passwort", {"password": PASSWORD, "again": PASSWORD})

    assert (response.status_code, response.location) == (303, "/konto/")
    stored = account().password_hash
    assert stored
    assert stored.startswith("$argon2id$")
    assert password_matches(stored, PASSWORD)
    assert me.get("/konto/").status_code == 200
    assert other.get("/konto/").status_code == 302
    assert letters()[-1].subject == "Ihr Passwort für Trainings"


@pytest.mark.parametrize(
    ("password", "again", "sentence"),
    [
        ("zu kurz", "zu kurz", "mindestens 12 Zeichen"),
        ("x" * 129, "x" * 129, "höchstens 128 Zeichen"),
        ("aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa", "zu leicht zu erraten"),
        ("kuebra ist da!", "kuebra ist da!", "zu leicht zu erraten"),
        (PASSWORD, PASSWORD + "x", "sind verschieden"),
        ("", "", "Bitte geben Sie ein Passwort ein."),
    ],
)
def test_weak_or_different_passwords_are_refused(
    me: FlaskClient, password: str, again: str, sentence: str
) -> None:
    response = submit(me, "/konto/passwort", {"password": password, "again": again})
    assert response.status_code == 422
    assert sentence in text_of(response)
    assert account().password_hash is None


def test_password_can_be_removed(me: FlaskClient) -> None:
    assert "Passwort löschen" not in text_of(me.get("/konto/passwort"))
    submit(me, "/konto/passwort", {"password": PASSWORD, "again": PASSWORD})
    response = submit(me, "/konto/passwort", button="Passwort löschen")
    assert response.status_code == 303
    assert account().password_hash is None
    assert me.get("/konto/").status_code == 200


def test_password_is_not_removed_by_a_forged_request(me: FlaskClient) -> None:
    submit(me, "/konto/passwort", {"password": PASSWORD, "again": PASSWORD})
    response = me.post("/konto/passwort", data={"remove": "1"})
    assert response.status_code == 422
    assert "zu lange offen" in text_of(response)
    assert account().password_hash is not None


def test_password_of_an_unattended_browser_cannot_be_set(me: FlaskClient) -> None:
    page = text_of(me.get("/konto/passwort"))
    with me.session_transaction() as cookie:
        cookie["proved_at"] -= 1801
    data = {"password": PASSWORD, "again": PASSWORD}
    for response in (me.get("/konto/passwort"), send(me, "/konto/passwort", page, data)):
        assert response.status_code == 303
        assert response.location == "/konto/anmelden?weiter=/konto/passwort"
    assert account().password_hash is None


def test_logging_out_everywhere_ends_all_cookies(
    app: Flask, me: FlaskClient, person_id: int
) -> None:
    other = app.test_client()
    factories.log_in(other, person_id)
    response = submit(me, "/konto/", button="Überall ausloggen")
    assert response.status_code == 303
    for browser in (me, other):
        assert browser.get("/konto/").status_code == 302
    (entry,) = db.session.scalars(select(AuditEntry))
    assert (entry.action, entry.actor_person_id) == ("logged_out_everywhere", person_id)


def test_logging_out_everywhere_takes_the_token_of_the_page(me: FlaskClient) -> None:
    assert me.post("/konto/ueberall-ausloggen").location == "/konto/"
    assert me.get("/konto/").status_code == 200
    assert me.get("/konto/ueberall-ausloggen").status_code == 405


@pytest.mark.parametrize("organisations", [1, 30])
@pytest.mark.parametrize(("url", "most"), [("/konto/", 3), ("/konto/angaben", 4)])
def test_pages_cost_the_same_statements_whatever_the_choice(
    me: FlaskClient, organisations: int, url: str, most: int
) -> None:
    with transaction() as session:
        for index in range(organisations):
            factories.make_organisation(session, f"Amt {index}", domains=("polizei.example",))
    with counted_statements() as statements:
        assert me.get(url).status_code == 200
    assert len(statements) == most
