"""Which way an order may go, and how many cards an organisation may still get: pure rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from trainings.core.errors import DomainError
from trainings.core.formats import count, number
from trainings.inventory.orders.models import OrderState
from trainings.inventory.rules import check_quantity

CONFIRMED_WITHIN = timedelta(hours=48)
"""So long somebody without a login may confirm an order; then it expires and is blanked."""
HOLD_DAYS = 14
"""So many days an approved order holds its cards, unless the office says otherwise."""
LONGEST_HOLD_DAYS = 365
RECEIPT_LINK_LASTS = timedelta(days=180)
KEPT_FOR = timedelta(days=365)
"""So long the personal data of an order is kept after it was finished (`Retention.ORDER`)."""

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
OPEN = frozenset({OrderState.REQUESTED, OrderState.APPROVED, OrderState.LAPSED, OrderState.PICKED})
"""States in which the office still has something to do."""
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


def nothing_ordered(field: str | None = None) -> DomainError:
    """Return the refusal of an order without any number."""
    return DomainError(
        "nothing_ordered",
        "Bitte geben Sie bei mindestens einer Karte an, wie viele Sie brauchen.",
        field=field,
        status=422,
    )


def check_requested(quantities: Mapping[int, int]) -> None:
    """Refuse an order for no card at all; each quantity is checked by `check_quantity`.

    Args:
        quantities: cards wanted by card type, none of them zero.

    Raises:
        DomainError: `nothing_ordered` or `bad_quantity`, status 422.

    """
    if not quantities:
        raise nothing_ordered()
    for quantity in quantities.values():
        check_quantity(quantity, field=None)


def check_approved(requested: Mapping[int, int], approved: Mapping[int, int], reason: str) -> None:
    """Refuse an approval that gives nothing, more than was asked for, or less without a reason.

    Args:
        requested: cards asked for, by line of the order.
        approved: cards approved, by line; a line that is missing gets none.
        reason: why not all are approved, as both sides read it.

    Raises:
        DomainError: `not_requested`, `nothing_approved` or `reason_missing`, status 422.

    """
    if any(not 0 <= quantity <= requested.get(line, 0) for line, quantity in approved.items()):
        raise DomainError(
            "not_requested",
            "Mehr als bestellt lässt sich nicht genehmigen. Bitte prüfen Sie die Anzahl.",
            status=422,
        )
    if not any(approved.values()):
        raise DomainError(
            "nothing_approved",
            "So würde keine einzige Karte genehmigt. Wenn Sie die Bestellung ablehnen möchten, "
            "nutzen Sie bitte „Ablehnen“.",
            status=422,
        )
    in_part = any(approved.get(line, 0) < quantity for line, quantity in requested.items())
    if in_part and not reason:
        raise DomainError(
            "reason_missing",
            "Sie genehmigen weniger als bestellt. Bitte nennen Sie den Grund; er steht in der Mail "
            "an die bestellende Stelle.",
            field="reason",
            status=422,
        )


@dataclass(frozen=True)
class Allowance:
    """What an organisation may still get in a calendar year, with all below it.

    Attributes:
        name: of the organisation whose limit it is.
        per_year: the limit.
        used: what it got this year less what it brought back, and what is approved and not sent.

    """

    name: str
    per_year: int
    used: int

    @property
    def left(self) -> int:
        """How many cards may still be approved."""
        return max(0, self.per_year - self.used)


def tightest(allowances: Iterable[Allowance]) -> Allowance | None:
    """Return the limit that leaves least, of those that hold for one organisation."""
    return min(allowances, key=lambda each: each.left, default=None)


def over_limit(allowance: Allowance, wanted: int) -> str:
    """Return in words that an order is too large, or "" if it fits."""
    if wanted <= allowance.left:
        return ""
    left = allowance.left
    still = "keine Karte mehr" if not left else f"noch {count(left, 'Karte', 'Karten')}"
    return (
        f"{allowance.name} kann in diesem Jahr {still} bekommen: Die Grenze liegt bei "
        f"{number(allowance.per_year)} im Jahr."
    )
