"""Cards and their editions: adding, changing, putting aside and, without a history, deleting."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.text import sort_key
from trainings.inventory.cards.uploads import CheckedFile
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.ledger import lock_all_stores
from trainings.inventory.models import (
    Balance,
    CardFile,
    CardType,
    Edition,
    Movement,
    Reservation,
)
from trainings.inventory.orders.models import CardOrderLine
from trainings.inventory.rules import check_quantity
from trainings.inventory.stocktakes.models import StocktakeLine


@dataclass(frozen=True)
class CardData:
    """A card as the office describes it.

    Attributes:
        title: 1 to 160 letters.
        description: for whom it is; may be empty.
        reorder_level: with fewer cards free for orders than this the office is told; 0: never.
        picture: a new picture; None keeps the one that is there.
        drop_picture: take the picture away.

    """

    title: str
    description: str
    reorder_level: int
    picture: CheckedFile | None = None
    drop_picture: bool = False


@dataclass(frozen=True)
class EditionData:
    """A printing as the office describes it.

    Attributes:
        printed_on: day of the print.
        quantity: as many as were ordered from the printer, from 1 to `LARGEST_QUANTITY`.
        landing_text: shown on the page behind the code; may be empty.
        pdf: a new PDF; None keeps the one that is there.
        drop_pdf: take the PDF away.

    """

    printed_on: date
    quantity: int
    landing_text: str
    pdf: CheckedFile | None = None
    drop_pdf: bool = False


def create_card(session: Session, actor: Actor, data: CardData, *, now: datetime) -> CardType:
    """Add a card, still without an edition."""
    card = CardType(reorder_told_at=None, retired_at=None)
    _apply_card(session, card, data, now)
    session.add(card)
    session.flush()
    record(session, actor, "card_added", card, now)
    return card


def update_card(
    session: Session, actor: Actor, card_id: int, data: CardData, *, now: datetime
) -> None:
    """Change a card.

    Raises:
        DomainError: `not_found`.

    """
    card = _lock_card(session, card_id)
    _apply_card(session, card, data, now)
    record(session, actor, "card_changed", card, now)


def set_card_retired(
    session: Session, actor: Actor, card_id: int, *, retired: bool, now: datetime
) -> None:
    """Offer a card no longer to those who order, or again; what is in stock stays bookable.

    Raises:
        DomainError: `not_found`.

    """
    card = _lock_card(session, card_id)
    card.retired_at = now if retired else None
    record(session, actor, "card_retired" if retired else "card_reactivated", card, now)


def delete_card(session: Session, actor: Actor, card_id: int, *, now: datetime) -> None:
    """Delete a card that was a mistake: nothing refers to it.

    Raises:
        DomainError: `not_found` or `card_in_use`.

    """
    card = _lock_card(session, card_id)
    if _refers(
        session,
        (Edition.card_type_id, card_id),
        (CardOrderLine.card_type_id, card_id),
        (EventCards.card_type_id, card_id),
    ):
        raise DomainError(
            "card_in_use",
            f"„{card.title}“ hat schon eine Auflage, eine Bestellung oder eine Veranstaltung und "
            "bleibt deshalb erhalten. Sie können die Karte stilllegen.",
        )
    record(session, actor, "card_deleted", card, now)
    picture = card.picture
    session.delete(card)
    session.flush()
    if picture is not None:
        session.delete(picture)


def create_edition(
    session: Session, actor: Actor, card_id: int, data: EditionData, *, now: datetime
) -> Edition:
    """Add the next edition of a card; its running number is given under the lock of the card.

    Raises:
        DomainError: `not_found` or `bad_quantity`.

    """
    card = _lock_card(session, card_id)
    last = session.scalar(select(func.max(Edition.running)).where(Edition.card_type_id == card_id))
    edition = Edition(card_type_id=card.id, running=(last or 0) + 1, withdrawn_at=None)
    _apply_edition(session, edition, data, now)
    session.add(edition)
    session.flush()
    record(session, actor, "card_edition_added", edition, now)
    return edition


def update_edition(
    session: Session, actor: Actor, edition_id: int, data: EditionData, *, now: datetime
) -> None:
    """Change an edition; number and code stay, since they are printed.

    Raises:
        DomainError: `not_found` or `bad_quantity`.

    """
    edition = session.scalar(
        select(Edition)
        .where(Edition.id == edition_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if edition is None:
        raise not_found()
    _apply_edition(session, edition, data, now)
    record(session, actor, "card_edition_changed", edition, now)


def delete_edition(session: Session, actor: Actor, edition_id: int, *, now: datetime) -> None:
    """Delete an edition that was a mistake: nothing was ever booked, held or counted of it.

    Raises:
        DomainError: `not_found` or `edition_in_use`.

    """
    lock_all_stores(session, now)
    edition = session.get(Edition, edition_id, populate_existing=True)
    if edition is None:
        raise not_found()
    if _refers(
        session,
        (Movement.edition_id, edition_id),
        (Reservation.edition_id, edition_id),
        (StocktakeLine.edition_id, edition_id),
    ):
        raise DomainError(
            "edition_in_use",
            "Von dieser Auflage ist schon etwas gebucht, vorgemerkt oder gezählt; sie bleibt "
            "deshalb erhalten. Sie können sie zurückziehen.",
        )
    record(session, actor, "card_edition_deleted", edition, now)
    pdf = edition.pdf
    # A look at an empty shelf leaves a balance of 0 behind.
    session.execute(delete(Balance).where(Balance.edition_id == edition_id))
    session.delete(edition)
    session.flush()
    if pdf is not None:
        session.delete(pdf)


def _apply_card(session: Session, card: CardType, data: CardData, now: datetime) -> None:
    card.title, card.sort_key = data.title, sort_key(data.title)
    card.description, card.reorder_level = data.description, data.reorder_level
    old = card.picture
    if data.picture is not None:
        card.picture = _keep(data.picture, now)
    elif data.drop_picture:
        card.picture = None
    _forget(session, old, card.picture)


def _apply_edition(session: Session, edition: Edition, data: EditionData, now: datetime) -> None:
    check_quantity(data.quantity)
    edition.printed_on, edition.quantity = data.printed_on, data.quantity
    edition.landing_text = data.landing_text
    old = edition.pdf
    if data.pdf is not None:
        edition.pdf = _keep(data.pdf, now)
    elif data.drop_pdf:
        edition.pdf = None
    _forget(session, old, edition.pdf)


def _keep(file: CheckedFile, now: datetime) -> CardFile:
    return CardFile(
        name=file.name,
        media_type=file.media_type,
        size=len(file.content),
        uploaded_at=now,
        content=file.content,
    )


def _forget(session: Session, old: CardFile | None, new: CardFile | None) -> None:
    if old is not None and old is not new:
        # The new row first: on SQLite it would else get the id, and with it the address, of the
        # file that it replaces.
        session.flush()
        session.delete(old)


def _refers(session: Session, *wanted: tuple[InstrumentedAttribute[Any], int]) -> bool:
    return bool(
        session.scalar(select(or_(*(exists().where(column == id_) for column, id_ in wanted))))
    )


def _lock_card(session: Session, card_id: int) -> CardType:
    card = session.scalar(
        select(CardType)
        .where(CardType.id == card_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if card is None:
        raise not_found()
    return card
