"""„Warum (nicht)?“ for the office: every condition, the one that decides, and the history."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import submit
from tests.factories import actor_for, make_event, make_organisation, make_person
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.events.details import Policy
from trainings.events.models import Admission, Event, EventTrainer, Visibility
from trainings.registrations.models import Registration
from trainings.registrations.moves import note_change
from trainings.registrations.offer_operations import place_by_office
from trainings.registrations.operations import register

pytestmark = pytest.mark.both_databases
SOON = date.today() + timedelta(days=30)  # noqa: DTZ011 - the pages ask the clock as well
WORDS = ("erfüllt", "nicht erfüllt", "nicht geprüft")
STRANGER = "fremd@stadt-bochum.example"


class World:
    """A full event, somebody with a place and somebody who waits."""

    def __init__(self, visibility: Visibility = Visibility.PARTNERS) -> None:
        with transaction() as session:
            organisation = make_organisation(session, "Stadt Essen")
            event = make_event(
                session, first_day=SOON, capacity=1, minimum=0, visibility=visibility,
                policy=Policy(offer_days=0),
            )  # fmt: skip
            self.event_id, self.number = event.id, event.number
            people = [make_person(session, organisation) for _ in range(3)]
            self.stranger = make_person(session, organisation, email=STRANGER).id
            self.people = [person.id for person in people]
            if visibility is Visibility.PARTNERS:
                for person in people[:2]:
                    register(session, actor_for(person), event.id, now=utc_now())
        self.url = f"/koordination/veranstaltungen/{self.number}"

    def why(self, client: FlaskClient, person_id: int) -> str:
        answer = client.get(f"{self.url}/warum/{person_id}")
        assert answer.status_code == 200
        return answer.get_data(as_text=True)


def test_each_registration_on_the_page_of_the_event_leads_to_its_answer(
    office: FlaskClient,
) -> None:
    world = World()
    html = office.get(world.url).get_data(as_text=True)
    for person_id in world.people[:2]:
        assert f"{world.url}/warum/{person_id}" in html
    placed, waiting = (world.why(office, person_id) for person_id in world.people[:2])
    assert "Platz in der Reihenfolge der Anmeldungen" in placed
    assert "1 von 1 Platz vergeben." in waiting
    assert "Davor wartet niemand." in waiting
    assert "Angemeldet" in waiting


def test_conditions_read_as_conditions_and_one_decides(office: FlaskClient) -> None:
    world = World()
    placed, waiting = (world.why(office, person_id) for person_id in world.people[:2])
    assert "Das entscheidet: Die Person ist angemeldet – erfüllt" in placed
    assert "Das entscheidet: Ein Platz ist frei – nicht erfüllt" in waiting
    assert [waiting.count(f"<b>{word}</b>") for word in WORDS] == [6, 1, 2]
    assert [placed.count(f"<b>{word}</b>") for word in WORDS] == [5, 0, 4]
    for html in (placed, waiting):
        assert html.count("</b> entscheidet") == 1


def test_whoever_the_office_took_out_of_the_proposal_reads_its_reason(office: FlaskClient) -> None:
    world = World()
    with transaction() as session:
        event = session.get_one(Event, world.event_id)
        event.admission, event.admitted_at = Admission.BY_OFFICE, utc_now()
        registration = session.scalars(
            select(Registration).where(Registration.person_id == world.people[1])
        ).one()
        note_change(
            session, registration, registration.state, SYSTEM, reason="not_admitted_by_office",
            note="Abweichend vom Vorschlag: <i>war schon da</i>", now=utc_now(),
        )  # fmt: skip
    html = world.why(office, world.people[1])
    assert "Das entscheidet: Die Zulassung ist erfolgt oder nicht nötig – nicht erfüllt" in html
    assert "herausgenommen. Abweichend vom Vorschlag: &lt;i&gt;war schon da" in html


def test_somebody_who_never_asked_is_found_by_address(office: FlaskClient) -> None:
    world = World()
    answer = submit(office, world.url, {"email": f" {STRANGER.upper()} "})
    assert answer.status_code == 303
    assert answer.location == f"{world.url}/warum/{world.stranger}"
    html = office.get(answer.location).get_data(as_text=True)
    assert "Die Person hat sich nicht angemeldet." in html
    assert "nie angemeldet" in html


def test_an_unknown_address_is_named(office: FlaskClient) -> None:
    world = World()
    answer = submit(office, f"{world.url}/warum", {"email": "wer@x.example"})
    assert answer.status_code == 422
    assert "Diese Adresse kennen wir nicht." in answer.get_data(as_text=True)


def test_who_may_not_see_it_and_who_leads_it(office: FlaskClient) -> None:
    world = World(Visibility.INVITATION)
    assert "sieht diese Veranstaltung nicht" in world.why(office, world.stranger)
    with transaction() as session:
        event = session.get_one(Event, world.event_id)
        event.trainers.append(EventTrainer(person_id=world.people[0]))
    html = world.why(office, world.people[0])
    assert "Die Person leitet die Veranstaltung." in html
    assert "Die Person sieht diese Veranstaltung." in html


def test_the_reason_of_the_office_stands_in_the_history_as_text(office: FlaskClient) -> None:
    world = World()
    with transaction() as session:
        coordinator = actor_for(
            make_person(session, given_name="Wiebke", roles=(Role.COORDINATOR,))
        )
        event = session.get_one(Event, world.event_id)
        event.pool.capacity = 2
        registration_id = session.scalars(
            select(Registration.id).where(Registration.person_id == world.people[1])
        ).one()
        place_by_office(
            session, coordinator, registration_id, reason="<b>Dringend</b>", now=utc_now()
        )
    html = world.why(office, world.people[1])
    assert "Platz durch die Geschäftsstelle" in html
    assert "&lt;b&gt;Dringend&lt;/b&gt;" in html
    assert "Wiebke" in html


def test_strangers_and_other_events_are_not_found(office: FlaskClient) -> None:
    world = World()
    assert office.get(f"{world.url}/warum/999999").status_code == 404
    missing = "/koordination/veranstaltungen/2026-999/warum"
    assert office.get(missing).status_code == 404
    assert office.get(f"{missing}/{world.stranger}").status_code == 404
