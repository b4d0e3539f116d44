"""Answering an offer by the link in the mail and on one's own page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import actor_for, log_in, make_event, make_person, make_venue
from tests.people.mailbox import letters
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.events.details import Policy
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw

pytestmark = pytest.mark.both_databases
SOON = date.today() + timedelta(days=60)  # noqa: DTZ011 - the pages ask the clock as well
MINE = "/meine/anmeldungen"
State = RegistrationState


class Offer:
    """Two people wait; the first is offered the place."""

    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        with transaction() as session:
            event = make_event(
                session, first_day=SOON, capacity=1, minimum=0, policy=Policy(offer_days=2),
                venue=make_venue(session),
            )  # fmt: skip
            self.number = event.number
            people = [make_person(session) for _ in range(3)]
            self.ids = [person.id for person in people]
            actors, event_id = [actor_for(person) for person in people], event.id
        for actor in actors:
            with transaction() as session:
                register(session, actor, event_id, now=utc_now())
        with transaction() as session:
            withdraw(session, actors[0], self.registration(0).id, utc_now())
        self.link = next(
            letter.link for letter in letters() if letter.subject.startswith("Platz frei")
        )
        db.session.remove()

    def registration(self, who: int) -> Registration:
        return db.session.scalars(
            select(Registration).where(Registration.person_id == self.ids[who])
        ).one()

    def states(self) -> list[State]:
        db.session.remove()
        return [self.registration(who).state for who in (1, 2)]

    def run_out(self) -> None:
        with transaction() as session:
            row = session.get_one(Registration, self.registration(1).id)
            row.offer_until = utc_now() - timedelta(seconds=1)


@pytest.fixture
def offer(app: Flask) -> Offer:
    return Offer(app)


def text_of(client: FlaskClient, url: str) -> str:
    return client.get(url).get_data(as_text=True)


def test_looking_at_the_link_changes_nothing(offer: Offer) -> None:
    for method in ("GET", "HEAD"):
        assert offer.client.open(offer.link, method=method).status_code == 200
    assert offer.states() == [State.OFFERED, State.WAITING]


def test_the_link_accepts_once_and_shows_the_ticket(offer: Offer) -> None:
    answer = submit(offer.client, offer.link, button="Platz annehmen")
    assert answer.status_code == 303
    assert "Der Platz gehört Ihnen" in text_of(offer.client, answer.location)
    assert offer.states() == [State.PLACED, State.WAITING]
    again = offer.client.get(offer.link)
    assert again.status_code == 409
    assert "schon angenommen" in again.get_data(as_text=True)


def test_the_link_declines_and_the_next_one_is_asked(offer: Offer) -> None:
    answer = submit(offer.client, offer.link, button="Platz ablehnen")
    assert "Sie haben den Platz abgelehnt" in text_of(offer.client, answer.location)
    assert offer.states() == [State.WITHDRAWN, State.OFFERED]
    assert "schon abgelehnt" in text_of(offer.client, offer.link)


def test_a_link_that_is_too_late_says_until_when_it_held(offer: Offer) -> None:
    html = text_of(offer.client, offer.link)
    offer.run_out()
    late = offer.client.get(offer.link)
    assert late.status_code == 409
    assert "Das Angebot galt bis" in late.get_data(as_text=True)
    assert "Platz annehmen" in html
    assert offer.client.get(f"{offer.link}x").status_code == 404
    assert offer.states() == [State.OFFERED, State.WAITING]


def test_the_own_page_shows_the_offer_first_and_takes_the_answer(offer: Offer) -> None:
    log_in(offer.client, offer.ids[1])
    html = text_of(offer.client, MINE)
    assert "Ein Platz ist für Sie frei" in html
    assert "Bitte antworten Sie bis" in html
    assert "Annehmen oder ablehnen" in text_of(offer.client, f"/veranstaltungen/{offer.number}")
    answer = submit(offer.client, MINE, button="Platz annehmen")
    assert "Der Platz gehört Ihnen" in text_of(offer.client, answer.location)
    assert offer.states() == [State.PLACED, State.WAITING]


def test_an_answer_that_comes_too_late_is_refused_in_one_sentence(offer: Offer) -> None:
    log_in(offer.client, offer.ids[1])
    url = f"{MINE}/{offer.registration(1).id}/angebot/ablehnen"
    html = text_of(offer.client, url)
    submit(offer.client, MINE, button="Platz annehmen")
    answer = send(offer.client, url, html, button="Platz ablehnen").text
    assert answer.count("Sie haben den Platz schon angenommen.") == 1
    assert text_of(offer.client, url).count("Sie haben den Platz schon angenommen.") == 1


def test_the_link_says_which_waiting_list_ends(offer: Offer) -> None:
    assert "Sie verlassen die Warteliste dieses Termins." in text_of(offer.client, offer.link)


def test_the_own_page_declines_after_one_question(offer: Offer) -> None:
    log_in(offer.client, offer.ids[1])
    url = f"{MINE}/{offer.registration(1).id}/angebot/ablehnen"
    assert f'href="{url}"' in text_of(offer.client, MINE)
    html = text_of(offer.client, url)
    assert "Angebotenen Platz ablehnen?" in html
    assert "Sie verlassen die Warteliste" in html
    assert offer.states() == [State.OFFERED, State.WAITING]
    answers = [send(offer.client, url, html, button="Platz ablehnen") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert "Sie haben den Platz abgelehnt" in text_of(offer.client, answers[0].location)
    assert offer.states() == [State.WITHDRAWN, State.OFFERED]


def test_the_question_about_an_offer_that_is_over_has_no_button(offer: Offer) -> None:
    log_in(offer.client, offer.ids[1])
    url = f"{MINE}/{offer.registration(1).id}/angebot/ablehnen"
    stale = text_of(offer.client, url)
    offer.run_out()
    html = text_of(offer.client, url)
    assert "Das Angebot galt bis" in html
    assert "Zurück, nichts ablehnen" not in html
    late = send(offer.client, url, stale, button="Platz ablehnen")
    assert late.status_code == 409
    assert "Das Angebot galt bis" in late.get_data(as_text=True)
    assert offer.states() == [State.OFFERED, State.WAITING]


def test_an_answer_that_comes_too_late_is_refused_with_a_sentence(offer: Offer) -> None:
    log_in(offer.client, offer.ids[1])
    stale = text_of(offer.client, MINE)
    offer.run_out()
    assert "Platz annehmen" in stale
    answer = submit(offer.client, MINE, button="Platz annehmen")
    assert "Das Angebot galt bis" in text_of(offer.client, answer.location)


def test_nobody_answers_for_somebody_else(offer: Offer) -> None:
    log_in(offer.client, offer.ids[2])
    url = f"{MINE}/{offer.registration(1).id}/angebot"
    assert offer.client.post(url).status_code == 404
    for method in ("GET", "POST"):
        assert offer.client.open(f"{url}/ablehnen", method=method).status_code == 404
    assert offer.states() == [State.OFFERED, State.WAITING]


def test_people_see_why_their_position_changed(offer: Offer) -> None:
    log_in(offer.client, offer.ids[2])
    html = text_of(offer.client, MINE)
    assert "Sie sind an 1. Stelle" in html
    assert "Eine Person vor Ihnen hat einen Platz bekommen." in html
