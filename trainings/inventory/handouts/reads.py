"""What pages and operations of the handouts load: one statement each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.attendance.access import trains_event
from trainings.attendance.reads import EventHead, head_of, head_statement
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventTrainer
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.rules import Flow
from trainings.inventory.models import (
    Balance,
    Edition,
    Movement,
    PlaceKind,
    Store,
    StoreKind,
)

_handed_out = case(
    (Movement.target == PlaceKind.EVENT, Movement.quantity), else_=-Movement.quantity
)
_at_an_event = or_(Movement.target == PlaceKind.EVENT, Movement.source == PlaceKind.EVENT)


@dataclass(frozen=True)
class CardsAccess:
    """What an actor may do with the cards of an event.

    Attributes:
        event: the event.
        has_box_there: cards were taken along into the actor's own box; whoever was replaced as a
            trainer may still bring them back, and sees no names.

    """

    event: EventHead
    has_box_there: bool

    @property
    def by_office(self) -> bool:
        """Whether the actor belongs to the office."""
        return self.event.access.by_office

    @property
    def hands_out(self) -> bool:
        """Whether the actor may take cards along, hand them out and see who is there."""
        return self.event.access.allowed

    @property
    def allowed(self) -> bool:
        """Whether the actor may see the cards of the event at all."""
        return self.hands_out or (
            self.has_box_there and self.event.access.actor.may(Permission.ATTENDANCE)
        )


def own_box_there(actor: Actor) -> ColumnElement[bool]:
    """Return whether cards came into the actor's box for the event of the statement around it."""
    return (
        exists()
        .where(
            Movement.event_id == Event.id,
            Movement.target_store_id == Store.id,
            Store.person_id == actor.person_id,
        )
        .correlate(Event)
    )


def cards_access(session: Session, actor: Actor, *which: ColumnElement[bool]) -> CardsAccess:
    """Return what the actor may do with the cards of an event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    row = session.execute(
        head_statement(actor).add_columns(own_box_there(actor)).where(*which)
    ).one_or_none()
    access = CardsAccess(head_of(actor, row[:-1]), row[-1]) if row else None
    if access is None or not access.allowed:
        raise not_found()
    return access


def flows(session: Session, *which: ColumnElement[bool]) -> list[Flow]:
    """Return the movements for events under these conditions, added up by their way."""
    source, target = aliased(Store), aliased(Store)
    ways = (
        Movement.event_id,
        Movement.edition_id,
        Movement.source,
        Movement.source_store_id,
        Movement.target,
        Movement.target_store_id,
    )
    # Added up before the joins: there are many movements and few ways.
    moved = (
        select(
            *ways,
            Movement.reverses_id.is_not(None).label("is_reversal"),
            func.sum(Movement.quantity).label("quantity"),
        )
        .where(Movement.event_id.is_not(None), *which)
        .group_by(*ways, Movement.reverses_id.is_not(None))
        .subquery()
    )
    statement = (
        select(
            moved.c.event_id,
            Edition.card_type_id,
            moved.c.source,
            moved.c.source_store_id,
            source.kind,
            moved.c.target,
            moved.c.target_store_id,
            target.kind,
            moved.c.is_reversal,
            moved.c.quantity,
        )
        .join(Edition, moved.c.edition_id == Edition.id)
        .outerjoin(source, moved.c.source_store_id == source.id)
        .outerjoin(target, moved.c.target_store_id == target.id)
    )
    rows: Iterable[Sequence[Any]] = session.execute(statement)
    return [Flow(*row) for row in rows]


def concerns_boxes(box_ids: Collection[int] | Select[int]) -> ColumnElement[bool]:
    """Return the condition that a movement leads into or out of one of these boxes."""
    return or_(Movement.source_store_id.in_(box_ids), Movement.target_store_id.in_(box_ids))


def of_events_from(day: date) -> ColumnElement[bool]:
    """Return the condition that a movement is for an event that begins on a day or later."""
    return Movement.event_id.in_(select(Event.id).where(Event.first_day >= day))


def first_days(session: Session) -> dict[int, date]:
    """Return the first day of each event."""
    return {row.id: row.first_day for row in session.execute(select(Event.id, Event.first_day))}


def planned_cards(session: Session, event_ids: Collection[int]) -> dict[tuple[int, int], int]:
    """Return the planned quantities by event and card."""
    rows = session.execute(
        select(EventCards.event_id, EventCards.card_type_id, EventCards.planned).where(
            EventCards.event_id.in_(event_ids), EventCards.planned > 0
        )
    )
    return {(event_id, card_id): planned for event_id, card_id, planned in rows}


def _is_at(event_id: int) -> ColumnElement[bool]:
    of_trainer = Store.person_id.in_(
        select(EventTrainer.person_id).where(EventTrainer.event_id == event_id)
    )
    taken_along = Store.id.in_(
        select(Movement.target_store_id).where(
            Movement.event_id == event_id, Movement.target_store_id.is_not(None)
        )
    )
    return and_(Store.kind == StoreKind.BOX, or_(of_trainer, taken_along))


def box_ids_at(event_id: int) -> Select[int]:
    """Return the statement for the ids of `boxes_at`."""
    return select(Store.id).where(_is_at(event_id))


def boxes_at(session: Session, event_id: int) -> list[Store]:
    """Return the boxes at an event: of its trainers, and those into which cards came for it."""
    return list(
        session.scalars(select(Store).where(_is_at(event_id)).order_by(Store.sort_key, Store.id))
    )


def balances_of(session: Session, store_ids: Collection[int] | None = None) -> list[Balance]:
    """Return what lies in stores, with the editions; without ids: in all boxes."""
    chosen = Store.kind == StoreKind.BOX if store_ids is None else Balance.store_id.in_(store_ids)
    return list(
        session.scalars(
            select(Balance)
            .join(Store, Balance.store_id == Store.id)
            .where(Balance.quantity > 0, chosen)
            .options(joinedload(Balance.edition), joinedload(Balance.store))
        )
    )


def by_card(balances: Sequence[Balance]) -> dict[tuple[int, int], int]:
    """Add up balances by store and card."""
    found: defaultdict[tuple[int, int], int] = defaultdict(int)
    for balance in balances:
        found[balance.store_id, balance.edition.card_type_id] += balance.quantity
    return dict(found)


def cards_of_people(session: Session, *which: ColumnElement[bool]) -> dict[int, dict[int, int]]:
    """Return how many cards people got one by one, by registration and card type."""
    quantity = func.sum(_handed_out)
    rows = session.execute(
        select(Movement.registration_id, Edition.card_type_id, quantity)
        .join(Edition, Movement.edition_id == Edition.id)
        .where(Movement.registration_id.is_not(None), *which)
        .group_by(Movement.registration_id, Edition.card_type_id)
        .having(quantity > 0)
    )
    found: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for registration_id, card_type_id, cards in rows:
        found[registration_id][card_type_id] = int(cards)
    return dict(found)


def cards_by_event() -> Subquery:
    """Return how many cards were handed out at each event: `event_id`, `cards`."""
    return (
        select(Movement.event_id, func.sum(_handed_out).label("cards"))
        .where(Movement.event_id.is_not(None), _at_an_event)
        .group_by(Movement.event_id)
        .subquery()
    )


def events_with_cards() -> ColumnElement[bool]:
    """Return whether cards are planned or taken along for the event of the statement around it."""
    planned = exists().where(EventCards.event_id == Event.id, EventCards.planned > 0)
    taken = exists().where(
        Movement.event_id == Event.id,
        Movement.target_store_id == Store.id,
        Store.kind == StoreKind.BOX,
    )
    return or_(planned.correlate(Event), taken.correlate(Event))


def figures_columns() -> list[Any]:
    """Return planned, taken along and handed out for the event of the statement around it."""

    def moved(quantity: Any, *which: ColumnElement[bool]) -> Any:
        return (
            select(func.coalesce(func.sum(quantity), 0))
            .where(Movement.event_id == Event.id, *which)
            .correlate(Event)
            .scalar_subquery()
        )

    source, target = aliased(Store), aliased(Store)
    in_box = exists().where(target.id == Movement.target_store_id, target.kind == StoreKind.BOX)
    from_store = exists().where(source.id == Movement.source_store_id, source.kind != StoreKind.BOX)
    out_of_box = exists().where(source.id == Movement.source_store_id, source.kind == StoreKind.BOX)
    to_store = exists().where(target.id == Movement.target_store_id, target.kind != StoreKind.BOX)
    along = and_(Movement.reverses_id.is_(None), in_box, from_store)
    taken_back = and_(Movement.reverses_id.is_not(None), out_of_box, to_store)
    planned = (
        select(func.coalesce(func.sum(EventCards.planned), 0))
        .where(EventCards.event_id == Event.id)
        .correlate(Event)
        .scalar_subquery()
    )
    signed = case((Movement.reverses_id.is_(None), Movement.quantity), else_=-Movement.quantity)
    return [planned, moved(signed, or_(along, taken_back)), moved(_handed_out, _at_an_event)]


def shown_events(actor: Actor) -> Select[*tuple[Any, ...]]:
    """Return the statement for the heads of events that the actor sees among the cards."""
    statement = head_statement(actor).add_columns(own_box_there(actor))
    if actor.may(Permission.OFFICE):
        return statement
    return statement.where(or_(trains_event(actor), own_box_there(actor)))
