"""Cards at events: plan, take along, hand out as a sum, bring back, correct."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.text import sort_key
from trainings.events.bookings import lock_event
from trainings.events.models import Event, EventState
from trainings.inventory.handouts.booking import (
    Wanted,
    Work,
    book_all,
    card_field,
    check_day,
    lock_registration,
    may_hand_out,
)
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.handouts.reads import boxes_at, cards_access
from trainings.inventory.handouts.rules import check_taking_along
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import CardType, Movement, Store, StoreKind
from trainings.inventory.rules import EVENT, check_quantity, in_store
from trainings.people.models import Person

CORRECTED = "Bei der Veranstaltung berichtigt"


def plan_cards(
    session: Session, actor: Actor, event_id: int, planned: Wanted, now: datetime
) -> None:
    """Set how many of each card are to be handed out at a draft or a published event.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        planned: cards by type; those that are left out stay as they are.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `finished`, `bad_quantity`.

    """
    event = lock_event(session, event_id)
    if event.state not in {EventState.DRAFT, EventState.PUBLISHED}:
        raise DomainError(
            "finished",
            "Diese Veranstaltung ist durchgeführt oder abgesagt. Geplant wird nur vorher.",
        )
    known = {
        row.card_type_id: row
        for row in session.scalars(select(EventCards).where(EventCards.event_id == event_id))
    }
    types = set(session.scalars(select(CardType.id).where(CardType.id.in_(planned))))
    for card_type_id, quantity in sorted(planned.items()):
        if card_type_id not in types:
            raise not_found()
        if quantity:
            check_quantity(quantity, field=card_field(card_type_id))
        row = known.get(card_type_id)
        if row is not None:
            row.planned = quantity
        elif quantity:
            session.add(EventCards(event_id=event_id, card_type_id=card_type_id, planned=quantity))
    session.flush()
    record(session, actor, "cards_planned", event, now, cards=sum(planned.values()))


def forget_plan(session: Session, event_id: int) -> None:
    """Delete what is planned for a draft that is about to be deleted."""
    session.execute(delete(EventCards).where(EventCards.event_id == event_id))


def box_for(session: Session, actor: Actor, person_id: int, now: datetime) -> Store:
    """Return the box of a trainer; it is made when it is first needed.

    Raises:
        DomainError: `not_found` for somebody who is no living person.

    """
    person = session.scalar(
        select(Person)
        .where(Person.id == person_id, Person.anonymised_at.is_(None))
        .with_for_update(key_share=True)
    )
    if person is None:
        raise not_found()
    box = session.scalar(select(Store).where(Store.person_id == person_id))
    if box is None:
        name = f"Box {person.name}"[:120]
        order = sort_key(f"Box {person.family_name} {person.given_name}")[:200]
        box = Store(kind=StoreKind.BOX, name=name, sort_key=order, person_id=person_id)
        session.add(box)
        session.flush()
        record(session, actor, "card_box_made", box, now, person_id=person_id)
    return box


def take_along(
    session: Session,
    actor: Actor,
    event_id: int,
    wanted: Wanted,
    *,
    store_id: int,
    trainer_id: int,
    key: str,
    now: datetime,
) -> int:
    """Take cards from a store into the box of a trainer, the oldest edition first.

    Args:
        session: the open transaction.
        actor: a trainer of the event, for the own box and from a store of the office; the office
            from any store into any box.
        event_id: the event.
        wanted: cards by type.
        store_id: from where.
        trainer_id: whose box.
        key: of the form; a second submit books nothing.
        now: the present instant.

    Returns:
        How many cards.

    Raises:
        DomainError: `not_found`, `event_draft`, `event_cancelled`, `nothing_chosen`,
            `bad_quantity`, `store_retired`, `same_place` or `not_enough`.

    """
    access = may_hand_out(session, actor, event_id)
    check_taking_along(access.event.access.state)
    source = session.get(Store, store_id)
    if source is None or (not access.by_office and source.kind is not StoreKind.OFFICE):
        raise not_found()
    if not access.by_office and trainer_id != actor.person_id:
        raise not_found()
    box = box_for(session, actor, trainer_id, now)
    move = Booking(0, 0, in_store(store_id), in_store(box.id), event_id=event_id)
    return book_all(Work(session, actor, now, key), wanted, move)


def hand_out(
    session: Session,
    actor: Actor,
    event_id: int,
    wanted: Wanted,
    *,
    store_id: int,
    key: str,
    now: datetime,
) -> int:
    """Hand out cards at the event as a sum, the oldest edition first.

    Args:
        session: the open transaction.
        actor: a trainer of the event, from a box that is there; the office from any store.
        event_id: the event.
        wanted: cards by type.
        store_id: from which box or store.
        key: of the form; a second submit books nothing.
        now: the present instant.

    Returns:
        How many cards.

    Raises:
        DomainError: `not_found`, `event_draft`, `event_cancelled`, `too_early`, `nothing_chosen`,
            `bad_quantity` or `not_enough`.

    """
    access = may_hand_out(session, actor, event_id)
    check_day(access, now)
    if not access.by_office and store_id not in {box.id for box in boxes_at(session, event_id)}:
        raise not_found()
    move = Booking(0, 0, in_store(store_id), EVENT, event_id=event_id)
    return book_all(Work(session, actor, now, key), wanted, move)


def bring_back(
    session: Session,
    actor: Actor,
    event_id: int,
    wanted: Wanted,
    *,
    box_id: int,
    store_id: int,
    key: str,
    now: datetime,
) -> int:
    """Bring cards from a box back into a store, those of withdrawn editions first.

    Args:
        session: the open transaction.
        actor: whose box it is, into a store of the office; the office from any box into any store.
        event_id: the event for which they were taken along.
        wanted: cards by type.
        box_id: from where.
        store_id: to where.
        key: of the form; a second submit books nothing.
        now: the present instant.

    Returns:
        How many cards.

    Raises:
        DomainError: `not_found`, `nothing_chosen`, `bad_quantity`, `edition_withdrawn`,
            `store_retired` or `not_enough`.

    """
    access = cards_access(session, actor, Event.id == event_id)
    box, target = session.get(Store, box_id), session.get(Store, store_id)
    if box is None or box.kind is not StoreKind.BOX or target is None:
        raise not_found()
    own = box.person_id == actor.person_id and target.kind is StoreKind.OFFICE
    if not own and not access.by_office:
        raise not_found()
    move = Booking(0, 0, in_store(box_id), in_store(store_id), event_id=event_id)
    return book_all(Work(session, actor, now, key), wanted, move)


def undo_movement(
    session: Session, actor: Actor, event_id: int, movement_id: int, *, key: str, now: datetime
) -> Movement:
    """Take back a movement of an event: a sum that was wrong, or cards that stayed in the store.

    Args:
        session: the open transaction.
        actor: the office; a trainer where the movement concerns the own box or is the own one.
        event_id: the event.
        movement_id: a movement of the event.
        key: of the form.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `is_reversal`, `already_reversed` or `not_enough`.

    """
    access = cards_access(session, actor, Event.id == event_id)
    movement = session.scalar(
        select(Movement).where(Movement.id == movement_id, Movement.event_id == event_id)
    )
    if movement is None or not (access.by_office or concerns(session, actor, movement)):
        raise not_found()
    if movement.registration_id is not None:
        lock_registration(session, movement.registration_id)
    ends = (movement.source_store_id, movement.target_store_id)
    locked = lock_stores(session, [store for store in ends if store is not None], now)
    return locked.reverse(actor, movement_id, reason=CORRECTED, key=key)


def concerns(session: Session, actor: Actor, movement: Movement) -> bool:
    """Say whether a movement is the actor's own, or leads into or out of the actor's box."""
    if movement.person_id is not None and movement.person_id == actor.person_id:
        return True
    box_id = session.scalar(select(Store.id).where(Store.person_id == actor.person_id))
    return box_id is not None and box_id in (movement.source_store_id, movement.target_store_id)
