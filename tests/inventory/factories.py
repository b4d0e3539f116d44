"""Makes cards, stores and what lies in them for tests."""

from __future__ import annotations

import itertools
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import LONG_AGO
from trainings.core.actors import SYSTEM, Actor
from trainings.core.text import sort_key
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import (
    Balance,
    CardType,
    Edition,
    Movement,
    PlaceKind,
    Store,
    StoreKind,
)
from trainings.inventory.orders.models import (
    CardOrder,
    CardOrderLine,
    CardOrderStep,
    OrderState,
)
from trainings.inventory.rules import PRINTER, in_store
from trainings.organisations.models import Organisation
from trainings.people.models import Person

_serials = itertools.count(1)
TITLE = "Schütze dich und dein Team vor Gewalt"


def new_key() -> str:
    """Return a key that no other movement has."""
    return f"test-{next(_serials)}"


def make_card(session: Session, title: str = TITLE, *, editions: int = 1) -> CardType:
    """Add a card with some editions of 10,000."""
    card = CardType(title=title, sort_key=sort_key(title))
    session.add(card)
    session.flush()
    for running in range(1, editions + 1):
        make_edition(session, card, running=running)
    return card


def make_edition(session: Session, card: CardType, *, running: int) -> Edition:
    """Add an edition of a card."""
    edition = Edition(
        card_type=card, running=running, printed_on=date(2024, running, 1), quantity=10_000
    )
    session.add(edition)
    session.flush()
    return edition


def make_store(
    session: Session,
    name: str = "Lager Essen",
    *,
    kind: StoreKind = StoreKind.OFFICE,
    person: Person | None = None,
) -> Store:
    """Add a store; with a person it is their box."""
    store = Store(
        kind=StoreKind.BOX if person else kind, name=name, sort_key=sort_key(name), person=person
    )
    session.add(store)
    session.flush()
    return store


def fill(
    session: Session,
    store: Store,
    edition: Edition,
    quantity: int,
    *,
    now: datetime = LONG_AGO,
    actor: Actor = SYSTEM,
) -> Movement:
    """Receive cards from the printer."""
    booking = Booking(edition.id, quantity, PRINTER, in_store(store.id))
    return lock_stores(session, [store.id], now).book(actor, booking, key=new_key())


def balance(session: Session, store: Store, edition: Edition) -> int:
    """Return the stored balance, 0 if there is none."""
    return (
        session.scalar(
            select(Balance.quantity).where(
                Balance.store_id == store.id, Balance.edition_id == edition.id
            )
        )
        or 0
    )


def journal_sum(session: Session, store: Store, edition: Edition) -> int:
    """Return what the journal says lies in a store."""

    def moved(column: object) -> int:
        return (
            session.scalar(
                select(func.sum(Movement.quantity)).where(
                    column == store.id,
                    Movement.edition_id == edition.id,
                )
            )
            or 0
        )

    return moved(Movement.target_store_id) - moved(Movement.source_store_id)


def in_circulation(session: Session, edition: Edition) -> int:
    """Return how many cards came from the printer, and did not go back there."""

    def of(column: object) -> int:
        return (
            session.scalar(
                select(func.sum(Movement.quantity)).where(
                    column == PlaceKind.PRINTER,
                    Movement.edition_id == edition.id,
                )
            )
            or 0
        )

    return of(Movement.source) - of(Movement.target)


def make_order(
    session: Session,
    card: CardType | None = None,
    quantity: int = 100,
    *,
    number: str = "",
    organisation: Organisation | None = None,
    person: Person | None = None,
    state: OrderState = OrderState.REQUESTED,
    approved: int | None = None,
    at: datetime = LONG_AGO,
) -> CardOrder:
    """Add an order as it came in; without a card it has no lines.

    With another state, or cards approved, it is one that only looks like that: nothing is held.
    """
    line = (
        CardOrderLine(card_type_id=card.id, requested=quantity, approved=approved) if card else None
    )
    order = CardOrder(
        number=number or f"TK-2026-{next(_serials) + 5000:04d}",
        state=state,
        requested_at=at,
        confirmed_at=None if state is OrderState.UNCONFIRMED else at,
        person=person,
        name=person.name if person else "Käthe Öztürk",
        email=person.email if person else "kaethe@stadt.example",
        organisation=organisation,
        organisation_name=organisation.name if organisation else "Verein Ruhr",
        recipient="Poststelle",
        street="Rathausplatz 1",
        postcode="45127",
        town="Essen",
        purpose="Für die Streifen",
        lines=[line] if line else [],
        steps=[CardOrderStep(at=at, to_state=state)],
    )
    session.add(order)
    session.flush()
    return order
