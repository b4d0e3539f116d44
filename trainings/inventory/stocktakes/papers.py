"""The papers of a stocktake: the list to write on, and the protocol."""

from __future__ import annotations

from datetime import datetime

from trainings.core.clock import berlin_day
from trainings.core.documents import Document, render
from trainings.core.errors import not_found
from trainings.core.formats import count, instant, long_date, number
from trainings.inventory.stocktakes.models import StocktakeState
from trainings.inventory.stocktakes.queries import Line, Sheet

EMPTY_ROWS = 3
"""Rows of the list for editions that are found and not listed."""


def signed(value: int) -> str:
    """Return a difference with its sign: „+3“, „−12“, „0“."""
    if not value:
        return "0"
    return f"{'+' if value > 0 else '−'}{number(abs(value))}"


def counting_list(sheet: Sheet, now: datetime) -> Document:
    """Make the list to count with, without what the book says.

    Raises:
        DomainError: `not_found`: the stocktake is no longer counted.

    """
    if not sheet.is_open:
        raise not_found()
    return render(
        "stocktake_list",
        {
            "number": f"Inventur Nr. {sheet.id}",
            "store": sheet.store,
            "opened": instant(sheet.opened_at),
            "printed": instant(now),
            "lines": [_name(line) for line in sheet.lines],
            "empty_rows": EMPTY_ROWS,
        },
        title=f"Zählliste: {sheet.store}, {long_date(berlin_day(now))}",
        at=now,
    )


def protocol(sheet: Sheet) -> Document:
    """Make the protocol of a stocktake that is posted or given up; it is always the same.

    Raises:
        DomainError: `not_found`: it is still counted.

    """
    if sheet.finished_at is None:
        raise not_found()
    posted = sheet.state is StocktakeState.POSTED
    missing = -sum(min(0, line.difference or 0) for line in sheet.lines)
    surplus = sum(max(0, line.difference or 0) for line in sheet.lines)
    return render(
        "stocktake_protocol",
        {
            "number": f"Inventur Nr. {sheet.id}",
            "store": sheet.store,
            "posted": posted,
            "opened": _when(sheet.opened_at, sheet.opened_by),
            "finished": _when(sheet.finished_at, sheet.finished_by),
            "reason": sheet.reason,
            "lines": [
                {
                    **_name(line),
                    "counted": "nicht gezählt" if line.counted is None else number(line.counted),
                    "book": "–" if line.book is None else number(line.book),
                    "difference": "–" if line.difference is None else signed(line.difference),
                    "when": _when(line.counted_at, line.counted_by) if line.counted_at else "–",
                }
                for line in sheet.lines
            ],
            "sum": f"{count(missing, 'Karte fehlt', 'Karten fehlen')}, "
            f"{count(surplus, 'Karte ist', 'Karten sind')} zu viel",
        },
        title=f"Inventurprotokoll: {sheet.store}, {long_date(berlin_day(sheet.finished_at))}",
        at=sheet.finished_at,
    )


def _when(at: datetime, who: str) -> str:
    return f"{instant(at)}, {who}" if who else instant(at)


def _name(line: Line) -> dict[str, object]:
    return {"title": line.title, "edition": f"Auflage {line.running}", "withdrawn": line.withdrawn}
