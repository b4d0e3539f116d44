"""What the office and whoever ordered do with an order: approve, pick, send, receive, take back.

Locks: the organisations, the order, the stores, as the ledger asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.clock import berlin_day, end_of_day
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.inventory import holds
from trainings.inventory.ledger import Booking, LockedStock, lock_stores, name_of
from trainings.inventory.models import LONGEST_REASON, Edition, Reservation, Store
from trainings.inventory.orders import mails
from trainings.inventory.orders.limits import check_limit, lock_chain
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.parcels import changed_since_picked, missing_holds
from trainings.inventory.orders.rules import HOLDING, LONGEST_HOLD_DAYS, OPEN, check_approved
from trainings.inventory.orders.steps import lock_order, move_order
from trainings.inventory.rules import ORGANISATION, OTHER, in_store
from trainings.organisations.models import Organisation
from trainings.organisations.operations import check_active

ASSIGNABLE = frozenset({OrderState.REQUESTED, OrderState.LAPSED})
"""States in which no limit counts the order yet, so that its organisation may change."""


def assign_organisation(
    session: Session, actor: Actor, order_id: int, organisation_id: int | None, now: datetime
) -> None:
    """Say which organisation of the register ordered, or that it is none of them.

    Raises:
        DomainError: `not_found`, `inactive` or `order_moved_on`.

    """
    _require_office(actor)
    if organisation_id is not None:
        (organisation, *_) = lock_chain(session, organisation_id)
        check_active(organisation)
        organisation_id = organisation.id
    order = lock_order(session, order_id)
    if order.state not in ASSIGNABLE:
        raise DomainError(
            "order_moved_on",
            "Die Organisation lässt sich nur zuordnen, solange die Bestellung nicht genehmigt ist. "
            "Bitte laden Sie die Seite neu.",
        )
    order.organisation_id = organisation_id
    session.flush()
    record(session, actor, "card_order_assigned", order, now, organisation_id=organisation_id)


def approve(
    session: Session,
    actor: Actor,
    order_id: int,
    *,
    store_id: int,
    quantities: Mapping[int, int],
    until: date,
    reason: str,
    beyond_limit: bool = False,
    now: datetime,
) -> CardOrder:
    """Approve an order in full or in part, and hold the cards for it.

    Args:
        session: the open transaction.
        actor: somebody of the office.
        order_id: the order.
        store_id: from which the cards come.
        quantities: how many are approved, by line of the order.
        until: last day on which they are held.
        reason: why not all, or why more than the limit; both sides read it.
        beyond_limit: the office wants it although the organisation has had its share.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `order_moved_on`, `not_requested`, `nothing_approved`,
            `reason_missing`, `bad_day`, `limit_exceeded`, `store_retired` or `not_enough`.

    """
    _require_office(actor)
    _check_until(until, now)
    chain, order = _lock_with_organisations(session, order_id)
    check_approved({line.id: line.requested for line in order.lines}, quantities, reason)
    total = sum(quantities.values())
    refusal = check_limit(session, chain, total, now, without=order.id) if chain else ""
    if refusal and not (beyond_limit and reason):
        raise DomainError(
            "limit_exceeded",
            f"{refusal} Wenn Sie trotzdem genehmigen möchten, kreuzen Sie das bitte an und nennen "
            "Sie den Grund.",
            field="beyond_limit" if not beyond_limit else "reason",
        )
    locked = lock_stores(session, [store_id, *_holding_stores(session, order_id)], now)
    store = locked.stores[store_id]
    if store.retired_at is not None:
        raise DomainError(
            "store_retired",
            f"Das Lager „{store.name}“ ist stillgelegt. Bitte wählen Sie ein anderes.",
            field="store_id",
        )
    move_order(session, actor, order, OrderState.APPROVED, now, reason=reason)
    holds.end_holds(session, order.id, now)
    order.held_until = end_of_day(until)
    order.store_id, order.reason = store_id, reason
    order.decided_at, order.decided_by_id = now, actor.person_id
    for line in order.lines:
        line.approved = quantities.get(line.id, 0)
    _hold_all(locked, order)
    if refusal:
        record(session, actor, "card_limit_overridden", order, now, quantity=total)
    mails.approved(session, order, now)
    return order


def hold_again(session: Session, actor: Actor, order_id: int, now: datetime) -> None:
    """Hold the approved cards anew, after an edition was withdrawn; a packed parcel opens again.

    Raises:
        DomainError: `not_found`, `order_moved_on`, `hold_ran_out` or `not_enough`.

    """
    _require_office(actor)
    order = lock_order(session, order_id)
    if order.state not in HOLDING or order.store_id is None or order.held_until is None:
        raise _moved_on()
    _check_not_run_out(order, now)
    locked = lock_stores(session, [order.store_id, *_holding_stores(session, order_id)], now)
    holds.end_holds(session, order.id, now)
    _hold_all(
        locked,
        order,
        "Bitte füllen Sie das Lager auf, oder genehmigen Sie weniger, sobald die Vormerkung "
        "abgelaufen ist.",
    )
    if order.state is OrderState.PICKED:
        move_order(session, actor, order, OrderState.APPROVED, now, reason="Neu vorgemerkt")
    else:
        record(session, actor, "card_order_held_again", order, now)


def pick(session: Session, actor: Actor, order_id: int, now: datetime) -> None:
    """Say that the cards of an order are packed.

    Raises:
        DomainError: `not_found`, `order_moved_on`, `hold_ran_out` or `hold_changed`.

    """
    _require_office(actor)
    order = lock_order(session, order_id)
    if order.state is not OrderState.APPROVED:
        raise _moved_on()
    _check_not_run_out(order, now)
    if missing_holds(order):
        raise _hold_changed()
    move_order(session, actor, order, OrderState.PICKED, now)


def send(session: Session, actor: Actor, order_id: int, now: datetime) -> CardOrder:
    """Send an order: its holds end, and the cards go from the store to the organisation.

    The movements' keys come from the holds: each is booked once, however often it is pressed.

    Raises:
        DomainError: `not_found`, `order_moved_on`, `hold_ran_out` or `hold_changed`; `not_enough`
            when a stocktake found less than is held.

    """
    _require_office(actor)
    order = lock_order(session, order_id)
    if order.state is not OrderState.PICKED:
        raise _moved_on()
    _check_not_run_out(order, now)
    if missing_holds(order) or changed_since_picked(order):
        raise _hold_changed()
    locked = lock_stores(session, _holding_stores(session, order_id), now)
    ship_held(locked, actor, order)
    order.sent_at = now
    move_order(session, actor, order, OrderState.SENT, now)
    mails.sent(session, order, now)
    return order


def ship_held(locked: LockedStock, actor: Actor, order: CardOrder) -> None:
    """End the holds of a locked order and book its cards to whoever ordered.

    Args:
        locked: with the stores that hold them.
        actor: who sends.
        order: the order.

    Raises:
        DomainError: `not_enough` when a stocktake found less than is held.

    """
    target = OTHER if order.organisation_id is None else ORGANISATION
    for held in holds.end_holds(locked.session, order.id, locked.now):
        booking = Booking(
            edition_id=held.edition_id,
            quantity=held.quantity,
            source=in_store(held.store_id),
            target=target,
            organisation_id=order.organisation_id,
            order_id=order.id,
            reason=f"Bestellung {order.number}",
        )
        (stock,) = locked.stocks(held.store_id, [held.edition])
        if held.quantity > stock.free:
            raise _fewer_than_held(locked.stores[held.store_id], held.edition)
        locked.book(actor, booking, key=f"order:{order.id}:{held.id}")


def decline(session: Session, actor: Actor, order_id: int, reason: str, now: datetime) -> None:
    """Refuse an order, with a reason that both sides read; what was held is free again.

    Raises:
        DomainError: `not_found`, `order_moved_on` or `reason_missing`.

    """
    _require_office(actor)
    if not reason:
        raise DomainError(
            "reason_missing", "Bitte nennen Sie den Grund.", field="reason", status=422
        )
    order = lock_order(session, order_id)
    move_order(session, actor, order, OrderState.DECLINED, now, reason=reason)
    order.reason = reason
    order.decided_at, order.decided_by_id = now, actor.person_id
    _free(session, order, now)
    mails.declined(session, order, now)


def cancel(session: Session, actor: Actor, order_id: int, now: datetime) -> CardOrder:
    """Take an order back before it is sent.

    Who may do so was decided where the order was loaded: whoever ordered, by login or by the signed
    address, and the office.

    Raises:
        DomainError: `not_found` or `order_moved_on`.

    """
    order = lock_order(session, order_id)
    confirmed = order.state is not OrderState.UNCONFIRMED
    move_order(session, actor, order, OrderState.CANCELLED, now)
    _free(session, order, now)
    if confirmed:
        mails.cancelled(session, order, now, by_office=actor.may(Permission.OFFICE))
    return order


def receive(session: Session, actor: Actor, order_id: int, note: str, now: datetime) -> CardOrder:
    """Say that the cards have arrived, and what was wrong with them, if anything.

    Who may do so was decided before: whoever holds the link or sees the order, and the office.

    Raises:
        DomainError: `not_found` or `order_moved_on`.

    """
    order = lock_order(session, order_id)
    move_order(session, actor, order, OrderState.RECEIVED, now)
    order.received_at, order.received_note = now, note[:LONGEST_REASON]
    return order


def lapse(session: Session, actor: Actor, order_id: int, now: datetime) -> bool:
    """Free the cards of an order whose hold has run out; return whether there was anything to do.

    Raises:
        DomainError: `not_found`.

    """
    order = lock_order(session, order_id)
    if order.state not in HOLDING or order.held_until is None or order.held_until > now:
        return False
    move_order(session, actor, order, OrderState.LAPSED, now)
    _free(session, order, now)
    mails.lapsed(session, order, now)
    return True


def move_open_orders(
    session: Session, actor: Actor, source_id: int, target_id: int, now: datetime
) -> None:
    """Let the open orders of an organisation go on as those of the one it is merged into.

    Both organisations are locked; what was sent before keeps the name under which it was sent.
    """
    orders = session.scalars(
        select(CardOrder)
        .where(
            CardOrder.organisation_id == source_id,
            CardOrder.state.in_({OrderState.UNCONFIRMED, *OPEN}),
        )
        .order_by(CardOrder.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    for order in orders:
        order.organisation_id = target_id
        record(session, actor, "card_order_assigned", order, now, organisation_id=target_id)


def _require_office(actor: Actor) -> None:
    if not actor.may(Permission.OFFICE):
        raise not_found()


def _check_until(until: date, now: datetime) -> None:
    today = berlin_day(now)
    if not today <= until <= today + timedelta(days=LONGEST_HOLD_DAYS):
        raise DomainError(
            "bad_day",
            "Bitte wählen Sie einen Tag von heute an, höchstens ein Jahr im Voraus.",
            field="until",
            status=422,
        )


def _check_not_run_out(order: CardOrder, now: datetime) -> None:
    if order.held_until is not None and order.held_until <= now:
        raise DomainError(
            "hold_ran_out",
            "Die Vormerkung ist abgelaufen. Bitte genehmigen Sie die Bestellung neu, sobald sie "
            "unter „Vormerkung abgelaufen“ steht.",
        )


def _lock_with_organisations(
    session: Session, order_id: int
) -> tuple[list[Organisation], CardOrder]:
    """Lock the organisation of an order with all above it, then the order itself.

    An order that came in while its organisation was merged goes on with the one that lives.

    Raises:
        DomainError: `not_found`, `organisation_changed` or `order_changed`.

    """
    before = session.scalar(select(CardOrder.organisation_id).where(CardOrder.id == order_id))
    chain = lock_chain(session, before) if before is not None else []
    order = lock_order(session, order_id)
    if order.organisation_id != before:
        raise DomainError(
            "order_changed",
            "Die Bestellung wurde gerade einer anderen Organisation zugeordnet. Bitte prüfen Sie "
            "sie noch einmal.",
        )
    if chain:
        order.organisation_id = chain[0].id
    return chain, order


def _holding_stores(session: Session, order_id: int) -> list[int]:
    return list(
        session.scalars(
            select(Reservation.store_id)
            .where(Reservation.order_id == order_id, Reservation.ended_at.is_(None))
            .distinct()
        )
    )


def _hold_all(locked: LockedStock, order: CardOrder, remedy: str = "") -> None:
    if order.store_id is None or order.held_until is None:
        raise RuntimeError("The order is not approved.")
    for line in order.lines:
        if line.approved:
            holds.hold(
                locked,
                order.id,
                order.store_id,
                line.card_type,
                quantity=line.approved,
                until=order.held_until,
                remedy=remedy,
            )
    locked.session.expire(order, ["reservations"])


def _free(session: Session, order: CardOrder, now: datetime) -> None:
    lock_stores(session, _holding_stores(session, order.id), now)
    holds.end_holds(session, order.id, now)


def _moved_on() -> DomainError:
    return DomainError(
        "order_moved_on",
        "Das geht nicht mehr: Die Bestellung hat inzwischen einen anderen Stand. Bitte laden Sie "
        "die Seite neu.",
    )


def _fewer_than_held(store: Store, edition: Edition) -> DomainError:
    return DomainError(
        "not_enough",
        f"Im Lager „{store.name}“ liegen weniger Karten, als für Bestellungen vorgemerkt sind: "
        f"„{name_of(edition)}“ reicht nicht für alle. Bitte füllen Sie das Lager auf, oder lehnen "
        "Sie eine der Bestellungen ab, denen Karten fehlen.",
    )


def _hold_changed() -> DomainError:
    return DomainError(
        "hold_changed",
        "Die vorgemerkten Karten haben sich geändert. Bitte merken Sie neu vor und stellen Sie die "
        "Sendung danach zusammen.",
    )
