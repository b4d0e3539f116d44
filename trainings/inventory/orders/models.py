"""Tables of the orders."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.numbering import YearSeries
from trainings.core.retention import Retention, personal
from trainings.inventory.models import LONGEST_REASON, CardType, Reservation, Store
from trainings.organisations.models import Organisation
from trainings.people.models import Person


class OrderState(StrEnum):
    """Where an order stands."""

    UNCONFIRMED = "unconfirmed"
    """By somebody without a login, until the link in the mail was used."""
    REQUESTED = "requested"
    APPROVED = "approved"
    """Cards are held for it."""
    LAPSED = "lapsed"
    """It was approved, and the hold ran out before it was sent."""
    PICKED = "picked"
    SENT = "sent"
    RECEIVED = "received"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    """Taken back by whoever ordered, or by the office in their name."""
    EXPIRED = "expired"
    """Never confirmed."""


class CardOrderSeries(YearSeries, Base):
    """The last number given to an order in a year."""

    __tablename__ = "card_order_series"


class CardOrder(Base):
    """Somebody asks for cards; the number („TK-2026-0012“) never changes."""

    __tablename__ = "card_orders"
    __table_args__ = (Index(None, "state", "requested_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(20), unique=True)
    state: Mapped[OrderState] = mapped_column(choice(OrderState))
    requested_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    """When the address was confirmed; at once for somebody who was logged in."""
    finished_at: Mapped[datetime | None]
    """Received, declined, cancelled or expired: from then on retention counts."""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    name: Mapped[str] = mapped_column(String(160), info=personal(Retention.ORDER))
    email: Mapped[str] = mapped_column(String(254), info=personal(Retention.ORDER))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    """Empty: not in the register, or not yet matched by the office."""
    organisation_name: Mapped[str] = mapped_column(String(160))
    """As it was given, or as the organisation was called then."""
    recipient: Mapped[str] = mapped_column(String(160), info=personal(Retention.ORDER))
    street: Mapped[str] = mapped_column(String(160), info=personal(Retention.ORDER))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(120))
    purpose: Mapped[str] = mapped_column(String(500), info=personal(Retention.ORDER))
    wanted_by: Mapped[date | None]
    store_id: Mapped[int | None] = mapped_column(ForeignKey("card_stores.id"))
    """From which the approved cards come."""
    held_until: Mapped[datetime | None]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON), default="")
    """Why it was approved in part, declined, or approved beyond the limit; shown to both sides."""
    sent_at: Mapped[datetime | None]
    received_at: Mapped[datetime | None]
    received_note: Mapped[str] = mapped_column(
        String(LONGEST_REASON), default="", info=personal(Retention.ORDER)
    )
    """What was wrong with what arrived, in the words of whoever got it."""

    person: Mapped[Person | None] = relationship(foreign_keys=[person_id])
    organisation: Mapped[Organisation | None] = relationship()
    store: Mapped[Store | None] = relationship()
    lines: Mapped[list[CardOrderLine]] = relationship(order_by="CardOrderLine.id")
    steps: Mapped[list[CardOrderStep]] = relationship(order_by="CardOrderStep.id")
    reservations: Mapped[list[Reservation]] = relationship(order_by=Reservation.id)


class CardOrderLine(Base):
    """How many of one card are asked for, and how many were approved."""

    __tablename__ = "card_order_lines"
    __table_args__ = (
        Index(None, "order_id", "card_type_id", unique=True),
        CheckConstraint("requested > 0", name="requested_positive"),
        CheckConstraint("approved >= 0 AND approved <= requested", name="approved_in_range"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("card_orders.id"))
    card_type_id: Mapped[int] = mapped_column(ForeignKey("card_types.id"))
    requested: Mapped[int]
    approved: Mapped[int | None]

    card_type: Mapped[CardType] = relationship()


class CardOrderStep(Base):
    """One change of an order's state: who, when, from, to, why; rows are only ever added."""

    __tablename__ = "card_order_steps"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("card_orders.id"), index=True)
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    from_state: Mapped[OrderState | None] = mapped_column(choice(OrderState, "from_state"))
    to_state: Mapped[OrderState] = mapped_column(choice(OrderState, "to_state"))
    reason: Mapped[str] = mapped_column(String(LONGEST_REASON), default="")


class OrderLimit(Base):
    """How many cards an organisation, with all below it, may get in a calendar year."""

    __tablename__ = "card_order_limits"
    __table_args__ = (
        CheckConstraint("per_year >= 0", name="per_year_not_negative"),
        CheckConstraint(
            "(organisation_id IS NULL) = (is_default IS NOT NULL)", name="default_or_organisation"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), unique=True)
    is_default: Mapped[bool | None] = mapped_column(unique=True)
    """True for the one that holds for every authority without a limit of its own, else empty."""
    per_year: Mapped[int]

    organisation: Mapped[Organisation | None] = relationship()
