"""The one way to book cards: under the locks of the stores, journal and balances together.

Whoever books, holds, or decides by what is free, first locks the stores by ascending id. Stores are
locked rather than balances: they always exist, and one lock covers the balances and the holds in
it. In the order of locks they come after persons, pools, organisations and orders.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, func, select
from sqlalchemy.orm import Mapper, Session, joinedload

from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import number
from trainings.inventory.models import (
    KEY_LENGTH,
    LONGEST_REASON,
    Balance,
    Edition,
    Movement,
    Reservation,
    Store,
)
from trainings.inventory.rules import (
    LOSS,
    Place,
    Stock,
    check_ends,
    check_quantity,
    in_store,
    may_leave_withdrawn,
    not_enough,
    taken_since,
)
from trainings.organisations.models import Organisation, OrganisationKind


@dataclass(frozen=True)
class Booking:
    """What is to be booked.

    Attributes:
        edition_id: whose cards.
        quantity: how many, from 1 to `LARGEST_QUANTITY`.
        source: from where.
        target: to where; one of the two is a store.
        organisation_id: who got them or brought them back.
        event_id: where they were handed out, or for which a box was filled or emptied.
        registration_id: who got them there.
        order_id: the order that is sent.
        stocktake_id: the stocktake that is posted.
        reason: why, in the words of whoever books.

    """

    edition_id: int
    quantity: int
    source: Place
    target: Place
    organisation_id: int | None = None
    event_id: int | None = None
    registration_id: int | None = None
    order_id: int | None = None
    stocktake_id: int | None = None
    reason: str = ""


@dataclass
class LockedStock:
    """Stores under their lock: what is read here stays true until the transaction ends.

    Attributes:
        session: the open transaction.
        stores: the locked stores by id.
        now: the present instant.

    """

    session: Session
    stores: Mapping[int, Store]
    now: datetime
    _balances: dict[tuple[int, int], Balance] = field(default_factory=dict)

    def balance(self, store_id: int, edition_id: int) -> Balance:
        """Return the balance of an edition in a locked store; it is made if there is none yet."""
        if store_id not in self.stores:
            raise RuntimeError("The store is not locked.")
        known = self._balances.get((store_id, edition_id))
        if known is None:
            known = self.session.get(Balance, (store_id, edition_id), populate_existing=True)
            if known is None:
                known = Balance(store_id=store_id, edition_id=edition_id, quantity=0)
                self.session.add(known)
            self._balances[store_id, edition_id] = known
        return known

    def stocks(self, store_id: int, editions: Iterable[Edition]) -> list[Stock]:
        """Return what lies in a locked store of some editions, and what is held of it."""
        self.session.flush()
        held = held_quantities(self.session, self.now, store_id=store_id)
        return [
            Stock(
                edition.id,
                edition.running,
                self.balance(store_id, edition.id).quantity,
                held.get((store_id, edition.id), 0),
            )
            for edition in editions
        ]

    def book(self, actor: Actor, booking: Booking, *, key: str) -> Movement:
        """Book a movement and change the balances.

        Cards that are held for an order may leave only with that order: end its holds first.

        Args:
            actor: who books; who may book what is decided by the operation that calls this.
            booking: what is booked.
            key: of the form or the step; a second booking under it finds the first one.

        Raises:
            DomainError: `bad_quantity`, `same_place`, `no_such_way`, `not_found`,
                `edition_withdrawn`, `store_retired` or `not_enough`.

        """
        known = self._booked(key)
        if known is not None:
            return known
        check_quantity(booking.quantity)
        check_ends(booking.source, booking.target)
        edition = self._edition(booking.edition_id)
        target = self.stores.get(booking.target.store_id or 0)
        if edition.withdrawn_at is not None and not may_leave_withdrawn(
            booking.target, target.kind if target else None
        ):
            raise DomainError(
                "edition_withdrawn",
                f"„{name_of(edition)}“ ist zurückgezogen und wird nicht mehr ausgegeben. Bitte "
                "wählen Sie eine andere Auflage.",
                field="edition_id",
            )
        _check_open(target)
        if booking.source.store_id is not None:
            (stock,) = self.stocks(booking.source.store_id, [edition])
            if booking.quantity > stock.free:
                where = self.stores[booking.source.store_id].name
                raise not_enough(name_of(edition), where, [stock])
        kind = None
        if booking.organisation_id is not None:
            kind = self.session.get_one(Organisation, booking.organisation_id).kind
        return self._write(actor, booking, key, kind)

    def book_difference(
        self,
        actor: Actor,
        store_id: int,
        edition_id: int,
        difference: int,
        *,
        stocktake_id: int,
        reason: str,
        key: str,
    ) -> Movement:
        """Book what a stocktake found to be missing (to the losses) or too many (from there).

        The shelf is what it is: unlike `book` this also takes cards that are held for orders, and
        also finds cards of a withdrawn edition where they no longer may be brought.

        Args:
            actor: who posts the stocktake.
            store_id: the store that was counted; it is locked.
            edition_id: whose cards.
            difference: counted less the book value, not 0.
            stocktake_id: the stocktake.
            reason: why they differ, 1 to 300 letters.
            key: of the line; a second booking under it finds the first one.

        Raises:
            DomainError: `bad_quantity`, `not_found`, or `taken_since`: since the counting more was
                taken than was there by it.

        """
        known = self._booked(key)
        if known is not None:
            return known
        check_quantity(abs(difference), field=None)
        edition = self._edition(edition_id)
        balance = self.balance(store_id, edition_id).quantity
        if balance + difference < 0:
            raise taken_since(name_of(edition), balance, -difference)
        here = in_store(store_id)
        source, target = (LOSS, here) if difference > 0 else (here, LOSS)
        booking = Booking(
            edition_id, abs(difference), source, target, stocktake_id=stocktake_id, reason=reason
        )
        return self._write(actor, booking, key, None)

    def reverse(self, actor: Actor, movement_id: int, *, reason: str, key: str) -> Movement:
        """Take a movement back by one that leads the other way and names it.

        Args:
            actor: who reverses.
            movement_id: the movement; its stores are locked.
            reason: why, 1 to 300 letters.
            key: of the form; a second booking under it finds the first one.

        Raises:
            DomainError: `not_found`, `is_reversal`, `already_reversed`, `store_retired` or
                `not_enough`.

        """
        known = self._booked(key)
        if known is not None:
            return known
        movement = self.session.get(Movement, movement_id, populate_existing=True)
        if movement is None:
            raise not_found()
        self._check_reversible(movement)
        _check_open(self.stores.get(movement.source_store_id or 0))
        if movement.target_store_id is not None:
            edition = self._edition(movement.edition_id)
            (stock,) = self.stocks(movement.target_store_id, [edition])
            if movement.quantity > stock.free:
                where = self.stores[movement.target_store_id].name
                raise not_enough(
                    name_of(edition),
                    where,
                    [stock],
                    f"Zurückzunehmen wären {number(movement.quantity)}. Bitte nehmen Sie zuerst "
                    "zurück, was mit diesen Karten danach gebucht oder vorgemerkt wurde.",
                )
        booking = Booking(
            edition_id=movement.edition_id,
            quantity=movement.quantity,
            source=Place(movement.target, movement.target_store_id),
            target=Place(movement.source, movement.source_store_id),
            organisation_id=movement.organisation_id,
            event_id=movement.event_id,
            registration_id=movement.registration_id,
            order_id=movement.order_id,
            stocktake_id=movement.stocktake_id,
            reason=reason,
        )
        return self._write(actor, booking, key, movement.organisation_kind, movement.id)

    def _check_reversible(self, movement: Movement) -> None:
        if movement.reverses_id is not None:
            raise DomainError(
                "is_reversal",
                "Diese Bewegung nimmt selbst eine andere zurück. Bitte buchen Sie stattdessen die "
                "richtige Bewegung neu.",
            )
        if self.session.scalar(select(Movement.id).where(Movement.reverses_id == movement.id)):
            raise DomainError(
                "already_reversed",
                "Diese Bewegung ist schon zurückgenommen; es ist nichts mehr zu tun.",
            )

    def _booked(self, key: str) -> Movement | None:
        if not 0 < len(key) <= KEY_LENGTH:
            raise ValueError("A movement needs a key that fits.")
        self.session.flush()
        return self.session.scalar(select(Movement).where(Movement.key == key))

    def _edition(self, edition_id: int) -> Edition:
        """Read the edition under the locks: whoever withdraws it locks all stores."""
        edition = self.session.scalar(
            select(Edition)
            .where(Edition.id == edition_id)
            .options(joinedload(Edition.card_type))
            .execution_options(populate_existing=True)
        )
        if edition is None:
            raise not_found()
        return edition

    def _write(
        self,
        actor: Actor,
        booking: Booking,
        key: str,
        organisation_kind: OrganisationKind | None,
        reverses_id: int | None = None,
    ) -> Movement:
        movement = Movement(
            key=key,
            at=self.now,
            person_id=actor.person_id,
            edition_id=booking.edition_id,
            quantity=booking.quantity,
            source=booking.source.kind,
            source_store_id=booking.source.store_id,
            target=booking.target.kind,
            target_store_id=booking.target.store_id,
            organisation_id=booking.organisation_id,
            organisation_kind=organisation_kind,
            event_id=booking.event_id,
            registration_id=booking.registration_id,
            order_id=booking.order_id,
            stocktake_id=booking.stocktake_id,
            reverses_id=reverses_id,
            reason=booking.reason[:LONGEST_REASON],
        )
        if booking.source.store_id is not None:
            self.balance(booking.source.store_id, booking.edition_id).quantity -= booking.quantity
        if booking.target.store_id is not None:
            self.balance(booking.target.store_id, booking.edition_id).quantity += booking.quantity
        self.session.add(movement)
        self.session.flush()
        return movement


def _check_open(target: Store | None) -> None:
    """Refuse cards for a store that is retired: it is empty and stays so."""
    if target is not None and target.retired_at is not None:
        raise DomainError(
            "store_retired",
            f"Das Lager „{target.name}“ ist stillgelegt. Bitte wählen Sie ein anderes oder nehmen "
            "Sie es wieder auf.",
            field="target",
        )


def lock_stores(session: Session, store_ids: Iterable[int], now: datetime) -> LockedStock:
    """Lock stores by ascending id.

    Args:
        session: the open transaction.
        store_ids: which.
        now: the present instant.

    Raises:
        DomainError: `not_found`.

    """
    wanted = sorted(set(store_ids))
    stores = session.scalars(
        select(Store)
        .where(Store.id.in_(wanted))
        .order_by(Store.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    if len(stores) < len(wanted):
        raise not_found()
    return LockedStock(session, {store.id: store for store in stores}, now)


def lock_all_stores(session: Session, now: datetime) -> LockedStock:
    """Lock every store: for what concerns an edition wherever it lies."""
    return lock_stores(session, session.scalars(select(Store.id)), now)


def held_quantities(
    session: Session, now: datetime, *, store_id: int | None = None
) -> dict[tuple[int, int], int]:
    """Return how many cards are held for orders, by store and edition.

    Args:
        session: any session; what is decided by it needs the locks.
        now: the present instant; a hold that has run out holds nothing.
        store_id: this store only.

    """
    query = (
        select(Reservation.store_id, Reservation.edition_id, func.sum(Reservation.quantity))
        .where(Reservation.ended_at.is_(None), Reservation.until > now)
        .group_by(Reservation.store_id, Reservation.edition_id)
    )
    if store_id is not None:
        query = query.where(Reservation.store_id == store_id)
    return {(store, edition): int(held) for store, edition, held in session.execute(query)}


def name_of(edition: Edition) -> str:
    """Return an edition in words: „Schütze dich und dein Team vor Gewalt, Auflage 2“."""
    return f"{edition.card_type.title}, Auflage {edition.running}"


def issuable(editions: Sequence[Edition]) -> list[Edition]:
    """Return the editions that may be given away."""
    return [edition for edition in editions if edition.withdrawn_at is None]


@event.listens_for(Movement, "before_update")
@event.listens_for(Movement, "before_delete")
def _refuse_changes(_mapper: Mapper[Any], _connection: Connection, movement: Movement) -> None:
    raise RuntimeError(f"Movement {movement.id} is booked: it can only be reversed.")
