"""Histories of states: what registrations and orders have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import TypeVar

State = TypeVar("State", bound=StrEnum)


def broken(
    history: Iterable[tuple[State | None, State]],
    state: State,
    moves: Mapping[State | None, Collection[State]],
    *,
    may_stay: Collection[State] = (),
) -> str | None:
    """Say what is wrong with a history, or nothing.

    Args:
        history: the states before and after each step, the first step first.
        state: where it should have led.
        moves: to which states each may change; None is the beginning.
        may_stay: states in which a step may also change something else.

    """
    before: State | None = None
    for old, new in history:
        if old is not before:
            return "Der Verlauf hat eine Lücke."
        stays = old is new and new in may_stay
        if not stays and new not in moves[old]:
            return f"Der Verlauf enthält einen unerlaubten Schritt nach „{new}“."
        before = new
    if before is not state:
        return "Der Stand stimmt nicht mit dem Verlauf überein."
    return None
