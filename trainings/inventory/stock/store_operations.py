"""Stores: adding, changing, retiring and, without a history, deleting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, exists, or_, select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError
from trainings.core.text import sort_key
from trainings.inventory.ledger import lock_stores
from trainings.inventory.models import Balance, Movement, Reservation, Store, StoreKind
from trainings.inventory.orders.models import CardOrder
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState
from trainings.people.queries import active_organisation, person_with_organisation


@dataclass(frozen=True)
class StoreData:
    """A store as the office describes it.

    Attributes:
        name: 1 to 120 letters.
        person_id: the trainer, of a box and of nothing else.
        organisation_id: the partner, of a partner's store and of nothing else.

    """

    name: str
    person_id: int | None = None
    organisation_id: int | None = None


def create_store(
    session: Session, actor: Actor, kind: StoreKind, data: StoreData, *, now: datetime
) -> Store:
    """Add an empty store; its kind stays for good.

    Raises:
        DomainError: `no_trainer`, `has_a_box` or `no_organisation`.

    """
    store = Store(kind=kind, retired_at=None)
    _apply(session, store, data)
    session.add(store)
    session.flush()
    record(session, actor, "card_store_added", store, now)
    return store


def update_store(
    session: Session, actor: Actor, store_id: int, data: StoreData, *, now: datetime
) -> None:
    """Change a store.

    Raises:
        DomainError: `not_found`, `no_trainer`, `has_a_box` or `no_organisation`.

    """
    store = _lock(session, store_id, now)
    _apply(session, store, data)
    record(session, actor, "card_store_changed", store, now)


def retire_store(session: Session, actor: Actor, store_id: int, *, now: datetime) -> None:
    """Use a store no longer; only an empty one, or cards would be forgotten in it.

    Raises:
        DomainError: `not_found`, `store_not_empty` or `stocktake_open`.

    """
    store = _lock(session, store_id, now)
    if session.scalar(select(exists().where(Balance.store_id == store_id, Balance.quantity > 0))):
        raise DomainError(
            "store_not_empty",
            f"Im Lager „{store.name}“ liegen noch Karten. Bitte lagern Sie sie um oder buchen Sie "
            "sie aus; dann können Sie das Lager stilllegen.",
        )
    if session.scalar(
        select(
            exists().where(
                Stocktake.store_id == store_id, Stocktake.state == StocktakeState.COUNTING
            )
        )
    ):
        raise DomainError(
            "stocktake_open",
            f"Im Lager „{store.name}“ läuft eine Inventur. Bitte schließen Sie sie zuerst ab.",
        )
    store.retired_at = now
    record(session, actor, "card_store_retired", store, now)


def reactivate_store(session: Session, actor: Actor, store_id: int, *, now: datetime) -> None:
    """Use a store again.

    Raises:
        DomainError: `not_found`.

    """
    store = _lock(session, store_id, now)
    store.retired_at = None
    record(session, actor, "card_store_reactivated", store, now)


def delete_store(session: Session, actor: Actor, store_id: int, *, now: datetime) -> None:
    """Delete a store that was a mistake: nothing ever lay or was counted in it.

    Raises:
        DomainError: `not_found` or `store_in_use`.

    """
    store = _lock(session, store_id, now)
    used = or_(
        exists().where(
            or_(Movement.source_store_id == store_id, Movement.target_store_id == store_id)
        ),
        exists().where(Reservation.store_id == store_id),
        exists().where(CardOrder.store_id == store_id),
        exists().where(Stocktake.store_id == store_id),
    )
    if session.scalar(select(used)):
        raise DomainError(
            "store_in_use",
            f"Das Lager „{store.name}“ steht schon in Bewegungen, Bestellungen oder einer Inventur "
            "und bleibt deshalb erhalten. Sie können es stilllegen, sobald es leer ist.",
        )
    record(session, actor, "card_store_deleted", store, now)
    # A look at an empty shelf leaves a balance of 0 behind.
    session.execute(delete(Balance).where(Balance.store_id == store_id))
    session.delete(store)
    session.flush()


def _apply(session: Session, store: Store, data: StoreData) -> None:
    store.name, store.sort_key = data.name, sort_key(data.name)
    if store.kind is StoreKind.BOX:
        _check_trainer(session, store, data.person_id)
        store.person_id = data.person_id
    if store.kind is StoreKind.PARTNER:
        chosen = data.organisation_id
        is_new = chosen != store.organisation_id
        if chosen is None or (is_new and active_organisation(session, chosen) is None):
            raise DomainError(
                "no_organisation",
                "Bitte wählen Sie die Organisation, bei der das Lager ist.",
                field="organisation_id",
                status=422,
            )
        store.organisation_id = chosen


def _check_trainer(session: Session, store: Store, person_id: int | None) -> None:
    if person_id is None or person_with_organisation(session, person_id) is None:
        raise DomainError(
            "no_trainer",
            "Bitte wählen Sie, wem die Box gehört.",
            field="person_id",
            status=422,
        )
    other = session.scalar(
        select(Store).where(Store.person_id == person_id, Store.id != (store.id or 0))
    )
    if other is not None:
        retired = " (stillgelegt; Sie können sie wieder aufnehmen)" if other.retired_at else ""
        raise DomainError(
            "has_a_box",
            f"Diese Person hat schon eine Box: „{other.name}“{retired}.",
            field="person_id",
        )


def _lock(session: Session, store_id: int, now: datetime) -> Store:
    return lock_stores(session, [store_id], now).stores[store_id]
