"""Two people at one door: what is marked at the same moment is recorded once."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.attendance.factories import (
    THURSDAY,
    history_of,
    make_course,
    make_trainer,
    registration_ids,
)
from tests.factories import actor_for, berlin
from trainings.attendance.models import Attendance, AttendanceMark
from trainings.attendance.operations import record_all_present, record_attendance
from trainings.core.database import db, transaction

pytestmark = pytest.mark.both_databases

NOW = berlin(THURSDAY, 9)
THREADS = 16


def at_once(app: Flask, work: Callable[[int], object]) -> list[Exception]:
    """Run the work in many threads that start together; return what went wrong."""
    barrier = threading.Barrier(THREADS)
    errors: list[Exception] = []

    def run(number: int) -> None:
        with app.app_context():
            barrier.wait()
            try:
                work(number)
            except Exception as error:
                errors.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


def test_one_person_marked_by_many_at_once_has_one_mark_and_one_chain_of_changes(
    app: Flask,
) -> None:
    with transaction() as session:
        event = make_course(session, people=1)
        actor, session_id = actor_for(make_trainer(session, event)), event.sessions[0].id
        (person,) = registration_ids(session, event)

    def mark(number: int) -> None:
        chosen = (AttendanceMark.PRESENT, AttendanceMark.ABSENT)[number % 2]
        with transaction() as session:
            record_attendance(session, actor, person, session_id, chosen, now=NOW)

    assert at_once(app, mark) == []
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 1
    changes = history_of(db.session(), session_id)
    assert [change.old_mark for change in changes] == [
        None, *(change.new_mark for change in changes[:-1])
    ]  # fmt: skip
    assert db.session.scalars(select(Attendance)).one().mark is changes[-1].new_mark


def test_all_present_pressed_by_many_at_once_records_everybody_once(app: Flask) -> None:
    with transaction() as session:
        event = make_course(session, people=6)
        actor, session_id = actor_for(make_trainer(session, event)), event.sessions[0].id
        event_id = event.id

    def mark_all(_number: int) -> None:
        with transaction() as session:
            record_all_present(session, actor, event_id, session_id, NOW)

    assert at_once(app, mark_all) == []
    assert len(history_of(db.session(), session_id)) == 6
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 6
