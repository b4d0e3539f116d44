"""What time brings: each sweep does what is due, leaves the rest, and can run again."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import Connection, func, select
from sqlalchemy.event import listen, remove

from tests.conftest import NOW
from tests.factories import berlin, make_event, make_organisation, make_person
from tests.registered import make_registration
from trainings.core.database import db, transaction
from trainings.core.idempotency import SubmittedForm
from trainings.core.outbox import OutgoingMail
from trainings.events.models import Event, EventState
from trainings.office import sweeps
from trainings.registrations.models import (
    Contingent,
    Need,
    NeedKind,
    Registration,
    RegistrationChange,
    RegistrationState,
)

pytestmark = pytest.mark.both_databases

State = RegistrationState
EACH_IN_ITS_OWN = ("serve_waiting_lists", "expire_waiting_lists", "close_past_events")
DAY = date(2026, 4, 16)


def sweep(name: str, now: datetime) -> int:
    if name in EACH_IN_ITS_OWN:
        return int(getattr(sweeps, name)(now))
    with transaction() as session:
        return int(getattr(sweeps, name)(session, now))


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def states() -> list[State]:
    db.session.expire_all()
    return list(db.session.scalars(select(Registration.state).order_by(Registration.id)))


def event_states() -> list[EventState]:
    return list(db.session.scalars(select(Event.state).order_by(Event.id)))


def test_an_event_is_held_once_its_last_session_has_ended_and_somebody_came(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, days=1)
        make_registration(session, event, make_person(session), marks="-p")
    assert sweep("close_past_events", berlin(DAY, 16, 29)) == 0
    assert sweep("close_past_events", berlin(DAY, 16, 30)) == 1
    assert event_states() == [EventState.HELD]
    assert sweep("close_past_events", berlin(DAY, 17)) == 0


def test_an_event_to_which_nobody_was_recorded_stays_for_the_office(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, days=1)
        make_registration(session, event, make_person(session), marks="aa")
        for state in (EventState.DRAFT, EventState.CANCELLED):
            other = make_event(session, first_day=DAY, days=1, state=state)
            make_registration(session, other, make_person(session), marks="pp")
    assert sweep("close_past_events", NOW + timedelta(days=400)) == 0
    assert event_states() == [EventState.PUBLISHED, EventState.DRAFT, EventState.CANCELLED]


def test_a_contingent_that_runs_out_serves_the_waiting_list(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, capacity=1, minimum=1)
        other = make_organisation(session, "Kreis Fern")
        session.add(
            Contingent(
                pool_id=event.pool_id,
                organisation=other,
                places=1,
                until=NOW + timedelta(hours=1),
            )
        )
        home = make_organisation(session, "Stadt Nah")
        for _ in range(2):
            make_registration(session, event, make_person(session, home), state=State.WAITING)
    assert sweep("serve_waiting_lists", NOW) == 0
    assert sweep("serve_waiting_lists", NOW + timedelta(hours=1)) == 1
    assert states() == [State.PLACED, State.WAITING]
    assert count(OutgoingMail) == 1
    assert sweep("serve_waiting_lists", NOW + timedelta(hours=2)) == 0


def test_nobody_is_promoted_once_the_event_has_begun(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY)
        make_registration(session, event, make_person(session), state=State.WAITING)
    assert sweep("serve_waiting_lists", berlin(DAY, 9)) == 0
    assert states() == [State.WAITING]
    assert sweep("serve_waiting_lists", berlin(DAY, 8, 59)) == 1


@pytest.mark.parametrize("state", [EventState.CANCELLED, EventState.HELD, EventState.DRAFT])
def test_nobody_is_promoted_where_nothing_will_be_held(app: Flask, state: EventState) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, state=state)
        make_registration(session, event, make_person(session), state=State.WAITING)
    assert sweep("serve_waiting_lists", NOW) == 0


def test_requests_that_were_not_served_end_when_the_event_begins(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, capacity=1, minimum=1)
        make_registration(session, event, make_person(session))
        make_registration(session, event, make_person(session), state=State.WAITING)
    assert sweep("expire_waiting_lists", berlin(DAY, 8, 59)) == 0
    assert sweep("expire_waiting_lists", berlin(DAY, 9)) == 1
    assert states() == [State.PLACED, State.EXPIRED]
    last = db.session.scalars(
        select(RegistrationChange).order_by(RegistrationChange.id.desc())
    ).first()
    assert last is not None
    assert (last.from_state, last.to_state, last.reason) == (
        State.WAITING,
        State.EXPIRED,
        "event_began",
    )
    assert sweep("expire_waiting_lists", berlin(DAY, 10)) == 0


def test_needs_are_deleted_thirty_days_after_the_event(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=DAY, days=2)
        registration = make_registration(session, event, make_person(session))
        session.add(Need(registration=registration, kind=NeedKind.DIET, note="vegan"))
    last_day = DAY + timedelta(days=1)
    assert sweep("delete_needs", berlin(last_day + timedelta(days=30), 23, 59)) == 0
    assert sweep("delete_needs", berlin(last_day + timedelta(days=31), 0, 1)) == 1
    assert count(Need) == 0
    assert count(Registration) == 1


def test_keys_of_forms_are_kept_for_two_days(app: Flask) -> None:
    with transaction() as session:
        for name, age in (("old", 49), ("young", 47)):
            at = NOW - timedelta(hours=age)
            session.add(SubmittedForm(key=name, at=at, url="/", message=""))
    assert sweep("forget_submitted_forms", NOW) == 1
    assert db.session.scalars(select(SubmittedForm.key)).all() == ["young"]


def test_each_event_is_served_in_a_transaction_of_its_own(app: Flask) -> None:
    with transaction() as session:
        for capacity in (1, 1):
            event = make_event(session, first_day=DAY, days=1, capacity=capacity)
            make_registration(session, event, make_person(session), state=State.WAITING)
    commits = []

    def note(connection: Connection) -> None:
        commits.append(connection)

    listen(db.engine, "commit", note)
    try:
        assert sweep("serve_waiting_lists", NOW) == 2
    finally:
        remove(db.engine, "commit", note)
    assert len(commits) == 2
