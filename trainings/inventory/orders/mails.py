"""What whoever ordered is told on each step."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.core.formats import count, instant, number, short_date
from trainings.core.outbox import Mail, facts, post
from trainings.core.settings import current_settings
from trainings.core.tokens import Purpose, action_path, issue
from trainings.inventory.orders.links import signed_path
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.rules import CONFIRMED_WITHIN, RECEIPT_LINK_LASTS
from trainings.people.information import PRIVACY, post_to_person

_STATUS = "Stand der Bestellung ansehen"


def please_confirm(session: Session, order: CardOrder, now: datetime) -> None:
    """Ask whoever ordered without a login whether it was they."""
    expires_at = now + CONFIRMED_WITHIN
    token = issue(session, Purpose.CARD_ORDER, order.id, now, expires_at)
    _post(
        session,
        order,
        now,
        kind="card_order_unconfirmed",
        subject=f"Bitte bestätigen: Ihre Bestellung {order.number}",
        paragraphs=(
            "mit dieser E-Mail-Adresse wurden Taschenkarten bestellt. Bitte bestätigen Sie, dass "
            f"die Bestellung von Ihnen ist. Das geht bis {instant(expires_at)}.",
        ),
        link=("Bestellung bestätigen", action_path(token)),
        closing=(
            "Haben Sie nichts bestellt? Dann brauchen Sie nichts zu tun: Ohne Bestätigung "
            "verfällt die Bestellung, und die Angaben werden gelöscht.",
        ),
    )


def received(session: Session, order: CardOrder, now: datetime, *, by_office: bool) -> None:
    """Say that an order has come in, and what happens next."""
    information: tuple[str, ...] = ()
    if by_office:
        settings = current_settings()
        information = (
            "Ihre Daten bei uns: Die Geschäftsstelle hat diese Bestellung für Sie eingetragen. "
            f"Verantwortlich ist {', '.join(settings.office_address)}. Gespeichert sind Ihr Name, "
            "Ihre E-Mail-Adresse, die Lieferadresse und der Zweck, um die Karten zu liefern, bis "
            "ein Jahr nach dem Abschluss der Bestellung. Ihre Rechte und alles Weitere: "
            f"{settings.base_url}{PRIVACY}",
        )
    _post(
        session,
        order,
        now,
        kind="card_order_received",
        subject=f"Ihre Bestellung {order.number} ist eingegangen",
        paragraphs=("vielen Dank für Ihre Bestellung. Die Geschäftsstelle prüft sie und meldet "
                    "sich bei Ihnen.",),
        information=information,
    )  # fmt: skip


def approved(session: Session, order: CardOrder, now: datetime) -> None:
    """Say how many cards are approved, and why not all."""
    asked = sum(line.requested for line in order.lines)
    given = sum(line.approved or 0 for line in order.lines)
    if given < asked:
        first = (
            f"von den bestellten {number(asked)} Karten sind "
            f"{number(given)} genehmigt. Begründung: {order.reason}"
        )
    else:
        first = "Ihre Bestellung ist genehmigt."
    _post(
        session,
        order,
        now,
        kind="card_order_approved",
        subject=f"Ihre Bestellung {order.number} ist "
        + ("in Teilen genehmigt" if given < asked else "genehmigt"),
        paragraphs=(first, "Wir stellen die Karten zusammen und schicken sie Ihnen zu."),
    )


def declined(session: Session, order: CardOrder, now: datetime) -> None:
    """Say that there will be no cards, and why."""
    _post(
        session,
        order,
        now,
        kind="card_order_declined",
        subject=f"Ihre Bestellung {order.number} ist abgelehnt",
        paragraphs=(
            f"leider können wir Ihre Bestellung nicht erfüllen. Begründung: {order.reason}",
            "Wenn Sie Fragen haben, wenden Sie sich bitte an die Geschäftsstelle.",
        ),
    )


def cancelled(session: Session, order: CardOrder, now: datetime, *, by_office: bool) -> None:
    """Confirm that an order is taken back."""
    who = "Die Geschäftsstelle hat Ihre" if by_office else "Sie haben Ihre"
    _post(
        session,
        order,
        now,
        kind="card_order_cancelled",
        subject=f"Ihre Bestellung {order.number} ist storniert",
        paragraphs=(f"{who} Bestellung storniert. Es werden keine Karten verschickt.",),
    )


def lapsed(session: Session, order: CardOrder, now: datetime) -> None:
    """Say that the cards are no longer held, and that the order is still open."""
    _post(
        session,
        order,
        now,
        kind="card_order_lapsed",
        subject=f"Ihre Bestellung {order.number} verzögert sich",
        paragraphs=(
            "die Karten für Ihre Bestellung waren bis heute vorgemerkt und konnten nicht "
            "rechtzeitig verschickt werden. Die Bestellung bleibt offen: Die Geschäftsstelle "
            "entscheidet neu und meldet sich bei Ihnen. Sie brauchen nichts zu tun.",
        ),
    )


def sent(session: Session, order: CardOrder, now: datetime) -> None:
    """Say that the cards are on their way, with the link that confirms that they have come."""
    token = issue(session, Purpose.CARD_RECEIPT, order.id, now, now + RECEIPT_LINK_LASTS)
    total = sum(line.approved or 0 for line in order.lines)
    are = "ist eine Karte" if total == 1 else f"sind {count(total, 'Karte', 'Karten')}"
    _post(
        session,
        order,
        now,
        kind="card_order_sent",
        subject=f"Ihre Bestellung {order.number} ist unterwegs",
        paragraphs=(
            f"seit {short_date(berlin_day(now))} {are} an Sie unterwegs.",
            "Bitte bestätigen Sie, sobald die Sendung angekommen ist. Dort können Sie auch "
            "schreiben, wenn etwas gefehlt hat.",
        ),
        link=("Empfang bestätigen", action_path(token)),
    )


def _post(
    session: Session,
    order: CardOrder,
    now: datetime,
    *,
    kind: str,
    subject: str,
    paragraphs: tuple[str, ...],
    link: tuple[str, str] | None = None,
    closing: tuple[str, ...] = (),
    information: tuple[str, ...] = (),
) -> None:
    status = (_STATUS, signed_path(order.number))
    mail = Mail(
        subject=subject,
        paragraphs=paragraphs,
        facts=_facts(order),
        link=link or status,
        closing=closing,
        way_out=status if link else None,
        information=information,
    )
    if order.person is not None:
        post_to_person(session, order.person, kind=kind, mail=mail, now=now)
    elif order.email:
        post(session, kind=kind, to=order.email, name=order.name, mail=mail, now=now)


def _facts(order: CardOrder) -> tuple[tuple[str, str], ...]:
    cards = [
        f"{number(line.requested if line.approved is None else line.approved)} × "
        f"{line.card_type.title}"
        for line in order.lines
        if line.approved != 0
    ]
    # An unconfirmed order may hold anything that a robot typed, for somebody else's mailbox.
    address = [] if order.state is OrderState.UNCONFIRMED else [
        order.recipient, order.street, f"{order.postcode} {order.town}".strip(),
    ]  # fmt: skip
    return facts(("Bestellung", order.number), ("Karten", cards), ("Lieferung an", address))
