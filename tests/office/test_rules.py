from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.conftest import NOW
from trainings.office.rules import Planned, Step, is_due, next_step

CALM = Planned(
    ends_at=NOW + timedelta(days=60),
    decide_by=NOW + timedelta(days=40),
    has_room=True,
    trainers=1,
    needs_trainers=True,
    open_needs=0,
    taken=8,
    minimum=6,
)


@pytest.mark.parametrize(
    ("changes", "step"),
    [
        ({}, Step.LOOK),
        ({"ends_at": NOW, "has_room": False}, Step.CLOSE),
        ({"decide_by": NOW + timedelta(days=6), "taken": 5, "has_room": False}, Step.DECIDE),
        ({"decide_by": NOW + timedelta(days=6), "taken": 6}, Step.LOOK),
        ({"decide_by": NOW - timedelta(days=1), "taken": 5}, Step.LOOK),
        ({"has_room": False, "trainers": 0}, Step.CHOOSE_PLACE),
        ({"trainers": 0, "open_needs": 1}, Step.CHOOSE_TRAINERS),
        ({"trainers": 0, "needs_trainers": False, "open_needs": 1}, Step.SETTLE_NEEDS),
    ],
)
def test_most_urgent_step_comes_first(changes: dict[str, object], step: Step) -> None:
    assert next_step(replace(CALM, **changes), NOW) is step  # type: ignore[arg-type]


def test_decision_is_due_within_a_week_before_registration_closes() -> None:
    for days, due in ((-1, False), (0, True), (6, True), (7, False)):
        event = replace(CALM, decide_by=NOW + timedelta(days=days))
        assert is_due(event, NOW) is due
