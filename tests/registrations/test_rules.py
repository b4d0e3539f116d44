"""The rules of places, attacked with any pool and any queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.events.models import EventState
from trainings.registrations.models import ACTIVE, RegistrationState
from trainings.registrations.rules import (
    REGISTRATION_MOVES,
    Hold,
    Places,
    Seeker,
    Verdict,
    Window,
    check_move,
    next_places,
    window_refusal,
    withdrawal_refusal,
)

# Three authorities of a group (100), two without one.
CHAINS = ((1, 100), (2, 100), (3, 100), (4,), (5,))
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

chains = st.sampled_from(CHAINS)


@st.composite
def pools(draw: st.DrawFn) -> Places:
    """Draw a pool that keeps the rule: seated + held and unused ≤ capacity."""
    capacity = draw(st.integers(0, 12))
    limit = draw(st.none() | st.integers(1, 4))
    holds: list[Hold] = []
    for organisation_id in draw(st.sets(st.sampled_from([1, 2, 4, 100]), max_size=3)):
        room = capacity - sum(hold.places for hold in holds)
        if room > 0:
            holds.append(Hold(organisation_id, draw(st.integers(1, room))))
    places = Places(capacity=capacity, holds=tuple(holds), organisation_limit=limit)
    for chain in draw(st.lists(chains, max_size=8)):
        if places.verdict(chain) is Verdict.PLACE:
            places = places.with_seat(chain)
    return places


@st.composite
def queues(draw: st.DrawFn) -> list[Seeker]:
    """Draw a queue of up to twelve people."""
    drawn = draw(st.lists(chains, max_size=12))
    return [Seeker(index, index, chain) for index, chain in enumerate(drawn)]


def seat_all(places: Places, chosen: list[Seeker]) -> Places:
    for seeker in chosen:
        places = places.with_seat(seeker.chain)
    return places


@given(pools(), queues())
def test_places_given_never_pass_capacity(places: Places, queue: list[Seeker]) -> None:
    after = seat_all(places, next_places(places, queue))
    assert after.taken <= after.capacity


@given(pools(), queues())
def test_places_held_for_others_are_never_given_away(places: Places, queue: list[Seeker]) -> None:
    after = seat_all(places, next_places(places, queue))
    assert after.taken + after.held <= after.capacity


@given(pools(), queues())
def test_no_organisation_passes_its_limit(places: Places, queue: list[Seeker]) -> None:
    after = seat_all(places, next_places(places, queue))
    if places.organisation_limit is not None:
        assert all(
            sum(n for other, n in after.seated.items() if other[0] == chain[0])
            <= places.organisation_limit
            for chain in CHAINS
        )


@given(pools(), queues())
def test_nobody_is_overtaken_who_could_have_been_served(
    places: Places, queue: list[Seeker]
) -> None:
    """Whoever is passed over had no place at their turn, with everybody before them seated."""
    chosen = next_places(places, queue)
    for seeker in queue:
        if seeker in chosen:
            places = places.with_seat(seeker.chain)
        else:
            assert places.verdict(seeker.chain) is not Verdict.PLACE


@given(pools(), queues())
def test_after_filling_nobody_who_waits_could_be_served(
    places: Places, queue: list[Seeker]
) -> None:
    chosen = next_places(places, queue)
    left = [seeker for seeker in queue if seeker not in chosen]
    assert next_places(seat_all(places, chosen), left) == []


@given(pools(), chains)
def test_an_unused_place_of_the_own_contingent_is_there_for_its_organisation(
    places: Places, chain: tuple[int, ...]
) -> None:
    own = sum(places.unused.get(organisation_id, 0) for organisation_id in chain)
    if own and places.organisation_limit is None:
        assert places.verdict(chain) is Verdict.PLACE


@given(pools(), chains)
def test_free_for_says_how_many_can_sit_down_one_after_another(
    places: Places, chain: tuple[int, ...]
) -> None:
    queue = [Seeker(index, index, chain) for index in range(places.capacity + 1)]
    assert len(next_places(places, queue)) == places.free_for(chain)


def test_a_group_contingent_serves_its_authorities_after_their_own() -> None:
    places = Places(capacity=3, holds=(Hold(1, 1), Hold(100, 1)), seated={(1, 100): 2})
    assert places.unused == {1: 0, 100: 0}
    assert places.free == 1


@pytest.mark.parametrize(
    ("places", "chain", "verdict"),
    [
        (Places(1, seated={(5,): 1}), (4,), Verdict.FULL),
        (Places(2, holds=(Hold(4, 2),)), (5,), Verdict.HELD_FOR_OTHERS),
        (Places(5, seated={(4,): 2}, organisation_limit=2), (4,), Verdict.ORGANISATION_FULL),
        (Places(5, seated={(4,): 2}, organisation_limit=2), (5,), Verdict.PLACE),
    ],
)
def test_verdict_gives_the_reason(places: Places, chain: tuple[int, ...], verdict: Verdict) -> None:
    assert places.verdict(chain) is verdict


@pytest.mark.parametrize("old", [None, *RegistrationState])
@pytest.mark.parametrize("new", list(RegistrationState))
def test_only_moves_of_the_table_are_legal(
    old: RegistrationState | None, new: RegistrationState
) -> None:
    if new in REGISTRATION_MOVES[old]:
        check_move(old, new)
    else:
        with pytest.raises(DomainError, match="illegal_move"):
            check_move(old, new)


def test_every_active_state_can_be_withdrawn_and_no_final_one_moves() -> None:
    for state in RegistrationState:
        moves = REGISTRATION_MOVES[state]
        taking_part = state in (*ACTIVE, RegistrationState.WALK_IN)
        assert (RegistrationState.WITHDRAWN in moves) == taking_part
        assert bool(moves) == taking_part


def window(state: EventState = EventState.PUBLISHED) -> Window:
    return Window(
        state=state,
        opens_at=NOW - timedelta(days=1),
        closes_at=NOW + timedelta(days=1),
        begins_at=NOW + timedelta(days=10),
    )


@pytest.mark.parametrize(
    ("now", "code"),
    [
        (NOW - timedelta(days=1, seconds=1), "not_yet_open"),
        (NOW - timedelta(days=1), None),
        (NOW + timedelta(days=1) - timedelta(seconds=1), None),
        (NOW + timedelta(days=1), "closed"),
        (NOW + timedelta(days=10), "event_over"),
    ],
)
def test_window_opens_and_closes_to_the_second(now: datetime, code: str | None) -> None:
    refusal = window_refusal(window(), now)
    assert (refusal.code if refusal else None) == code


@pytest.mark.parametrize(
    ("state", "code"),
    [
        (EventState.DRAFT, "event_not_published"),
        (EventState.CANCELLED, "event_cancelled"),
        (EventState.HELD, "event_over"),
    ],
)
def test_window_of_an_event_that_is_not_open(state: EventState, code: str) -> None:
    refusal = window_refusal(window(state), NOW)
    assert refusal is not None
    assert refusal.code == code


@given(
    state=st.sampled_from(list(RegistrationState)),
    now=st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 20)),  # noqa: DTZ001 - made aware below
    says_why=st.booleans(),
)
def test_withdrawal_is_refused_for_exactly_one_reason(
    state: RegistrationState, now: datetime, says_why: bool
) -> None:
    moment = now.replace(tzinfo=UTC)
    until, begins = NOW, NOW + timedelta(days=5)
    refusal = withdrawal_refusal(state, until, begins, moment, says_why=says_why)
    if state not in ACTIVE:
        expected = "not_registered"
    elif moment >= begins:
        expected = "event_over"
    elif moment >= until and state is RegistrationState.PLACED and not says_why:
        expected = "late_reason_missing"
    else:
        expected = None
    assert (refusal.code if refusal else None) == expected
