"""Which way an order may go, what may be approved, what is left of a limit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.inventory.orders.models import OrderState
from trainings.inventory.orders.rules import (
    FINISHED,
    HOLDING,
    OPEN,
    ORDER_MOVES,
    STATE_NAMES,
    Allowance,
    check_approved,
    over_limit,
    tightest,
)
from trainings.inventory.orders.wording import STATUS

QUANTITY = st.integers(-5, 200)
LINES = st.dictionaries(st.integers(1, 4), st.integers(1, 100), min_size=1)


def test_every_state_has_a_name_and_every_order_comes_to_an_end() -> None:
    assert set(STATE_NAMES) == set(STATUS) == set(OrderState)
    assert set(ORDER_MOVES) == {None, *OrderState}
    assert HOLDING < OPEN
    reachable: set[OrderState] = set()
    waiting = list(ORDER_MOVES[None])
    while waiting:
        state = waiting.pop()
        if state not in reachable:
            reachable.add(state)
            waiting.extend(ORDER_MOVES[state])
    assert reachable == set(OrderState)
    assert not any(ORDER_MOVES[state] for state in FINISHED)


@given(LINES, st.dictionaries(st.integers(1, 5), QUANTITY), st.sampled_from(["", "knapp"]))
def test_what_is_approved_was_asked_for_and_less_has_a_reason(
    requested: dict[int, int], approved: dict[int, int], reason: str
) -> None:
    try:
        check_approved(requested, approved, reason)
    except DomainError:
        return
    assert sum(approved.values()) > 0
    assert all(0 <= number <= requested.get(line, 0) for line, number in approved.items())
    assert reason or all(approved.get(line) == number for line, number in requested.items())


@given(LINES)
def test_all_that_is_asked_for_can_be_approved(requested: dict[int, int]) -> None:
    check_approved(requested, requested, "")


@given(st.integers(0, 500), st.integers(0, 1000), st.integers(1, 1000))
def test_a_limit_is_kept_to_the_last_card(per_year: int, used: int, wanted: int) -> None:
    allowance = Allowance("Stadt Essen", per_year, used)
    assert (over_limit(allowance, wanted) == "") == (used + wanted <= per_year)


@pytest.mark.parametrize(
    ("used", "words"),
    [(9, "noch 1 Karte bekommen"), (3, "noch 7 Karten"), (12, "keine Karte mehr")],
)
def test_a_refusal_says_how_many_are_left(used: int, words: str) -> None:
    assert words in over_limit(Allowance("Stadt Essen", 10, used), 100)


def test_the_tightest_limit_counts() -> None:
    wide, narrow = Allowance("Verbund", 1000, 995), Allowance("Stadt", 100, 0)
    assert tightest([narrow, wide]) is wide
    assert tightest([]) is None
