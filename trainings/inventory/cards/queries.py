"""Reads about cards and editions: for the office, for the page behind the code, and the files."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.errors import not_found
from trainings.inventory.models import (
    CODE_LENGTH,
    CODE_LETTERS,
    CardFile,
    CardType,
    Edition,
    Reservation,
)
from trainings.inventory.orders.models import CardOrder, CardOrderLine
from trainings.inventory.orders.rules import HOLDING


@dataclass(frozen=True)
class LandingPage:
    """What the public page behind a code shows.

    Attributes:
        edition: the edition on whose cards the code is, with its card.
        current: the newest edition that is handed out, if this one is withdrawn; else None.

    """

    edition: Edition
    current: Edition | None


@dataclass(frozen=True)
class HeldFor:
    """An order that holds cards of an edition."""

    number: str
    quantity: int


@dataclass(frozen=True)
class ShortOrder:
    """An approved order for which fewer cards are held than were approved."""

    number: str
    missing: int


def normalised_code(text: str) -> str | None:
    """Return a code as it is stored, however it was typed; None if it can be none.

    Args:
        text: in any case, with or without blanks and hyphens of all kinds.

    """
    code = "".join(sign for sign in text.upper() if sign.isalnum())
    return code if len(code) == CODE_LENGTH and set(code) <= set(CODE_LETTERS) else None


def landing_page(session: Session, text: str) -> LandingPage | None:
    """Return what the page behind a code shows; None for an unknown code. At most two statements.

    Args:
        session: the database session.
        text: the code as it was typed.

    """
    code = normalised_code(text)
    edition = code and session.scalar(
        select(Edition)
        .where(Edition.code == code)
        .options(joinedload(Edition.card_type), joinedload(Edition.pdf))
    )
    if not edition:
        return None
    current = None
    if edition.withdrawn_at is not None:
        current = session.scalar(
            select(Edition)
            .where(Edition.card_type_id == edition.card_type_id, Edition.withdrawn_at.is_(None))
            .order_by(Edition.running.desc())
            .limit(1)
        )
    return LandingPage(edition, current)


def find_card(session: Session, card_id: int) -> CardType:
    """Return a card.

    Raises:
        DomainError: `not_found`.

    """
    card = session.get(CardType, card_id, populate_existing=True)
    if card is None:
        raise not_found()
    return card


def find_edition(session: Session, edition_id: int) -> Edition:
    """Return an edition with its card and what is known of its PDF.

    Raises:
        DomainError: `not_found`.

    """
    edition = session.scalar(
        select(Edition)
        .where(Edition.id == edition_id)
        .options(joinedload(Edition.card_type), joinedload(Edition.pdf))
        .execution_options(populate_existing=True)
    )
    if edition is None:
        raise not_found()
    return edition


def picture_of(session: Session, card_id: int) -> CardFile | None:
    """Return what is known of a card's picture, without its bytes."""
    return session.scalar(
        select(CardFile)
        .join(CardType, CardType.picture_id == CardFile.id)
        .where(CardType.id == card_id)
    )


def content_of(session: Session, file_id: int) -> bytes:
    """Return the bytes of a file.

    Raises:
        DomainError: `not_found`: it was replaced in this moment.

    """
    content = session.scalar(select(CardFile.content).where(CardFile.id == file_id))
    if content is None:
        raise not_found()
    return content


def orders_holding(session: Session, edition_id: int) -> list[HeldFor]:
    """Return the orders for which cards of an edition are held, by number."""
    rows = session.execute(
        select(CardOrder.number, func.sum(Reservation.quantity))
        .join(Reservation, Reservation.order_id == CardOrder.id)
        .where(Reservation.edition_id == edition_id, Reservation.ended_at.is_(None))
        .group_by(CardOrder.number)
        .order_by(CardOrder.number)
    )
    return [HeldFor(number, int(quantity)) for number, quantity in rows]


def short_orders(session: Session, card_type_id: int) -> list[ShortOrder]:
    """Return the approved orders for which too few of a card are held, by number."""
    held = (
        select(func.coalesce(func.sum(Reservation.quantity), 0))
        .join(Edition, Edition.id == Reservation.edition_id)
        .where(
            Reservation.order_id == CardOrder.id,
            Reservation.ended_at.is_(None),
            Edition.card_type_id == card_type_id,
        )
        .correlate(CardOrder)
        .scalar_subquery()
    )
    rows = session.execute(
        select(CardOrder.number, func.coalesce(CardOrderLine.approved, 0) - held)
        .join(CardOrderLine, CardOrderLine.order_id == CardOrder.id)
        .where(
            CardOrder.state.in_(HOLDING),
            CardOrderLine.card_type_id == card_type_id,
            CardOrderLine.approved > held,
        )
        .order_by(CardOrder.number)
    )
    return [ShortOrder(number, int(missing)) for number, missing in rows]
