"""People without a registration and refused recordings: nothing is lost, the office decides."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from tests.attendance.door.test_sync_operations import (
    AT,
    DAY,
    NOW,
    Door,
    change_registration,
    make_door,
)
from tests.attendance.factories import FRIDAY, make_trainer
from tests.attendance.phone import recording
from tests.browser_forms import find_form, forms_of, submit
from tests.factories import actor_for, berlin, log_in, make_event, make_organisation, make_person
from trainings.attendance.door.refused_operations import dismiss_refused, take_over
from trainings.attendance.door.walk_in_operations import (
    complete_walk_in,
    dismiss_walk_in,
    mark_walk_in,
    record_walk_in,
    undo_walk_in,
)
from trainings.attendance.models import (
    Attendance,
    AttendanceChange,
    AttendanceClosing,
    AttendanceMark,
    WalkIn,
)
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.people.models import Person
from trainings.registrations.entry import enter
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.places import with_places

pytestmark = pytest.mark.both_databases

PRESENT = AttendanceMark.PRESENT
FRIDAY_NOON = berlin(FRIDAY, 12)


@pytest.fixture
def door(app: Flask) -> Door:
    return make_door()


@pytest.fixture
def office(app: Flask) -> Actor:
    with transaction() as session:
        return actor_for(make_person(session, roles=(Role.COORDINATOR,)))


def note_guest(door: Door, name: str = "Gast") -> int:
    with transaction() as session:
        walk_in = record_walk_in(
            session, door.trainer, door.event_id, door.sessions[0],
            name=name, organisation="Stadt Herne", now=AT,
        )  # fmt: skip
        return walk_in.id


def new_person() -> int:
    with transaction() as session:
        return make_person(session, family_name="Gast", account=False).id


def guest(walk_in_id: int) -> WalkIn:
    db.session.rollback()
    return db.session.get_one(WalkIn, walk_in_id, populate_existing=True)


def run(operation: Any, *arguments: Any) -> Any:
    with transaction() as session:
        return operation(session, *arguments)


def test_a_guest_is_noted_marked_again_and_taken_back(door: Door) -> None:
    noted = note_guest(door)
    for _ in range(2):
        run(mark_walk_in, door.trainer, noted, door.sessions[1], NOW)
    assert {found.session_id for found in guest(noted).sessions} == set(door.sessions[:2])
    run(undo_walk_in, door.trainer, noted, door.sessions[0], NOW)
    assert guest(noted).dismissed_at is None
    run(undo_walk_in, door.trainer, noted, door.sessions[1], NOW)
    assert guest(noted).dismissed_at == NOW
    with pytest.raises(DomainError, match="walk_in_settled"):
        run(mark_walk_in, door.trainer, noted, door.sessions[1], NOW)


def test_a_guest_is_noted_where_attendance_may_be_recorded_only(door: Door) -> None:
    noted = note_guest(door)
    with transaction() as session:
        foreign = actor_for(make_trainer(session, make_event(session)))
        other_session = make_event(session).sessions[0].id
    with pytest.raises(DomainError, match="not_found"):
        run(mark_walk_in, foreign, noted, door.sessions[0], NOW)
    with pytest.raises(DomainError, match="not_found"):
        run(mark_walk_in, door.trainer, noted, other_session, NOW)
    with pytest.raises(DomainError, match="too_early"):
        run(mark_walk_in, door.trainer, noted, door.sessions[2], NOW)


def test_the_office_completes_a_guest_who_then_takes_part_without_a_place(
    door: Door, office: Actor
) -> None:
    noted, person = note_guest(door), new_person()
    run(mark_walk_in, door.trainer, noted, door.sessions[2], FRIDAY_NOON)
    done = run(complete_walk_in, office, noted, person, FRIDAY_NOON)
    registration = db.session.get_one(Registration, done.id)
    assert (registration.state, registration.ticket) == (RegistrationState.WALK_IN, None)
    assert [(step.reason, step.to_state) for step in registration.history] == [
        ("walked_in", RegistrationState.WALK_IN)
    ]
    changes = db.session.scalars(select(AttendanceChange).order_by(AttendanceChange.at)).all()
    assert [(change.session_id, change.at, change.actor_person_id) for change in changes] == [
        (door.sessions[0], AT, door.trainer.person_id),
        (door.sessions[2], berlin(FRIDAY, 9), door.trainer.person_id),
    ]
    assert guest(noted).registration_id == registration.id
    mail = db.session.scalars(select(OutgoingMail)).one()
    assert mail.kind == "registration_walked_in"
    assert any("Artikel 14" in words for words in mail.mail.information)
    with pytest.raises(DomainError, match="walk_in_settled"):
        run(complete_walk_in, office, noted, person, FRIDAY_NOON)


def test_a_guest_who_has_a_place_gets_the_recordings_there(door: Door, office: Actor) -> None:
    first, second = note_guest(door), note_guest(door)
    run(mark_walk_in, door.trainer, second, door.sessions[1], NOW)
    with transaction() as session:
        person = session.get_one(Registration, door.people[1]).person_id
    for noted in (first, second):
        assert run(complete_walk_in, office, noted, person, NOW).id == door.people[1]
    marks = db.session.scalars(select(Attendance)).all()
    assert {(row.registration_id, row.session_id) for row in marks} == {
        (door.people[1], door.sessions[0]), (door.people[1], door.sessions[1]),
    }  # fmt: skip
    assert guest(first).registration_id == door.people[1]
    assert guest(second).dismissed_at == NOW
    assert db.session.scalars(select(OutgoingMail)).all() == []


@pytest.mark.parametrize("state", ["awaiting_release", "waiting", "offered"])
def test_whoever_waits_and_comes_has_one_registration(
    door: Door, office: Actor, state: str
) -> None:
    noted = note_guest(door)
    change_registration(door, state=RegistrationState(state), ticket=None)
    with transaction() as session:
        person = session.get_one(Registration, door.people[0]).person_id
    assert run(complete_walk_in, office, noted, person, NOW).id == door.people[0]
    row = db.session.get_one(Registration, door.people[0], populate_existing=True)
    assert (row.state, row.ticket) == (RegistrationState.WALK_IN, None)
    assert door.marks() == {row.id: PRESENT}
    (mail,) = db.session.scalars(select(OutgoingMail)).all()
    assert mail.kind == "registration_walked_in"


def test_whoever_was_there_without_a_registration_does_not_register_again(
    door: Door, office: Actor
) -> None:
    person = new_person()
    run(complete_walk_in, office, note_guest(door), person, NOW)
    with pytest.raises(DomainError, match="already_registered"), transaction() as session:
        with_places(
            session, door.event_id, [person], NOW,
            lambda places: enter(places, office, person, needs={}, in_window=False),
        )  # fmt: skip


def test_a_trainer_is_no_guest_and_a_closed_event_takes_none(door: Door, office: Actor) -> None:
    noted = note_guest(door)
    with pytest.raises(DomainError, match="trains_this_event"):
        run(complete_walk_in, office, noted, door.trainer.person_id, NOW)
    close(door)
    with pytest.raises(DomainError, match="attendance_closed"):
        run(complete_walk_in, office, noted, new_person(), NOW)
    assert guest(noted).registration_id is None
    assert db.session.scalar(select(Registration).where(Registration.state == "walk_in")) is None


def test_only_the_office_settles(door: Door, office: Actor) -> None:
    noted, person = note_guest(door), new_person()
    door.sync(door.seen(session=None))
    (refused,) = door.refused()
    for operation, arguments in (
        (complete_walk_in, (noted, person)),
        (dismiss_walk_in, (noted,)),
        (take_over, (refused.id,)),
        (dismiss_refused, (refused.id,)),
    ):
        with pytest.raises(DomainError, match="not_found"):
            run(operation, door.trainer, *arguments, NOW)
        with pytest.raises(DomainError, match="not_found"):
            run(operation, office, *(999 for _ in arguments), NOW)
    run(dismiss_walk_in, office, noted, NOW)
    run(dismiss_refused, office, refused.id, NOW)
    assert guest(noted).dismissed_at == NOW
    actions = db.session.scalars(select(AuditEntry.action)).all()
    assert {"walk_in_recorded", "walk_in_dismissed", "recording_dismissed"} <= set(actions)


def test_a_guest_taken_back_by_the_phone_after_the_office_completed_it(
    door: Door, office: Actor
) -> None:
    sent = recording("walk_in", door.sessions[0], AT, name="Gast")
    door.sync(sent)
    noted = db.session.scalars(select(WalkIn.id)).one()
    run(complete_walk_in, office, noted, new_person(), NOW)
    undo = recording("undo", door.sessions[0], NOW, undoes=sent["key"])
    assert door.sync(undo) == ["superseded"]
    assert PRESENT in door.marks().values()


# Refused recordings


def close(door: Door, *, closed: bool = True) -> None:
    with transaction() as session:
        session.add(
            AttendanceClosing(
                event_id=door.event_id, at=NOW, actor_person_id=None, is_closed=closed
            )
        )


def test_the_office_takes_over_with_the_time_of_the_recording(door: Door, office: Actor) -> None:
    former = replace(door.trainer, roles=frozenset())
    scan = door.set("present", late=10)
    assert door.sync(scan, actor=former) == ["not_allowed"]
    (row,) = door.refused()
    run(take_over, office, row.id, NOW + DAY)
    assert door.marks() == {door.people[0]: PRESENT}
    (change,) = db.session.scalars(select(AttendanceChange)).all()
    assert (change.at, change.actor_person_id, change.key) == (AT, office.person_id, scan["key"])
    assert change.new_late_minutes == 10
    assert door.sync(scan, actor=former) == ["not_allowed"]
    assert len(db.session.scalars(select(AttendanceChange)).all()) == 1
    with pytest.raises(DomainError, match="already_settled"):
        run(take_over, office, row.id, NOW)


def test_what_cannot_count_yet_is_not_taken_over(door: Door, office: Actor) -> None:
    close(door)
    sent = recording("walk_in", door.sessions[0], AT, name="Gast")
    door.sync(door.seen(), sent, door.seen(hash="0" * 64))
    scan, walk_in, unknown = door.refused()
    with pytest.raises(DomainError, match="attendance_closed"):
        run(take_over, office, scan.id, NOW)
    close(door, closed=False)
    change_registration(door, state=RegistrationState.WAITING)
    with pytest.raises(DomainError, match="waiting_list") as refusal:
        run(take_over, office, scan.id, NOW)
    assert "Person ohne Anmeldung" in refusal.value.sentence
    assert "fragen Sie die Geschäftsstelle" not in refusal.value.sentence
    with pytest.raises(DomainError, match="nothing_to_take_over"):
        run(take_over, office, unknown.id, NOW)
    run(take_over, office, walk_in.id, NOW)
    assert db.session.scalars(select(WalkIn.name)).one() == "Gast"


# Pages


def test_the_page_at_the_door_works_without_a_script(app: Flask) -> None:

    client = app.test_client()
    with transaction() as session:
        event = make_event(session, first_day=berlin_day(utc_now()))
        number, trainer = event.number, make_trainer(session, event).id
        office = make_person(session, roles=(Role.COORDINATOR,)).id
        first, second = (found.id for found in event.sessions[:2])
    log_in(client, trainer)
    page = f"/einlass/{number}/ohne-anmeldung?termin={first}"
    assert "Bitte geben Sie den Namen ein" in submit(client, page, {"name": " "}).text
    answer = submit(client, page, {"name": "<b>Anna", "organisation": "Stadt Herne"})
    assert answer.status_code == 303
    html = client.get(page).text
    assert "&lt;b&gt;Anna" in html
    assert "Nachtragen" not in html
    submit(client, f"/einlass/{number}/ohne-anmeldung?termin={second}", button="Auch jetzt da")
    submit(client, page, button="Rückgängig")
    (noted,) = db.session.scalars(select(WalkIn)).all()
    assert [found.session_id for found in noted.sessions] == [second]
    assert client.get("/koordination/anwesenheit").status_code == 403

    log_in(client, office)
    assert "Nachtragen" in client.get(page).text
    list_page = client.get("/koordination/anwesenheit").text
    assert "&lt;b&gt;Anna" in list_page
    form = f"/koordination/anwesenheit/ohne-anmeldung/{noted.id}"
    assert submit(client, form, {"email": "anna@herne.example"}).status_code == 422
    with transaction() as session:
        organisation = session.scalars(select(Person)).first().organisation_id
    whole = {
        "email": "anna@herne.example",
        "given_name": "Anna",
        "family_name": "Gast",
        "organisation_id": str(organisation),
    }
    assert submit(client, form, whole).status_code == 303
    assert client.get(form).status_code == 404
    assert "Nichts ist offen" in client.get("/koordination/anwesenheit").text
    entered = db.session.scalars(select(Registration)).one()
    assert entered.state is RegistrationState.WALK_IN
    assert entered.person.email == "anna@herne.example"


def test_the_office_settles_refused_recordings_on_its_page(door: Door, app: Flask) -> None:

    client = app.test_client()
    with transaction() as session:
        log_in(client, make_person(session, roles=(Role.COORDINATOR,)).id)
    former = replace(door.trainer, roles=frozenset())
    door.sync(door.seen(), door.seen(1), door.seen(hash="0" * 64), actor=former)
    assert "3 Erfassungen sind zu klären" in client.get("/koordination/").text
    page = "/koordination/anwesenheit"
    html = client.get(page).text
    assert html.count("Nicht mehr eingeteilt") == 2
    assert html.count("/uebernehmen") == 2
    assert "Unbekannter Code" in html
    assert 'id="meldung" tabindex="-1"' not in html
    _, second, third = (row.id for row in door.refused())
    # The next one takes the focus, behind the last one the one before it.
    assert submit(client, page, button="Übernehmen").location == f"{page}#e-{second}"
    assert f'<tr id="e-{second}" tabindex="-1">' in client.get(page).text
    last = f"{page}/erfassungen/{third}/verwerfen"
    (form,) = (each for each in forms_of(client.get(page).text) if each.action == last)
    assert client.post(last, data=form.fields).location == f"{page}#e-{second}"
    assert "1 Erfassung ist zu klären" in client.get("/koordination/").text
    assert len(door.marks()) == 1
    assert [row.settled_at is None for row in door.refused()].count(True) == 1
    guest_id = note_guest(door)
    assert submit(client, page, button="Verwerfen").location == f"{page}#g-{guest_id}"
    assert submit(client, page, button="Verwerfen").location == f"{page}#meldung"
    assert 'id="meldung" tabindex="-1"' in client.get(page).text


def test_what_was_refused_leads_to_the_sentence_that_says_why(door: Door, app: Flask) -> None:
    client = app.test_client()
    with transaction() as session:
        log_in(client, make_person(session, roles=(Role.COORDINATOR,)).id)
    door.sync(door.seen(), actor=replace(door.trainer, roles=frozenset()))
    close(door)
    page = "/koordination/anwesenheit"
    assert submit(client, page, button="Übernehmen").location == f"{page}#meldung"
    html = client.get(page).text
    assert 'id="meldung" tabindex="-1"' in html
    assert "Öffnen Sie sie zuerst wieder." in html


@pytest.mark.parametrize("noted", ["Stadt Herne", "Herne", "Stadt", ""])
def test_entering_a_guest_begins_with_what_was_noted(door: Door, app: Flask, noted: str) -> None:
    client = app.test_client()
    with transaction() as session:
        log_in(client, make_person(session, roles=(Role.COORDINATOR,)).id)
        herne = make_organisation(session, "Stadt Herne")
        herne.short_name = "Herne"
        chosen = str(herne.id) if "Herne" in noted else ""
    with transaction() as session:
        walk_in = record_walk_in(
            session, door.trainer, door.event_id, door.sessions[0],
            name="Dr. Wiebke van der <b>Berg", organisation=noted, now=AT,
        )  # fmt: skip
        page = f"/koordination/anwesenheit/ohne-anmeldung/{walk_in.id}"
    form = find_form(client.get(page).text, {"family_name": ""}, None)
    assert form.fields["title"] == ["Dr."]
    assert form.fields["given_name"] == ["Wiebke"]
    assert form.fields["family_name"] == ["van der <b>Berg"]
    assert form.fields["organisation_id"] == [chosen]
    # What the office typed stays, also where it emptied a field.
    answer = submit(client, page, {"given_name": "", "family_name": "Berg", "title": ""})
    again = find_form(answer.text, {"family_name": ""}, None)
    assert [again.fields[name] for name in ("given_name", "family_name", "title")] == [
        [""], ["Berg"], [""],
    ]  # fmt: skip
