"""The office admits on one page: the proposal, changes with a reason, one button."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import forms_of, send, submit
from tests.factories import actor_for, make_event, make_organisation, make_person
from tests.office.conftest import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.events.details import Policy
from trainings.events.models import Admission, Event
from trainings.registrations.admission_rules import RULES
from trainings.registrations.models import Registration, RegistrationChange, RegistrationState
from trainings.registrations.operations import register, withdraw

State = RegistrationState
SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well


class World:
    """An event whose places the office gives, and who asked."""

    def __init__(self, people: int = 3, capacity: int = 2) -> None:
        with transaction() as session:
            organisation = make_organisation(session, "Stadt Essen")
            event = make_event(
                session,
                first_day=SOON,
                capacity=capacity,
                minimum=0,
                policy=Policy(admission=Admission.BY_OFFICE, offer_days=0),
            )
            self.event_id, self.number = event.id, event.number
            asking = [
                actor_for(make_person(session, organisation, family_name=f"Nummer {index}"))
                for index in range(people)
            ]
            self.people = [register(session, one, event.id, now=utc_now()).id for one in asking]
        self.url = f"/koordination/veranstaltungen/{self.number}/zulassung"
        self.event_url = f"/koordination/veranstaltungen/{self.number}"

    def close(self) -> None:
        with transaction() as session:
            session.get_one(Event, self.event_id).closes_at = utc_now() - timedelta(hours=1)

    def states(self) -> list[State]:
        db.session.expire_all()
        return [db.session.get_one(Registration, id_).state for id_ in self.people]


@pytest.fixture
def world(app: Flask) -> World:
    made = World()
    made.close()
    return made


def text_of(client: FlaskClient, url: str) -> str:
    return client.get(url).get_data(as_text=True)


def test_before_registration_closes_the_page_shows_what_is_there_and_no_button(
    office: FlaskClient,
) -> None:
    world = World()
    html = text_of(office, world.url)
    assert "Die Anmeldung läuft noch bis" in html
    assert "Nummer 0" in html
    assert "chosen" not in html
    assert all(rule in html for rule in RULES)


def test_the_proposal_is_confirmed_as_it_is(office: FlaskClient, world: World) -> None:
    html = text_of(office, world.url)
    assert "2 von 3 Personen, 2 Plätze" in html
    assert "Reihenfolge der Anmeldung" in html
    answer = submit(office, world.url)
    assert answer.status_code == 303
    assert "2 Personen haben einen Platz, 1 steht auf der Warteliste" in text_of(
        office, answer.location
    )
    assert world.states() == [State.PLACED, State.PLACED, State.WAITING]
    page = text_of(office, world.event_url)
    assert "Zulassung bestätigt" in page
    assert world.url not in page
    assert "Die Zulassung ist schon bestätigt" in text_of(office, world.url)


def test_the_same_form_sent_twice_acts_once_and_answers_the_same(
    office: FlaskClient, world: World
) -> None:
    html = text_of(office, world.url)
    answers = [send(office, world.url, html) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    steps = db.session.scalars(
        select(RegistrationChange).where(RegistrationChange.reason == "admitted")
    ).all()
    assert len(steps) == 2


def test_a_change_without_a_reason_stands_at_its_line_and_keeps_the_ticks(
    office: FlaskClient, world: World
) -> None:
    wanted = [str(world.people[0]), str(world.people[2])]
    typed = {"chosen": wanted, f"reason_{world.people[2]}": "vertritt das Team <b>"}
    answer = submit(office, world.url, typed)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert "warum Sie bei Erika Nummer 1 vom Vorschlag abweichen" in html
    assert f'id="reason_{world.people[1]}-fehler"' in html
    (form,) = [form for form in forms_of(html) if "chosen" in form.names]
    assert form.fields["chosen"] == wanted
    assert html.count("vom Vorschlag abweichen") == 2  # above the form and at the line
    assert "vertritt das Team <b>" in form.fields[f"reason_{world.people[2]}"]
    assert world.states() == [State.WAITING] * 3

    answer = send(office, world.url, html, {f"reason_{world.people[1]}": "kommt im Mai"})
    assert answer.status_code == 303
    assert world.states() == [State.PLACED, State.WAITING, State.PLACED]


def test_all_lines_without_a_reason_are_marked_at_once(office: FlaskClient, world: World) -> None:
    html = submit(office, world.url, {"chosen": [str(world.people[2])]}).get_data(as_text=True)
    for registration_id in world.people:
        assert f'id="reason_{registration_id}-fehler"' in html
        name = db.session.get_one(Registration, registration_id).person.name
        assert f"Bitte geben Sie an, warum Sie bei {name} vom Vorschlag abweichen." in html
    assert "Bitte prüfen Sie drei Angaben" in html


def test_too_many_are_refused_by_name_and_nothing_is_lost(
    office: FlaskClient, world: World
) -> None:
    everybody = [str(id_) for id_ in world.people]
    typed = {"chosen": everybody, f"reason_{world.people[2]}": "passt noch"}
    answer = submit(office, world.url, typed)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "Für Erika Nummer 2 ist kein Platz" in html
    assert "passt noch" in html


def test_whoever_withdrew_meanwhile_leads_to_a_new_proposal_that_keeps_the_reasons(
    office: FlaskClient, world: World
) -> None:
    html = text_of(office, world.url)
    with transaction() as session:
        withdraw(session, SYSTEM, world.people[0], utc_now())
    typed = {
        "chosen": [str(world.people[0]), str(world.people[2])],
        f"reason_{world.people[1]}": "kommt im Mai",
    }
    answer = send(office, world.url, html, typed)
    html = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert "prüfen Sie den neuen Vorschlag" in html
    (form,) = [form for form in forms_of(html) if "chosen" in form.names]
    assert form.fields["chosen"] == [str(world.people[2])]
    assert form.fields[f"reason_{world.people[1]}"] == ["kommt im Mai"]
    assert send(office, world.url, html).status_code == 303
    # A free place goes to the waiting list at once.
    assert world.states() == [State.WITHDRAWN, State.PLACED, State.PLACED]


def test_ticks_without_a_reason_follow_the_new_proposal(office: FlaskClient, world: World) -> None:
    html = text_of(office, world.url)
    with transaction() as session:
        withdraw(session, SYSTEM, world.people[0], utc_now())
    html = send(office, world.url, html).get_data(as_text=True)
    (form,) = [form for form in forms_of(html) if "chosen" in form.names]
    assert sorted(form.fields["chosen"]) == sorted(str(id_) for id_ in world.people[1:])


def test_requests_without_release_are_named_and_cannot_be_chosen(
    office: FlaskClient, world: World
) -> None:
    with transaction() as session:
        session.get_one(Registration, world.people[0]).state = State.AWAITING_RELEASE
    html = text_of(office, world.url)
    assert "Freigabe steht noch aus" in html
    assert f'value="{world.people[0]}"' not in html
    forged = {"chosen": [str(world.people[0])]}
    assert send(office, world.url, html, forged).status_code == 409
    assert State.PLACED not in world.states()


@pytest.mark.parametrize("chosen", ["x", "9" * 40, "-1", "\x00", "999999"])
def test_hostile_choices_change_nothing(office: FlaskClient, world: World, chosen: str) -> None:
    assert submit(office, world.url, {"chosen": [chosen]}).status_code in {409, 422}
    assert State.PLACED not in world.states()


def test_an_event_that_gives_places_in_order_needs_no_admission(
    office: FlaskClient, world: World
) -> None:
    with transaction() as session:
        session.get_one(Event, world.event_id).admission = Admission.IN_ORDER
    assert "Eine Zulassung ist nicht nötig" in text_of(office, world.url)
    assert world.url not in text_of(office, world.event_url)


def test_the_desk_and_the_event_page_lead_here_when_registration_has_closed(
    office: FlaskClient,
) -> None:
    world = World()
    assert world.url not in text_of(office, "/koordination/")
    world.close()
    desk = text_of(office, "/koordination/")
    assert world.url in desk
    assert "Zulassung steht aus" in desk
    assert world.url in text_of(office, world.event_url)


def test_hundreds_of_rows_cost_as_many_statements_as_one(office: FlaskClient) -> None:
    costs = []
    for people in (1, 300):
        world = World(people=people, capacity=12)
        world.close()
        db.session.remove()
        with counted_statements() as statements:
            page = office.get(world.url)
        costs.append(len(statements))
        assert page.get_data(as_text=True).count('name="chosen"') == people
    assert costs[0] == costs[1] <= 12
