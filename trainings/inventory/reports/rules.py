"""How consumption is counted, how long the stock will last, how sums are formed: pure rules.

Days and months are those of the calendar in Berlin, so that neither change of the clock moves a
movement into another month.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import TypeVar

from trainings.core.clock import berlin_instant
from trainings.inventory.models import PlaceKind
from trainings.inventory.rules import GIVEN_AWAY

Key = TypeVar("Key", bound=Hashable)

CONSUMED = GIVEN_AWAY | {PlaceKind.RETURN}
"""The places that consumption leads to, less what comes from there."""
MONTHS_SHOWN = 24
MONTHS_COUNTED = 12
"""The forecast rests on the last year: courses and orders follow the seasons."""
FEWEST_MONTHS = 3
"""With fewer full months a forecast would be a guess."""
FARTHEST_DAYS = 10 * 365
"""Beyond that a day says nothing."""


@dataclass(frozen=True, order=True)
class Month:
    """A month of the calendar in Berlin."""

    year: int
    number: int

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.number, 1)

    @property
    def after(self) -> Month:
        """The next month."""
        return self.shifted(1)

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.after.first - self.first).days

    @property
    def begins_at(self) -> datetime:
        """The instant at which it begins in Berlin."""
        return berlin_instant(self.first, time(0))

    def shifted(self, months: int) -> Month:
        """Return the month so many months later, earlier with a negative number."""
        year, index = divmod(self.year * 12 + self.number - 1 + months, 12)
        return Month(year, index + 1)


def month_of(day: date) -> Month:
    """Return the month of a day."""
    return Month(day.year, day.month)


def months_between(first: Month, last: Month) -> list[Month]:
    """Return all months from the first to the last, both included; none if they are reversed."""
    found = []
    while first <= last:
        found.append(first)
        first = first.after
    return found


@dataclass(frozen=True)
class Flow:
    """Cards that left the stores for somebody or came back from there, and what got lost.

    Attributes:
        given: to organisations, events and others.
        returned: back from there.
        lost: lost or destroyed, less what was found again; a stocktake may find more than was lost.

    """

    given: int = 0
    returned: int = 0
    lost: int = 0

    @property
    def consumed(self) -> int:
        """What was given and did not come back; negative if more came back than left."""
        return self.given - self.returned

    def __add__(self, other: Flow) -> Flow:
        return Flow(
            self.given + other.given, self.returned + other.returned, self.lost + other.lost
        )

    def __neg__(self) -> Flow:
        return Flow(-self.given, -self.returned, -self.lost)

    def __bool__(self) -> bool:
        return self != Flow()


def flow_of(source: PlaceKind, target: PlaceKind, quantity: int) -> Flow:
    """Return what a movement that reverses nothing means for consumption and losses.

    Args:
        source: from where.
        target: to where.
        quantity: how many cards.

    """
    if target in CONSUMED:
        return Flow(given=quantity)
    if source in CONSUMED:
        return Flow(returned=quantity)
    if target is PlaceKind.LOSS:
        return Flow(lost=quantity)
    if source is PlaceKind.LOSS:
        return Flow(lost=-quantity)
    return Flow()


def summed(rows: Iterable[tuple[Key, Flow]]) -> dict[Key, Flow]:
    """Add up flows by their key; what adds up to nothing is left out."""
    sums: dict[Key, Flow] = {}
    for key, flow in rows:
        sums[key] = sums.get(key, Flow()) + flow
    return {key: flow for key, flow in sums.items() if flow}


def rolled_up(
    flows: Mapping[int | None, Flow], counts_for: Callable[[int], int]
) -> dict[int | None, Flow]:
    """Add up the flows of organisations that count for another one.

    Args:
        flows: by organisation; None is what no organisation got.
        counts_for: the organisation that an organisation counts for.

    """
    return summed((None if key is None else counts_for(key), flow) for key, flow in flows.items())


@dataclass(frozen=True)
class Forecast:
    """How long the free stock will last if consumption goes on.

    Attributes:
        free: cards that are free today.
        reorder_level: with fewer the office is told; 0: never.
        months: the full months that consumption was counted in, oldest first.
        consumed: cards consumed in them.
        reorder_on: the day on which the free stock falls below the reorder level; None: there is
            none, it is below already, or nobody can say.
        empty_on: the day on which the last card is gone; None: nobody can say.

    """

    free: int
    reorder_level: int
    months: tuple[Month, ...]
    consumed: int
    reorder_on: date | None
    empty_on: date | None

    @property
    def is_low(self) -> bool:
        """Whether fewer are free than the reorder level says."""
        return self.free < self.reorder_level

    @property
    def has_history(self) -> bool:
        """Whether there are enough full months to say anything."""
        return len(self.months) >= FEWEST_MONTHS

    @property
    def days(self) -> int:
        """How many days consumption was counted in."""
        return sum(month.days for month in self.months)

    @property
    def per_week(self) -> float | None:
        """Average consumption a week; None without enough history."""
        return self.consumed * 7 / self.days if self.has_history else None

    @property
    def weeks(self) -> float | None:
        """How many weeks the free stock lasts; None if nothing is consumed or nobody can say."""
        if not self.has_history or self.consumed <= 0:
            return None
        return self.free * self.days / (self.consumed * 7)


def counted_months(today: date, since: date | None) -> tuple[Month, ...]:
    """Return the full months that a forecast rests on: the last twelve, or as many as there are.

    Args:
        today: the day in Berlin; its own month is not over and does not count.
        since: the day on which the first card came into a store; its month does not count, unless
            it was the first day; None: none came yet.

    """
    if since is None:
        return ()
    last = month_of(today).shifted(-1)
    first = month_of(since) if since.day == 1 else month_of(since).after
    return tuple(months_between(max(first, last.shifted(1 - MONTHS_COUNTED)), last))


def forecast(
    *, free: int, reorder_level: int, today: date, since: date | None, consumed: Mapping[Month, int]
) -> Forecast:
    """Say how long the free stock will last.

    Args:
        free: cards free today, not negative.
        reorder_level: with fewer the office is told; 0: never.
        today: the day in Berlin.
        since: the day on which the first card came into a store; None: none came yet.
        consumed: by month; months without consumption may be missing.

    """
    months = counted_months(today, since)
    total = sum(consumed.get(month, 0) for month in months)
    days = sum(month.days for month in months)
    known = len(months) >= FEWEST_MONTHS and total > 0

    def reached(cards: int) -> date | None:
        """Return the first day on whose evening fewer than these are left, counting from today."""
        if not known or free < cards:
            return None
        # In whole numbers: the least n with free - n * total / days < cards.
        ahead = (free - cards) * days // total + 1
        return today + timedelta(days=ahead) if ahead <= FARTHEST_DAYS else None

    return Forecast(
        free=free,
        reorder_level=reorder_level,
        months=months,
        consumed=total,
        reorder_on=reached(reorder_level) if reorder_level else None,
        empty_on=reached(1),
    )
