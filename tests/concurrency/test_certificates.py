"""Many hands that close, issue and decide at once: each number once, one valid paper each."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask

from tests.attendance.certified import CLOSED_AT, certificates_of, make_closed_course, make_office
from tests.attendance.factories import registration_ids
from tests.concurrency.threads import run_together
from trainings.attendance.certificate_operations import issue_below_share, issue_certificates
from trainings.attendance.closing_operations import close_attendance, reopen_attendance
from trainings.attendance.made_up_operations import decide_made_up
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.registrations.models import Registration

pytestmark = pytest.mark.both_databases
THREADS = 12


def issue(event_id: int) -> int:
    with transaction() as session:
        return len(issue_certificates(session, SYSTEM, event_id, CLOSED_AT).issued)


def decide(registration_id: int, office: Actor) -> int:
    with transaction() as session:
        issue_below_share(session, office, registration_id, "Weil", CLOSED_AT)
    return 1


def test_issued_by_many_at_once_everybody_has_one(app: Flask) -> None:
    with transaction() as session:
        event_id = make_closed_course(session, "pppp", "ppaa", "pppp").id
    results = run_together(app, [partial(issue, event_id)] * THREADS)
    assert sorted(str(result) for result in results) == ["0"] * (THREADS - 1) + ["3"]
    assert [row.running for row in certificates_of(db.session(), event_id)] == [1, 2, 3]


def test_numbers_are_given_once_while_many_decide(app: Flask) -> None:
    with transaction() as session:
        event = make_closed_course(session, "ppaa", "paaa", "aapp")
        event_id, people = event.id, registration_ids(session, event)
        _, office = make_office(session)
    work = [partial(decide, person, office) for person in people] * 2
    results = run_together(app, [*work, partial(issue, event_id), partial(issue, event_id)])
    unexpected = [
        found
        for found in results
        if isinstance(found, BaseException)
        and not (isinstance(found, DomainError) and found.code == "certified_already")
    ]
    assert unexpected == []
    rows = certificates_of(db.session(), event_id)
    assert [row.running for row in rows] == list(range(1, len(rows) + 1))
    valid = [row.registration_id for row in rows if row.voided_at is None]
    assert sorted(valid) == sorted(people)


def test_two_events_that_made_up_for_each_other_are_closed_at_once(app: Flask) -> None:
    with transaction() as session:
        pair = [make_closed_course(session, "ppap", closed=False) for _ in range(2)]
        people = [session.get_one(Registration, registration_ids(session, one)[0]) for one in pair]
        people[1].person = people[0].person
        session.flush()
        _, office = make_office(session)
        for mine, other in zip(people, reversed(pair), strict=True):
            missed = next(one for one in pair if one is not other).sessions[2].id
            at = other.sessions[0].id
            decide_made_up(session, office, mine.id, missed, made_up_at_id=at, now=CLOSED_AT)
        events = [one.id for one in pair]

    def close_event(event_id: int) -> bool:
        with transaction() as session:
            return close_attendance(session, office, event_id, CLOSED_AT)

    for _ in range(8):
        work = [partial(close_event, event_id) for event_id in events]
        assert run_together(app, work) == [True, True]
        for event_id in events:
            with transaction() as session:
                reopen_attendance(session, office, event_id, "Noch einmal", CLOSED_AT)
