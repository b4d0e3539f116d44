"""What of a long list of people is shown: by name, by what is recorded, page by page.

Pure functions over plain values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from trainings.attendance.rules import THERE, Entry

PEOPLE_ON_A_PAGE = 30
Item = TypeVar("Item")


class Only(StrEnum):
    """Who is shown only; the value stands in the address."""

    OPEN = "offen"
    """Not recorded yet."""
    UNUSUAL = "abweichend"
    """Recorded as anything but present all the time."""


@dataclass(frozen=True)
class Choice:
    """What somebody chose to see.

    Attributes:
        name: show only those who are called so; empty: everybody.
        only: show only those of whom this is recorded.
        page: number of the page, from 1; None: all on one page, as for printing.

    """

    name: str = ""
    only: Only | None = None
    page: int | None = 1

    @property
    def narrowed(self) -> bool:
        """Whether some are left out that no other page shows."""
        return bool(self.name or self.only)


def fits(entries: Iterable[Entry], only: Only | None) -> bool:
    """Say whether somebody with these entries is shown.

    Args:
        entries: of the sessions that count for it.
        only: what is looked for; None fits everybody.

    """
    if only is Only.OPEN:
        return any(entry.mark is None for entry in entries)
    if only is Only.UNUSUAL:
        return any(entry.mark is not None and entry != THERE for entry in entries)
    return True


def pages_of(number: int) -> int:
    """Return how many pages so many people take; at least one."""
    return max(1, -(-number // PEOPLE_ON_A_PAGE))


def page_of(items: Sequence[Item], page: int | None) -> Sequence[Item]:
    """Return what stands on a page; behind the last page that one, None: everything."""
    if page is None:
        return items
    begin = (min(max(page, 1), pages_of(len(items))) - 1) * PEOPLE_ON_A_PAGE
    return items[begin : begin + PEOPLE_ON_A_PAGE]
