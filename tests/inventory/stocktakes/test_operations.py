"""Counting while movements go on; posting books the difference once and for all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import actor_for, make_person
from tests.inventory.factories import (
    balance,
    fill,
    journal_sum,
    make_card,
    make_order,
    make_store,
    new_key,
)
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.inventory.holds import hold
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Edition, Movement, PlaceKind, Store
from trainings.inventory.rules import OTHER, in_store
from trainings.inventory.stocktakes import operations
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState
from trainings.inventory.stocktakes.rules import fingerprint

pytestmark = pytest.mark.both_databases
MINUTE = timedelta(minutes=1)
LATER = NOW + timedelta(hours=1)


@dataclass
class Shelf:
    """A store with 100 cards of a first edition, none of a second one, and its stocktake."""

    office: Actor
    store_id: int
    first: int
    second: int
    stocktake_id: int = 0

    def count(self, cards: int, *, edition: int = 0, **when: Any) -> None:
        now = when.pop("now", NOW + MINUTE)
        with transaction() as session:
            operations.count_lines(
                session, self.office, self.stocktake_id, {edition or self.first: cards},
                now=now, **when,
            )  # fmt: skip

    def take(self, cards: int, at: datetime) -> None:
        with transaction() as session:
            booking = Booking(self.first, cards, in_store(self.store_id), OTHER)
            lock_stores(session, [self.store_id], at).book(self.office, booking, key=new_key())

    def post(self, reason: str = "verlegt", left_out: tuple[int, ...] = (), seen: str = "") -> None:
        with transaction() as session:
            operations.post_stocktake(
                session, self.office, self.stocktake_id,
                seen=seen or self.seen(session), reason=reason, left_out=left_out, now=LATER,
            )  # fmt: skip

    def seen(self, session: Session) -> str:
        lines = session.scalars(select(StocktakeLine)).all()
        return fingerprint((ln.edition_id, ln.counted, ln.book, ln.counted_at) for ln in lines)

    def line(self, edition: int = 0) -> StocktakeLine:
        db.session.remove()
        return db.session.get_one(StocktakeLine, (self.stocktake_id, edition or self.first))

    def balance(self, edition: int = 0) -> int:
        db.session.remove()
        session = db.session()
        store, card = (
            session.get_one(Store, self.store_id),
            session.get_one(Edition, edition or self.first),
        )
        assert balance(session, store, card) == journal_sum(session, store, card)
        return balance(session, store, card)


@pytest.fixture
def shelf(app: Flask) -> Shelf:
    with transaction() as session:
        office = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        card, store = make_card(session, editions=2), make_store(session)
        fill(session, store, card.editions[0], 100)
        made = Shelf(office, store.id, card.editions[0].id, card.editions[1].id)
        made.stocktake_id = operations.open_stocktake(session, office, store.id, NOW).id
    return made


def refused(work: Callable[[], object]) -> DomainError:
    with pytest.raises(DomainError) as refusal:
        work()
    return refusal.value


def test_lines_are_what_ever_lay_in_the_store(shelf: Shelf) -> None:
    with transaction() as session:
        other = make_store(session, "Anderes Lager")
        fill(session, other, session.get_one(Edition, shelf.second), 5)
        gone = make_card(session, "Andere").editions[0]
        fill(session, other, gone, 7)
        lock_stores(session, [other.id], NOW).book(
            shelf.office, Booking(gone.id, 7, in_store(other.id), OTHER), key=new_key()
        )
        # Looking at an edition leaves an empty balance: it never lay there.
        lock_stores(session, [other.id], NOW).balance(other.id, shelf.first)
        opened = operations.open_stocktake(session, shelf.office, other.id, NOW)
        assert [line.edition_id for line in opened.lines] == [shelf.second, gone.id]


def test_a_store_has_one_open_stocktake(shelf: Shelf) -> None:
    def again() -> None:
        with transaction() as session:
            operations.open_stocktake(session, shelf.office, shelf.store_id, LATER)

    refusal = refused(again)
    assert refusal.code == "stocktake_open"
    assert "läuft schon eine Inventur" in refusal.sentence
    shelf.count(100)
    shelf.post("")
    again()


def test_a_retired_store_is_not_counted(shelf: Shelf) -> None:
    with transaction() as session:
        store = make_store(session, "Alt")
        store.retired_at = NOW
        store_id = store.id
        session.get_one(Store, shelf.store_id).retired_at = NOW
    with transaction() as session:
        refusal = refused(lambda: operations.open_stocktake(session, shelf.office, store_id, NOW))
    assert refusal.code == "store_retired"
    shelf.count(100)
    assert refused(shelf.post).code == "store_retired"


def test_a_trainer_counts_the_own_box_only(shelf: Shelf) -> None:
    with transaction() as session:
        trainer, other = (make_person(session, roles=(Role.TRAINER,)) for _ in range(2))
        box = make_store(session, "Box", person=trainer).id
        mine, stranger = actor_for(trainer), actor_for(other)
    with transaction() as session:
        opened = operations.open_stocktake(session, mine, box, NOW).id
    for actor, store in ((mine, shelf.store_id), (stranger, box), (Actor(), box)):
        with transaction() as session:
            call = lambda: operations.open_stocktake(session, actor, store, NOW)  # noqa: B023, E731
            assert refused(call).code == "not_found"
    with transaction() as session:
        work = lambda: operations.count_lines(session, stranger, opened, {}, now=NOW)  # noqa: E731
        assert refused(work).code == "not_found"


def test_the_book_value_of_the_moment_is_kept_while_movements_go_on(shelf: Shelf) -> None:
    shelf.take(10, NOW + MINUTE)
    shelf.count(85, now=NOW + 2 * MINUTE)
    shelf.take(30, NOW + 3 * MINUTE)
    line = shelf.line()
    assert (line.counted, line.book, line.counted_at) == (85, 90, NOW + 2 * MINUTE)
    shelf.post()
    assert shelf.balance() == 55
    moved = db.session.scalars(select(Movement).where(Movement.stocktake_id.is_not(None))).one()
    assert (moved.quantity, moved.target, moved.reason) == (5, PlaceKind.LOSS, "verlegt")
    stocktake = db.session.get_one(Stocktake, shelf.stocktake_id)
    assert (stocktake.state, stocktake.finished_at) == (StocktakeState.POSTED, LATER)


def test_a_list_on_paper_gets_the_book_value_of_its_moment(shelf: Shelf) -> None:
    shelf.take(10, NOW + MINUTE)
    shelf.take(20, NOW + 10 * MINUTE)
    with transaction() as session:
        fill(session, session.get_one(Store, shelf.store_id),
             session.get_one(Edition, shelf.first), 500, now=NOW + 11 * MINUTE)  # fmt: skip
    shelf.count(88, counted_at=NOW + 5 * MINUTE, now=LATER)
    assert (shelf.line().book, shelf.line().counted_at) == (90, NOW + 5 * MINUTE)
    shelf.post()
    assert shelf.balance() == 568


def test_what_left_in_the_very_moment_had_left_when_it_was_counted(shelf: Shelf) -> None:
    shelf.take(10, NOW + MINUTE)
    shelf.count(90, counted_at=NOW + MINUTE, now=LATER)
    assert shelf.line().book == 90


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (NOW - MINUTE, "counted_before_opening"),
        (LATER + MINUTE, "counted_in_the_future"),
    ],
)
def test_nobody_counts_before_the_opening_or_in_the_future(
    shelf: Shelf, moment: datetime, code: str
) -> None:
    assert refused(lambda: shelf.count(1, counted_at=moment, now=LATER)).code == code
    assert shelf.line().counted is None


def test_counting_again_replaces_the_line_and_leaves_a_trace(shelf: Shelf) -> None:
    shelf.count(90)
    shelf.take(4, NOW + 2 * MINUTE)
    shelf.count(96, now=NOW + 3 * MINUTE)
    assert (shelf.line().counted, shelf.line().book) == (96, 96)
    traces = db.session.scalars(
        select(AuditEntry.details).where(AuditEntry.action == "stocktake_counted")
    ).all()
    assert traces[-1]["counted_before"] == 90
    shelf.post("")
    assert shelf.balance() == 96


def test_an_edition_found_is_added_and_comes_out_of_the_losses(shelf: Shelf) -> None:
    with transaction() as session:
        operations.add_line(session, shelf.office, shelf.stocktake_id, shelf.second, NOW)
    with transaction() as session:
        again = refused(
            lambda: operations.add_line(
                session, shelf.office, shelf.stocktake_id, shelf.second, NOW
            )
        )
    assert again.code == "already_listed"
    shelf.count(12, edition=shelf.second)
    shelf.count(100)
    shelf.post("im Schrank gefunden")
    assert (shelf.balance(), shelf.balance(shelf.second)) == (100, 12)


def test_only_listed_editions_are_counted_and_only_whole_numbers(shelf: Shelf) -> None:
    assert refused(lambda: shelf.count(1, edition=shelf.second)).code == "not_found"
    for wrong in (-1, 10**12):
        assert refused(lambda: shelf.count(wrong)).code == "bad_quantity"  # noqa: B023
    shelf.count(0)
    assert shelf.line().counted == 0


def test_what_was_taken_since_asks_to_count_again(shelf: Shelf) -> None:
    shelf.count(40)
    shelf.take(70, NOW + 2 * MINUTE)
    refusal = refused(shelf.post)
    assert refusal.code == "taken_since"
    assert "noch einmal" in refusal.sentence
    assert shelf.balance() == 30
    shelf.count(28, now=NOW + 3 * MINUTE)
    shelf.post()
    assert shelf.balance() == 28


def test_held_cards_that_are_missing_are_booked_all_the_same(shelf: Shelf) -> None:
    with transaction() as session:
        locked = lock_stores(session, [shelf.store_id], NOW)
        card = session.get_one(Edition, shelf.first).card_type
        hold(locked, make_order(session).id, shelf.store_id, card, quantity=90,
             until=NOW + timedelta(days=9))  # fmt: skip
    shelf.count(50)
    shelf.post()
    assert shelf.balance() == 50


def test_a_withdrawn_edition_is_counted_and_written_off(shelf: Shelf) -> None:
    with transaction() as session:
        session.get_one(Edition, shelf.first).withdrawn_at = NOW
    shelf.count(0)
    shelf.post("vernichtet")
    assert shelf.balance() == 0


def test_what_nobody_counted_is_counted_or_left_out(shelf: Shelf) -> None:
    with transaction() as session:
        operations.add_line(session, shelf.office, shelf.stocktake_id, shelf.second, NOW)
    assert refused(shelf.post).code == "nothing_counted"
    assert refused(lambda: shelf.post(left_out=(shelf.first, shelf.second))).code == (
        "nothing_counted"
    )
    shelf.count(99)
    refusal = refused(shelf.post)
    assert (refusal.code, refusal.field) == ("not_counted", "left_out")
    assert "Auflage 2" in refusal.sentence
    shelf.post(left_out=(shelf.first, shelf.second))
    assert shelf.balance() == 99
    assert shelf.line(shelf.second).counted is None


def test_a_difference_needs_a_reason(shelf: Shelf) -> None:
    shelf.count(99)
    assert refused(lambda: shelf.post(" ")).code == "reason_missing"
    assert shelf.balance() == 100


def test_what_was_not_looked_at_is_not_posted(shelf: Shelf) -> None:
    shelf.count(100)
    with transaction() as session:
        seen = shelf.seen(session)
    shelf.count(10, now=NOW + 2 * MINUTE)
    assert refused(lambda: shelf.post(seen=seen)).code == "changed_meanwhile"
    assert shelf.balance() == 100


def test_a_posted_stocktake_never_changes(shelf: Shelf) -> None:
    shelf.count(99)
    shelf.post()
    assert refused(lambda: shelf.count(100)).code == "stocktake_finished"
    assert refused(shelf.post).code == "stocktake_finished"
    with pytest.raises(RuntimeError, match="document"), transaction() as session:
        session.get_one(Stocktake, shelf.stocktake_id).reason = "anders"
    with pytest.raises(RuntimeError, match="document"), transaction() as session:
        session.get_one(StocktakeLine, (shelf.stocktake_id, shelf.first)).counted = 1
    with pytest.raises(RuntimeError, match="document"), transaction() as session:
        session.add(StocktakeLine(stocktake_id=shelf.stocktake_id, edition_id=shelf.second))
    with pytest.raises(RuntimeError, match="document"), transaction() as session:
        session.delete(session.get_one(Stocktake, shelf.stocktake_id))


def test_giving_up_needs_a_reason_and_books_nothing(shelf: Shelf) -> None:
    shelf.count(1)

    def give_up(reason: str) -> None:
        with transaction() as session:
            operations.abandon_stocktake(
                session, shelf.office, shelf.stocktake_id, reason=reason, now=LATER
            )

    assert refused(lambda: give_up("")).code == "reason_missing"
    give_up("falsches Regal")
    assert shelf.balance() == 100
    assert refused(lambda: give_up("noch einmal")).code == "stocktake_finished"
