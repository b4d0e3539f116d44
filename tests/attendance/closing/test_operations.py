"""Closing the attendance of an event, opening it again, and what that does to the rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

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
from trainings.attendance.closing.operations import (
    DOOR_KEPT_FOR,
    close_attendance,
    delete_door_names,
    reopen_attendance,
)
from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.models import (
    AttendanceClosing,
    AttendanceMark,
    RecordingKind,
    RefusedRecording,
    WalkIn,
)
from trainings.attendance.operations import (
    record_all_present,
    record_attendance,
    record_by_ticket,
    undo_last,
)
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState
from trainings.registrations.models import Registration

pytestmark = pytest.mark.both_databases

PRESENT, ABSENT, EXCUSED = AttendanceMark
MORNING = berlin(THURSDAY, 8, 57)
EVENING = berlin(FRIDAY, 18)


@dataclass
class Course:
    """A training with three people, its trainer, a foreign one and the office."""

    event_id: int
    sessions: list[int]
    people: list[int]
    trainer: Actor
    foreign: Actor
    office: Actor

    def record(self, person: int, mark: AttendanceMark | None, at: datetime) -> None:
        with transaction() as session:
            record_attendance(
                session, self.trainer, self.people[person], self.sessions[0], mark, now=at
            )

    def close(self, actor: Actor | None = None, now: datetime = EVENING) -> bool:
        with transaction() as session:
            return close_attendance(session, actor or self.trainer, self.event_id, now)

    def reopen(self, actor: Actor | None = None, reason: str = "Tag vertauscht") -> None:
        with transaction() as session:
            reopen_attendance(session, actor or self.office, self.event_id, reason, EVENING)

    def steps(self) -> list[bool]:
        found = select(AttendanceClosing.is_closed).order_by(AttendanceClosing.id)
        return list(db.session.scalars(found))

    def refusal_of_recording(self) -> str:
        with pytest.raises(DomainError) as refused:
            self.record(0, ABSENT, EVENING)
        return refused.value.code


@pytest.fixture
def course(app: Flask) -> Iterator[Course]:
    with transaction() as session:
        event = make_course(session)
        other = make_course(session, people=1)
        made = Course(
            event_id=event.id,
            sessions=[found.id for found in event.sessions],
            people=registration_ids(session, event),
            trainer=actor_for(make_trainer(session, event)),
            foreign=actor_for(make_trainer(session, other)),
            office=actor_for(make_person(session, roles=(Role.COORDINATOR,))),
        )
    yield made


def test_nothing_is_recorded_after_closing(course: Course) -> None:
    course.record(0, PRESENT, MORNING)
    assert course.close()
    assert course.refusal_of_recording() == "attendance_closed"
    ticket = db.session.scalar(
        select(Registration.ticket).where(Registration.id.in_(course.people))
    )
    assert ticket is not None
    with pytest.raises(DomainError, match="attendance_closed"), transaction() as session:
        record_by_ticket(session, course.office, ticket, course.sessions[0], EVENING)
    for refused in (record_all_present, undo_last):
        with pytest.raises(DomainError, match="attendance_closed"), transaction() as session:
            refused(session, course.trainer, course.event_id, course.sessions[0], EVENING)
    assert marks_of(db.session(), course.sessions[0]) == {course.people[0]: PRESENT}


def test_closing_keeps_day_and_order_and_deletes_the_time(course: Course) -> None:
    course.record(0, ABSENT, MORNING)
    course.record(0, PRESENT, MORNING + timedelta(minutes=20))
    course.record(1, EXCUSED, MORNING + timedelta(minutes=5))
    course.record(0, EXCUSED, berlin(FRIDAY, 9))
    course.close()
    changes = history_of(db.session(), course.sessions[0])
    assert all(is_day_only(change.at) and is_day_only(change.received_at) for change in changes)
    assert [berlin_day(change.at) for change in changes] == [THURSDAY, THURSDAY, THURSDAY, FRIDAY]
    by_time = [change.id for change in sorted(changes, key=lambda found: found.at)]
    first, second, third, fourth = (change.id for change in changes)
    assert by_time == [first, third, second, fourth]


def test_recordings_of_other_events_keep_their_time(course: Course) -> None:
    with transaction() as session:
        other = make_course(session, people=1)
        person, other_session = registration_ids(session, other)[0], other.sessions[0].id
        record_attendance(session, course.office, person, other_session, PRESENT, now=MORNING)
    course.record(0, PRESENT, MORNING)
    course.close()
    (kept,) = history_of(db.session(), other_session)
    assert kept.at == MORNING


def test_closing_twice_does_nothing(course: Course) -> None:
    assert course.close()
    assert not course.close(course.office)
    assert course.steps() == [True]


@pytest.mark.parametrize(
    ("state", "code"),
    [(EventState.DRAFT, "event_draft"), (EventState.CANCELLED, "event_cancelled")],
)
def test_drafts_and_cancelled_events_are_not_closed(
    course: Course, state: EventState, code: str
) -> None:
    with transaction() as session:
        session.get_one(Event, course.event_id).state = state
    with pytest.raises(DomainError, match=code):
        course.close(course.office)
    assert course.steps() == []


def test_closing_before_the_last_session_is_refused(course: Course) -> None:
    with pytest.raises(DomainError, match="too_early_to_close"):
        course.close(now=MORNING)
    assert course.steps() == []


def test_strangers_find_nothing_to_close_or_open(course: Course) -> None:
    former = Actor(course.trainer.person_id, (), frozenset({Role.PARTICIPANT}))
    for actor in (course.foreign, former):
        with pytest.raises(DomainError, match="not_found"):
            course.close(actor)
    course.close()
    with pytest.raises(DomainError, match="not_found"):
        course.reopen(course.foreign)
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        close_attendance(session, course.office, 10**6, EVENING)


def test_only_the_office_opens_again_and_says_why(course: Course) -> None:
    course.close()
    with pytest.raises(DomainError, match="not_found"):
        course.reopen(course.trainer)
    with pytest.raises(DomainError, match="reason_missing"):
        course.reopen(reason="")
    course.reopen()
    assert course.steps() == [True, False]
    step = db.session.scalars(
        select(AttendanceClosing).order_by(AttendanceClosing.id.desc())
    ).first()
    assert step is not None
    assert (step.reason, step.actor_person_id) == ("Tag vertauscht", course.office.person_id)
    course.record(0, ABSENT, EVENING)
    assert course.close()
    assert course.steps() == [True, False, True]


def test_what_is_open_is_not_opened(course: Course) -> None:
    with pytest.raises(DomainError, match="not_closed"):
        course.reopen()


def test_correction_after_opening_again_counts(course: Course) -> None:
    course.record(0, PRESENT, MORNING)
    course.close()
    course.reopen()
    course.record(0, ABSENT, EVENING + timedelta(minutes=1))
    assert marks_of(db.session(), course.sessions[0]) == {course.people[0]: ABSENT}


def test_audit_keeps_codes_and_no_words(course: Course) -> None:
    course.close()
    course.reopen()
    rows = db.session.scalars(
        select(AuditEntry).where(
            AuditEntry.subject_type == "events", AuditEntry.subject_id == course.event_id
        )
    ).all()
    assert [row.action for row in rows] == ["attendance_closed", "attendance_reopened"]
    assert all(row.details == {} for row in rows)


def come_without_registration(course: Course, **values: object) -> int:
    with transaction() as session:
        row = WalkIn(
            key=f"key-{len(session.scalars(select(WalkIn)).all())}",
            event_id=course.event_id,
            name="Achim Strößner",
            organisation="Stadt Hagen",
            at=MORNING,
            received_at=MORNING,
            actor_person_id=course.trainer.person_id,
            **values,
        )
        session.add(row)
        session.flush()
        return row.id


def refuse_recording(course: Course, **values: object) -> int:
    with transaction() as session:
        row = RefusedRecording(
            key=f"key-{len(session.scalars(select(RefusedRecording)).all())}",
            event_id=course.event_id,
            kind=RecordingKind.WALK_IN,
            name="Achim Strößner",
            organisation="Stadt Hagen",
            at=MORNING,
            received_at=MORNING,
            actor_person_id=course.trainer.person_id,
            reason="too_late",
            **values,
        )
        session.add(row)
        session.flush()
        return row.id


def test_times_of_settled_people_from_the_door_go_and_of_others_stay(course: Course) -> None:
    with transaction() as session:
        completed = make_registration(session, session.get_one(Event, course.event_id)).id
    settled = [
        (WalkIn, come_without_registration(course, registration_id=completed)),
        (WalkIn, come_without_registration(course, dismissed_at=EVENING)),
        (RefusedRecording, refuse_recording(course, settled_at=EVENING)),
    ]
    waiting = [
        (WalkIn, come_without_registration(course)),
        (RefusedRecording, refuse_recording(course)),
    ]
    course.close()
    for table, row_id in settled:
        row = db.session.get_one(table, row_id)
        assert is_day_only(row.at) and is_day_only(row.received_at)
    for table, row_id in waiting:
        assert db.session.get_one(table, row_id).at == MORNING


def test_names_from_the_door_go_thirty_days_after_closing(course: Course) -> None:
    walk_in, refused = come_without_registration(course), refuse_recording(course)
    due = EVENING + DOOR_KEPT_FOR

    def sweep(now: datetime) -> int:
        with transaction() as session:
            return delete_door_names(session, now)

    assert sweep(due + timedelta(days=900)) == 0  # Not closed yet.
    course.close()
    assert sweep(due) == 0
    assert sweep(due + timedelta(seconds=1)) == 2
    for row in (db.session.get_one(WalkIn, walk_in), db.session.get_one(RefusedRecording, refused)):
        assert (row.name, row.organisation) == ("", "")
        assert is_day_only(row.at)
    assert sweep(due + timedelta(days=1)) == 0


def test_names_stay_while_the_attendance_is_open_again(course: Course) -> None:
    come_without_registration(course)
    course.close()
    course.reopen()
    with transaction() as session:
        assert delete_door_names(session, EVENING + timedelta(days=90)) == 0
