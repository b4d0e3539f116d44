"""What a phone learns of the recordings that it was refused and the office has settled."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.attendance.door.test_sync_operations import (
    AT,
    NOW,
    STRANGE,
    Door,
    change_registration,
    make_door,
)
from tests.attendance.factories import THURSDAY, make_trainer
from tests.attendance.phone import recording, send
from tests.browser_forms import submit
from tests.factories import actor_for, log_in, make_event, make_person
from trainings.attendance.door.refused_operations import dismiss_refused, take_over
from trainings.attendance.door.roster_queries import roster
from trainings.attendance.door.settled_queries import Settled
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.models import Event
from trainings.registrations.models import RegistrationState

pytestmark = pytest.mark.both_databases


@pytest.fixture
def door(app: Flask) -> Door:
    return make_door()


@pytest.fixture
def office(app: Flask) -> Actor:
    with transaction() as session:
        return actor_for(make_person(session, roles=(Role.COORDINATOR,)))


def learned(door: Door, actor: Actor | None = None) -> tuple[Settled, ...]:
    db.session.rollback()
    return roster(db.session(), actor or door.trainer, door.number, NOW).settled


def test_a_phone_learns_what_the_office_made_of_its_recordings(door: Door, office: Actor) -> None:
    counts, forged = door.seen(), door.seen(hash=STRANGE)
    later = door.seen(hash=STRANGE, at=AT + timedelta(minutes=5))
    change_registration(door, state=RegistrationState.WAITING)
    door.sync(counts, forged, later)
    assert learned(door) == ()
    first, second, _ = door.refused()
    change_registration(door, state=RegistrationState.PLACED)
    with transaction() as session:
        take_over(session, office, first.id, NOW)
        dismiss_refused(session, office, second.id, NOW + timedelta(days=1))
    assert set(learned(door)) == {
        Settled(counts["key"], "taken_over", THURSDAY),
        Settled(forged["key"], "dismissed", THURSDAY + timedelta(days=1)),
    }


def test_nobody_learns_what_others_were_refused_or_took_back(door: Door, office: Actor) -> None:
    with transaction() as session:
        event = session.get_one(Event, door.event_id)
        other = actor_for(make_trainer(session, event))
        elsewhere = make_event(session, first_day=THURSDAY)
        other_number = elsewhere.number
        second = actor_for(make_trainer(session, elsewhere, event))
    scan, forged = door.seen(), door.seen(hash=STRANGE)
    change_registration(door, state=RegistrationState.WAITING)
    door.sync(scan, forged)
    door.sync(door.seen(hash="1" * 64), actor=second)
    door.sync(door.undo(scan))
    _, of_first, of_second = door.refused()
    with transaction() as session:
        dismiss_refused(session, office, of_first.id, NOW)
        dismiss_refused(session, office, of_second.id, NOW)
    assert [each.key for each in learned(door)] == [forged["key"]]
    assert learned(door, other) == learned(door, office) == ()
    db.session.rollback()
    assert roster(db.session(), second, other_number, NOW).settled == ()


def test_a_scan_that_is_one_line_with_another_is_told_with_it(door: Door, office: Actor) -> None:
    first, again = door.seen(), door.seen(at=AT + timedelta(seconds=20))
    change_registration(door, state=RegistrationState.WAITING)
    results = send(door.trainer, door.number, [first, again], NOW)
    assert [each.kept_as for each in results] == ["", first["key"]]
    with transaction() as session:
        dismiss_refused(session, office, door.refused()[0].id, NOW)
    (result,) = send(door.trainer, door.number, [again], NOW)
    assert result.kept_as == first["key"]
    assert [each.key for each in learned(door)] == [first["key"]]


def test_the_roster_says_key_outcome_and_day_and_nothing_else(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=berlin_day(utc_now()))
        event.offline_roster = False
        trainer = make_trainer(session, event)
        office = make_person(session, roles=(Role.COORDINATOR,)).id
        door = Door(event.number, event.id, [event.sessions[0].id], [], actor_for(trainer))
    scan = recording("seen", door.sessions[0], utc_now(), hash=STRANGE)
    door.sync(scan, now=utc_now())
    client = app.test_client()
    log_in(client, office)
    assert submit(client, "/koordination/anwesenheit", button="Verwerfen").status_code == 303
    log_in(client, door.trainer.person_id)
    assert client.get(f"/einlass/{door.number}/roster.json").json["settled"] == [
        {"key": scan["key"], "outcome": "dismissed", "day": berlin_day(utc_now()).isoformat()}
    ]
