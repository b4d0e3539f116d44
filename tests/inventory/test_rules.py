"""Rules of the stock and of orders, for any values."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import LONG_AGO
from trainings.core.errors import DomainError
from trainings.core.formats import number
from trainings.inventory.models import LARGEST_QUANTITY, PlaceKind, StoreKind
from trainings.inventory.orders.models import OrderState
from trainings.inventory.orders.rules import (
    FINISHED,
    HOLDING,
    ORDER_MOVES,
    STATE_NAMES,
    check_order_move,
)
from trainings.inventory.rules import (
    GIVEN_AWAY,
    LOSS,
    Place,
    Stock,
    allot,
    check_ends,
    check_quantity,
    in_store,
    may_leave_withdrawn,
    not_enough,
    taken_since,
)
from trainings.inventory.stocktakes.rules import counting_moment, fingerprint

cards = st.integers(0, 500)
stocks = st.lists(
    st.tuples(st.integers(1, 40), cards, cards), unique_by=lambda each: each[0], max_size=6
).map(lambda rows: [Stock(edition, edition, balance, held) for edition, balance, held in rows])
kinds = st.sampled_from([kind for kind in PlaceKind if kind is not PlaceKind.STORE])
stores = st.integers(1, 3).map(in_store)
places = kinds.map(Place) | stores
moments = st.timedeltas(timedelta(0), timedelta(days=3000)).map(LONG_AGO.__add__)


def code_of(refusal: pytest.ExceptionInfo[DomainError]) -> str:
    return refusal.value.code


@given(stocks, st.integers(0, 4000))
def test_allotting_takes_the_oldest_first_and_never_more_than_is_free(
    available: list[Stock], quantity: int
) -> None:
    chosen = allot(available, quantity)
    by_edition = {stock.edition_id: stock for stock in available}
    assert all(0 < taken <= by_edition[edition].free for edition, taken in chosen)
    assert sum(taken for _, taken in chosen) == min(
        quantity, sum(stock.free for stock in available)
    )
    order = [by_edition[edition].running for edition, _ in chosen]
    assert order == sorted(order)
    assert len(order) == len(set(order))
    # Only the last one is broken into, and none that is older is passed over.
    assert all(taken == by_edition[edition].free for edition, taken in chosen[:-1])
    if order:
        older = [stock for stock in available if stock.running < order[-1] and stock.free]
        assert {stock.edition_id for stock in older} == {edition for edition, _ in chosen[:-1]}


@given(cards, cards)
def test_free_is_what_is_not_held_and_never_negative(balance: int, held: int) -> None:
    assert Stock(1, 1, balance, held).free == max(0, balance - held)


@given(st.integers(-(10**13), 10**13) | st.sampled_from([0, 1, LARGEST_QUANTITY]))
def test_a_quantity_is_from_one_to_the_largest(quantity: int) -> None:
    if 1 <= quantity <= LARGEST_QUANTITY:
        check_quantity(quantity)
        return
    with pytest.raises(DomainError) as refusal:
        check_quantity(quantity)
    assert (code_of(refusal), refusal.value.status) == ("bad_quantity", 422)


@given(places, places)
def test_a_movement_has_a_store_on_one_side_and_another_place_on_the_other(
    source: Place, target: Place
) -> None:
    leads = GIVEN_AWAY | {PlaceKind.LOSS}
    if source == target:
        expected = "same_place"
    elif target.is_store or (source.is_store and target.kind in leads):
        expected = ""
    else:
        expected = "no_such_way"
    if not expected:
        check_ends(source, target)
        return
    with pytest.raises(DomainError) as refusal:
        check_ends(source, target)
    assert code_of(refusal) == expected


@given(places, places)
def test_whatever_may_be_booked_may_be_taken_back(source: Place, target: Place) -> None:
    try:
        check_ends(source, target)
    except DomainError:
        return
    check_ends(target, source, is_reversal=True)


@given(places, st.none() | st.sampled_from(StoreKind))
def test_withdrawn_cards_only_come_home_or_are_destroyed(
    target: Place, kind: StoreKind | None
) -> None:
    kind = kind if target.is_store else None
    allowed = may_leave_withdrawn(target, kind)
    assert allowed == (target == LOSS or kind is StoreKind.OFFICE)
    if target.kind in GIVEN_AWAY:
        assert not allowed


@given(stocks)
def test_the_refusal_names_what_is_free_and_what_is_held(available: list[Stock]) -> None:
    refusal = not_enough("Karte", "Lager Essen", available)
    free, held = sum(each.free for each in available), sum(each.held for each in available)
    assert (refusal.code, refusal.field) == ("not_enough", "quantity")
    assert ("vorgemerkt" in refusal.sentence) == (held > 0)
    assert (f"höchstens {number(free)} an" in refusal.sentence) == (free > 0)
    assert ("keine Karte mehr" in refusal.sentence) == (free == 0)


@given(cards, cards)
def test_the_refusal_of_a_stocktake_says_to_count_again(balance: int, missing: int) -> None:
    sentence = taken_since("Karte", balance, missing).sentence
    assert f"noch {number(balance)}," in sentence
    assert f"aber {number(missing)}." in sentence
    assert "noch einmal" in sentence


# Orders


def test_each_state_has_moves_and_a_name() -> None:
    assert set(ORDER_MOVES) == {None, *OrderState}
    assert set(STATE_NAMES) == set(OrderState)
    assert len(set(STATE_NAMES.values())) == len(OrderState)


@given(st.none() | st.sampled_from(OrderState), st.sampled_from(OrderState))
def test_only_the_moves_of_the_table_are_allowed(
    before: OrderState | None, after: OrderState
) -> None:
    if after in ORDER_MOVES[before]:
        check_order_move(before, after)
        return
    with pytest.raises(DomainError) as refusal:
        check_order_move(before, after)
    assert code_of(refusal) == "order_moved_on"
    assert (STATE_NAMES[before] if before else "neu") in refusal.value.sentence


def test_every_state_is_reached_and_ends_somewhere() -> None:
    reached: set[OrderState | None] = {None}
    while new := {after for state in reached for after in ORDER_MOVES[state]} - reached:
        reached |= new
    assert reached == set(ORDER_MOVES)
    assert {OrderState.RECEIVED, OrderState.DECLINED, OrderState.CANCELLED, OrderState.EXPIRED} == (
        FINISHED
    )
    assert not HOLDING & FINISHED


def test_nothing_is_sent_that_was_not_approved_and_sent_things_only_arrive() -> None:
    to_sent = {before for before, after in ORDER_MOVES.items() if OrderState.SENT in after}
    assert to_sent == {OrderState.PICKED}
    to_picked = {before for before, after in ORDER_MOVES.items() if OrderState.PICKED in after}
    assert to_picked == {OrderState.APPROVED}
    assert ORDER_MOVES[OrderState.SENT] == {OrderState.RECEIVED}


# Stocktakes


@given(st.none() | moments, moments, moments)
def test_a_count_is_never_in_the_future_or_before_the_opening(
    given_at: datetime | None, opened_at: datetime, now: datetime
) -> None:
    opened_at, now = sorted((opened_at, now))
    try:
        moment = counting_moment(given_at, opened_at, now)
    except DomainError as refusal:
        assert given_at is not None
        assert refusal.field == "day"
        too_late = refusal.code == "counted_in_the_future"
        assert given_at > now if too_late else given_at < opened_at
        return
    assert opened_at <= moment <= now
    assert given_at is None or abs(moment - given_at) < timedelta(minutes=1)


counts = st.tuples(st.integers(1, 9), st.none() | cards, st.none() | cards, st.none() | moments)


@given(st.lists(counts, max_size=4), st.lists(counts, max_size=4))
def test_the_fingerprint_is_the_same_for_the_same_counts_only(
    one: list[tuple[int, int | None, int | None, datetime | None]],
    other: list[tuple[int, int | None, int | None, datetime | None]],
) -> None:
    same = sorted(map(str, one)) == sorted(map(str, other))
    assert (fingerprint(one) == fingerprint(other)) == same
    assert fingerprint(one) == fingerprint(reversed(one))
