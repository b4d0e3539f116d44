"""Pages of a list, chosen by `?seite=` in the address."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import request

PAGE_SIZE = 50


@dataclass(frozen=True)
class Paging:
    """Where in a list somebody is.

    Attributes:
        page: from 1.
        pages: how many there are, at least 1.
        total: rows in all.

    """

    page: int
    pages: int
    total: int

    @property
    def offset(self) -> int:
        """Rows before this page."""
        return (self.page - 1) * PAGE_SIZE

    @property
    def shown(self) -> int:
        """Rows on this page."""
        return min(PAGE_SIZE, self.total - self.offset)


def wanted_page() -> int:
    """Return the page that the address asks for; what makes no sense is the first one."""
    text = request.args.get("seite", "")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 5 else 1


def paging(total: int) -> Paging:
    """Return where the request is in a list; beyond its end is its last page."""
    pages = max(1, -(-total // PAGE_SIZE))
    return Paging(min(wanted_page(), pages), pages, total)


def page_address() -> Callable[[int], str]:
    """Return a function that gives the address of a page with the present filters."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != "seite"]
    return lambda number: f"{request.path}?{urlencode([*kept, ('seite', number)])}"
