"""Tells the office when a card is running low: once, until there are enough again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.outbox import post
from trainings.core.permissions import Role
from trainings.core.settings import current_settings
from trainings.inventory.models import CardType
from trainings.inventory.reports.mails import low_stock_mail
from trainings.inventory.reports.outlook import Lying, load_lying, load_outlooks
from trainings.people.information import post_to_person
from trainings.people.models import Account, Person, PersonRole


def warn_of_low_stock(session: Session, now: datetime) -> int:
    """Tell the office of cards of which fewer are free than their reorder level.

    Another process that does the same waits for the rows of the cards, then finds that the office
    was told.

    Args:
        session: the open transaction.
        now: the present instant.

    Returns:
        How many cards it told of.

    """
    cards = session.scalars(
        select(CardType)
        .where(CardType.retired_at.is_(None))
        .order_by(CardType.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    lying = load_lying(session, now) if cards else {}
    low = []
    for card in cards:
        is_low = lying.get(card.id, Lying()).free < card.reorder_level
        if is_low and card.reorder_told_at is None:
            card.reorder_told_at = now
            low.append(card)
        elif not is_low:
            card.reorder_told_at = None
    if low:
        _tell(session, low, now)
    return len(low)


def _tell(session: Session, low: list[CardType], now: datetime) -> None:
    outlooks = {outlook.card_id: outlook for outlook in load_outlooks(session, now)}
    office = _coordinators(session)
    settings = current_settings()
    for card in low:
        found = outlooks[card.id]
        mail = low_stock_mail(found)
        for person in office:
            post_to_person(session, person, kind="card_stock_low", mail=mail, now=now)
        if not office:
            post(
                session,
                kind="card_stock_low",
                to=settings.office_address[-1],
                name=settings.office,
                mail=mail,
                now=now,
            )
        record(
            session, SYSTEM, "card_reorder_told", card, now,
            free=found.lying.free, reorder_level=card.reorder_level,
        )  # fmt: skip


def _coordinators(session: Session) -> list[Person]:
    """Return those who do the office's work: who holds the role and can log in."""
    return list(
        session.scalars(
            select(Person)
            .join(PersonRole, PersonRole.person_id == Person.id)
            .join(Account, Account.person_id == Person.id)
            .where(
                PersonRole.role == Role.COORDINATOR,
                Person.anonymised_at.is_(None),
                Account.disabled_at.is_(None),
            )
            .order_by(Person.id)
        )
    )
