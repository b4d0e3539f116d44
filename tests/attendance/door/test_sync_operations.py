"""What a phone recorded counts once, in any order; what cannot count is kept and has a reason."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, select

from tests.attendance.factories import (
    FRIDAY,
    THURSDAY,
    history_of,
    make_course,
    make_registration,
    make_trainer,
    marks_of,
    registration_ids,
)
from tests.attendance.phone import hashed, new_key, outcomes, recording, send, ticket_of
from tests.concurrency.threads import run_together
from tests.conftest import empty_database
from tests.factories import actor_for, berlin, make_event, make_person
from tests.statements import counted_statements
from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.door.limits import MOST_OPEN_REFUSALS
from trainings.attendance.models import (
    Attendance,
    AttendanceChange,
    AttendanceClosing,
    AttendanceMark,
    RefusedRecording,
    WalkIn,
)
from trainings.attendance.operations import record_attendance
from trainings.attendance.rules import Entry
from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState
from trainings.events.planning import set_trainers
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.moves import move

pytestmark = pytest.mark.both_databases

PRESENT, ABSENT, EXCUSED = AttendanceMark
NOW = berlin(THURSDAY, 10)
AT = berlin(THURSDAY, 9)
DAY = timedelta(days=1)
STRANGE = "0" * 64


@dataclass
class Door:
    """A training that runs, its trainer with a phone."""

    number: str
    event_id: int
    sessions: list[int]
    people: list[int]
    trainer: Actor

    def seen(self, person: int = 0, at: datetime = AT, **values: Any) -> dict[str, Any]:
        code = hashed(self.number, ticket_of(self.people[person]))
        return recording("seen", self.sessions[0], at, **{"hash": code, **values})

    def set(self, mark: str, person: int = 0, at: datetime = AT, **values: Any) -> dict[str, Any]:
        about = {"registration": self.people[person], "mark": mark}
        return recording("set", self.sessions[0], at, **{**about, **values})

    def undo(self, undone: dict[str, Any], person: int = 0, at: datetime = NOW) -> dict[str, Any]:
        about = {"registration": self.people[person], "undoes": undone["key"]}
        return recording("undo", self.sessions[0], at, **about)

    def sync(self, *recordings: Any, now: datetime = NOW, **named: Any) -> list[str]:
        return outcomes(
            named.pop("actor", self.trainer), self.number, list(recordings), now, **named
        )

    def marks(self) -> dict[int, AttendanceMark]:
        db.session.rollback()
        return marks_of(db.session(), self.sessions[0])

    def refused(self) -> list[RefusedRecording]:
        db.session.rollback()
        return list(db.session.scalars(select(RefusedRecording).order_by(RefusedRecording.id)))


@pytest.fixture
def door(app: Flask) -> Door:
    return make_door()


def make_door(people: int = 3) -> Door:
    with transaction() as session:
        event = make_course(session, people)
        return Door(
            number=event.number,
            event_id=event.id,
            sessions=[found.id for found in event.sessions],
            people=registration_ids(session, event),
            trainer=actor_for(make_trainer(session, event)),
        )


def change_registration(door: Door, **values: Any) -> None:
    with transaction() as session:
        registration = session.get_one(Registration, door.people[0])
        for name, value in values.items():
            setattr(registration, name, value)


def give_up_place(door: Door, to: RegistrationState) -> None:
    with transaction() as session:
        registration = session.get_one(Registration, door.people[0])
        move(session, registration, to, Actor(), reason="withdrawn", now=NOW)


# What counts


def test_a_scan_records_with_name_session_and_who(door: Door) -> None:
    (result,) = send(door.trainer, door.number, [door.seen()], NOW)
    assert (result.outcome, result.name, result.organisation) == (
        "recorded", "Ağaoğlu, Kübra", "Stadt Essen, Jugendamt",
    )  # fmt: skip
    assert (result.registration_id, result.session_id) == (door.people[0], door.sessions[0])
    assert (result.by, result.at, result.entry) == ("Jördis Kałuża", "09:00", Entry(PRESENT))
    assert door.marks() == {door.people[0]: PRESENT}
    (change,) = history_of(db.session(), door.sessions[0])
    assert (change.at, change.received_at) == (AT, NOW)


def test_a_scan_that_is_sent_at_once_is_found_by_the_ticket_itself(door: Door) -> None:
    scan = door.seen(ticket=ticket_of(door.people[0]).lower())
    assert door.sync(scan) == ["recorded"]


def test_somebody_recorded_before_is_told_with_time_and_name(door: Door) -> None:
    with transaction() as session:
        other = actor_for(make_trainer(session, session.get_one(Event, door.event_id)))
    door.sync(door.seen(), actor=other)
    (result,) = send(door.trainer, door.number, [door.seen(at=AT + timedelta(minutes=5))], NOW)
    assert result.outcome == "already_recorded"
    assert "09:00" in result.sentence
    assert result.by == "Jördis Kałuża"


def test_every_kind_leads_to_its_mark_and_minutes(door: Door) -> None:
    found = door.sync(
        door.set("present", 0, late=10, early=5),
        door.set("excused", 1),
        recording("fill", door.sessions[0], AT, registration=door.people[1]),
        recording("fill", door.sessions[0], AT, registration=door.people[2]),
    )
    assert found == ["recorded", "recorded", "superseded", "recorded"]
    assert door.marks() == dict(zip(door.people, (PRESENT, EXCUSED, PRESENT), strict=True))
    row = db.session.scalars(
        select(Attendance).where(Attendance.registration_id == door.people[0])
    ).one()
    assert (row.late_minutes, row.early_minutes) == (10, 5)


def test_the_same_moment_is_decided_by_the_key_and_not_by_the_arrival(door: Door) -> None:
    last, first = f"f{new_key()[1:]}", f"0{new_key()[1:]}"
    door.sync(door.set("present", at=NOW, key=last), door.set("absent", at=NOW, key=first))
    assert door.marks() == {door.people[0]: PRESENT}


def test_one_press_on_all_present_is_one_step(door: Door) -> None:
    everybody = [
        recording("fill", door.sessions[0], AT, registration=person) for person in door.people
    ]
    door.sync(*everybody)
    assert len({change.batch for change in history_of(db.session(), door.sessions[0])}) == 1


def test_a_later_recording_is_in_force_though_it_arrived_first(door: Door) -> None:
    assert door.sync(door.set("absent", at=AT + timedelta(minutes=9))) == ["recorded"]
    assert door.sync(door.set("present", at=AT)) == ["superseded"]
    assert door.marks() == {door.people[0]: ABSENT}


def test_what_is_taken_back_is_gone_also_if_that_arrives_first(door: Door) -> None:
    scan = door.seen()
    assert door.sync(door.undo(scan)) == ["undone"]
    assert door.sync(scan) == ["superseded"]
    assert door.marks() == {}
    other = door.seen(1)
    assert door.sync(other, door.undo(other, 1)) == ["recorded", "undone"]
    assert door.sync(door.undo(other, 1)) == ["undone"]
    assert door.marks() == {}


def test_taking_back_and_recording_again_in_one_request(door: Door) -> None:
    first = door.seen()
    door.sync(first)
    again = door.seen(at=NOW)
    assert door.sync(door.undo(first), again) == ["undone", "recorded"]
    assert door.marks() == {door.people[0]: PRESENT}


def test_an_undo_of_somebody_elses_recording_is_not_readable(door: Door) -> None:
    scan = door.seen()
    door.sync(scan)
    assert door.sync(door.undo(scan, 1)) == ["malformed"]
    assert door.marks() == {door.people[0]: PRESENT}


# Replay, order, clock


def test_the_same_queue_again_gives_the_same_and_stores_nothing(door: Door) -> None:
    scan = door.seen()
    queue = [
        scan,
        door.seen(at=AT + timedelta(seconds=1)),
        door.set("absent", 1),
        door.set("present", 1, at=AT - timedelta(minutes=1)),
        door.undo(scan),
        door.seen(hash=STRANGE),
        recording("walk_in", door.sessions[0], AT, name="Gast"),
        {"key": "x"},
    ]
    first = door.sync(*queue)
    assert first == [
        "recorded", "already_recorded", "recorded", "superseded", "undone", "unknown_ticket",
        "walk_in_recorded", "malformed",
    ]  # fmt: skip
    stored = counts()
    assert door.sync(*queue) == first
    with transaction() as session:
        record_attendance(session, door.trainer, door.people[0], door.sessions[0], ABSENT, now=NOW)
    assert door.sync(*queue, now=NOW + DAY) == first
    assert [len(door.sync(each)) for each in queue] == [1] * len(queue)
    assert counts() == (stored[0] + 1, *stored[1:])


def counts() -> tuple[int, ...]:
    db.session.rollback()
    return tuple(
        db.session.scalar(select(func.count()).select_from(model)) or 0
        for model in (AttendanceChange, RefusedRecording, WalkIn)
    )


def test_the_same_code_fifty_times_in_a_second_is_one_mark(door: Door) -> None:
    scans = [door.seen(at=AT + timedelta(milliseconds=20 * n)) for n in range(50)]
    assert door.sync(*scans) == ["recorded"] + ["already_recorded"] * 49
    assert door.marks() == {door.people[0]: PRESENT}
    photos = [door.seen(hash=STRANGE, at=AT + timedelta(milliseconds=20 * n)) for n in range(50)]
    assert door.sync(*photos) == ["unknown_ticket"] * 50
    assert len(door.refused()) == 1


@pytest.mark.parametrize("wrong", [DAY, -DAY])
def test_five_hundred_recordings_by_a_clock_that_is_a_day_off(app: Flask, wrong: timedelta) -> None:
    door = make_door(100)
    queue = [
        recording(
            "set", session_id, AT + wrong + timedelta(seconds=n),
            registration=person, mark=("present", "absent")[n % 2],
        )
        for n, (person, session_id) in enumerate(
            (person, door.sessions[n % 2]) for person in door.people for n in range(5)
        )
    ]  # fmt: skip
    with counted_statements() as few:
        door.sync(*queue[:1], sent_at=NOW + wrong)
    with counted_statements() as many:
        assert set(door.sync(*queue, sent_at=NOW + wrong)) <= {"recorded", "superseded"}
    assert len(queue) == 500
    assert len(many) <= len(few) + 2
    changes = history_of(db.session(), door.sessions[0])
    assert min(change.at for change in changes) == AT
    assert max(change.at for change in changes) < NOW
    assert door.refused() == []


def fold_of(door: Door) -> dict[tuple[int, int], tuple[Any, ...]]:
    db.session.rollback()
    return {
        (row.registration_id, row.session_id): (row.mark, row.late_minutes)
        for row in db.session.scalars(select(Attendance))
    }


def make_queue(door: Door, source: random.Random) -> list[dict[str, Any]]:
    queue: list[dict[str, Any]] = []
    for n in range(source.randint(1, 12)):
        person = source.randrange(2)
        at = AT + timedelta(seconds=source.randint(0, 3))
        kind = source.choice(("seen", "set", "fill", "undo", "walk_in"))
        about = {"registration": door.people[person]}
        if kind == "seen":
            made = door.seen(person, at)
        elif kind == "set":
            mark = source.choice(("present", "absent", "open"))
            made = door.set(mark, person, at, late=n if mark == "present" else 0)
        elif kind == "fill":
            made = recording("fill", door.sessions[0], at, **about)
        elif kind == "walk_in":
            made = recording("walk_in", door.sessions[0], at, name=f"Gast {n}")
        else:
            earlier = [each for each in queue if each.get("kind") in {"seen", "set", "walk_in"}]
            if not earlier:
                continue
            undone = source.choice(earlier)
            if undone["kind"] == "walk_in":
                made = recording("undo", door.sessions[0], at, undoes=undone["key"])
            else:
                made = door.undo(undone, at=at)
                made |= {"hash": undone["hash"]} if "hash" in undone else {}
                made["registration"] = undone.get("registration")
        made["key"] = new_key(source)
        queue.append(made)
    return queue


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(seed=st.integers(0, 2**32))
def test_any_order_any_split_any_repetition_is_as_if_online(app: Flask, seed: int) -> None:
    source = random.Random(seed)
    empty_database()
    door = make_door(2)
    queue = make_queue(door, source)
    for number, each in enumerate(queue):
        door.sync(each, now=NOW + timedelta(seconds=number))
    online, guests = fold_of(door), open_guests()

    with transaction() as session:
        for model in (AttendanceChange, Attendance):
            session.execute(delete(model))
        for walk_in in session.scalars(select(WalkIn)):
            session.delete(walk_in)
    shuffled = queue + source.sample(queue, len(queue) // 2)
    source.shuffle(shuffled)
    while shuffled:
        size = source.randint(1, len(shuffled))
        door.sync(*shuffled[:size], now=NOW + timedelta(minutes=1))
        shuffled = shuffled[size:]
    assert fold_of(door) == online
    assert open_guests() == guests


def open_guests() -> list[str]:
    db.session.rollback()
    return sorted(db.session.scalars(select(WalkIn.name).where(WalkIn.dismissed_at.is_(None))))


def test_two_phones_that_send_overlapping_queues_at_once(app: Flask) -> None:
    door = make_door(12)
    queue = [door.seen(n) for n in range(12)]
    queue.append(recording("walk_in", door.sessions[0], AT, name="Gast"))
    queue.append(door.seen(hash=STRANGE))
    with transaction() as session:
        other = actor_for(make_trainer(session, session.get_one(Event, door.event_id)))
    own = [door.set("absent", n, at=AT - timedelta(minutes=1)) for n in range(12)]
    done = run_together(
        app,
        [
            lambda: door.sync(*queue),
            lambda: door.sync(*reversed(queue)),
            lambda: door.sync(*queue[3:]),
            lambda: door.sync(*reversed(own), actor=other),
        ],
    )
    assert [each for each in done if isinstance(each, BaseException)] == []
    assert set(door.marks().values()) == {PRESENT}
    assert counts() == (24, 1, 1)


# What cannot count: each with its reason, kept for the office


def test_tickets_that_are_forged_or_of_another_event(door: Door) -> None:
    with transaction() as session:
        other = make_registration(session, make_event(session, first_day=THURSDAY))
        foreign, ticket = other.id, str(other.ticket)
    live = hashed(door.number, ticket)
    found = door.sync(door.seen(hash=STRANGE), door.seen(hash=live, ticket=ticket))
    assert found == ["unknown_ticket", "other_event"]
    rows = door.refused()
    assert [(row.reason, row.registration_id) for row in rows] == [
        ("unknown_ticket", None), ("other_event", foreign),
    ]  # fmt: skip
    assert door.marks() == {}


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (RegistrationState.WITHDRAWN, "withdrawn"),
        (RegistrationState.SUBSTITUTED, "substituted"),
        (RegistrationState.CANCELLED, "event_cancelled"),
    ],
)
def test_a_ticket_that_was_given_up_after_the_roster_was_loaded(
    door: Door, state: RegistrationState, outcome: str
) -> None:
    scan, live = door.seen(), door.seen(ticket=ticket_of(door.people[0]), at=AT + DAY / 24)
    give_up_place(door, state)
    assert door.sync(scan, live) == [outcome, outcome]
    assert {row.registration_id for row in door.refused()} == {door.people[0]}
    assert door.marks() == {}


def test_states_without_a_place(door: Door) -> None:
    change_registration(door, state=RegistrationState.WAITING)
    assert door.sync(door.set("present")) == ["waiting_list"]
    change_registration(door, state=RegistrationState.EXPIRED)
    assert door.sync(door.set("present")) == ["no_place"]


def test_days_that_do_not_fit(door: Door) -> None:
    friday = {"session": door.sessions[2]}
    assert door.sync(door.seen(session=None), door.seen(**friday)) == ["other_day", "too_early"]
    late = berlin(FRIDAY, 9) + 15 * DAY
    assert door.sync(door.seen(at=late), now=late + DAY) == ["too_late"]
    assert door.sync(door.seen(at=AT), now=late + DAY) == ["recorded"]
    assert [row.reason for row in door.refused()] == ["other_day", "too_early", "too_late"]


def test_an_undo_that_names_nobody_leaves_what_is_recorded(door: Door) -> None:
    seen = door.seen()
    nameless = recording("undo", door.sessions[0], NOW, undoes=seen["key"])
    assert door.sync(seen) == ["recorded"]
    assert door.sync(nameless) == ["malformed"]
    assert door.sync(seen) == ["recorded"]
    assert db.session.scalar(select(func.count(WalkIn.id))) == 0
    assert door.marks() == {door.people[0]: PRESENT}


def test_a_session_that_was_moved_or_dropped_meanwhile(door: Door) -> None:
    with transaction() as session:
        event = session.get_one(Event, door.event_id)
        for row in event.sessions[:2]:
            row.day += 7 * DAY
        session.delete(event.sessions[3])
        event.last_day += 6 * DAY
        record(session, Actor(), "event_moved", event, AT + timedelta(minutes=1))
    gone = door.set("present", session=door.sessions[3])
    assert door.sync(door.seen(), gone) == ["session_moved", "session_moved"]
    assert [row.session_id for row in door.refused()] == [door.sessions[0], None]
    late = berlin(THURSDAY + 7 * DAY, 10)
    assert door.sync(door.seen(1, at=late), now=late) == ["recorded"]


def test_an_event_that_is_cancelled_or_closed_meanwhile(door: Door) -> None:
    with transaction() as session:
        session.add(
            AttendanceClosing(event_id=door.event_id, at=NOW, actor_person_id=None, is_closed=True)
        )
    assert door.sync(door.seen()) == ["attendance_closed"]
    with transaction() as session:
        session.get_one(Event, door.event_id).state = EventState.CANCELLED
    assert door.sync(door.seen(1)) == ["event_cancelled"]
    assert door.marks() == {}


def test_a_replay_after_closing_says_no_time_of_day(door: Door) -> None:
    evening = berlin(FRIDAY, 18)
    first, again = door.seen(), door.seen(at=AT + timedelta(minutes=5))
    assert door.sync(first, again) == ["recorded", "already_recorded"]
    with transaction() as session:
        close_attendance(session, door.trainer, door.event_id, evening)
    (result,) = send(door.trainer, door.number, [again], evening)
    assert (result.outcome, result.at) == ("already_recorded", "")
    assert "00:00" not in result.sentence
    assert "schon erfasst, Do., 12.03.2026, Jördis Kałuża" in result.sentence.replace("\u00a0", " ")


def test_a_queue_of_somebody_whose_role_was_withdrawn(door: Door) -> None:
    former = replace(door.trainer, roles=frozenset())
    (result,) = send(former, door.number, [door.seen()], NOW)
    assert (result.outcome, result.name, result.registration_id) == ("not_allowed", "", None)
    (row,) = door.refused()
    assert (row.registration_id, row.actor_person_id) == (door.people[0], former.person_id)


def test_a_queue_of_somebody_who_no_longer_trains_this_event(door: Door) -> None:
    with transaction() as session:
        session.get_one(Event, door.event_id).last_day = THURSDAY + 900 * DAY
        office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        set_trainers(session, office, door.event_id, [], AT)
    assert door.sync(door.seen()) == ["not_allowed"]
    assert len(door.refused()) == 1


def test_nobody_else_can_leave_anything(door: Door) -> None:
    with transaction() as session:
        foreign = actor_for(make_trainer(session, make_event(session)))
        stranger = actor_for(make_person(session))
    for actor in (foreign, stranger):
        with pytest.raises(DomainError, match="not_found"):
            door.sync(door.seen(), actor=actor)
    with pytest.raises(DomainError, match="not_found"):
        send(door.trainer, "2026-99999", [], NOW)
    assert door.refused() == []


def test_only_so_many_wait_for_the_office(door: Door) -> None:
    def photos(begin: int, number: int) -> list[dict[str, Any]]:
        return [
            door.seen(hash=STRANGE, at=AT - timedelta(minutes=2 * n))
            for n in range(begin, begin + number)
        ]

    door.sync(*photos(0, MOST_OPEN_REFUSALS - 1))
    assert door.sync(*photos(MOST_OPEN_REFUSALS, 2)) == ["unknown_ticket", "malformed"]
    assert len(door.refused()) == MOST_OPEN_REFUSALS


def test_taking_back_what_was_refused_settles_it(door: Door) -> None:
    photo = door.seen(hash=STRANGE)
    door.sync(photo)
    undo = recording("undo", door.sessions[0], NOW, hash=STRANGE, undoes=photo["key"])
    assert door.sync(undo, undo) == ["undone", "undone"]
    assert [row.settled_at for row in door.refused()] == [NOW]
    assert door.sync(photo) == ["unknown_ticket"]


def test_a_foreign_registration_or_too_many_minutes_store_nothing(door: Door) -> None:
    with transaction() as session:
        foreign = make_registration(session, make_event(session, first_day=THURSDAY)).id
    found = send(
        door.trainer,
        door.number,
        [door.set("present", registration=foreign), door.set("present", late=120, early=100)],
        NOW,
    )
    assert [result.outcome for result in found] == ["malformed", "malformed"]
    assert "195 Minuten" in found[1].sentence
    assert counts() == (0, 0, 0)


def test_a_key_of_another_event_says_nothing(door: Door) -> None:
    queue = [
        door.seen(),
        door.seen(hash=STRANGE),
        recording("walk_in", door.sessions[0], AT, name="Gast"),
    ]
    door.sync(*queue)
    undoing = [
        recording("undo", door.sessions[0], AT, undoes=each["key"], hash=each.get("hash"))
        for each in queue[1:]
    ]
    with transaction() as session:
        event = make_course(session, 1)
        other = actor_for(make_trainer(session, event))
        number = event.number
    assert outcomes(other, number, [*queue, *undoing], NOW) == ["malformed"] * 5
    assert open_guests() == ["Gast"]


def test_what_was_taken_back_before_it_was_refused_is_settled(door: Door) -> None:
    scan = door.seen()
    door.sync(door.undo(scan))
    give_up_place(door, RegistrationState.WITHDRAWN)
    assert door.sync(scan) == ["withdrawn"]
    assert [row.settled_at for row in door.refused()] == [NOW]


def test_a_former_trainer_reads_no_names_of_what_was_recorded_before(door: Door) -> None:
    scan = door.seen()
    door.sync(scan)
    former = replace(door.trainer, roles=frozenset())
    (result,) = send(former, door.number, [scan], NOW)
    assert (result.outcome, result.name, result.entry) == ("recorded", "", None)


def test_a_guest_and_taking_the_guest_back_in_any_order(door: Door) -> None:
    guest = recording(
        "walk_in", door.sessions[0], AT, name=" Anna \u202e<b>", organisation="Stadt Herne"
    )
    undo = recording("undo", door.sessions[0], NOW, undoes=guest["key"])
    assert door.sync(guest) == ["walk_in_recorded"]
    row = db.session.scalars(select(WalkIn)).one()
    assert (row.name, row.organisation, row.dismissed_at) == ("Anna <b>", "Stadt Herne", None)
    assert [found.session_id for found in row.sessions] == [door.sessions[0]]
    assert door.sync(undo) == ["undone"]
    assert open_guests() == []
    other = {**guest, "key": new_key()}
    assert door.sync({**undo, "undoes": other["key"]}) == ["undone"]
    assert door.sync(other) == ["walk_in_recorded"]
    assert open_guests() == []
