"""Shares for a bar of seven pieces."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trainings.statistics.rules import largest_shares


def test_seven_parts_stay_as_they_are_largest_first() -> None:
    parts = [(str(value), value) for value in range(1, 8)]
    assert largest_shares(parts) == list(reversed(parts))


def test_what_is_too_small_for_a_piece_is_summed_up() -> None:
    parts = [(str(value), value) for value in range(1, 9)]
    assert largest_shares(parts)[-1] == ("Übrige", 3)


@given(st.lists(st.tuples(st.text(), st.integers(0, 1000))))
def test_the_bar_shows_everything_in_seven_pieces_at_most(parts: list[tuple[str, int]]) -> None:
    shares = largest_shares(parts)
    assert len(shares) <= 7
    assert sum(value for _, value in shares) == sum(value for _, value in parts)
    assert all(value for _, value in shares)
