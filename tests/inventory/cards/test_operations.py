"""Cards, editions, and what withdrawing one does to the orders that hold some."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import make_event
from tests.inventory.cards.files import PDF, picture
from tests.inventory.factories import fill, make_card, make_order, make_store
from trainings.core.actors import SYSTEM
from trainings.core.audit import AuditEntry
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.inventory.cards.operations import (
    CardData,
    EditionData,
    create_card,
    create_edition,
    delete_card,
    delete_edition,
    update_card,
    update_edition,
)
from trainings.inventory.cards.uploads import read_pdf, read_picture
from trainings.inventory.cards.withdrawing import (
    RestoreReason,
    Withdrawal,
    restore_edition,
    withdraw_edition,
)
from trainings.inventory.handouts.models import EventCards
from trainings.inventory.holds import hold
from trainings.inventory.ledger import lock_stores
from trainings.inventory.models import CardFile, Edition, Reservation
from trainings.inventory.orders.models import OrderState
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState

pytestmark = pytest.mark.both_databases
UNTIL = NOW + timedelta(days=14)


def code_of(work: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(DomainError) as refusal:
        work(*args, **kwargs)  # type: ignore[operator]
    return refusal.value.code


def data(**changes: object) -> EditionData:
    return EditionData(
        **{"printed_on": date(2026, 1, 5), "quantity": 100, "landing_text": "", **changes}
    )  # type: ignore[arg-type]


def files(session: Session) -> int:
    return session.scalar(select(func.count()).select_from(CardFile)) or 0


def test_editions_are_numbered_one_after_the_other(app: Flask) -> None:
    with transaction() as session:
        card = create_card(session, SYSTEM, CardData("Schütze dich", "", 0), now=NOW)
        made = [create_edition(session, SYSTEM, card.id, data(), now=NOW) for _ in range(3)]
        assert [edition.running for edition in made] == [1, 2, 3]
        assert len({edition.code for edition in made}) == 3
        assert code_of(create_edition, session, SYSTEM, card.id, data(quantity=0), now=NOW) == (
            "bad_quantity"
        )
        assert code_of(create_edition, session, SYSTEM, 999, data(), now=NOW) == "not_found"


def test_a_new_file_replaces_the_old_one_and_nothing_else_does(app: Flask) -> None:
    first, second = (read_picture(name, picture()) for name in ("a.png", "b.png"))
    with transaction() as session:
        card = create_card(session, SYSTEM, CardData("Karte", "", 0, first), now=NOW)
        update_card(session, SYSTEM, card.id, CardData("Neu", "", 5), now=NOW)
        assert (card.title, card.picture.name if card.picture else "") == ("Neu", "a.png")
        update_card(session, SYSTEM, card.id, CardData("Neu", "", 5, second), now=NOW)
        session.flush()
        assert (card.picture.name if card.picture else "", files(session)) == ("b.png", 1)
        edition = create_edition(
            session, SYSTEM, card.id, data(pdf=read_pdf("k.pdf", PDF)), now=NOW
        )
        update_edition(session, SYSTEM, edition.id, data(), now=NOW)
        assert edition.pdf
        update_edition(session, SYSTEM, edition.id, data(drop_pdf=True), now=NOW)
        without = CardData("Neu", "", 5, drop_picture=True)
        update_card(session, SYSTEM, card.id, without, now=NOW)
        session.flush()
        assert (edition.pdf, card.picture, files(session)) == (None, None, 0)


def test_what_is_a_mistake_is_deleted_with_its_files(app: Flask) -> None:
    with transaction() as session:
        card = create_card(
            session, SYSTEM, CardData("K", "", 0, read_picture("a", picture())), now=NOW
        )
        edition = create_edition(session, SYSTEM, card.id, data(pdf=read_pdf("k", PDF)), now=NOW)
        store = make_store(session)
        lock_stores(session, [store.id], NOW).stocks(store.id, [edition])
        assert code_of(delete_card, session, SYSTEM, card.id, now=NOW) == "card_in_use"
        delete_edition(session, SYSTEM, edition.id, now=NOW)
        session.expire_all()
        delete_card(session, SYSTEM, card.id, now=NOW)
        assert (files(session), session.scalar(select(Edition.id))) == (0, None)


@pytest.mark.parametrize("kind", ["movement", "reservation", "stocktake"])
def test_an_edition_with_a_history_stays(app: Flask, kind: str) -> None:
    with transaction() as session:
        card, store = make_card(session), make_store(session)
        edition = card.editions[0]
        if kind == "movement":
            fill(session, store, edition, 1)
        elif kind == "reservation":
            order = make_order(
                session, card, 1, number="TK-1", approved=1, state=OrderState.CANCELLED
            )
            session.add(Reservation(order_id=order.id, store_id=store.id, edition_id=edition.id,
                                    quantity=1, until=NOW, ended_at=NOW))  # fmt: skip
        else:
            take = Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=NOW)
            take.lines = [StocktakeLine(edition_id=edition.id)]
            session.add(take)
        session.flush()
        assert code_of(delete_edition, session, SYSTEM, edition.id, now=NOW) == "edition_in_use"


@pytest.mark.parametrize("kind", ["order", "event"])
def test_a_card_that_somebody_asked_for_stays(app: Flask, kind: str) -> None:
    with transaction() as session:
        card = make_card(session, editions=0)
        if kind == "order":
            make_order(session, card, 1, number="TK-1", approved=1, state=OrderState.DECLINED)
        else:
            session.add(
                EventCards(event_id=make_event(session).id, card_type_id=card.id, planned=5)
            )
            session.flush()
        assert code_of(delete_card, session, SYSTEM, card.id, now=NOW) == "card_in_use"


def test_orders_get_another_edition_or_are_named(app: Flask) -> None:
    with transaction() as session:
        card, store = make_card(session, editions=2), make_store(session)
        first, second = card.editions
        fill(session, store, first, 100)
        fill(session, store, second, 60)
        orders = [
            make_order(session, card, wanted, number=f"TK-{index}", approved=wanted, state=state)
            for index, (wanted, state) in enumerate(
                [(40, OrderState.APPROVED), (30, OrderState.PICKED), (5, OrderState.REQUESTED)]
            )
        ]
        for order, wanted in zip(orders, (40, 30), strict=False):
            locked = lock_stores(session, [store.id], NOW)
            hold(locked, order.id, store.id, card, quantity=wanted, until=UNTIL)
        done = withdraw_edition(session, SYSTEM, first.id, reason="Druckfehler", now=NOW)
        assert done == Withdrawal(missing=(("TK-1", 10),), moved=("TK-0",), unpacked=("TK-1",))
        assert [order.state for order in orders] == [
            OrderState.APPROVED,
            OrderState.APPROVED,
            OrderState.REQUESTED,
        ]
        assert "zurückgezogen" in orders[1].steps[-1].reason
        stocks = lock_stores(session, [store.id], NOW).stocks(store.id, [first, second])
        assert [stock.held for stock in stocks] == [0, 60]
        again = code_of(withdraw_edition, session, SYSTEM, first.id, reason="x", now=NOW)
        assert again == "already_withdrawn"


def test_an_edition_is_handed_out_again_and_the_audit_keeps_why(app: Flask) -> None:
    with transaction() as session:
        edition = make_card(session).editions[0]
        why = RestoreReason.MISTAKE
        early = code_of(restore_edition, session, SYSTEM, edition.id, reason=why, now=NOW)
        assert early == "not_withdrawn"
        assert withdraw_edition(session, SYSTEM, edition.id, reason="x", now=NOW) == Withdrawal(
            (), (), ()
        )
        restore_edition(session, SYSTEM, edition.id, reason=why, now=NOW)
        assert (edition.withdrawn_at, edition.withdrawn_reason) == (None, "")
        kept = select(AuditEntry.details).where(AuditEntry.action == "card_edition_restored")
        assert session.scalar(kept) == {"reason": "mistake"}
        assert code_of(withdraw_edition, session, SYSTEM, 999, reason="x", now=NOW) == "not_found"
