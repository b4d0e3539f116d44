"""Words about orders for both sides: state, what happens next, the steps."""

from __future__ import annotations

from trainings.core.clock import berlin_day
from trainings.core.formats import deadline, long_date, short_date
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.rules import CONFIRMED_WITHIN, STATE_NAMES

Status = tuple[str, str, str]

STATUS: dict[OrderState, Status] = {
    OrderState.UNCONFIRMED: ("mail", STATE_NAMES[OrderState.UNCONFIRMED], "warn"),
    OrderState.REQUESTED: ("exclamation-ring", STATE_NAMES[OrderState.REQUESTED], "warn"),
    OrderState.APPROVED: ("check-ring", STATE_NAMES[OrderState.APPROVED], "ok"),
    OrderState.LAPSED: ("clock", STATE_NAMES[OrderState.LAPSED], "warn"),
    OrderState.PICKED: ("list", STATE_NAMES[OrderState.PICKED], "info"),
    OrderState.SENT: ("mail", STATE_NAMES[OrderState.SENT], "info"),
    OrderState.RECEIVED: ("check-ring", STATE_NAMES[OrderState.RECEIVED], "ok"),
    OrderState.DECLINED: ("cross-ring", STATE_NAMES[OrderState.DECLINED], "bad"),
    OrderState.CANCELLED: ("cross-ring", STATE_NAMES[OrderState.CANCELLED], "off"),
    OrderState.EXPIRED: ("cross-ring", STATE_NAMES[OrderState.EXPIRED], "off"),
}
"""Icon, word and tone of each state."""


def what_next(order: CardOrder) -> str:
    """Return what happens next, for whoever ordered."""
    match order.state:
        case OrderState.UNCONFIRMED:
            until = deadline(order.requested_at + CONFIRMED_WITHIN)
            return f"Bitte bestätigen Sie die Bestellung mit dem Link in der E-Mail, bis {until}."
        case OrderState.REQUESTED:
            return "Die Geschäftsstelle prüft die Bestellung und schreibt Ihnen."
        case OrderState.APPROVED:
            return "Die Geschäftsstelle stellt die Karten zusammen und verschickt sie."
        case OrderState.LAPSED:
            return "Die Geschäftsstelle entscheidet neu und schreibt Ihnen."
        case OrderState.PICKED:
            return "Die Karten liegen bereit und werden als Nächstes verschickt."
        case OrderState.SENT:
            sent = f" am {short_date(berlin_day(order.sent_at))}" if order.sent_at else ""
            return (
                f"Die Karten wurden{sent} verschickt. Bitte bestätigen Sie den Empfang, sobald "
                "sie da sind."
            )
        case OrderState.RECEIVED:
            return "Die Bestellung ist abgeschlossen."
        case OrderState.EXPIRED:
            return "Die Bestellung wurde nicht bestätigt. Sie können jederzeit neu bestellen."
        case _:
            return "Es werden keine Karten verschickt."


def when(order: CardOrder) -> str:
    """Return by which day the cards are wanted, or "" if that does not matter."""
    return long_date(order.wanted_by) if order.wanted_by else ""
