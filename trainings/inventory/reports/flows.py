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
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from trainings.core.clock import berlin_day, berlin_instant, end_of_day
from trainings.core.database import POSTGRESQL, UTCDateTime
from trainings.inventory.models import Edition, Movement, PlaceKind
from trainings.inventory.reports.rules import CONSUMED, Flow

Span = tuple[int, datetime, datetime]
"""A key, the instant at which a month or a year begins, and the one at which it is over."""
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
    spans: Sequence[Span] = (),
) -> list[tuple[tuple[Any, ...], Flow]]:
    """Add up what was consumed and lost.

    Args:
        session: for reading; it costs two statements.
        selection: what counts.
        keys: columns of movements by which it is added up.
        spans: months or years without a gap, the earliest first; the key of the one in which a
            movement lies stands before the others, and what lies in none of them does not count.

    Returns:
        Pairs of a key and its sum; a key may stand twice, so that the caller adds up.

    """
    query = _query(session, selection, keys, spans)
    # Nearly all movements reverse nothing: an index on that is the longest way to them, and it
    # does not serve an expression.
    booked = query.where(func.coalesce(Movement.reverses_id, 0) == 0)
    # Once more what was taken back, to be deducted; its few rows are looked up first.
    reversal = aliased(Movement)
    reversed_ids = select(reversal.reverses_id).where(reversal.reverses_id.is_not(None))
    taken_back = query.where(Movement.id.in_(reversed_ids))
    found = [
        *((key, flow) for key, flow in map(_read, session.execute(booked))),
        *((key, -flow) for key, flow in map(_read, session.execute(taken_back))),
    ]
    if not spans:
        return found
    return [((spans[position][0], *rest), flow) for (position, *rest), flow in found]


def _query(
    session: Session, selection: Selection, keys: Sequence[GroupKey], spans: Sequence[Span]
) -> Select[*tuple[Any, ...]]:
    def cards(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, Movement.quantity), else_=0))

    lost = cards(Movement.target == PlaceKind.LOSS) - cards(Movement.source == PlaceKind.LOSS)
    sums = (cards(Movement.target.in_(CONSUMED)), cards(Movement.source.in_(CONSUMED)), lost)
    conditions = (_counts(), *_limits(selection))
    if not spans:
        return select(*keys, *sums).where(*conditions).group_by(*keys)
    within = (Movement.at >= spans[0][1], Movement.at < spans[-1][2])
    if session.get_bind().dialect.name == POSTGRESQL:
        # It would compare each movement with each span; this finds the span by halving.
        begins = array([begins_at for _, begins_at, _ in spans], type_=UTCDateTime())
        span = func.width_bucket(Movement.at, begins) - 1
        return select(span, *keys, *sums).where(*within, *conditions).group_by(span, *keys)
    table = _table(spans)
    return (
        select(table.c.position, *keys, *sums)
        .select_from(table)
        .join(Movement, and_(Movement.at >= table.c.begins_at, Movement.at < table.c.ends_at))
        .where(*conditions)
        .group_by(table.c.position, *keys)
    )


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
        of_card = select(Edition.id).where(Edition.card_type_id == selection.card_id)
        yield Movement.edition_id.in_(of_card)


def _table(spans: Sequence[Span]) -> CTE:
    """Return spans as a table, so that the index on the instant serves each of them."""
    columns = (
        column("position", Integer),
        column("begins_at", UTCDateTime()),
        column("ends_at", UTCDateTime()),
    )
    rows = [(position, *instants) for position, (_, *instants) in enumerate(spans)]
    return values(*columns, name="spans").data(rows).cte("spans")


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
