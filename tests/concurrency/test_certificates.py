"""Many hands that close, issue and decide at once: each number once, one valid paper each."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import text

from tests.attendance.certified import CLOSED_AT, certificates_of, make_closed_course, make_office
from tests.attendance.factories import registration_ids
from tests.concurrency.threads import run_together
from trainings.attendance.certificates.operations import issue_below_share, issue_certificates
from trainings.attendance.closing import operations as closing_operations
from trainings.attendance.closing.operations import close_attendance, reopen_attendance
from trainings.attendance.made_up.operations import decide_made_up
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

    for _ in range(8):
        work = [partial(close_event, event_id, office) for event_id in events]
        assert run_together(app, work) == [True, True]
        for event_id in events:
            with transaction() as session:
                reopen_attendance(session, office, event_id, "Noch einmal", CLOSED_AT)


def test_a_decision_while_two_events_are_closed_waits_for_its_turn(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever closes must not find a decision whose people it has not locked in their order."""
    with transaction() as session:
        pair = [make_closed_course(session, "ppap", closed=False) for _ in range(2)]
        people = [session.get_one(Registration, registration_ids(session, one)[0]) for one in pair]
        people[1].person = people[0].person
        session.flush()
        _, office = make_office(session)
        first, second = (one.id for one in pair)
        sessions = [[found.id for found in one.sessions] for one in pair]
        mine = [person.id for person in people]
    decide_between(office, mine[1], sessions[1][2], sessions[0][0])
    second_locked, decided = threading.Event(), threading.Event()
    check_closing = closing_operations.check_closing

    def check_and_wait(*arguments: object) -> None:
        if threading.current_thread() is closing_second[0]:
            second_locked.set()
            wait_until_two_others_stand_still(decided)
        check_closing(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(closing_operations, "check_closing", check_and_wait)
    closing_second: list[threading.Thread] = []

    def close_second() -> bool:
        closing_second.append(threading.current_thread())
        return close_event(second, office)

    def decide_meanwhile() -> None:
        second_locked.wait(60)
        decide_between(office, mine[0], sessions[0][2], sessions[1][0])
        decided.set()

    def close_first() -> bool:
        second_locked.wait(60)
        return close_event(first, office)

    assert run_together(app, [close_second, decide_meanwhile, close_first]) == [True, None, True]
    valid = {
        row.registration_id: row.attended_minutes
        for event_id in (first, second)
        for row in certificates_of(db.session(), event_id)
        if row.voided_at is None
    }
    assert valid == dict.fromkeys(mine, 780)


def close_event(event_id: int, office: Actor) -> bool:
    with transaction() as session:
        return close_attendance(session, office, event_id, CLOSED_AT)


def decide_between(office: Actor, registration_id: int, missed: int, at: int) -> None:
    with transaction() as session:
        decide_made_up(session, office, registration_id, missed, made_up_at_id=at, now=CLOSED_AT)


def wait_until_two_others_stand_still(decided: threading.Event) -> None:
    """Wait until the decision is made or waits, and the other closing waits."""
    session = db.session()
    if session.get_bind().dialect.name == "sqlite":
        return  # Whoever comes waits for the whole transaction there.
    pause = threading.Event()
    for _ in range(6_000):
        waiting = session.scalar(text("SELECT count(*) FROM pg_locks WHERE NOT granted")) or 0
        if waiting + decided.is_set() >= 2:
            return
        pause.wait(0.01)
    raise AssertionError("Nobody waits.")
