"""Passing many places on costs a number of statements that grows with the people, and no faster."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import make_event, make_person
from tests.registered import make_registration
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.events.details import Policy
from trainings.registrations.event_operations import change_capacity
from trainings.registrations.models import RegistrationState

pytestmark = pytest.mark.both_databases
MOST_PER_PERSON = 12


def cost_of(people: int, policy: Policy) -> int:
    with transaction() as session:
        event = make_event(session, capacity=1, minimum=0, policy=policy)
        make_registration(session, event, make_person(session))
        for _ in range(people):
            make_registration(session, event, make_person(session), state=RegistrationState.WAITING)
        event_id = event.id
    db.session.remove()
    with counted_statements() as statements, transaction() as session:
        change_capacity(
            session, SYSTEM, event_id, capacity=1 + people, organisation_limit=None, now=NOW
        )
    return len(statements)


@pytest.mark.parametrize("offer_days", [0, 2])
def test_promoting_costs_at_most_twelve_statements_a_person(app: Flask, offer_days: int) -> None:
    policy = Policy(offer_days=offer_days)
    few, many = cost_of(10, policy), cost_of(40, policy)
    per_person = (many - few) / 30
    assert per_person < MOST_PER_PERSON
    assert many < 40 * MOST_PER_PERSON
