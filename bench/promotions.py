"""Promoting a hundred people from a waiting list at once."""

from __future__ import annotations

from datetime import timedelta

from bench.data import add_courses
from bench.figures import Figure, median_of_runs, seconds
from bench.stage import Stage
from tests.factories import actor_for
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.people.models import Account
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.operations import register

WAITING = 100


def measure_promotions(stage: Stage) -> list[Figure]:
    """Raise the capacity of a course for which a hundred people wait; count and time it."""
    with stage.app.app_context():
        event_ids = iter([_full_course(stage) for _ in range(6)])
        counts: list[int] = []

        def promote() -> float:
            event_id = next(event_ids)
            with counted_statements() as statements:
                taken = seconds(lambda: _raise_capacity(event_id))
            counts.append(len(statements))
            return taken

        taken = median_of_runs(promote)
    return [
        Figure("promoting 100, each", counts[-1] / WAITING, "statements", 12),
        Figure("promoting 100, in all", taken, "s", note="one transaction, places and mails"),
    ]


def _full_course(stage: Stage) -> int:
    # Courses of their own days, so that nobody of the list sits elsewhere at that time.
    with transaction() as session:
        (event,) = add_courses(session, 1)
        event.pool.capacity = 1
        event_id = event.id
    with transaction() as session:
        for account_id in stage.data.newcomers[: WAITING + 1]:
            person = session.get_one(Account, account_id).person
            register(session, actor_for(person), event_id, now=utc_now() - timedelta(hours=1))
    db.session.remove()
    return event_id


def _raise_capacity(event_id: int) -> None:
    with transaction() as session:
        change_capacity(
            session, SYSTEM, event_id, capacity=WAITING + 1, organisation_limit=None, now=utc_now()
        )
