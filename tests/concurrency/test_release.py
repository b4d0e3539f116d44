"""Releases against withdrawals, cancellations and other deciders: threads that really commit."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from tests.concurrency.threads import run_together, without_immediate
from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_organisation, make_person
from trainings.core.actors import SYSTEM, Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.events.details import Policy
from trainings.events.models import Event, EventState
from trainings.office.release_sweeps import expire_requests, send_release_digests
from trainings.people.models import OrganisationContact
from trainings.registrations import places, release_operations
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.models import (
    Registration,
    RegistrationState,
    Release,
    ReleaseDigest,
    ReleaseOutcome,
)
from trainings.registrations.operations import register, withdraw
from trainings.registrations.release_operations import contact_speaker, decide_release

pytestmark = pytest.mark.both_databases
State = RegistrationState
ROUNDS = 4


class World:
    """An event with requests that wait for their release, and contacts who may decide."""

    def __init__(self, requests: int = 1, capacity: int = 12) -> None:
        with transaction() as session:
            city = make_organisation(session)
            policy = Policy(needs_release=True, offer_days=0)
            event = make_event(session, capacity=capacity, minimum=0, policy=policy)
            self.event_id, self.closes_at = event.id, event.closes_at
            self.contacts = [make_person(session, city).id for _ in range(2)]
            for person_id in self.contacts:
                session.add(OrganisationContact(organisation_id=city.id, person_id=person_id))
            self.people = [actor_for(make_person(session, city)) for _ in range(requests)]
        self.requests = [self._ask(person) for person in self.people]

    def _ask(self, person: Actor) -> int:
        with transaction() as session:
            return register(session, person, self.event_id, now=NOW).id

    def decide(
        self,
        contact: int,
        request: int,
        outcome: ReleaseOutcome = ReleaseOutcome.RELEASED,
    ) -> State:
        with transaction() as session:
            speaker = contact_speaker(session, self.contacts[contact])
            return decide_release(
                session, speaker, self.requests[request], outcome=outcome, now=NOW
            ).state

    def withdraw(self, request: int) -> State:
        with transaction() as session:
            return withdraw(session, self.people[request], self.requests[request], NOW).state

    def cancel(self) -> State:
        with transaction() as session:
            cancel_event(session, SYSTEM, self.event_id, reason="", replaced_by_id=None, now=NOW)
        return State.CANCELLED

    def states(self) -> list[State]:
        db.session.remove()
        rows = select(Registration.state).order_by(Registration.id)
        return list(db.session.scalars(rows))

    def decisions(self) -> list[ReleaseOutcome]:
        return list(db.session.scalars(select(Release.outcome)))


def codes(results: list[object]) -> list[str]:
    return [result.code if isinstance(result, DomainError) else "done" for result in results]


def test_opposite_decisions_at_once_count_once(app: Flask) -> None:
    world = World(ROUNDS)
    for request in range(ROUNDS):
        results = run_together(
            app,
            [
                partial(world.decide, 0, request, ReleaseOutcome.RELEASED),
                partial(world.decide, 1, request, ReleaseOutcome.DECLINED),
            ],
        )
        assert sorted(codes(list(results))) == ["decided_before", "done"]
        (done,) = [result for result in results if not isinstance(result, DomainError)]
        assert world.states()[request] is done
    assert len(world.decisions()) == ROUNDS


def test_a_release_and_a_withdrawal_at_once_leave_no_place(app: Flask) -> None:
    world = World(ROUNDS)
    for request in range(ROUNDS):
        release, withdrawal = run_together(
            app, [partial(world.decide, 0, request), partial(world.withdraw, request)]
        )
        assert withdrawal is State.WITHDRAWN
        assert release is State.PLACED or codes([release]) == ["not_waiting_for_release"]
        assert world.states()[request] is State.WITHDRAWN


def test_releases_and_a_cancellation_at_once_seat_nobody(app: Flask) -> None:
    world = World(ROUNDS)
    decisions = [partial(world.decide, n % 2, n) for n in range(ROUNDS)]
    results = run_together(app, [*decisions, world.cancel])
    assert set(codes(list(results))) <= {"done", "not_waiting_for_release"}
    assert world.states() == [State.CANCELLED] * ROUNDS


def test_releases_at_once_give_no_more_places_than_there_are(app: Flask) -> None:
    world = World(ROUNDS, capacity=1)
    results = run_together(app, [partial(world.decide, n % 2, n) for n in range(ROUNDS)])
    assert sorted(map(str, results)) == ["placed", "waiting", "waiting", "waiting"]


def test_a_release_and_the_end_of_its_time_at_once_have_one_outcome(app: Flask) -> None:
    world = World()

    def expire() -> int:
        return expire_requests(world.closes_at)

    release, expired = run_together(app, [partial(world.decide, 0, 0), expire])
    if release is State.PLACED:
        assert expired == 0
    else:
        assert codes([release]) == ["not_waiting_for_release"]
        assert expired == 1
    assert world.states() == [State.PLACED if expired == 0 else State.EXPIRED]


def test_workers_at_once_send_each_contact_one_digest(app: Flask) -> None:
    World()
    results = run_together(app, [partial(send_release_digests, NOW)] * ROUNDS)
    assert sum(result for result in results if isinstance(result, int)) == 2
    db.session.remove()
    assert db.session.scalar(select(func.count()).select_from(ReleaseDigest)) == 2


def test_without_the_lock_somebody_sits_in_a_cancelled_event(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the tests above can fail: nothing else keeps the two apart."""
    world = World()
    check = release_operations._refuse_decided

    def let_the_cancellation_in(*args: object) -> None:
        check(*args)  # type: ignore[arg-type]
        assert run_together(app, [world.cancel]) == [State.CANCELLED]

    monkeypatch.setattr(release_operations, "_refuse_decided", let_the_cancellation_in)
    monkeypatch.setattr(places, "lock_persons", lambda *_: None)
    monkeypatch.setattr(
        places, "lock_pool", lambda session, event_id: session.get_one(Event, event_id)
    )
    if backend == "sqlite":
        with without_immediate():
            _refused_by_sqlite(world)
        return
    assert world.decide(0, 0) is State.PLACED
    assert world.states() == [State.PLACED]
    assert db.session.scalars(select(Event.state)).one() is EventState.CANCELLED


def _refused_by_sqlite(world: World) -> None:
    """Without IMMEDIATE, SQLite refuses whoever has read before somebody else wrote."""
    with pytest.raises(OperationalError):
        world.decide(0, 0)
