"""An offer is accepted while the person's other event is moved onto its time."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.registrations.demand import registration_id
from tests.registrations.test_giving_way import TwoEvents
from trainings.cli.checks.places import nobody_waits_beside_a_free_place
from trainings.cli.checks.registrations import (
    histories_lead_to_the_states,
    nobody_sits_in_two_events_at_once,
)
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.registrations.models import RegistrationState
from trainings.registrations.offer_operations import accept_offer

pytestmark = pytest.mark.both_databases
State = RegistrationState


def test_of_a_move_and_an_accepted_offer_one_place_is_left(app: Flask) -> None:
    world = TwoEvents()
    offered = registration_id(world.person, world.second)

    def accept() -> None:
        with transaction() as session:
            accept_offer(session, world.person, offered, NOW)

    results = run_together(app, [world.move, accept])
    wrong = [row for row in results if isinstance(row, BaseException)]
    assert all(isinstance(row, DomainError) for row in wrong)
    assert world.states() in (
        [[State.PLACED, State.WAITING], [State.OFFERED]],
        [[State.WITHDRAWN, State.PLACED], [State.WAITING]],
    )
    db.session.remove()
    for check in (
        nobody_sits_in_two_events_at_once,
        histories_lead_to_the_states,
        nobody_waits_beside_a_free_place,
    ):
        assert check(db.session(), NOW) == []
