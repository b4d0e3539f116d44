"""The delivery note (Lieferschein) that lies in the parcel."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.core.documents import Document, render
from trainings.core.errors import DomainError
from trainings.core.formats import long_date, number
from trainings.core.settings import current_settings
from trainings.inventory.models import Edition
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.parcels import live_holds
from trainings.inventory.orders.queries import sent_cards

_HAS_NOTE = frozenset({OrderState.PICKED, OrderState.SENT, OrderState.RECEIVED})


def delivery_note(session: Session, order: CardOrder, now: datetime) -> Document:
    """Make the delivery note of an order: of what is packed, or of what was sent.

    Args:
        session: for reading.
        order: with its lines and holds.
        now: the day on the paper as long as it is not sent.

    Raises:
        DomainError: `no_delivery_note`, as long as nothing is packed and when the address is gone.

    """
    if order.state not in _HAS_NOTE or not order.recipient:
        raise DomainError(
            "no_delivery_note",
            "Für diese Bestellung gibt es keinen Lieferschein: Er entsteht, wenn die Sendung "
            "zusammengestellt ist, und wird nach einem Jahr mit der Adresse gelöscht.",
        )
    packed: list[tuple[Edition, int]]
    if order.sent_at is None:
        packed = [(each.edition, each.quantity) for each in live_holds(order)]
    else:
        packed = [(each.edition, each.quantity) for each in sent_cards(session, order.id)]
    titles = {line.card_type_id: line.card_type.title for line in order.lines}
    settings = current_settings()
    data = {
        "number": order.number,
        "day": long_date(berlin_day(order.sent_at or now)),
        "ordered": long_date(berlin_day(order.requested_at)),
        "sender": list(settings.office_address),
        "address": [
            order.organisation_name,
            *([order.recipient] if order.recipient != order.organisation_name else []),
            order.street,
            f"{order.postcode} {order.town}",
        ],
        "lines": [
            {
                "card": titles.get(edition.card_type_id, ""),
                "edition": f"Auflage {edition.running}",
                "quantity": number(quantity),
            }
            for edition, quantity in packed
        ],
        "total": number(sum(quantity for _, quantity in packed)),
        "reason": order.reason,
    }
    return render("delivery_note", data, title=f"Lieferschein {order.number}", at=now)
