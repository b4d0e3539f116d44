"""Recordings that meet the closing of the attendance: part of what is closed, or refused."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from tests.attendance.factories import FRIDAY, make_course, make_trainer, registration_ids
from tests.concurrency.threads import run_together, without_immediate
from tests.factories import actor_for, berlin
from trainings.attendance import operations
from trainings.attendance.closing import operations as closing_operations
from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.models import AttendanceChange, AttendanceClosing, AttendanceMark
from trainings.attendance.operations import record_all_present, record_attendance
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError

pytestmark = pytest.mark.both_databases
NOW = berlin(FRIDAY, 18)
PEOPLE = 8


class Course:
    """A training that is over, with people of whom nothing is recorded."""

    def __init__(self) -> None:
        with transaction() as session:
            event = make_course(session, people=PEOPLE)
            self.event_id = event.id
            self.session_id = event.sessions[0].id
            self.people = registration_ids(session, event)
            self.trainer = actor_for(make_trainer(session, event))
        db.session.remove()

    def record(self, person: int) -> None:
        with transaction() as session:
            record_attendance(
                session, self.trainer, person, self.session_id, AttendanceMark.PRESENT, now=NOW
            )

    def record_all(self) -> None:
        with transaction() as session:
            record_all_present(session, self.trainer, self.event_id, self.session_id, NOW)

    def close(self) -> bool:
        with transaction() as session:
            return close_attendance(
                session, self.trainer, self.event_id, NOW + timedelta(seconds=1)
            )

    def recorded_after_closing(self) -> int:
        """Closing takes the time of day out of all that was recorded before it."""
        db.session.remove()
        return sum(not is_day_only(at) for at in db.session.scalars(select(AttendanceChange.at)))


def test_recordings_at_the_moment_of_closing_are_closed_with_it_or_refused(app: Flask) -> None:
    course = Course()
    records: list[Callable[[], object]] = [
        *(partial(course.record, person) for person in course.people),
        course.record_all,
    ]
    results = run_together(app, [*records[:5], course.close, *records[5:]])
    refused = [result for result in results if isinstance(result, DomainError)]
    assert [result for result in results if result not in (None, True)] == refused
    assert {refusal.code for refusal in refused} <= {"attendance_closed"}
    assert course.recorded_after_closing() == 0


def test_closing_by_many_at_once_is_one_step(app: Flask) -> None:
    course = Course()
    results = run_together(app, [course.close] * 6)
    assert sorted(results, key=str) == [False] * 5 + [True]
    assert len(db.session.scalars(select(AttendanceClosing)).all()) == 1


@pytest.mark.parametrize("everybody", [False, True])
def test_who_waited_for_the_closing_is_refused(app: Flask, everybody: bool) -> None:
    """A statement that waits for a lock must not go by what it read before it waited."""
    course = Course()
    about_to_record = threading.Event()
    record = course.record_all if everybody else partial(course.record, course.people[0])

    def record_later() -> None:
        about_to_record.wait(60)
        record()

    def close_and_wait() -> None:
        with transaction() as session:
            close_attendance(session, course.trainer, course.event_id, NOW)
            about_to_record.set()
            _wait_until_somebody_waits(session)

    closed, recorded = run_together(app, [close_and_wait, record_later])
    assert closed is None
    assert isinstance(recorded, DomainError)
    assert recorded.code == "attendance_closed"
    assert course.recorded_after_closing() == 0


def _wait_until_somebody_waits(session: Session) -> None:
    if session.get_bind().dialect.name == "sqlite":
        return  # Whoever comes waits for the whole transaction there.
    pause = threading.Event()
    for _ in range(6_000):
        if session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")):
            return
        pause.wait(0.01)
    raise AssertionError("Nobody waits.")


def test_without_the_locks_something_is_recorded_after_closing(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail."""
    course = Course()
    looked, closed = threading.Event(), threading.Event()
    if backend == "sqlite":
        _show_the_race_on_sqlite(app, course)
        return
    load_sessions = operations.load_sessions

    def look_and_wait(session: Session, event_id: int) -> object:
        found = load_sessions(session, event_id)
        looked.set()
        closed.wait(60)
        return found

    def close_meanwhile() -> None:
        looked.wait(60)
        course.close()
        closed.set()

    monkeypatch.setattr(operations, "load_sessions", look_and_wait)
    monkeypatch.setattr(closing_operations, "lock_certified", lambda *_: None)
    # It has locks of its own, for which closing would wait here until the recording gave up.
    monkeypatch.setattr(closing_operations, "issue_certificates", lambda *_: None)
    results = run_together(app, [partial(course.record, course.people[0]), close_meanwhile])
    assert results == [None, None]
    assert course.recorded_after_closing() == 1


def _show_the_race_on_sqlite(app: Flask, course: Course) -> None:
    """Without IMMEDIATE, SQLite refuses whoever has read before somebody else wrote."""
    both_have_read = threading.Barrier(2)

    def read_then(work: Callable[[Session], object]) -> None:
        with transaction() as session:
            session.execute(select(AttendanceClosing.id)).all()
            both_have_read.wait(60)
            work(session)

    def close(session: Session) -> None:
        close_attendance(session, course.trainer, course.event_id, NOW)

    def record(session: Session) -> None:
        record_all_present(session, course.trainer, course.event_id, course.session_id, NOW)

    with without_immediate():
        results = run_together(app, [partial(read_then, close), partial(read_then, record)])
    assert sorted(map(type, results), key=str) == [type(None), OperationalError]
