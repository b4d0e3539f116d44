"""Sums over the journal: what was consumed and lost, by whatever the caller asks for.

What was reversed counts as if it had never been booked, also in its month: a slip of December that
is put right in January belongs into neither year.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    case,
    column,
    func,
    or_,
    select,
    values,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from trainings.core.clock import berlin_day, berlin_instant, end_of_day
from trainings.core.database import UTCDateTime
from trainings.inventory.models import Edition, Movement, PlaceKind
from trainings.inventory.reports.rules import CONSUMED, Flow

Span = tuple[int, datetime, datetime]
"""A key, the instant at which something begins, and the one at which it is over."""
GroupKey = ColumnElement[Any] | InstrumentedAttribute[Any]


@dataclass(frozen=True)
class Selection:
    """What a report is about.

    Attributes:
        first: the first day in Berlin; None for no limit.
        last: the last day; None for no limit.
        card_id: one card only; None for all.

    """

    first: date | None = None
    last: date | None = None
    card_id: int | None = None

    @property
    def begins_at(self) -> datetime | None:
        """The instant from which movements count."""
        return berlin_instant(self.first, time(0)) if self.first else None

    @property
    def ends_at(self) -> datetime | None:
        """The instant before which they count."""
        return end_of_day(self.last) if self.last else None


def grouped_flows(
    session: Session,
    selection: Selection,
    keys: Sequence[GroupKey],
    *,
    spans: Iterable[Span] | None = None,
) -> list[tuple[tuple[Any, ...], Flow]]:
    """Add up what was consumed and lost.

    Args:
        session: for reading; it costs two statements.
        selection: what counts.
        keys: columns of movements or editions by which it is added up.
        spans: months or years; if there are any, the key of the one in which a movement lies
            stands before the others, and what lies in none of them does not count.

    Returns:
        Pairs of a key and its sum; a key may stand twice, so that the caller adds up.

    """
    reversal = aliased(Movement)
    query = _query(selection, keys, list(spans) if spans is not None else None)
    # What stands, then once more what was taken back, to be deducted.
    booked = query.where(Movement.reverses_id.is_(None))
    taken_back = query.join(reversal, reversal.reverses_id == Movement.id)
    return [
        *((key, flow) for key, flow in map(_read, session.execute(booked))),
        *((key, -flow) for key, flow in map(_read, session.execute(taken_back))),
    ]


def _query(
    selection: Selection, keys: Sequence[GroupKey], spans: list[Span] | None
) -> Select[*tuple[Any, ...]]:
    def cards(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, Movement.quantity), else_=0))

    lost = cards(Movement.target == PlaceKind.LOSS) - cards(Movement.source == PlaceKind.LOSS)
    sums = (cards(Movement.target.in_(CONSUMED)), cards(Movement.source.in_(CONSUMED)), lost)
    if spans is None:
        query = select(*keys, *sums).select_from(Movement).group_by(*keys)
    else:
        table = _table(spans)
        query = (
            select(table.c.key, *keys, *sums)
            .select_from(table)
            .join(Movement, and_(Movement.at >= table.c.begins_at, Movement.at < table.c.ends_at))
            .group_by(table.c.key, *keys)
        )
    query = query.join(Edition, Movement.edition_id == Edition.id)
    return query.where(_counts(), *_limits(selection))


def _counts() -> ColumnElement[bool]:
    """Say which movements are no receipt and no transfer."""
    return or_(
        and_(Movement.source == PlaceKind.STORE, Movement.target != PlaceKind.STORE),
        and_(
            Movement.target == PlaceKind.STORE,
            Movement.source.not_in((PlaceKind.STORE, PlaceKind.PRINTER)),
        ),
    )


def _limits(selection: Selection) -> Iterable[ColumnElement[bool]]:
    if selection.begins_at:
        yield Movement.at >= selection.begins_at
    if selection.ends_at:
        yield Movement.at < selection.ends_at
    if selection.card_id is not None:
        yield Edition.card_type_id == selection.card_id


def _table(spans: list[Span]) -> CTE:
    """Return spans as a table, so that the index on the instant serves each of them."""
    columns = (
        column("key", Integer),
        column("begins_at", UTCDateTime()),
        column("ends_at", UTCDateTime()),
    )
    return values(*columns, name="spans").data(spans).cte("spans")


def _read(row: Row[Any]) -> tuple[tuple[Any, ...], Flow]:
    given, returned, lost = map(int, row[-3:])
    return tuple(row[:-3]), Flow(given, returned, lost)


def booked_days(session: Session) -> tuple[date, date] | None:
    """Return the days in Berlin of the first and the last movement; None if there is none."""
    first, last = session.execute(
        select(
            select(func.min(Movement.at)).scalar_subquery(),
            select(func.max(Movement.at)).scalar_subquery(),
        )
    ).one()
    return (berlin_day(first), berlin_day(last)) if first else None
