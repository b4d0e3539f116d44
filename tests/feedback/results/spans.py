"""Says what can be computed from tables: sums and differences, as linear algebra.

Each shown table is a vector with a one for each event whose answers are in it. What somebody can
compute by adding and subtracting tables is the span of these vectors; a group of people is laid
bare if the vector of a few events is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from itertools import combinations


def smallest_computable(tables: Iterable[frozenset[int]], answered: Mapping[int, int]) -> int:
    """Return how many answers the smallest set has that can be computed; 0: none can be.

    Args:
        tables: the events whose answers are in each table.
        answered: how many answered, by event; those without answers tell nothing.

    """
    names = sorted(name for name, people in answered.items() if people)
    basis = _reduced([[Fraction(name in table) for name in names] for table in tables])
    sizes = [
        sum(answered[name] for name in chosen)
        for count in range(1, len(names) + 1)
        for chosen in combinations(names, count)
        if _spanned(basis, [Fraction(name in chosen) for name in names])
    ]
    return min(sizes, default=0)


def _reduced(rows: list[list[Fraction]]) -> dict[int, list[Fraction]]:
    """Return a basis by the column in which each of its rows begins."""
    basis: dict[int, list[Fraction]] = {}
    for row in rows:
        rest = _rest(basis, row)
        lead = next((column for column, value in enumerate(rest) if value), None)
        if lead is not None:
            basis[lead] = [value / rest[lead] for value in rest]
    return basis


def _rest(basis: Mapping[int, list[Fraction]], row: list[Fraction]) -> list[Fraction]:
    for lead in sorted(basis):
        if factor := row[lead]:
            row = [value - factor * other for value, other in zip(row, basis[lead], strict=True)]
    return row


def _spanned(basis: Mapping[int, list[Fraction]], row: list[Fraction]) -> bool:
    return not any(_rest(basis, row))
