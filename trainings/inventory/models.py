"""Tables of the cards and of the stock: types, editions, stores, movements, balances, holds."""

from __future__ import annotations

import secrets
from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.retention import Retention, personal
from trainings.events.models import Event
from trainings.organisations.models import Organisation, OrganisationKind
from trainings.people.models import Person

LONGEST_REASON = 300
LARGEST_QUANTITY = 1_000_000
"""More cards than any office has printed at once; a slip of the finger stays below it."""
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
KEY_LENGTH = 96


def new_code() -> str:
    """Return a short code that can be typed from a card: no letter looks like another."""
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))


class PlaceKind(StrEnum):
    """Where cards can be; the journal leads from one place to another."""

    PRINTER = "printer"
    STORE = "store"
    ORGANISATION = "organisation"
    EVENT = "event"
    OTHER = "other"
    """Somebody who is no organisation in the register."""
    RETURN = "return"
    """Brought back, and nobody knows by whom."""
    LOSS = "loss"
    """Lost, spoilt or destroyed; what a stocktake finds comes from here."""


class StoreKind(StrEnum):
    """Whose store it is."""

    OFFICE = "office"
    BOX = "box"
    """Of a trainer."""
    PARTNER = "partner"


PLACE_NAMES = {
    PlaceKind.PRINTER: "Druckerei",
    PlaceKind.STORE: "Lager",
    PlaceKind.ORGANISATION: "Organisation",
    PlaceKind.EVENT: "Veranstaltung",
    PlaceKind.OTHER: "andere Stelle",
    PlaceKind.RETURN: "Rückgabe",
    PlaceKind.LOSS: "Verlust",
}
STORE_KIND_NAMES = {
    StoreKind.OFFICE: "Geschäftsstelle",
    StoreKind.BOX: "Box einer Trainerin oder eines Trainers",
    StoreKind.PARTNER: "Lager eines Partners",
}


class CardFile(Base):
    """A file that the office has uploaded: the picture of a card, or its PDF."""

    __tablename__ = "card_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    media_type: Mapped[str] = mapped_column(String(40))
    size: Mapped[int]
    uploaded_at: Mapped[datetime]
    content: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)


class CardType(Base):
    """A card, such as „Schütze dich und dein Team vor Gewalt“; its title is data, not code."""

    __tablename__ = "card_types"
    __table_args__ = (CheckConstraint("reorder_level >= 0", name="reorder_level_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(160))
    sort_key: Mapped[str] = mapped_column(String(200), index=True)
    description: Mapped[str] = mapped_column(Text, default="")
    """For whom it is and what it says; shown where cards are ordered."""
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("card_files.id"))
    reorder_level: Mapped[int] = mapped_column(default=0)
    """With fewer cards free for orders than this, boxes left out, the office is told; 0: never."""
    reorder_told_at: Mapped[datetime | None]
    """When the office was told; empty again as soon as there are enough."""
    retired_at: Mapped[datetime | None]

    picture: Mapped[CardFile | None] = relationship()
    editions: Mapped[list[Edition]] = relationship(
        back_populates="card_type", order_by="Edition.running"
    )


class Edition(Base):
    """One printing of a card (Auflage)."""

    __tablename__ = "card_editions"
    __table_args__ = (
        Index(None, "card_type_id", "running", unique=True),
        CheckConstraint("quantity > 0", name="quantity_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    card_type_id: Mapped[int] = mapped_column(ForeignKey("card_types.id"))
    running: Mapped[int]
    """First, second, … edition of the card: cards of the lowest one leave first."""
    printed_on: Mapped[date]
    quantity: Mapped[int]
    """As many as were ordered from the printer; what came is in the journal."""
    code: Mapped[str] = mapped_column(String(16), unique=True, default=new_code)
    """Printed on the card as a QR code: `/karte/CODE`."""
    landing_text: Mapped[str] = mapped_column(Text, default="")
    pdf_id: Mapped[int | None] = mapped_column(ForeignKey("card_files.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(String(LONGEST_REASON), default="")

    card_type: Mapped[CardType] = relationship(back_populates="editions")
    pdf: Mapped[CardFile | None] = relationship()


class Store(Base):
    """A place where cards are kept: the office, a trainer's box, a partner's store."""

    __tablename__ = "card_stores"
    __table_args__ = (
        CheckConstraint("(kind = 'box') = (person_id IS NOT NULL)", name="box_has_a_trainer"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[StoreKind] = mapped_column(choice(StoreKind))
    name: Mapped[str] = mapped_column(String(120), info=personal(Retention.PERSON))
    """A box is mostly called after its trainer."""
    sort_key: Mapped[str] = mapped_column(String(200), index=True, info=personal(Retention.PERSON))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), unique=True)
    """The trainer whose box it is."""
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    """The partner whose store it is."""
    retired_at: Mapped[datetime | None]

    person: Mapped[Person | None] = relationship()
    organisation: Mapped[Organisation | None] = relationship()


class Movement(Base):
    """Cards of one edition went from one place to another; rows are only ever added."""

    __tablename__ = "card_movements"
    __table_args__ = (
        CheckConstraint(f"quantity > 0 AND quantity <= {LARGEST_QUANTITY}", name="quantity"),
        CheckConstraint("(source = 'store') = (source_store_id IS NOT NULL)", name="source_store"),
        CheckConstraint("(target = 'store') = (target_store_id IS NOT NULL)", name="target_store"),
        CheckConstraint("source = 'store' OR target = 'store'", name="a_store_on_one_side"),
        CheckConstraint("source_store_id <> target_store_id", name="not_into_itself"),
        CheckConstraint(
            "(source <> 'organisation' AND target <> 'organisation') "
            "OR organisation_id IS NOT NULL",
            name="names_the_organisation",
        ),
        CheckConstraint(
            "(source <> 'event' AND target <> 'event') OR event_id IS NOT NULL",
            name="names_the_event",
        ),
        CheckConstraint("reverses_id IS NULL OR reverses_id <> id", name="not_of_itself"),
        Index(None, "edition_id", "at"),
        Index(None, "source_store_id", "at"),
        Index(None, "target_store_id", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(KEY_LENGTH), unique=True)
    """Of the form or the step that booked it: a repeated submit finds it and books nothing."""
    at: Mapped[datetime] = mapped_column(index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    """Who booked it; empty: the application itself."""
    edition_id: Mapped[int] = mapped_column(ForeignKey("card_editions.id"))
    quantity: Mapped[int]
    source: Mapped[PlaceKind] = mapped_column(choice(PlaceKind, "source"))
    source_store_id: Mapped[int | None] = mapped_column(ForeignKey("card_stores.id"))
    target: Mapped[PlaceKind] = mapped_column(choice(PlaceKind, "target"))
    target_store_id: Mapped[int | None] = mapped_column(ForeignKey("card_stores.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisations.id"), index=True)
    organisation_kind: Mapped[OrganisationKind | None] = mapped_column(choice(OrganisationKind))
    """What kind the organisation was then: statistics read the snapshot."""
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"), index=True)
    """Where they were handed out, or for which event a box was filled or emptied."""
    registration_id: Mapped[int | None] = mapped_column(ForeignKey("registrations.id"), index=True)
    """Who got them at the event, if that was recorded person by person."""
    order_id: Mapped[int | None] = mapped_column(ForeignKey("card_orders.id"), index=True)
    stocktake_id: Mapped[int | None] = mapped_column(ForeignKey("stocktakes.id"), index=True)
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("card_movements.id"), unique=True)
    """The movement that this one takes back; each can be taken back once."""
    reason: Mapped[str] = mapped_column(
        String(LONGEST_REASON), default="", info=personal(Retention.PERSON)
    )
    """Names who got the cards if that was no organisation of the register."""

    edition: Mapped[Edition] = relationship()
    source_store: Mapped[Store | None] = relationship(foreign_keys=[source_store_id])
    target_store: Mapped[Store | None] = relationship(foreign_keys=[target_store_id])
    organisation: Mapped[Organisation | None] = relationship()
    event: Mapped[Event | None] = relationship()
    person: Mapped[Person | None] = relationship()
    reverses: Mapped[Movement | None] = relationship(remote_side="Movement.id")


class Balance(Base):
    """How many cards of an edition lie in a store: the sum of the journal, kept for speed.

    It changes in the transaction of the movement, under the lock of the store.
    """

    __tablename__ = "card_balances"
    __table_args__ = (CheckConstraint("quantity >= 0", name="not_below_zero"),)

    store_id: Mapped[int] = mapped_column(ForeignKey("card_stores.id"), primary_key=True)
    edition_id: Mapped[int] = mapped_column(
        ForeignKey("card_editions.id"), primary_key=True, index=True
    )
    quantity: Mapped[int] = mapped_column(default=0)

    store: Mapped[Store] = relationship()
    edition: Mapped[Edition] = relationship()


class Reservation(Base):
    """Cards of an edition that a store holds for an approved order; free = balance - held."""

    __tablename__ = "card_reservations"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity_positive"),
        Index(None, "store_id", "edition_id", "ended_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("card_orders.id"), index=True)
    store_id: Mapped[int] = mapped_column(ForeignKey("card_stores.id"))
    edition_id: Mapped[int] = mapped_column(ForeignKey("card_editions.id"), index=True)
    quantity: Mapped[int]
    until: Mapped[datetime] = mapped_column(index=True)
    """From then on it holds nothing, whether or not anybody has noticed yet."""
    ended_at: Mapped[datetime | None]
    """Sent, given up, run out, or replaced by a hold of other cards."""

    edition: Mapped[Edition] = relationship()
    store: Mapped[Store] = relationship()
