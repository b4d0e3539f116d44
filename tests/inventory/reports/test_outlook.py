"""What is free, how long it lasts, and that the office is told once."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.factories import berlin, make_event, make_person
from tests.inventory.factories import fill, make_card, make_store
from tests.inventory.reports.booked import Shelf, make_shelf
from tests.statements import counted_statements
from trainings.core.audit import AuditEntry
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.inventory.holds import hold
from trainings.inventory.ledger import lock_all_stores
from trainings.inventory.models import PlaceKind, StoreKind
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.reports.outlook import Lying, load_lying, load_outlooks
from trainings.inventory.reports.rules import Flow, month_of
from trainings.inventory.reports.sweeps import warn_of_low_stock

pytestmark = pytest.mark.both_databases
THIS_MONTH = month_of(berlin_day(NOW))
LATER = timedelta(hours=1)


def hold_some(session: Session, shelf: Shelf, quantity: int) -> None:
    order = CardOrder(
        number="TK-1", state=OrderState.APPROVED, requested_at=NOW, name="E", email="e@b.example",
        organisation_name="Stadt", recipient="Stadt", street="Weg 1", postcode="45127",
        town="Essen", purpose="Dienst",
    )  # fmt: skip
    session.add(order)
    session.flush()
    until = NOW + timedelta(days=14)
    locked = lock_all_stores(session, NOW)
    hold(locked, order.id, shelf.store.id, shelf.card, quantity=quantity, until=until)


def test_free_is_what_may_be_given_to_anybody(app: Flask) -> None:
    with transaction() as session:
        shelf = make_shelf(session, 100, editions=2)
        partner = make_store(session, "Lager Bochum", kind=StoreKind.PARTNER)
        box = make_store(session, "Box", person=make_person(session))
        fill(session, partner, shelf.card.editions[1], 30)
        fill(session, box, shelf.card.editions[1], 20)
        hold_some(session, shelf, 110)
        assert load_lying(session, NOW) == {shelf.card.id: Lying(120, 110, 20)}
        shelf.card.editions[0].withdrawn_at = NOW
        session.flush()
        assert load_lying(session, NOW) == {shelf.card.id: Lying(120, 10, 20)}
        assert load_lying(session, NOW + timedelta(days=14))[shelf.card.id].free == 130


def test_consumption_is_net_and_by_month_of_berlin(app: Flask) -> None:
    with transaction() as session:
        shelf = make_shelf(session)
        for back in range(1, 13):
            shelf.give(100, THIS_MONTH.shifted(-back).begins_at)
        last = THIS_MONTH.shifted(-1)
        shelf.take(30, last.after.begins_at - LATER)
        shelf.give(8, last.begins_at + LATER, to=PlaceKind.LOSS)
        event = make_event(session)
        wrong = shelf.give(999, last.begins_at, to=PlaceKind.EVENT, event_id=event.id)
        shelf.reverse(wrong, NOW)
        shelf.give(50, NOW)
        (outlook,) = load_outlooks(session, NOW)
        assert len(outlook.months) == 24
        assert outlook.months[last] == Flow(given=100, returned=30, lost=8)
        assert outlook.months[THIS_MONTH] == Flow(given=50)
        assert outlook.forecast.consumed == 1170
        assert outlook.forecast.free == 5000 - 1170 - 50 - 8
        assert outlook.forecast.weeks is not None


def test_a_new_card_has_no_forecast_and_a_retired_one_is_left_out(app: Flask) -> None:
    with transaction() as session:
        shelf = make_shelf(session)
        shelf.card.retired_at = NOW
        fresh, store = make_card(session, "Neue Karte"), make_store(session)
        fill(session, store, fresh.editions[0], 500, now=NOW - timedelta(days=40))
        empty = make_card(session, "Zu drucken")
        session.flush()
        assert [outlook.card_id for outlook in load_outlooks(session, NOW)] == [fresh.id, empty.id]
        assert not any(outlook.forecast.has_history for outlook in load_outlooks(session, NOW))


def mails(session: Session) -> list[OutgoingMail]:
    session.flush()
    return list(session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def a_low_shelf(session: Session) -> Shelf:
    make_person(session, roles=(Role.COORDINATOR,), email="wiebke@sikoruhr.example")
    make_person(session, roles=(Role.TRAINER,))
    shelf = make_shelf(session, 1_000)
    shelf.card.reorder_level = 300
    for back in range(1, 13):
        shelf.give(61, berlin(THIS_MONTH.shifted(-back).first, 9))
    session.flush()
    return shelf


def test_the_office_is_told_once_until_there_were_enough_again(app: Flask) -> None:
    with transaction() as session:
        shelf = a_low_shelf(session)
        assert warn_of_low_stock(session, NOW) == 1
        (mail,) = mails(session)
        assert mail.recipient == "wiebke@sikoruhr.example"
        assert shelf.card.title in mail.subject
        words = " ".join(mail.mail.paragraphs)
        assert "noch 268 Karten frei" in words
        assert "Meldebestand von 300" in words
        assert "noch 19 Wochen, bis" in words
        assert mail.mail.link == ("Zur Vorschau", f"/taschenkarten/vorschau#karte-{shelf.card.id}")
        assert warn_of_low_stock(session, NOW + LATER) == 0
        shelf.take(32, NOW + LATER, source=PlaceKind.PRINTER)
        assert warn_of_low_stock(session, NOW + 2 * LATER) == 0
        assert len(mails(session)) == 1
        shelf.give(1, NOW + 3 * LATER)
        assert warn_of_low_stock(session, NOW + 4 * LATER) == 1
        assert len(mails(session)) == 2
        (entry, _) = session.scalars(
            select(AuditEntry).where(AuditEntry.action == "card_reorder_told")
        )
        assert entry.details == {"free": 268, "reorder_level": 300}


def test_several_workers_at_once_tell_the_office_once(app: Flask) -> None:
    with transaction() as session:
        a_low_shelf(session)

    def sweep() -> int:
        with transaction() as session:
            return warn_of_low_stock(session, NOW)

    assert sorted(run_together(app, [sweep] * 4)) == [0, 0, 0, 1]
    assert len(mails(db.session())) == 1


def test_exactly_the_level_is_enough_and_a_hold_counts(app: Flask) -> None:
    with transaction() as session:
        shelf = a_low_shelf(session)
        shelf.card.reorder_level = 268
        session.flush()
        assert warn_of_low_stock(session, NOW) == 0
        hold_some(session, shelf, 1)
        assert warn_of_low_stock(session, NOW) == 1


def test_nobody_is_told_of_cards_without_a_level_or_that_are_retired(app: Flask) -> None:
    with transaction() as session:
        make_shelf(session, 1)
        retired = make_shelf(session, 1).card
        retired.reorder_level, retired.retired_at = 100, NOW
        session.flush()
        assert warn_of_low_stock(session, NOW) == 0
        assert mails(session) == []


def test_without_a_coordinator_the_office_is_told_at_its_address(app: Flask) -> None:
    with transaction() as session:
        make_shelf(session, 1).card.reorder_level = 5
        session.flush()
        assert warn_of_low_stock(session, NOW) == 1
        (mail,) = mails(session)
        assert mail.recipient == "poststelle@sikoruhr.nrw.de"
        assert "noch zu wenig" not in mail.subject
        assert "ist noch 1 Karte frei" in mail.mail.paragraphs[0]


def test_an_outlook_costs_the_same_with_one_card_and_with_thirty(app: Flask) -> None:
    costs = []
    for cards in (1, 29):
        with transaction() as session:
            for _ in range(cards):
                make_shelf(session, 10).give(3, berlin(date(2026, 1, 5), 9))
        with transaction() as session, counted_statements() as statements:
            load_outlooks(session, NOW)
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 7
