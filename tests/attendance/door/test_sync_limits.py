"""What one sender can leave at most, and what is one line for the office however often it comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.attendance.door.test_sync_operations import (
    AT,
    NOW,
    STRANGE,
    Door,
    change_registration,
    counts,
    make_door,
)
from tests.attendance.factories import FRIDAY
from tests.attendance.phone import recording, send
from tests.browser_forms import submit
from tests.concurrency.threads import run_together
from tests.factories import actor_for, berlin, log_in, make_person
from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.door.limits import MOST_NOTES, MOST_OPEN_REFUSALS
from trainings.attendance.door.refused_operations import dismiss_refused, take_over
from trainings.attendance.door.walk_in_operations import (
    complete_walk_in,
    dismiss_walk_in,
    record_walk_in,
    undo_walk_in,
)
from trainings.attendance.models import WalkIn
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.registrations.models import RegistrationState

pytestmark = pytest.mark.both_databases


@pytest.fixture
def door(app: Flask) -> Door:
    return make_door()


@pytest.fixture
def office(app: Flask) -> Actor:
    with transaction() as session:
        return actor_for(make_person(session, roles=(Role.COORDINATOR,)))


# One line for the same scan


@pytest.mark.parametrize("settled", ["dismissed", "taken over", "taken back"])
@pytest.mark.parametrize("closed", [False, True])
def test_the_same_scan_again_after_it_was_settled_stays_one_line(
    door: Door, office: Actor, settled: str, closed: bool
) -> None:
    first, again = door.seen(), door.seen(at=AT + timedelta(seconds=20))
    change_registration(door, state=RegistrationState.WAITING)
    assert door.sync(first, again) == ["waiting_list", "waiting_list"]
    (row,) = door.refused()
    evening = berlin(FRIDAY, 18)
    if settled == "taken back":
        door.sync(door.undo(first))
    elif settled == "dismissed":
        with transaction() as session:
            dismiss_refused(session, office, row.id, NOW)
    else:
        change_registration(door, state=RegistrationState.PLACED)
        with transaction() as session:
            take_over(session, office, row.id, NOW)
    if closed:
        with transaction() as session:
            close_attendance(session, door.trainer, door.event_id, evening)
    counted = counts()
    assert door.sync(again, first, again, now=evening) == ["waiting_list"] * 3
    assert counts() == counted
    assert [row.settled_at for row in door.refused()] == [NOW]


def test_a_forged_code_again_after_it_was_dismissed_stays_one_line(
    door: Door, office: Actor
) -> None:
    first, again = (door.seen(hash=STRANGE, at=AT + timedelta(seconds=n)) for n in (0, 30))
    door.sync(first, again)
    with transaction() as session:
        dismiss_refused(session, office, door.refused()[0].id, NOW)
    assert door.sync(again) == ["unknown_ticket"]
    assert len(door.refused()) == 1


def test_a_scan_after_the_decision_is_a_new_one(door: Door, office: Actor) -> None:
    change_registration(door, state=RegistrationState.WAITING)
    door.sync(door.seen())
    with transaction() as session:
        dismiss_refused(session, office, door.refused()[0].id, AT + timedelta(seconds=20))
    change_registration(door, state=RegistrationState.PLACED)
    assert door.sync(door.seen(at=AT + timedelta(seconds=40))) == ["recorded"]


def test_refusing_and_taking_back_in_turn_is_limited(door: Door) -> None:
    for begin in range(0, MOST_OPEN_REFUSALS, 250):
        photos = [
            door.seen(hash=STRANGE, at=AT - timedelta(minutes=2 * n))
            for n in range(begin, begin + 250)
        ]
        door.sync(*photos)
        taken_back = (
            recording("undo", door.sessions[0], NOW, hash=STRANGE, undoes=each["key"])
            for each in photos
        )
        assert set(door.sync(*taken_back)) == {"undone"}
    assert door.sync(door.seen(hash=STRANGE, at=NOW)) == ["malformed"]
    assert len(door.refused()) == MOST_OPEN_REFUSALS


# People without a registration


def guests(door: Door, number: int) -> list[dict[str, Any]]:
    return [recording("walk_in", door.sessions[0], AT, name=f"Gast {n}") for n in range(number)]


def nameless(door: Door, number: int) -> list[dict[str, Any]]:
    return [
        recording("undo", door.sessions[0], NOW, undoes=each["key"])
        for each in guests(door, number)
    ]


def note(door: Door, name: str = "Gast") -> int:
    with transaction() as session:
        return record_walk_in(
            session, door.trainer, door.event_id, door.sessions[0],
            name=name, organisation="", now=NOW,
        ).id  # fmt: skip


def notes() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count(WalkIn.id))) or 0


@pytest.mark.parametrize("taken_back", [False, True])
def test_only_so_many_guests_are_noted_by_one_phone(door: Door, taken_back: bool) -> None:
    queue = (nameless if taken_back else guests)(door, MOST_NOTES - 1)
    once = door.sync(*queue)
    last, over = guests(door, 2)
    results = send(door.trainer, door.number, [last, over], NOW)
    assert [result.outcome for result in results] == ["walk_in_recorded", "malformed"]
    assert "schon zu viele Personen ohne Anmeldung" in results[1].sentence
    assert door.sync(*nameless(door, 1)) == ["malformed"]
    assert notes() == MOST_NOTES
    # What was taken before stays so, whatever comes after it; what belongs to it is not refused.
    assert door.sync(*queue) == once
    assert door.sync(recording("undo", door.sessions[0], NOW, undoes=last["key"])) == ["undone"]
    assert door.sync(door.seen()) == ["recorded"]


def test_whoever_notes_too_many_on_the_page_is_told(door: Door, office: Actor, app: Flask) -> None:
    door.sync(*guests(door, MOST_NOTES))
    with pytest.raises(DomainError, match="too_many_walk_ins"):
        note(door)
    # The course is long over: only the office still notes anybody on the page.
    door.sync(*guests(door, MOST_NOTES), actor=office)
    client = app.test_client()
    log_in(client, office.person_id)
    page = f"/einlass/{door.number}/ohne-anmeldung"
    answer = submit(
        client, page, {"name": "Anna Gast", "session_id": str(door.sessions[0])}, button="Erfassen"
    )
    assert answer.status_code == 409
    assert "schon zu viele Personen ohne Anmeldung" in answer.text
    assert 'value="Anna Gast"' in answer.text
    assert notes() == 2 * MOST_NOTES
    # Whoever is full can go on when the office has entered a guest.
    first = db.session.scalars(select(WalkIn.id).order_by(WalkIn.id)).first()
    with transaction() as session:
        person = make_person(session, account=False).id
    with transaction() as session:
        complete_walk_in(session, office, first or 0, person, NOW)
    note(door)


@pytest.mark.parametrize("by_page", [True, False])
def test_what_the_office_settled_counts_no_more(door: Door, office: Actor, by_page: bool) -> None:
    def add() -> None:
        if by_page:
            note(door)
        else:
            assert door.sync(*guests(door, 1)) == ["walk_in_recorded"]

    sent = guests(door, MOST_NOTES)
    door.sync(*sent)
    first, second, third, fourth = db.session.scalars(
        select(WalkIn.id).order_by(WalkIn.id).limit(4)
    )
    with transaction() as session:
        person = make_person(session, account=False).id
    # Taking back at the door makes no room.
    with transaction() as session:
        undo_walk_in(session, door.trainer, first, door.sessions[0], NOW)
    with pytest.raises(DomainError, match="too_many_walk_ins"):
        note(door)
    with transaction() as session:
        dismiss_walk_in(session, office, second, NOW)
    add()
    # Both notes of one person are settled, though only one of them has the registration.
    for noted in (third, fourth):
        with transaction() as session:
            complete_walk_in(session, office, noted, person, NOW)
        add()
    with pytest.raises(DomainError, match="too_many_walk_ins"):
        note(door)
    assert door.sync(*guests(door, 1)) == ["malformed"]


def test_of_many_notes_at_once_none_is_too_many(door: Door, app: Flask) -> None:
    door.sync(*guests(door, MOST_NOTES - 2))
    work = [lambda: note(door), lambda: len(door.sync(*guests(door, 1)))] * 3
    done = run_together(app, work)
    unexpected = [
        each
        for each in done
        if isinstance(each, BaseException)
        and not (isinstance(each, DomainError) and each.code == "too_many_walk_ins")
    ]
    assert unexpected == []
    assert notes() == MOST_NOTES
