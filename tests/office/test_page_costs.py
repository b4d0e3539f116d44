"""Every page of the office costs a fixed number of statements, at most 12."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import make_event, make_organisation, make_person, make_venue
from tests.office.conftest import counted_statements
from trainings.attendance.models import (
    RecordingKind,
    RefusedRecording,
    WalkIn,
    WalkInSession,
)
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import Mail, post
from trainings.core.permissions import Role
from trainings.events.models import (
    Event,
    EventHost,
    EventInvitation,
    EventKind,
    EventTemplate,
    EventTrainer,
    TemplateSession,
    Visibility,
)
from trainings.organisations.models import Level, Organisation
from trainings.people.models import OrganisationContact, Person
from trainings.registrations.models import (
    Contingent,
    CourseRequest,
    CourseRequestState,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
    Wish,
)

pytestmark = pytest.mark.both_databases
NUMBER = "2026-900"


def fill(session: Session, rows: int) -> None:
    """One event with `rows` of everything, and `rows` more of each list."""
    soon = utc_now().date() + timedelta(days=40)
    home = make_organisation(session, "Stadt Herne", domains=("herne.example",))
    venue = make_venue(session, town="Herne")
    event = make_event(session, first_day=soon, venue=venue, capacity=200)
    event.number = NUMBER
    mail = Mail(subject="Zusage", paragraphs=("Sie haben einen Platz.",))
    for index in range(rows):
        organisation = make_organisation(session, f"Kreis {index}")
        template = make_format(f"Bedarf {index}")
        make_organisation(session, f"Amt {index}", parent=home, level=Level.UNIT)
        person = make_person(session, organisation, roles=(Role.TRAINER,))
        make_venue(session, town=f"Ort {index}")
        other = make_event(session, first_day=soon + timedelta(days=index), venue=venue)
        other.trainers.append(EventTrainer(person_id=person.id))
        event.trainers.append(EventTrainer(person_id=person.id, position=index))
        session.add_all(
            [
                EventHost(event_id=event.id, organisation_id=organisation.id),
                EventInvitation(event_id=event.id, person_id=person.id),
                OrganisationContact(organisation_id=home.id, person_id=person.id),
                make_registration(event, person.id, organisation.id, index + 1),
                make_registration(other, person.id, home.id, index),
                Contingent(
                    pool_id=event.pool_id,
                    organisation_id=organisation.id,
                    places=2,
                    until=event.closes_at,
                ),
                make_format(f"Format {index}"),
                Wish(person=person, template=template, next_free=True, created_at=NOW),
                *make_requests(organisation, template, person),
            ]
        )
        session.add_all(make_unsettled(event, person, index))
        failed = post(session, kind="x", to="a@b.example", name="A", mail=mail, now=NOW)
        failed.attempts = 1


def make_unsettled(event: Event, person: Person, index: int) -> list[RefusedRecording | WalkIn]:
    common = {
        "event_id": event.id,
        "at": NOW,
        "received_at": NOW,
        "actor_person_id": person.id,
        "name": f"Gast {index}",
    }
    sessions = [WalkInSession(session_id=event.sessions[0].id)]
    return [
        RefusedRecording(
            key=f"refused-{index}", kind=RecordingKind.WALK_IN, reason="too_late",
            session_id=event.sessions[0].id, **common,
        ),
        WalkIn(key=f"guest-{index}", sessions=sessions, **common),
    ]  # fmt: skip


def make_requests(
    organisation: Organisation, template: EventTemplate, person: Person
) -> list[CourseRequest]:
    return [
        CourseRequest(
            organisation=organisation,
            template=template,
            person=person,
            participants=12,
            period="Herbst",
            state=state,
            created_at=NOW,
        )
        for state in (CourseRequestState.OPEN, CourseRequestState.DECLINED)
    ]


def make_registration(
    event: Event, person_id: int, organisation_id: int, rank: int
) -> Registration:
    return Registration(
        pool_id=event.pool_id,
        event_id=event.id,
        person_id=person_id,
        state=RegistrationState.WAITING if rank % 2 else RegistrationState.PLACED,
        rank=rank,
        requested_at=NOW,
        state_since=NOW,
        organisation_id=organisation_id,
        organisation_name="Kreis",
        organisation_kind="city",
        unit="",
        needs=[Need(kind=NeedKind.STEP_FREE)],
    )


def make_format(title: str) -> EventTemplate:
    return EventTemplate(
        kind=EventKind.TRAINING,
        title=title,
        capacity=12,
        minimum=6,
        visibility=Visibility.PARTNERS,
        registration_deadline_days=14,
        withdrawal_deadline_days=7,
        needs_deadline_days=14,
        sessions=[TemplateSession(position=0, day=1, begins=time(9), ends=time(12), label="")],
    )


PAGES = {
    "/koordination/": 12,
    "/koordination/veranstaltungen/": 6,
    "/koordination/veranstaltungen/?jahr=2026&stand=published&art=training": 6,
    "/koordination/veranstaltungen/neu": 2,
    f"/koordination/veranstaltungen/{NUMBER}": 12,
    f"/koordination/veranstaltungen/{NUMBER}/bearbeiten": 4,
    f"/koordination/veranstaltungen/{NUMBER}/programm": 4,
    f"/koordination/veranstaltungen/{NUMBER}/leitung": 5,
    f"/koordination/veranstaltungen/{NUMBER}/organisationen": 6,
    f"/koordination/veranstaltungen/{NUMBER}/einladungen": 5,
    f"/koordination/veranstaltungen/{NUMBER}/plaetze": 11,
    f"/koordination/veranstaltungen/{NUMBER}/zulassung": 9,
    f"/koordination/veranstaltungen/{NUMBER}/warum": 4,
    f"/koordination/veranstaltungen/{NUMBER}/warum/1": 11,
    f"/koordination/veranstaltungen/{NUMBER}/verlegen": 5,
    f"/koordination/veranstaltungen/{NUMBER}/absagen": 5,
    f"/koordination/veranstaltungen/{NUMBER}/kopieren": 4,
    f"/koordination/veranstaltungen/{NUMBER}/warteliste": 8,
    f"/koordination/veranstaltungen/{NUMBER}/warteliste/WAITER/platz": 5,
    f"/koordination/veranstaltungen/{NUMBER}/warteliste/WAITER/stelle": 5,
    f"/koordination/veranstaltungen/{NUMBER}/zusatztermin": 4,
    "/koordination/bedarf/": 7,
    "/koordination/bedarf/?format=1": 7,
    "/koordination/bedarf/anfragen/1/planen": 2,
    "/koordination/bedarf/anfragen/1/ablehnen": 2,
    "/koordination/freigaben": 5,
    "/koordination/anwesenheit": 6,
    "/koordination/anwesenheit/ohne-anmeldung/1": 5,
    f"/koordination/veranstaltungen/{NUMBER}/anmelden": 5,
    "/koordination/anmeldungen/1/abmelden": 5,
    "/koordination/anmeldungen/1/ersatz": 3,
    "/koordination/organisationen/": 3,
    "/koordination/organisationen/?alle=1": 3,
    "/koordination/organisationen/1": 7,
    "/koordination/organisationen/1/bearbeiten": 3,
    "/koordination/organisationen/1/zusammenfuehren": 3,
    "/koordination/organisationen/neu": 2,
    "/koordination/personen/": 4,
    "/koordination/personen/?suche=beispiel": 4,
    "/koordination/personen/1": 4,
    "/koordination/personen/1/bearbeiten": 3,
    "/koordination/personen/1/rollen": 2,
    "/koordination/personen/neu": 2,
    "/koordination/orte/": 2,
    "/koordination/orte/1": 3,
    "/koordination/orte/neu": 1,
    "/koordination/formate/": 2,
    "/koordination/formate/1": 3,
    "/koordination/formate/neu": 1,
    "/koordination/mails/": 3,
    "/koordination/mails/1": 2,
    "/koordination/mails/1/html": 2,
}


def cost(client: FlaskClient, url: str) -> int:
    db.session.remove()
    waiter = select(Registration.id).where(Registration.state == RegistrationState.WAITING)
    url = url.replace("WAITER", str(db.session.scalar(waiter.limit(1))))
    db.session.remove()
    with counted_statements() as statements:
        answer = client.get(url)
    assert answer.status_code == 200, url
    return len([text for text in statements if not text.startswith(("BEGIN", "PRAGMA"))])


@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_with_one_row_and_with_thirty(
    browser: Callable[[Role], FlaskClient], rows: int
) -> None:
    client = browser(Role.ADMIN)
    with transaction() as session:
        fill(session, rows)
    assert {url: cost(client, url) for url in PAGES} == PAGES
    assert max(PAGES.values()) <= 12


def test_every_page_of_the_office_is_on_the_list_above(app: Flask) -> None:
    drafts_and_actions = {"event_dates"}
    endpoints = {
        rule.endpoint.removeprefix("office.")
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("office.") and "GET" in (rule.methods or ())
    }
    adapter = app.url_map.bind("localhost")
    listed = {
        adapter.match(url.partition("?")[0].replace("WAITER", "1"))[0].removeprefix("office.")
        for url in PAGES
    }
    assert endpoints - listed == drafts_and_actions
