"""What is free today of each card, what was consumed, and how long it will last."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core.clock import berlin_day
from trainings.inventory.ledger import held_quantities
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    Reservation,
    Store,
)
from trainings.inventory.reports.flows import Selection, grouped_flows
from trainings.inventory.reports.rules import (
    MONTHS_SHOWN,
    Flow,
    Forecast,
    Month,
    forecast,
    month_of,
    months_between,
    summed,
)
from trainings.inventory.rules import ORDERS_FROM, Stock


@dataclass(frozen=True)
class Lying:
    """Cards that may be issued.

    Attributes:
        free: in the stores of the office and of partners, less what is held for orders.
        held: of these stores, for approved orders.
        boxes: in the boxes of trainers.

    """

    free: int = 0
    held: int = 0
    boxes: int = 0


@dataclass(frozen=True)
class Outlook:
    """One card.

    Attributes:
        card_id: the card.
        title: its title.
        lying: what is there today.
        months: what was consumed and lost in the last 24 months, the running one last.
        forecast: how long it will last.

    """

    card_id: int
    title: str
    lying: Lying
    months: dict[Month, Flow]
    forecast: Forecast

    def of_year(self, year: int) -> Flow:
        """Return the sum of the months shown of a year."""
        return sum((flow for month, flow in self.months.items() if month.year == year), Flow())


@dataclass(frozen=True)
class LowCard:
    """A card of which a reprint is due.

    Attributes:
        title: its title.
        free: how many may still be issued from the stores of the office and of partners.
        reorder_level: below which it is due.

    """

    title: str
    free: int
    reorder_level: int


def load_lying(session: Session, now: datetime) -> dict[int, Lying]:
    """Return what lies there of each card, by its id; withdrawn editions are issued to nobody.

    Args:
        session: for reading; it costs two statements.
        now: the present instant; a hold that has run out holds nothing.

    """
    held = held_quantities(session, now)
    rows = session.execute(
        select(
            Edition.card_type_id, Store.kind, Balance.store_id, Edition.id, Edition.running,
            Balance.quantity,
        )
        .join(Edition, Balance.edition_id == Edition.id)
        .join(Store, Balance.store_id == Store.id)
        .where(Edition.withdrawn_at.is_(None))
    )  # fmt: skip
    found: dict[int, Lying] = defaultdict(Lying)
    for card_id, kind, store_id, edition_id, running, quantity in rows:
        before = found[card_id]
        if kind not in ORDERS_FROM:
            found[card_id] = Lying(before.free, before.held, before.boxes + quantity)
            continue
        stock = Stock(edition_id, running, quantity, held.get((store_id, edition_id), 0))
        found[card_id] = Lying(before.free + stock.free, before.held + stock.held, before.boxes)
    return dict(found)


def load_low_cards(session: Session, now: datetime) -> list[LowCard]:
    """Return the cards of which fewer are free than their reorder level, by title.

    The same sum as `load_lying`, in the database.

    Args:
        session: for reading; it costs one statement.
        now: the present instant; a hold that has run out holds nothing.

    """
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .where(
            Reservation.store_id == Balance.store_id,
            Reservation.edition_id == Balance.edition_id,
            Reservation.ended_at.is_(None),
            Reservation.until > now,
        )
        .correlate(Balance)
        .scalar_subquery()
    )
    lying = (
        select(Edition.card_type_id, (Balance.quantity - held).label("free"))
        .join(Edition, Balance.edition_id == Edition.id)
        .join(Store, Balance.store_id == Store.id)
        .where(Edition.withdrawn_at.is_(None), Store.kind.in_(ORDERS_FROM))
        .subquery()
    )
    free = (
        select(func.coalesce(func.sum(lying.c.free), 0))
        .where(lying.c.card_type_id == CardType.id, lying.c.free > 0)
        .scalar_subquery()
    )
    rows = session.execute(
        select(CardType.title, free, CardType.reorder_level)
        .where(CardType.retired_at.is_(None), free < CardType.reorder_level)
        .order_by(CardType.sort_key, CardType.id)
    )
    return [LowCard(title, int(left), level) for title, left, level in rows]


def load_outlooks(session: Session, now: datetime) -> list[Outlook]:
    """Return all cards that are not retired, with their outlook.

    Args:
        session: for reading; it costs six statements.
        now: the present instant.

    """
    today = berlin_day(now)
    shown = months_between(month_of(today).shifted(1 - MONTHS_SHOWN), month_of(today))
    spans = [(index, month.begins_at, month.after.begins_at) for index, month in enumerate(shown)]
    cards = session.scalars(
        select(CardType)
        .where(CardType.retired_at.is_(None))
        .order_by(CardType.sort_key, CardType.id)
    ).all()
    lying = load_lying(session, now)
    card_of, begun = _editions(session)
    flows = summed(
        ((card_of[edition_id], index), flow)
        for (index, edition_id), flow in grouped_flows(
            session, Selection(), [Movement.edition_id], spans=spans
        )
    )

    def outlook(card: CardType) -> Outlook:
        months = {month: flows.get((card.id, index), Flow()) for index, month in enumerate(shown)}
        there = lying.get(card.id, Lying())
        since = begun.get(card.id)
        found = forecast(
            free=there.free,
            reorder_level=card.reorder_level,
            today=today,
            since=berlin_day(since) if since else None,
            consumed={month: flow.consumed for month, flow in months.items()},
        )
        return Outlook(card.id, card.title, there, months, found)

    return [outlook(card) for card in cards]


def _editions(session: Session) -> tuple[dict[int, int], dict[int, datetime]]:
    """Return the card of each edition, and when the first of each card was booked."""
    first = select(func.min(Movement.at)).where(Movement.edition_id == Edition.id).scalar_subquery()
    card_of: dict[int, int] = {}
    begun: dict[int, datetime] = {}
    for edition_id, card_id, at in session.execute(select(Edition.id, Edition.card_type_id, first)):
        card_of[edition_id] = card_id
        if at is not None:
            begun[card_id] = min(at, begun.get(card_id, at))
    return card_of, begun
