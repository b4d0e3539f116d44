"""What the movements of an event add up to."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from trainings.inventory.handouts.rules import Flow, counts_by_box, counts_by_card, rests
from trainings.inventory.models import PlaceKind, StoreKind

OFFICE, BOXES, CARD = 1, (2, 3), 9
KINDS = {OFFICE: StoreKind.OFFICE, 2: StoreKind.BOX, 3: StoreKind.BOX}
DAYS = {1: date(2026, 3, 1), 2: date(2026, 4, 1), 3: date(2026, 5, 1)}


def flow(event: int, source: int | None, target: int | None, quantity: int, back: bool) -> Flow:
    """Return a flow between stores; None is the event. A reversal leads the other way."""
    if back:
        source, target = target, source

    def kind(store: int | None) -> PlaceKind:
        return PlaceKind.EVENT if store is None else PlaceKind.STORE

    return Flow(
        event, CARD, kind(source), source, KINDS.get(source or 0),
        kind(target), target, KINDS.get(target or 0), back, quantity,
    )  # fmt: skip


steps = st.tuples(
    st.sampled_from(sorted(DAYS)),
    st.sampled_from(
        [(OFFICE, 2), (OFFICE, 3), (2, OFFICE), (3, OFFICE), (2, None), (3, None), (OFFICE, None),
         (2, 3), (3, 2)]
    ),
    st.integers(1, 50),
)  # fmt: skip


@given(st.lists(steps))
def test_what_is_taken_back_counts_nowhere(
    done: list[tuple[int, tuple[int, int | None], int]],
) -> None:
    flows = [
        flow(event, source, target, quantity, back)
        for event, (source, target), quantity in done
        for back in (False, True)
    ]
    for counts in counts_by_box(flows).values():
        assert (counts.taken, counts.handed_out, counts.returned) == (0, 0, 0)


@given(st.lists(steps))
def test_boxes_hold_what_came_minus_what_left(
    done: list[tuple[int, tuple[int, int | None], int]],
) -> None:
    flows = [flow(event, *way, quantity, False) for event, way, quantity in done]
    by_card = counts_by_card(flows)
    for event in DAYS:
        counts = by_card.get((event, CARD))
        mine = [(way, quantity) for number, way, quantity in done if number == event]
        into = sum(number for (source, target), number in mine if source == OFFICE and target)
        out = sum(number for (source, target), number in mine if source != OFFICE and not target)
        back = sum(number for (_, target), number in mine if target == OFFICE)
        if counts:
            assert (counts.taken, counts.from_boxes, counts.returned) == (into, out, back)
            assert counts.rest == max(0, into - out - back)


@given(st.lists(steps), st.integers(0, 60), st.integers(0, 60))
def test_rests_never_exceed_what_lies_in_the_box_and_the_latest_event_comes_first(
    done: list[tuple[int, tuple[int, int | None], int]], first: int, second: int
) -> None:
    flows = [flow(event, *way, quantity, False) for event, way, quantity in done]
    balances = {(2, CARD): first, (3, CARD): second}
    found = rests(flows, balances, DAYS)
    counts = counts_by_box(flows)
    for box in BOXES:
        here = [rest for rest in found if rest.box_id == box]
        assert sum(rest.quantity for rest in here) <= balances[box, CARD]
        assert all(0 < rest.quantity <= counts[rest.event_id, CARD, box].rest for rest in here)
        owed = sum(each.rest for (_, _, number), each in counts.items() if number == box)
        assert sum(rest.quantity for rest in here) == min(owed, balances[box, CARD])
    assert [rest.event_id for rest in found] == sorted(
        (rest.event_id for rest in found), reverse=True
    )
