"""Books quantities of cards on one way, edition by edition, and says what is short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event
from trainings.inventory.handouts.reads import CardsAccess, cards_access
from trainings.inventory.handouts.rules import check_handing_out, too_few
from trainings.inventory.ledger import Booking, LockedStock, issuable, lock_stores
from trainings.inventory.models import Edition, StoreKind
from trainings.inventory.rules import allot, check_quantity
from trainings.registrations.models import Registration

Wanted = Mapping[int, int]
"""Cards by the id of their type; 0 is none."""


def card_field(card_type_id: int) -> str:
    """Return the name of the form field for the quantity of a card."""
    return f"card_{card_type_id}"


@dataclass(frozen=True)
class Work:
    """Who books when, under which key."""

    session: Session
    actor: Actor
    now: datetime
    key: str


def may_hand_out(session: Session, actor: Actor, event_id: int) -> CardsAccess:
    """Return what somebody may do who may take cards along and hand them out at an event.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    access = cards_access(session, actor, Event.id == event_id)
    if not access.hands_out:
        raise not_found()
    return access


def check_day(access: CardsAccess, now: datetime) -> None:
    """Refuse to hand out before the first day, or at what does not happen.

    Raises:
        DomainError: as `check_handing_out`.

    """
    event = access.event
    check_handing_out(event.access.state, event.first_day, berlin_day(now))


def lock_registration(session: Session, registration_id: int) -> Registration:
    """Lock a registration and read it anew; stores are locked after it.

    Raises:
        DomainError: `not_found`.

    """
    registration = session.scalar(
        select(Registration)
        .where(Registration.id == registration_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if registration is None:
        raise not_found()
    return registration


def book_all(work: Work, wanted: Wanted, move: Booking) -> int:
    """Book quantities of several cards on the same way, each edition for itself.

    Args:
        work: who books when, under which key.
        wanted: cards by type.
        move: from where to where, for which event; edition and quantity are chosen here.

    Returns:
        How many cards.

    Raises:
        DomainError: `nothing_chosen`, `bad_quantity`, `no_edition`, or what the ledger refuses.

    """
    chosen = {card: quantity for card, quantity in sorted(wanted.items()) if quantity}
    if not chosen:
        raise DomainError(
            "nothing_chosen",
            "Bitte geben Sie bei mindestens einer Karte eine Anzahl ein.",
            field=card_field(next(iter(sorted(wanted)), 0)),
            status=422,
        )
    for card_type_id, quantity in chosen.items():
        check_quantity(quantity, field=card_field(card_type_id))
    ends = [place.store_id for place in (move.source, move.target) if place.store_id is not None]
    locked = lock_stores(work.session, ends, work.now)
    for card_type_id, quantity in chosen.items():
        for edition_id, taken in _allotted(locked, move, card_type_id, quantity):
            booking = replace(move, edition_id=edition_id, quantity=taken)
            locked.book(work.actor, booking, key=f"{work.key}:{edition_id}")
    return sum(chosen.values())


def _allotted(
    locked: LockedStock, move: Booking, card_type_id: int, quantity: int
) -> list[tuple[int, int]]:
    """Choose the editions of a card that leave a store or box.

    Raises:
        DomainError: `not_found` or `not_enough`, at the field of the card.

    """
    source_id = move.source.store_id or 0
    editions = editions_of(locked.session, card_type_id)
    goes = issuable(editions)
    withdrawn = [edition for edition in editions if edition.withdrawn_at is not None]
    target = locked.stores.get(move.target.store_id or 0)
    found: list[tuple[int, int]] = []
    if target is not None and target.kind is StoreKind.OFFICE:
        found = allot(locked.stocks(source_id, withdrawn), quantity)
        withdrawn = []
    left = quantity - sum(taken for _, taken in found)
    stocks = locked.stocks(source_id, goes)
    found += allot(stocks, left)
    if sum(taken for _, taken in found) < quantity:
        raise short_of(locked, source_id, editions, withdrawn)
    return found


def short_of(
    locked: LockedStock, store_id: int, editions: list[Edition], withdrawn: list[Edition]
) -> DomainError:
    """Return the refusal for a locked store that has too few of a card, at the card's field.

    Args:
        locked: with the store.
        store_id: where too few lie.
        editions: all of the card.
        withdrawn: those that may not leave.

    """
    card = editions[0].card_type
    kept = {edition.id for edition in withdrawn}
    stocks = locked.stocks(store_id, editions)
    refusal = too_few(
        card.title,
        locked.stores[store_id].name,
        sum(stock.free for stock in stocks if stock.edition_id not in kept),
        is_box=locked.stores[store_id].kind is StoreKind.BOX,
        withdrawn=sum(stock.balance for stock in stocks if stock.edition_id in kept),
        held=sum(stock.held for stock in stocks if stock.edition_id not in kept),
    )
    refusal.field = card_field(card.id)
    return refusal


def editions_of(session: Session, card_type_id: int) -> list[Edition]:
    """Return the editions of a card as they are now, the oldest first.

    Raises:
        DomainError: `no_edition`, at the card's field.

    """
    found = session.scalars(
        select(Edition)
        .where(Edition.card_type_id == card_type_id)
        .order_by(Edition.running)
        .execution_options(populate_existing=True)
    ).all()
    if not found:
        raise DomainError(
            "no_edition",
            "Von dieser Karte gibt es noch keine Auflage. Bitte wenden Sie sich an die "
            "Geschäftsstelle.",
            field=card_field(card_type_id),
        )
    return list(found)
