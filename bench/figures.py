"""Figures beside their targets, as a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median
from time import perf_counter

RUNS = 5


@dataclass(frozen=True)
class Figure:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: the figure.
        unit: such as `ms CPU`.
        limit: the target; None for what is only told.
        at_least: the target is a lower limit.
        note: what else is to be known.

    """

    name: str
    value: float
    unit: str
    limit: float | None = None
    at_least: bool = False
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None where there is none."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def target(self) -> str:
        """The target in words."""
        if self.limit is None:
            return ""
        return f"{'≥' if self.at_least else '≤'} {_number(self.limit)} {self.unit}"

    @property
    def result(self) -> str:
        """The figure with its unit."""
        return f"{_number(self.value)} {self.unit}"


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"


def table(figures: Iterable[Figure]) -> str:
    """Return the figures as a table in Markdown, which also reads well on a terminal."""
    words = {True: "yes", False: "NO", None: ""}
    rows = [["", "target", "figure", "met", ""]]
    rows += [
        [figure.name, figure.target, figure.result, words[figure.met], figure.note]
        for figure in figures
    ]
    widths = [max(3, *map(len, column)) for column in zip(*rows, strict=True)]
    rows.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows)


def median_of_runs(run: Callable[[], float], prepare: Callable[[], object] | None = None) -> float:
    """Return the median of five runs after one to warm up; what prepares each is not measured."""
    values = []
    for _ in range(1 + RUNS):
        if prepare is not None:
            prepare()
        values.append(run())
    return median(values[1:])


def seconds(work: Callable[[], object]) -> float:
    """Return how long work takes."""
    begin = perf_counter()
    work()
    return perf_counter() - begin


def cpu_milliseconds(spent: Callable[[], float], work: Callable[[], int]) -> float:
    """Return the CPU of an operation.

    Args:
        spent: tells the CPU seconds that the processes have used so far.
        work: does some operations and returns how many.

    """
    before = spent()
    operations = work()
    return (spent() - before) / operations * 1000
