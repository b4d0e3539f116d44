"""One card for one person at a tap, and back.

The registration is locked before the stores: of two trainers with different boxes who tap the same
person at once, the second one sees what the first one booked.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session, aliased

from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.inventory.handouts.booking import (
    check_day,
    editions_of,
    lock_registration,
    may_hand_out,
    short_of,
)
from trainings.inventory.handouts.reads import (
    CardsAccess,
    boxes_at,
    cards_of_people,
    flows,
    planned_cards,
)
from trainings.inventory.handouts.rules import counts_by_card
from trainings.inventory.ledger import Booking, LockedStock, issuable, lock_stores
from trainings.inventory.models import Edition, Movement, PlaceKind, Store, StoreKind
from trainings.inventory.rules import EVENT, allot, in_store
from trainings.registrations.models import ATTENDING

TAKEN_BACK = "Ausgabe zurückgenommen"


def tap(
    session: Session,
    actor: Actor,
    event_id: int,
    registration_id: int,
    now: datetime,
    *,
    gets: bool,
    card_type_id: int | None = None,
) -> str:
    """Hand out or take back by the button beside a name.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or the office.
        event_id: the event on whose page the button stands.
        registration_id: beside whose name.
        now: the present instant.
        gets: a card; else what was handed out is taken back.
        card_type_id: this card only.

    Returns:
        What the page says; nothing where the button itself shows it.

    Raises:
        DomainError: as `give_to`; `not_found` for somebody of another event.

    """
    if lock_registration(session, registration_id).event_id != event_id:
        raise not_found()
    if gets:
        done = give_to(session, actor, registration_id, now, card_type_id=card_type_id)
        return "" if done else "Diese Person hat schon eine Karte; es ist nichts gebucht."
    done = take_back_from(session, actor, registration_id, now, card_type_id=card_type_id)
    return "" if done else "Das war schon zurückgenommen."


def give_to(
    session: Session,
    actor: Actor,
    registration_id: int,
    now: datetime,
    *,
    card_type_id: int | None = None,
) -> int:
    """Hand out one card to a person: of each planned type, or of a chosen one.

    What the person has already is not given again, so a second tap books nothing. The cards come
    from the actor's own box if it has one, else from another box at the event; the office takes
    them from its own stores where nobody has brought a box.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or the office.
        registration_id: of somebody who takes part.
        now: the present instant.
        card_type_id: this card only.

    Returns:
        How many cards.

    Raises:
        DomainError: `not_found`, `not_attending`, `event_draft`, `event_cancelled`, `too_early`,
            `no_cards`, `no_box` or `not_enough`.

    """
    registration = lock_registration(session, registration_id)
    event_id = registration.event_id
    access = may_hand_out(session, actor, event_id)
    if registration.state not in ATTENDING:
        raise DomainError(
            "not_attending",
            "Diese Person nimmt nicht mehr teil. Bitte laden Sie die Seite neu.",
        )
    check_day(access, now)
    has = cards_of_people(session, Movement.registration_id == registration_id)
    chosen = {card_type_id} if card_type_id else cards_for_a_person(session, event_id)
    missing = sorted(chosen - set(has.get(registration_id, {})))
    if not chosen:
        raise DomainError(
            "no_cards",
            "Für diese Veranstaltung sind keine Karten geplant und keine mitgenommen. Bitte buchen "
            "Sie zuerst, was mitgenommen wurde.",
        )
    if not missing:
        return 0
    candidates = _stores_to_give_from(session, access)
    locked = lock_stores(session, [store.id for store in candidates], now)
    for missing_id in missing:
        edition_id, store = _choose(locked, candidates, missing_id)
        booking = Booking(
            edition_id, 1, in_store(store.id), EVENT,
            event_id=event_id, registration_id=registration_id,
        )  # fmt: skip
        locked.book(actor, booking, key=_tap_key(session, registration_id, missing_id))
    return len(missing)


def take_back_from(
    session: Session,
    actor: Actor,
    registration_id: int,
    now: datetime,
    *,
    card_type_id: int | None = None,
) -> int:
    """Take back what was handed out to a person by a tap; a second press books nothing.

    Args:
        session: the open transaction.
        actor: a trainer of the event, or the office.
        registration_id: whose cards.
        now: the present instant.
        card_type_id: this card only.

    Returns:
        How many movements were reversed.

    Raises:
        DomainError: `not_found`.

    """
    registration = lock_registration(session, registration_id)
    may_hand_out(session, actor, registration.event_id)
    back = aliased(Movement)
    statement = (
        select(Movement)
        .join(Edition, Movement.edition_id == Edition.id)
        .where(
            Movement.registration_id == registration_id,
            Movement.target == PlaceKind.EVENT,
            ~exists().where(back.reverses_id == Movement.id),
        )
        .order_by(Movement.id)
    )
    if card_type_id:
        statement = statement.where(Edition.card_type_id == card_type_id)
    given = session.scalars(statement).all()
    stores = {movement.source_store_id for movement in given}
    locked = lock_stores(session, [store for store in stores if store is not None], now)
    for movement in given:
        locked.reverse(actor, movement.id, reason=TAKEN_BACK, key=f"untap:{movement.id}")
    return len(given)


def cards_for_a_person(session: Session, event_id: int) -> set[int]:
    """Return which cards everybody gets: those that are planned, else those taken along."""
    planned = {card for _, card in planned_cards(session, [event_id])}
    if planned:
        return planned
    counts = counts_by_card(flows(session, Movement.event_id == event_id))
    return {card for (_, card), found in counts.items() if found.taken > 0}


def _stores_to_give_from(session: Session, access: CardsAccess) -> list[Store]:
    """Return the boxes at the event, the actor's own first; see `give_to`."""
    boxes = boxes_at(session, access.event.id)
    me = access.event.access.actor.person_id
    if boxes:
        return sorted(boxes, key=lambda box: box.person_id != me)
    if access.by_office:
        stores = session.scalars(
            select(Store)
            .where(Store.kind == StoreKind.OFFICE, Store.retired_at.is_(None))
            .order_by(Store.sort_key, Store.id)
        ).all()
        if stores:
            return list(stores)
    raise DomainError(
        "no_box",
        "Für diese Veranstaltung hat noch niemand Karten in einer Box. Bitte buchen Sie zuerst, "
        "was mitgenommen wurde.",
    )


def _choose(
    locked: LockedStock, candidates: Collection[Store], card_type_id: int
) -> tuple[int, Store]:
    """Return an edition of a card and the first store that has one of it.

    Raises:
        DomainError: `not_enough`, with the name of the first store.

    """
    editions = editions_of(locked.session, card_type_id)
    for store in candidates:
        for edition_id, _ in allot(locked.stocks(store.id, issuable(editions)), 1):
            return edition_id, store
    first = next(iter(candidates))
    withdrawn = [edition for edition in editions if edition.withdrawn_at is not None]
    raise short_of(locked, first.id, editions, withdrawn)


def _tap_key(session: Session, registration_id: int, card_type_id: int) -> str:
    """Return the key of the next tap; under the lock of the registration nobody else gets it."""
    before = session.scalar(
        select(func.count(Movement.id))
        .join(Edition, Movement.edition_id == Edition.id)
        .where(Movement.registration_id == registration_id, Edition.card_type_id == card_type_id)
    )
    return f"tap:{registration_id}:{card_type_id}:{before}"
