"""The waiting list as the office sees it, and what it does against the order."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import submit
from tests.factories import actor_for, make_event, make_person, make_venue
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import ShortNotice
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw

SOON = date.today() + timedelta(days=60)  # noqa: DTZ011 - the pages ask the clock as well
NAMES = ("Ahrens", "Özdemir", "Çelik", "Łukasz")


@pytest.fixture
def number(app: Flask) -> str:
    """Return an event with one place, offered to the first of three who waited."""
    policy = Policy(offer_days=2, short_notice=ShortNotice.OFFICE)
    with transaction() as session:
        event = make_event(
            session, first_day=SOON, capacity=1, minimum=0, policy=policy, venue=make_venue(session)
        )
        people = [make_person(session, family_name=name) for name in NAMES]
        actors = [actor_for(person) for person in people]
        event_id, found = event.id, event.number
    for actor in actors:
        with transaction() as session:
            register(session, actor, event_id, now=utc_now())
    with transaction() as session:
        withdraw(session, actors[0], registration_of("Ahrens").id, utc_now())
    return found


def registration_of(name: str) -> Registration:
    return db.session.scalars(
        select(Registration)
        .join(Person, Registration.person_id == Person.id)
        .where(Person.family_name == name)
        .execution_options(populate_existing=True)
    ).one()


def page_of(number: str) -> str:
    return f"/koordination/veranstaltungen/{number}/warteliste"


def html_of(client: FlaskClient, url: str) -> str:
    return client.get(url).get_data(as_text=True)


def test_the_list_names_offers_positions_and_every_step(office: FlaskClient, number: str) -> None:
    html = html_of(office, page_of(number))
    assert html.index("Özdemir") < html.index("Çelik") < html.index("Łukasz")
    assert "Platz angeboten</b> bis " in html
    assert html.count("Stelle ändern") == 2
    assert "Platz geben" not in html
    for step in ("Platz angeboten nach der Reihenfolge", "Abgemeldet", "die Regel"):
        assert step in html
    assert page_of(number) in html_of(office, f"/koordination/veranstaltungen/{number}")


def test_an_empty_list_says_so(office: FlaskClient) -> None:
    with transaction() as session:
        number = make_event(session, first_day=SOON).number
    assert "Niemand wartet" in html_of(office, page_of(number))


def test_somebody_is_put_at_another_place_with_a_reason(office: FlaskClient, number: str) -> None:
    url = f"{page_of(number)}/{registration_of('Łukasz').id}/stelle"
    assert submit(office, url, {"position": "1"}).status_code == 422
    answer = submit(office, url, {"position": "1", "reason": "Vertritt <i>zwei</i> Kolleginnen"})
    assert answer.status_code == 303
    html = html_of(office, answer.location)
    assert "Die Reihenfolge ist geändert." in html
    assert html.index("Łukasz") < html.index("Çelik")
    assert "Vertritt &lt;i&gt;zwei&lt;/i&gt; Kolleginnen" in html
    assert "Wiebke Beispiel" in html


def test_somebody_gets_a_place_out_of_turn_only_if_one_is_free(
    office: FlaskClient, number: str
) -> None:
    url = f"{page_of(number)}/{registration_of('Łukasz').id}/platz"
    refused = submit(office, url, {"reason": "Bitte"})
    assert refused.status_code == 409
    assert "kein Platz frei" in refused.get_data(as_text=True)
    with transaction() as session:
        withdraw(
            session, actor_for(registration_of("Özdemir").person),
            registration_of("Özdemir").id, utc_now(),
        )  # fmt: skip
        event = registration_of("Łukasz").event
        event.pool.capacity = 2
    answer = submit(office, url, {"reason": "Bitte"})
    assert "Łukasz hat einen Platz" in html_of(office, answer.location)
    assert registration_of("Łukasz").state is RegistrationState.PLACED


def test_a_foreign_registration_is_not_found(office: FlaskClient, number: str) -> None:
    with transaction() as session:
        other = make_event(session, first_day=SOON).number
    waiting = registration_of("Łukasz").id
    for step in ("stelle", "platz"):
        assert office.get(f"{page_of(other)}/{waiting}/{step}").status_code == 404
        assert office.get(f"{page_of(number)}/999999/{step}").status_code == 404


def test_where_time_is_short_the_page_asks_the_office_to_decide(office: FlaskClient) -> None:
    policy = Policy(offer_days=2, short_notice=ShortNotice.OFFICE)
    tomorrow = utc_now().date() + timedelta(days=1)
    with transaction() as session:
        event = make_event(
            session, first_day=tomorrow, capacity=0, minimum=0, policy=policy,
            venue=make_venue(session),
        )  # fmt: skip
        person = actor_for(make_person(session, roles=(Role.PARTICIPANT,)))
        event.closes_at = event.withdraw_until = utc_now() + timedelta(minutes=1)
        register(session, person, event.id, now=utc_now())
        event.pool.capacity = 1
        number = event.number
    html = html_of(office, page_of(number))
    assert "1 Platz ist frei" in html
    assert "Platz geben" in html
