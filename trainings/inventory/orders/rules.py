"""Which way an order may go, and how many cards an organisation may still get: pure rules."""

from __future__ import annotations

from trainings.core.errors import DomainError
from trainings.inventory.orders.models import OrderState

ORDER_MOVES: dict[OrderState | None, frozenset[OrderState]] = {
    None: frozenset({OrderState.UNCONFIRMED, OrderState.REQUESTED}),
    OrderState.UNCONFIRMED: frozenset(
        {OrderState.REQUESTED, OrderState.CANCELLED, OrderState.EXPIRED}
    ),
    OrderState.REQUESTED: frozenset(
        {OrderState.APPROVED, OrderState.DECLINED, OrderState.CANCELLED}
    ),
    OrderState.APPROVED: frozenset(
        {OrderState.PICKED, OrderState.LAPSED, OrderState.DECLINED, OrderState.CANCELLED}
    ),
    OrderState.LAPSED: frozenset({OrderState.APPROVED, OrderState.DECLINED, OrderState.CANCELLED}),
    # Back to approved: the cards in the parcel are no longer those that are held.
    OrderState.PICKED: frozenset(
        {
            OrderState.SENT,
            OrderState.APPROVED,
            OrderState.LAPSED,
            OrderState.DECLINED,
            OrderState.CANCELLED,
        }
    ),
    OrderState.SENT: frozenset({OrderState.RECEIVED}),
    OrderState.RECEIVED: frozenset(),
    OrderState.DECLINED: frozenset(),
    OrderState.CANCELLED: frozenset(),
    OrderState.EXPIRED: frozenset(),
}
HOLDING = frozenset({OrderState.APPROVED, OrderState.PICKED})
"""States in which cards are held."""
FINISHED = frozenset(state for state, following in ORDER_MOVES.items() if state and not following)
"""States that nothing follows."""

STATE_NAMES: dict[OrderState, str] = {
    OrderState.UNCONFIRMED: "noch nicht bestätigt",
    OrderState.REQUESTED: "eingegangen",
    OrderState.APPROVED: "genehmigt",
    OrderState.LAPSED: "Vormerkung abgelaufen",
    OrderState.PICKED: "zusammengestellt",
    OrderState.SENT: "versendet",
    OrderState.RECEIVED: "erhalten",
    OrderState.DECLINED: "abgelehnt",
    OrderState.CANCELLED: "storniert",
    OrderState.EXPIRED: "nicht bestätigt und verfallen",
}


def check_order_move(before: OrderState | None, after: OrderState) -> None:
    """Refuse a change of state that the table does not have.

    Raises:
        DomainError: `order_moved_on`.

    """
    if after not in ORDER_MOVES[before]:
        now = STATE_NAMES[before] if before else "neu"
        raise DomainError(
            "order_moved_on",
            f"Das geht nicht mehr: Die Bestellung ist inzwischen „{now}“. Bitte laden Sie die "
            "Seite neu.",
        )
