"""The journal of movements: what is asked for, and the rows with what belongs to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.orm.interfaces import ORMOption

from trainings.core.clock import berlin_instant, end_of_day
from trainings.core.errors import not_found
from trainings.core.paging import PAGE_SIZE, Paging, paging
from trainings.events.models import Event
from trainings.inventory.models import Edition, Movement, PlaceKind
from trainings.inventory.orders.models import CardOrder


@dataclass(frozen=True)
class JournalFilter:
    """Which movements are wanted; what is empty leaves nothing out.

    Attributes:
        store_id: from or into this store.
        card_type_id: of this card.
        edition_id: of this edition.
        place: from or to this kind of place.
        organisation_id: of this organisation.
        event_number: for this event, such as `2026-014`.
        order_number: of this order, such as `TK-2026-0012`.
        first_day: from this day in Berlin on.
        last_day: until the end of this day in Berlin.

    """

    store_id: int | None = None
    card_type_id: int | None = None
    edition_id: int | None = None
    place: PlaceKind | None = None
    organisation_id: int | None = None
    event_number: str = ""
    order_number: str = ""
    first_day: date | None = None
    last_day: date | None = None


@dataclass(frozen=True)
class JournalRow:
    """One movement as the journal shows it.

    Attributes:
        movement: with edition, stores, organisation, event and who booked it.
        reversed_by: the movement that takes it back.
        order_number: of the order that was sent with it.

    """

    movement: Movement
    reversed_by: int | None
    order_number: str


@dataclass(frozen=True)
class JournalPage:
    """A page of the journal, the latest first."""

    rows: list[JournalRow]
    paging: Paging


def conditions(wanted: JournalFilter) -> list[ColumnElement[bool]]:
    """Return a filter as conditions on `Movement`."""
    found: list[ColumnElement[bool]] = []
    if wanted.store_id is not None:
        found.append(
            or_(
                Movement.source_store_id == wanted.store_id,
                Movement.target_store_id == wanted.store_id,
            )
        )
    if wanted.card_type_id is not None:
        of_card = select(Edition.id).where(Edition.card_type_id == wanted.card_type_id)
        found.append(Movement.edition_id.in_(of_card))
    if wanted.edition_id is not None:
        found.append(Movement.edition_id == wanted.edition_id)
    if wanted.place is not None:
        found.append(or_(Movement.source == wanted.place, Movement.target == wanted.place))
    if wanted.organisation_id is not None:
        found.append(Movement.organisation_id == wanted.organisation_id)
    if wanted.event_number:
        event = select(Event.id).where(Event.number == wanted.event_number)
        found.append(Movement.event_id == event.scalar_subquery())
    if wanted.order_number:
        order = select(CardOrder.id).where(CardOrder.number == wanted.order_number)
        found.append(Movement.order_id == order.scalar_subquery())
    if wanted.first_day is not None:
        found.append(Movement.at >= berlin_instant(wanted.first_day, time(0)))
    if wanted.last_day is not None:
        found.append(Movement.at < end_of_day(wanted.last_day))
    return found


def load_journal(session: Session, wanted: JournalFilter) -> JournalPage:
    """Return the page of the journal that the address asks for; five statements."""
    asked = conditions(wanted)
    total = session.scalar(select(func.count()).select_from(Movement).where(*asked)) or 0
    where = paging(total)
    rows = _latest(session, asked, where.offset, PAGE_SIZE)
    return JournalPage(_with_links(session, rows), where)


def latest_of_store(session: Session, store_id: int, limit: int) -> list[JournalRow]:
    """Return the last movements from or into a store; four statements."""
    rows = _latest(session, conditions(JournalFilter(store_id=store_id)), 0, limit)
    return _with_links(session, rows)


def find_movement(session: Session, movement_id: int) -> JournalRow:
    """Return one movement.

    Raises:
        DomainError: `not_found`.

    """
    movement = session.scalar(select(Movement).where(Movement.id == movement_id).options(*_whole()))
    if movement is None:
        raise not_found()
    return _with_links(session, [movement])[0]


def _latest(
    session: Session, asked: Sequence[ColumnElement[bool]], offset: int, limit: int
) -> Sequence[Movement]:
    # The ids first: sorting a long journal with what belongs to each row takes 20 times as long. In
    # a statement of their own, because PostgreSQL joins everything before it looks at a subquery.
    order = Movement.at.desc(), Movement.id.desc()
    ids = session.scalars(
        select(Movement.id).where(*asked).order_by(*order).offset(offset).limit(limit)
    ).all()
    return session.scalars(
        select(Movement).where(Movement.id.in_(ids)).options(*_whole()).order_by(*order)
    ).all()


def _whole() -> list[ORMOption]:
    return [
        joinedload(Movement.edition).joinedload(Edition.card_type),
        joinedload(Movement.source_store),
        joinedload(Movement.target_store),
        joinedload(Movement.organisation),
        joinedload(Movement.event),
        joinedload(Movement.person),
    ]


def _with_links(session: Session, movements: Sequence[Movement]) -> list[JournalRow]:
    ids = [movement.id for movement in movements]
    order_ids = {movement.order_id for movement in movements} - {None}
    reversing = select(Movement).where(Movement.reverses_id.in_(ids))
    numbers = select(CardOrder.id, CardOrder.number).where(CardOrder.id.in_(order_ids))
    reversals = {each.reverses_id: each.id for each in session.scalars(reversing)}
    orders = dict(session.execute(numbers).all())
    return [
        JournalRow(movement, reversals.get(movement.id), orders.get(movement.order_id or 0, ""))
        for movement in movements
    ]
