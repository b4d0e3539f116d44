"""Recording attendance by name, all at once, by ticket, and taking it back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest
from flask import Flask
from sqlalchemy import select

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
from tests.factories import actor_for, berlin, make_person
from trainings.attendance.models import Attendance, AttendanceMark
from trainings.attendance.operations import (
    record_all_present,
    record_attendance,
    record_by_ticket,
    undo_last,
)
from trainings.attendance.rules import Change, Mark
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState
from trainings.registrations.models import Registration, RegistrationState

pytestmark = pytest.mark.both_databases

PRESENT, ABSENT, EXCUSED = AttendanceMark
MORNING = berlin(THURSDAY, 8, 57)


@dataclass
class Course:
    """A training with three people, two trainers, a foreign trainer and the office."""

    event_id: int
    sessions: list[int]
    people: list[int]
    trainer: Actor
    second: Actor
    foreign: Actor
    office: Actor
    tickets: list[str] = field(default_factory=list)
    steps: Iterator[int] = field(default_factory=count)

    def moment(self, now: datetime | None) -> datetime:
        """The time of the next step: a moment after the one before, unless the test says it."""
        return now or MORNING + timedelta(milliseconds=next(self.steps))

    def record(
        self, actor: Actor, person: int, mark: Mark, now: datetime | None = None, session: int = 0
    ) -> bool:
        now = self.moment(now)
        with transaction() as open_session:
            return record_attendance(
                open_session, actor, self.people[person], self.sessions[session], mark, now=now
            ).changed

    def all_present(self, actor: Actor, now: datetime | None = None) -> tuple[int, ...]:
        with transaction() as session:
            return record_all_present(
                session, actor, self.event_id, self.sessions[0], self.moment(now)
            )

    def undo(self, actor: Actor, batch: str | None = None) -> tuple[Change, ...]:
        now = self.moment(None)
        with transaction() as session:
            return undo_last(session, actor, self.event_id, self.sessions[0], now, batch=batch)

    def scan(
        self, actor: Actor, ticket: str, now: datetime | None = None, session_id: int | None = None
    ) -> tuple[int, bool]:
        with transaction() as session:
            done = record_by_ticket(session, actor, ticket, session_id, self.moment(now))
            return done.session_id, done.changed

    @property
    def marks(self) -> list[Mark]:
        stored = marks_of(db.session(), self.sessions[0])
        return [stored.get(person) for person in self.people]

    def last_batch(self) -> str:
        return history_of(db.session(), self.sessions[0])[-1].batch


@pytest.fixture
def course(app: Flask) -> Iterator[Course]:
    with transaction() as session:
        event = make_course(session)
        other = make_course(session, people=1)
        office = make_person(session, roles=(Role.COORDINATOR,))
        people = registration_ids(session, event)
        made = Course(
            event_id=event.id,
            sessions=[found.id for found in event.sessions],
            people=people,
            trainer=actor_for(make_trainer(session, event)),
            second=actor_for(make_trainer(session, event)),
            foreign=actor_for(make_trainer(session, other)),
            office=actor_for(office),
            tickets=[str(session.get_one(Registration, person).ticket) for person in people],
        )
    yield made


def change_event(course: Course, state: EventState) -> None:
    with transaction() as session:
        session.get_one(Event, course.event_id).state = state


def change_place(course: Course, person: int, state: RegistrationState) -> None:
    with transaction() as session:
        session.get_one(Registration, course.people[person]).state = state


def refused(code: str) -> pytest.RaisesExc[DomainError]:
    return pytest.RaisesExc(DomainError, check=lambda error: error.code == code)


def test_trainer_records_each_mark(course: Course) -> None:
    assert course.record(course.trainer, 0, PRESENT)
    assert course.record(course.trainer, 1, ABSENT)
    assert course.record(course.trainer, 2, EXCUSED)
    assert course.marks == [PRESENT, ABSENT, EXCUSED]


def test_each_change_keeps_who_when_and_the_old_mark(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    later = MORNING + timedelta(minutes=5)
    course.record(course.office, 0, ABSENT, later)
    first, second = history_of(db.session(), course.sessions[0])
    assert (first.old_mark, first.new_mark, first.at) == (None, PRESENT, MORNING)
    assert first.actor_person_id == course.trainer.person_id
    assert (second.old_mark, second.new_mark, second.at) == (PRESENT, ABSENT, later)
    assert second.actor_person_id == course.office.person_id
    assert first.batch != second.batch


def test_same_mark_again_writes_nothing(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    assert not course.record(course.trainer, 0, PRESENT)
    assert len(history_of(db.session(), course.sessions[0])) == 1


def test_same_mark_by_somebody_else_is_kept_and_stays_when_the_first_is_undone(
    course: Course,
) -> None:
    course.record(course.trainer, 0, PRESENT)
    assert not course.record(course.second, 0, PRESENT)
    course.undo(course.trainer)
    assert course.marks[0] is PRESENT


def test_minutes_are_kept_with_the_old_ones(course: Course) -> None:
    cell = course.people[0], course.sessions[0]
    for late, at in ((10, MORNING), (15, MORNING + timedelta(hours=1))):
        with transaction() as session:
            record_attendance(session, course.trainer, *cell, PRESENT, now=at, late=late, early=5)
    last = history_of(db.session(), course.sessions[0])[-1]
    assert (last.old_late_minutes, last.new_late_minutes) == (10, 15)
    assert (last.old_early_minutes, last.new_early_minutes) == (5, 5)
    stored = db.session.scalars(select(Attendance)).one()
    assert (stored.late_minutes, stored.early_minutes) == (15, 5)


def test_same_mark_leaves_the_minutes_and_another_one_takes_them_away(course: Course) -> None:
    cell = course.people[0], course.sessions[0]
    with transaction() as session:
        record_attendance(session, course.trainer, *cell, PRESENT, now=MORNING, late=10)
    assert not course.record(course.second, 0, PRESENT, MORNING + timedelta(minutes=5))
    assert db.session.scalars(select(Attendance.late_minutes)).one() == 10
    course.record(course.second, 0, ABSENT, MORNING + timedelta(minutes=6))
    course.record(course.second, 0, PRESENT, MORNING + timedelta(minutes=7))
    db.session.rollback()
    assert db.session.scalars(select(Attendance.late_minutes)).one() == 0


def test_ticket_leaves_the_minutes_of_who_is_there(course: Course) -> None:
    cell = course.people[0], course.sessions[0]
    with transaction() as session:
        record_attendance(session, course.trainer, *cell, PRESENT, now=MORNING, late=10)
    course.scan(course.second, course.tickets[0], MORNING + timedelta(minutes=5))
    assert db.session.scalars(select(Attendance.late_minutes)).one() == 10


def test_mark_none_makes_it_not_recorded_again(course: Course) -> None:
    course.record(course.trainer, 0, ABSENT)
    assert course.record(course.trainer, 0, None)
    assert course.marks == [None, None, None]
    last = history_of(db.session(), course.sessions[0])[-1]
    assert (last.old_mark, last.new_mark) == (ABSENT, None)


def test_sessions_are_recorded_apart(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    course.record(course.trainer, 0, ABSENT, session=1)
    assert course.marks[0] is PRESENT
    assert marks_of(db.session(), course.sessions[1]) == {course.people[0]: ABSENT}


def test_trainer_of_another_event_finds_nothing(course: Course) -> None:
    with refused("not_found"):
        course.record(course.foreign, 0, PRESENT)
    with refused("not_found"):
        course.all_present(course.foreign)
    with refused("not_found"):
        course.undo(course.foreign)
    assert course.marks == [None, None, None]


def test_trainer_without_the_role_any_more_finds_nothing(course: Course) -> None:
    former = Actor(course.trainer.person_id, (), frozenset({Role.PARTICIPANT}))
    with refused("not_found"):
        course.record(former, 0, PRESENT)


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.ADMIN])
def test_office_records_at_any_event(course: Course, role: Role) -> None:
    actor = Actor(course.office.person_id, (), frozenset({role}))
    assert course.record(actor, 0, PRESENT)


def test_unknown_ids_are_not_found(course: Course) -> None:
    with refused("not_found"), transaction() as session:
        record_attendance(session, course.office, 10**6, course.sessions[0], PRESENT, now=MORNING)
    with refused("not_found"), transaction() as session:
        record_attendance(session, course.office, course.people[0], 10**6, PRESENT, now=MORNING)
    with refused("not_found"), transaction() as session:
        record_all_present(session, course.office, 10**6, course.sessions[0], MORNING)


def test_session_of_another_event_is_not_found(course: Course) -> None:
    with transaction() as session:
        foreign = make_course(session, people=0).sessions[0].id
    with refused("not_found"), transaction() as session:
        record_attendance(session, course.office, course.people[0], foreign, PRESENT, now=MORNING)
    with refused("not_found"), transaction() as session:
        record_all_present(session, course.office, course.event_id, foreign, MORNING)
    with refused("not_found"):
        course.scan(course.office, course.tickets[0], session_id=foreign)


@pytest.mark.parametrize(
    ("state", "code"),
    [(EventState.CANCELLED, "event_cancelled"), (EventState.DRAFT, "event_draft")],
)
def test_cancelled_and_draft_events_are_refused(
    course: Course, state: EventState, code: str
) -> None:
    change_event(course, state)
    with refused(code):
        course.record(course.office, 0, PRESENT)
    with refused(code):
        course.all_present(course.office)
    with refused(code):
        course.scan(course.office, course.tickets[0])


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (RegistrationState.WITHDRAWN, "withdrawn"),
        (RegistrationState.WAITING, "waiting_list"),
        (RegistrationState.SUBSTITUTED, "substituted"),
        (RegistrationState.AWAITING_RELEASE, "no_place"),
    ],
)
def test_only_people_with_a_place_are_recorded(
    course: Course, state: RegistrationState, code: str
) -> None:
    change_place(course, 0, state)
    with refused(code):
        course.record(course.trainer, 0, PRESENT)
    with refused(code):
        course.scan(course.trainer, course.tickets[0])
    assert course.all_present(course.trainer) == tuple(course.people[1:])


def test_recording_before_the_day_is_refused(course: Course) -> None:
    eve = berlin(THURSDAY - timedelta(days=1), 23, 59)
    with refused("too_early"):
        course.record(course.office, 0, PRESENT, eve)
    with refused("too_early"):
        course.record(course.trainer, 0, PRESENT, MORNING, session=2)


def test_trainer_corrects_for_fourteen_days_and_the_office_always(course: Course) -> None:
    assert course.record(course.trainer, 0, PRESENT, berlin(FRIDAY + timedelta(days=14), 23))
    late = berlin(FRIDAY + timedelta(days=15), 0)
    with refused("too_late"):
        course.record(course.trainer, 0, ABSENT, late)
    assert course.record(course.office, 0, ABSENT, late)


def test_all_present_records_only_those_not_recorded_yet(course: Course) -> None:
    course.record(course.trainer, 1, ABSENT)
    assert course.all_present(course.trainer) == (course.people[0], course.people[2])
    assert course.marks == [PRESENT, ABSENT, PRESENT]
    assert course.all_present(course.trainer) == ()


def test_all_present_is_undone_as_one_step(course: Course) -> None:
    course.record(course.trainer, 1, ABSENT)
    course.all_present(course.trainer)
    assert len(course.undo(course.trainer)) == 2
    assert course.marks == [None, ABSENT, None]
    assert len(course.undo(course.trainer)) == 1
    assert course.marks == [None, None, None]


def test_undo_keeps_what_somebody_else_has_corrected_since(course: Course) -> None:
    course.all_present(course.trainer)
    course.record(course.second, 1, ABSENT)
    course.undo(course.trainer)
    assert course.marks == [None, ABSENT, None]


def test_undo_reaches_only_own_steps(course: Course) -> None:
    course.record(course.second, 0, PRESENT)
    with refused("nothing_to_undo"):
        course.undo(course.trainer)
    assert course.marks == [PRESENT, None, None]


def test_undo_writes_history_and_can_be_done_once(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    course.undo(course.trainer)
    first, second = history_of(db.session(), course.sessions[0])
    assert second.undoes_key == first.key
    with refused("nothing_to_undo"):
        course.undo(course.trainer)


def test_second_press_of_undo_does_not_take_back_another_step(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    course.record(course.trainer, 1, PRESENT)
    shown = course.last_batch()
    assert len(course.undo(course.trainer, shown)) == 1
    assert course.undo(course.trainer, shown) == ()
    assert course.marks == [PRESENT, None, None]


def test_undo_of_a_step_that_is_not_the_last_one_is_refused(course: Course) -> None:
    course.record(course.trainer, 0, PRESENT)
    shown = course.last_batch()
    course.record(course.trainer, 1, PRESENT)
    with refused("step_superseded"):
        course.undo(course.trainer, shown)
    assert course.marks == [PRESENT, PRESENT, None]


def test_undo_leaves_out_people_who_gave_their_place_back(course: Course) -> None:
    course.all_present(course.trainer)
    change_place(course, 0, RegistrationState.WITHDRAWN)
    course.undo(course.trainer)
    assert course.marks == [PRESENT, None, None]


def test_ticket_records_the_session_of_the_moment(course: Course) -> None:
    assert course.scan(course.trainer, course.tickets[0]) == (course.sessions[0], True)
    afternoon = berlin(THURSDAY, 13)
    assert course.scan(course.trainer, course.tickets[0], afternoon) == (course.sessions[1], True)


def test_ticket_records_the_session_that_was_chosen(course: Course) -> None:
    friday = berlin(FRIDAY, 9)
    first = course.sessions[0]
    assert course.scan(course.trainer, course.tickets[0], friday, first) == (first, True)


def test_ticket_scanned_twice_changes_nothing(course: Course) -> None:
    course.scan(course.trainer, course.tickets[0])
    assert course.scan(course.trainer, course.tickets[0]) == (course.sessions[0], False)
    assert len(history_of(db.session(), course.sessions[0])) == 1


def test_ticket_corrects_somebody_marked_absent(course: Course) -> None:
    course.record(course.trainer, 0, ABSENT)
    assert course.scan(course.trainer, course.tickets[0]) == (course.sessions[0], True)
    assert course.marks[0] is PRESENT


def test_ticket_is_found_as_typed_by_hand(course: Course) -> None:
    typed = "-".join((course.tickets[0][:4].lower(), course.tickets[0][4:].lower()))
    assert course.scan(course.trainer, typed)[1]


@pytest.mark.parametrize("ticket", ["", "----", "UNKNOWNUNKNOWN", "\x00", "ß" * 5000, "😀"])
def test_unknown_ticket_is_refused(course: Course, ticket: str) -> None:
    with refused("unknown_ticket"):
        course.scan(course.office, ticket)


def test_ticket_of_another_event_is_refused(course: Course) -> None:
    with refused("other_event"):
        course.scan(course.foreign, course.tickets[0])


def test_ticket_on_a_day_without_session_is_refused(course: Course) -> None:
    with refused("other_day"):
        course.scan(course.trainer, course.tickets[0], berlin(FRIDAY + timedelta(days=1), 9))


def test_refused_recording_leaves_no_trace(course: Course) -> None:
    change_place(course, 0, RegistrationState.WITHDRAWN)
    with refused("withdrawn"):
        course.record(course.trainer, 0, PRESENT)
    assert history_of(db.session(), course.sessions[0]) == []


def test_new_person_with_a_place_is_recorded_by_the_next_all_present(course: Course) -> None:
    course.all_present(course.trainer)
    with transaction() as session:
        event = session.get_one(Event, course.event_id)
        late = make_registration(session, event, family_name="Zuletzt").id
    assert course.all_present(course.trainer) == (late,)
