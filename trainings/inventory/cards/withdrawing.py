"""Withdrawing an edition: from that moment on nobody gets it, wherever it lies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.inventory.holds import move_holds_off
from trainings.inventory.ledger import lock_all_stores
from trainings.inventory.models import LONGEST_REASON, Edition, Reservation
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.steps import lock_order, move_order


class RestoreReason(StrEnum):
    """Why an edition is handed out again."""

    MISTAKE = "mistake"
    CHECKED = "checked"
    REPAIRED = "repaired"


RESTORE_REASONS = {
    RestoreReason.MISTAKE: "Sie wurde versehentlich zurückgezogen",
    RestoreReason.CHECKED: "Sie wurde geprüft und ist in Ordnung",
    RestoreReason.REPAIRED: "Der Mangel ist behoben, etwa mit einem Aufkleber",
}


@dataclass(frozen=True)
class Withdrawal:
    """What became of the orders for which the edition was held.

    Attributes:
        missing: orders that could not get other cards: number and how many are missing.
        moved: numbers of the orders that got cards of another edition in full.
        unpacked: numbers of those that were put together already and go back one step.

    """

    missing: tuple[tuple[str, int], ...]
    moved: tuple[str, ...]
    unpacked: tuple[str, ...]


def withdraw_edition(
    session: Session, actor: Actor, edition_id: int, *, reason: str, now: datetime
) -> Withdrawal:
    """Withdraw an edition; what it was held for gets other editions of the card, if there are any.

    Locks the orders concerned by ascending id, then all stores.

    Args:
        session: the open transaction.
        actor: who withdraws it.
        edition_id: which.
        reason: why, 1 to 300 letters; for the office only.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `already_withdrawn` or `held_meanwhile`.

    """
    orders = {
        order_id: lock_order(session, order_id)
        for order_id in sorted(_orders_with_holds(session, edition_id))
    }
    locked = lock_all_stores(session, now)
    edition = _read(session, edition_id)
    if edition.withdrawn_at is not None:
        raise DomainError(
            "already_withdrawn",
            "Diese Auflage ist schon zurückgezogen; es ist nichts mehr zu tun.",
        )
    if not _orders_with_holds(session, edition_id) <= orders.keys():
        # Approved between our two looks: orders are locked before stores, never after.
        raise DomainError(
            "held_meanwhile",
            "In diesem Augenblick wurden Karten dieser Auflage vorgemerkt. Bitte versuchen Sie es "
            "noch einmal.",
        )
    edition.withdrawn_at, edition.withdrawn_reason = now, reason[:LONGEST_REASON]
    session.flush()
    missing = move_holds_off(locked, edition)
    unpacked = []
    for order in orders.values():
        if order.state is OrderState.PICKED:
            move_order(
                session, actor, order, OrderState.APPROVED, now,
                reason="Eine Auflage wurde zurückgezogen; die Karten werden neu zusammengestellt.",
            )  # fmt: skip
            unpacked.append(order.number)
    record(session, actor, "card_edition_withdrawn", edition, now, orders=len(orders))
    return Withdrawal(
        tuple((orders[id_].number, short) for id_, short in sorted(missing.items()) if short),
        tuple(orders[id_].number for id_, short in sorted(missing.items()) if not short),
        tuple(unpacked),
    )


def restore_edition(
    session: Session, actor: Actor, edition_id: int, *, reason: RestoreReason, now: datetime
) -> None:
    """Hand an edition out again; the reason is a code, so that the audit can keep it.

    Raises:
        DomainError: `not_found` or `not_withdrawn`.

    """
    lock_all_stores(session, now)
    edition = _read(session, edition_id)
    if edition.withdrawn_at is None:
        raise DomainError(
            "not_withdrawn", "Diese Auflage wird schon ausgegeben; es ist nichts mehr zu tun."
        )
    edition.withdrawn_at, edition.withdrawn_reason = None, ""
    record(session, actor, "card_edition_restored", edition, now, reason=str(reason))


def _orders_with_holds(session: Session, edition_id: int) -> set[int]:
    return set(
        session.scalars(
            select(Reservation.order_id)
            .join(CardOrder, CardOrder.id == Reservation.order_id)
            .where(Reservation.edition_id == edition_id, Reservation.ended_at.is_(None))
        )
    )


def _read(session: Session, edition_id: int) -> Edition:
    """Read the edition under the locks of the stores."""
    edition = session.get(Edition, edition_id, populate_existing=True)
    if edition is None:
        raise not_found()
    return edition
