"""A wait ends because of a place elsewhere, while its own event changes, on PostgreSQL.

SQLite lets nobody in between.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.registrations.demand import Course, registration_id
from trainings.cli.checks.registrations import histories_lead_to_the_states
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.events.models import Event
from trainings.office.sweeps import expire_waiting_lists
from trainings.registrations import places
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.models import Registration, RegistrationState

pytestmark = pytest.mark.postgresql_only


def cancel(course: Course) -> object:
    with transaction() as session:
        return cancel_event(
            session, SYSTEM, course.events[0], reason="", replaced_by_id=None, now=NOW
        )


def expire(course: Course) -> object:
    begun = places.begins_at(db.session.get_one(Event, course.events[0]))
    return expire_waiting_lists(begun)


@pytest.mark.parametrize("change", [cancel, expire])
def test_a_wait_ends_once(
    app: Flask, monkeypatch: pytest.MonkeyPatch, change: Callable[[Course], object]
) -> None:
    """Somebody gets a place at one date of a wish while the other one ends as well."""
    course = Course()
    course.wish(0, 1)
    looked, may_go_on = threading.Event(), threading.Event()
    end_wait = places.end_wait

    def end_late(session: Session, registration: Registration, *rest: object) -> None:
        looked.set()
        may_go_on.wait(2)
        end_wait(session, registration, *rest)  # type: ignore[arg-type]

    def change_meanwhile() -> object:
        looked.wait(60)
        try:
            return change(course)
        finally:
            may_go_on.set()

    monkeypatch.setattr(places, "end_wait", end_late)
    results = run_together(app, [partial(course.give_back, 1), change_meanwhile])
    assert [result for result in results if isinstance(result, BaseException)] == []
    db.session.remove()
    assert histories_lead_to_the_states(db.session(), NOW) == []
    waited = db.session.get_one(Registration, registration_id(course.actor, course.events[0]))
    assert waited.state is RegistrationState.WITHDRAWN
