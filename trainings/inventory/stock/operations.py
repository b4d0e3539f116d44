"""One operation for each kind of work with cards; all book through the ledger.

They leave no row in the audit: the journal is one, it says who, when and why and is only ever
added to. `key` is the key of the form or of the step; a second call with it finds the first
movement and books nothing.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Movement
from trainings.inventory.rules import LOSS, ORGANISATION, OTHER, PRINTER, RETURN, Place, in_store
from trainings.people.queries import active_organisation


def receive(
    session: Session,
    actor: Actor,
    *,
    store_id: int,
    edition_id: int,
    quantity: int,
    reason: str = "",
    key: str,
    now: datetime,
) -> Movement:
    """Take cards from the printer into a store.

    Raises:
        DomainError: what `LockedStock.book` raises.

    """
    booking = Booking(edition_id, quantity, PRINTER, in_store(store_id), reason=reason)
    return lock_stores(session, [store_id], now).book(actor, booking, key=key)


def transfer(
    session: Session,
    actor: Actor,
    *,
    source_id: int,
    target_id: int,
    edition_id: int,
    quantity: int,
    event_id: int | None = None,
    reason: str = "",
    key: str,
    now: datetime,
) -> Movement:
    """Move cards from one store into another.

    Args:
        session: the open transaction.
        actor: who books.
        source_id: store from which they come.
        target_id: store into which they go.
        edition_id: whose cards.
        quantity: how many, from 1 to `LARGEST_QUANTITY`.
        event_id: for which event a box is filled or emptied.
        reason: why; may be empty.
        key: see above.
        now: the present instant.

    Raises:
        DomainError: what `LockedStock.book` raises.

    """
    booking = Booking(
        edition_id,
        quantity,
        in_store(source_id),
        in_store(target_id),
        event_id=event_id,
        reason=reason,
    )
    return lock_stores(session, [source_id, target_id], now).book(actor, booking, key=key)


def issue(
    session: Session,
    actor: Actor,
    *,
    store_id: int,
    edition_id: int,
    quantity: int,
    organisation_id: int | None = None,
    reason: str = "",
    key: str,
    now: datetime,
) -> Movement:
    """Give cards from a store to an organisation, or to somebody who is not in the register.

    Args:
        session: the open transaction.
        actor: who books.
        store_id: from where.
        edition_id: whose cards.
        quantity: how many, from 1 to `LARGEST_QUANTITY`.
        organisation_id: who gets them; None: somebody else, whom the reason names.
        reason: why; may be empty for an organisation.
        key: see above.
        now: the present instant.

    Raises:
        DomainError: `who_gets_them`, `organisation_gone` or what `LockedStock.book` raises.

    """
    if organisation_id is None and not reason:
        raise DomainError(
            "who_gets_them",
            "Bitte schreiben Sie dazu, wer die Karten bekommt, oder wählen Sie eine Organisation.",
            field="reason",
            status=422,
        )
    place = _outside(session, organisation_id, OTHER)
    booking = Booking(
        edition_id,
        quantity,
        in_store(store_id),
        place,
        organisation_id=organisation_id,
        reason=reason,
    )
    return lock_stores(session, [store_id], now).book(actor, booking, key=key)


def take_back(
    session: Session,
    actor: Actor,
    *,
    store_id: int,
    edition_id: int,
    quantity: int,
    organisation_id: int | None = None,
    reason: str = "",
    key: str,
    now: datetime,
) -> Movement:
    """Take cards back into a store, from an organisation or from nobody knows whom.

    Raises:
        DomainError: `organisation_gone` or what `LockedStock.book` raises.

    """
    booking = Booking(
        edition_id,
        quantity,
        _outside(session, organisation_id, RETURN),
        in_store(store_id),
        organisation_id=organisation_id,
        reason=reason,
    )
    return lock_stores(session, [store_id], now).book(actor, booking, key=key)


def write_off(
    session: Session,
    actor: Actor,
    *,
    store_id: int,
    edition_id: int,
    quantity: int,
    reason: str,
    key: str,
    now: datetime,
) -> Movement:
    """Book cards as lost, spoilt or destroyed.

    Raises:
        DomainError: what `LockedStock.book` raises.

    """
    booking = Booking(edition_id, quantity, in_store(store_id), LOSS, reason=reason)
    return lock_stores(session, [store_id], now).book(actor, booking, key=key)


def reverse_movement(
    session: Session, actor: Actor, movement_id: int, *, reason: str, key: str, now: datetime
) -> Movement:
    """Take a movement back by one that leads the other way and names it.

    What it was part of stays as it is: the state of an order, the papers of a stocktake.

    Args:
        session: the open transaction.
        actor: who reverses.
        movement_id: which.
        reason: why, 1 to 300 letters.
        key: see above.
        now: the present instant.

    Raises:
        DomainError: what `LockedStock.reverse` raises.

    """
    movement = session.get(Movement, movement_id)
    if movement is None:
        raise not_found()
    ends = (movement.source_store_id, movement.target_store_id)
    locked = lock_stores(session, [id_ for id_ in ends if id_ is not None], now)
    return locked.reverse(actor, movement_id, reason=reason, key=key)


def _outside(session: Session, organisation_id: int | None, otherwise: Place) -> Place:
    """Return the end that is no store; an organisation must be one that is still chosen."""
    if organisation_id is None:
        return otherwise
    if active_organisation(session, organisation_id) is None:
        raise DomainError(
            "organisation_gone",
            "Diese Organisation gibt es nicht mehr. Bitte wählen Sie eine andere aus der Liste.",
            field="organisation_id",
            status=422,
        )
    return ORGANISATION
