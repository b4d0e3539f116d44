"""Orders from asking to receipt: states, holds, movements, mails."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import actor_for, make_organisation, make_person
from tests.inventory.factories import balance, fill, make_card, make_order
from tests.inventory.orders.making import UNTIL, approved, held, kinds, office, stocked, wanted
from trainings.core.actors import SYSTEM, VISITOR
from trainings.core.clock import end_of_day
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.inventory.holds import move_holds_off
from trainings.inventory.ledger import lock_all_stores, lock_stores
from trainings.inventory.models import CardType, Movement, PlaceKind, Store
from trainings.inventory.orders import entry, limits, operations, parcels, sweeps
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState

pytestmark = pytest.mark.both_databases


def test_an_order_goes_from_asking_to_receipt(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 30, 500)
        city = make_organisation(session, "Stadt Essen")
        order = entry.place_order(session, actor, wanted(card, organisation_id=city.id), NOW)
        assert order.number == "TK-2026-0001"
        assert (order.state, order.organisation_name) == (OrderState.REQUESTED, "Stadt Essen")
        approved(session, actor, order, store)
        assert [(each.edition.running, each.quantity) for each in parcels.live_holds(order)] == [
            (1, 30),
            (2, 20),
        ]
        operations.pick(session, actor, order.id, NOW)
        assert balance(session, store, card.editions[0]) == 30
        operations.send(session, actor, order.id, NOW)
        assert held(session) == 0
        assert [balance(session, store, edition) for edition in card.editions] == [0, 480]
        movements = session.scalars(select(Movement).where(Movement.order_id == order.id)).all()
        assert [(row.target, row.organisation_id, row.quantity) for row in movements] == [
            (PlaceKind.ORGANISATION, city.id, 30),
            (PlaceKind.ORGANISATION, city.id, 20),
        ]
        operations.receive(session, VISITOR, order.id, "Eine Ecke war geknickt", NOW)
        assert order.state is OrderState.RECEIVED
        assert (order.finished_at, order.received_note) == (NOW, "Eine Ecke war geknickt")
        assert [step.to_state for step in order.steps] == [
            OrderState.REQUESTED,
            OrderState.APPROVED,
            OrderState.PICKED,
            OrderState.SENT,
            OrderState.RECEIVED,
        ]
        assert kinds(session) == ["card_order_received", "card_order_approved", "card_order_sent"]


def test_without_a_login_a_mail_confirms(app: Flask) -> None:
    with transaction() as session:
        card = make_card(session)
        person = make_person(session, email="kaethe@stadt.example")
        order = entry.place_order(session, VISITOR, wanted(card), NOW)
        assert (order.state, order.person_id) == (OrderState.UNCONFIRMED, None)
        assert kinds(session) == ["card_order_unconfirmed"]
        entry.confirm(session, VISITOR, order.id, NOW + timedelta(hours=47))
        assert (order.state, order.person_id) == (OrderState.REQUESTED, person.id)
        with pytest.raises(DomainError, match="already_confirmed"):
            entry.confirm(session, VISITOR, order.id, NOW + timedelta(hours=47))


def test_what_is_never_confirmed_expires_and_is_blanked(app: Flask) -> None:
    late = NOW + timedelta(hours=48)
    with transaction() as session:
        order_id = entry.place_order(session, VISITOR, wanted(make_card(session)), NOW).id
    assert sweeps.expire_card_orders(late - timedelta(seconds=1)) == 0
    assert sweeps.expire_card_orders(late) == 1
    assert sweeps.expire_card_orders(late) == 0
    with transaction() as session:
        order = session.get_one(CardOrder, order_id)
        assert order.state is OrderState.EXPIRED
        assert (order.name, order.email, order.recipient, order.street) == ("", "", "", "")
        assert (order.purpose, order.organisation_name) == ("", "")
        with pytest.raises(DomainError, match="order_expired"):
            entry.confirm(session, VISITOR, order_id, late)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"quantities": {}}, "nothing_ordered"),
        ({"quantities": {1: 10**12}}, "bad_quantity"),
        ({"quantities": {1: -3}}, "bad_quantity"),
        ({"quantities": {99: 3}}, "card_unknown"),
        ({"wanted_by": date(2026, 3, 1)}, "wanted_in_the_past"),
        ({"organisation_id": 4711}, "organisation_unknown"),
    ],
)
def test_orders_that_make_no_sense_are_refused(
    app: Flask, changes: dict[str, object], code: str
) -> None:
    with transaction() as session:
        card = make_card(session)
        with pytest.raises(DomainError, match=code):
            entry.place_order(session, VISITOR, wanted(card, **changes), NOW)
        assert kinds(session) == []


def test_a_contact_orders_only_for_whom_they_speak(app: Flask) -> None:
    with transaction() as session:
        card = make_card(session)
        mine, foreign = (make_organisation(session, name) for name in ("Essen", "Bochum"))
        actor = actor_for(make_person(session, mine, roles=(Role.CONTACT,)))

        def order(organisation_id: int | None) -> CardOrder:
            asked = wanted(card, organisation_id=organisation_id)
            return entry.place_order(session, actor, asked, NOW, allowed={mine.id})

        for organisation_id in (foreign.id, None):
            with pytest.raises(DomainError, match="organisation_unknown"):
                order(organisation_id)
        assert order(mine.id).person_id == actor.person_id


def test_less_than_asked_for_needs_a_reason(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        order = make_order(session, card, 100)
        for quantity, code in ((60, "reason_missing"), (101, "not_requested"), (0, "nothing_app")):
            with pytest.raises(DomainError, match=code):
                approved(session, actor, order, store, quantity)
        approved(session, actor, order, store, 60, reason="Der Vorrat ist knapp.")
        assert (order.lines[0].approved, held(session)) == (60, 60)
        mail = session.scalars(select(OutgoingMail)).one().mail
        assert "60 genehmigt. Begründung: Der Vorrat ist knapp." in mail.paragraphs[0]


def test_approving_more_than_is_free_is_refused(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 99)
        order = make_order(session, card, 100)
    with pytest.raises(DomainError, match="not_enough"), transaction() as session:
        approved(session, actor, session.get_one(CardOrder, order.id), store)
    with transaction() as session:
        assert session.get_one(CardOrder, order.id).state is OrderState.REQUESTED
        assert held(session) == 0


@pytest.mark.parametrize("until", [date(2026, 3, 1), date(2028, 1, 1)])
def test_a_hold_ends_within_a_year(app: Flask, until: date) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        order = make_order(session, card, 100)
        with pytest.raises(DomainError, match="bad_day"):
            operations.approve(
                session, actor, order.id, store_id=store.id, until=until, now=NOW, reason="",
                quantities={order.lines[0].id: 100},
            )  # fmt: skip


def test_nobody_but_the_office_decides(app: Flask) -> None:
    with transaction() as session:
        card, store = stocked(session, 500)
        order = make_order(session, card)
        contact = actor_for(make_person(session, roles=(Role.CONTACT,)))
        for attempt in (
            lambda: approved(session, contact, order, store),
            lambda: operations.decline(session, contact, order.id, "Nein", NOW),
            lambda: operations.pick(session, contact, order.id, NOW),
            lambda: operations.send(session, contact, order.id, NOW),
            lambda: operations.hold_again(session, contact, order.id, NOW),
            lambda: operations.assign_organisation(session, contact, order.id, None, NOW),
            lambda: limits.set_limit(session, contact, None, 5, NOW),
        ):
            with pytest.raises(DomainError, match="not_found"):
                attempt()


def test_sending_twice_books_once(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        order = make_order(session, card)
        approved(session, actor, order, store)
        operations.pick(session, actor, order.id, NOW)
        operations.send(session, actor, order.id, NOW)
        with pytest.raises(DomainError, match="order_moved_on"):
            operations.send(session, actor, order.id, NOW)
        assert balance(session, store, card.editions[0]) == 400
        # Nobody in the register ordered: the cards go to somebody else.
        (movement,) = session.scalars(select(Movement).where(Movement.order_id == order.id))
        assert (movement.target, movement.organisation_id) == (PlaceKind.OTHER, None)


@pytest.mark.parametrize("how", ["decline", "cancel"])
def test_taking_an_order_back_frees_its_cards(app: Flask, how: str) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        order = make_order(session, card)
        approved(session, actor, order, store)
        operations.pick(session, actor, order.id, NOW)
        if how == "decline":
            operations.decline(session, actor, order.id, "Kein Bedarf erkennbar", NOW)
        else:
            operations.cancel(session, VISITOR, order.id, NOW)
        assert (held(session), order.finished_at) == (0, NOW)
        assert kinds(session)[-1] in {"card_order_declined", "card_order_cancelled"}
        with pytest.raises(DomainError, match="order_moved_on"):
            approved(session, actor, order, store)


def test_what_is_sent_cannot_be_cancelled(app: Flask) -> None:
    with transaction() as session:
        order = make_order(session, make_card(session), state=OrderState.SENT)
        with pytest.raises(DomainError, match="order_moved_on"):
            operations.cancel(session, VISITOR, order.id, NOW)


def test_a_hold_runs_out_and_the_order_is_approved_again(app: Flask) -> None:
    after = end_of_day(UNTIL)
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 100)
        order_id = approved(session, actor, make_order(session, card), store).id
    assert sweeps.lapse_card_orders(after - timedelta(seconds=1)) == 0
    with transaction() as session:
        with pytest.raises(DomainError, match="hold_ran_out"):
            operations.pick(session, actor, order_id, after)
        with pytest.raises(DomainError, match="hold_ran_out"):
            operations.hold_again(session, actor, order_id, after)
    assert sweeps.lapse_card_orders(after) == 1
    assert sweeps.lapse_card_orders(after) == 0
    with transaction() as session:
        order = session.get_one(CardOrder, order_id)
        assert (order.state, held(session)) == (OrderState.LAPSED, 0)
        assert kinds(session)[-1] == "card_order_lapsed"
        approved(session, actor, order, store)
        assert held(session) == 100


def test_a_withdrawn_edition_is_replaced_before_the_order_is_sent(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 100, 70)
        order = approved(session, actor, make_order(session, card), store)
        operations.pick(session, actor, order.id, NOW)
        order_id = order.id
    later = NOW + timedelta(minutes=1)
    with transaction() as session:
        old, new = session.get_one(CardType, card.id).editions
        old.withdrawn_at = later
        session.flush()
        assert move_holds_off(lock_all_stores(session, later), old) == {order_id: 30}
    with transaction() as session:
        order = session.get_one(CardOrder, order_id)
        assert parcels.missing_holds(order) == {card.id: 30}
        assert parcels.changed_since_picked(order)
        with pytest.raises(DomainError, match="hold_changed"):
            operations.send(session, actor, order_id, later)
    with pytest.raises(DomainError, match="not_enough") as refusal, transaction() as session:
        operations.hold_again(session, actor, order_id, later)
    assert "Bitte füllen Sie das Lager auf" in refusal.value.sentence
    with transaction() as session:
        new = session.get_one(CardType, card.id).editions[1]
        fill(session, session.get_one(Store, store.id), new, 30)
        operations.hold_again(session, actor, order_id, later)
        order = session.get_one(CardOrder, order_id)
        assert order.state is OrderState.APPROVED
        assert not parcels.missing_holds(order)
        packed = later + timedelta(minutes=1)
        operations.pick(session, actor, order_id, packed)
        operations.send(session, actor, order_id, packed)
        assert balance(session, session.get_one(Store, store.id), new) == 0


def test_the_office_says_which_organisation_ordered(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        city = make_organisation(session, "Stadt Essen")
        order = make_order(session, card)
        operations.assign_organisation(session, actor, order.id, city.id, NOW)
        assert (order.organisation_id, order.organisation_name) == (city.id, "Verein Ruhr")
        operations.assign_organisation(session, actor, order.id, None, NOW)
        approved(session, actor, order, store)
        with pytest.raises(DomainError, match="order_moved_on"):
            operations.assign_organisation(session, actor, order.id, city.id, NOW)


def test_a_year_after_its_end_an_order_names_nobody(app: Flask) -> None:
    with transaction() as session:
        card = make_card(session)
        finished = make_order(session, card, state=OrderState.RECEIVED)
        finished.finished_at = NOW
        on_the_way = make_order(session, card, state=OrderState.SENT)
        on_the_way.sent_at = NOW
        still_open = make_order(session, card)
    year = NOW + timedelta(days=365)
    with transaction() as session:
        assert sweeps.blank_card_orders(session, year - timedelta(seconds=1)) == 0
        assert sweeps.blank_card_orders(session, year) == 2
        assert sweeps.blank_card_orders(session, year) == 0
    with transaction() as session:
        assert session.get_one(CardOrder, finished.id).name == ""
        assert session.get_one(CardOrder, on_the_way.id).street == ""
        assert session.get_one(CardOrder, still_open.id).name == "Käthe Öztürk"


def test_an_order_keeps_its_place_when_it_is_swept_by_the_system(app: Flask) -> None:
    """A sweep that comes late does not touch what was sent meanwhile."""
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 500)
        order = approved(session, actor, make_order(session, card), store)
        operations.pick(session, actor, order.id, NOW)
        operations.send(session, actor, order.id, NOW)
        assert not operations.lapse(session, SYSTEM, order.id, end_of_day(UNTIL))


def test_what_a_stocktake_missed_is_said_when_an_order_is_sent(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 120)
        (edition,) = card.editions
        first, second = (make_order(session, card, 60) for _ in range(2))
        for order in (first, second):
            approved(session, actor, order, store)
            operations.pick(session, actor, order.id, NOW)
        stocktake = Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=NOW)
        session.add(stocktake)
        session.flush()
        lock_stores(session, [store.id], NOW).book_difference(
            SYSTEM, store.id, edition.id, -40,
            stocktake_id=stocktake.id, reason="fehlt", key="a",
        )  # fmt: skip
    with pytest.raises(DomainError) as refusal, transaction() as session:
        operations.send(session, actor, first.id, NOW)
    assert refusal.value.code == "not_enough"
    assert "liegen weniger Karten, als für Bestellungen vorgemerkt sind" in refusal.value.sentence
    assert "geben Sie höchstens" not in refusal.value.sentence
    with transaction() as session:
        operations.decline(session, actor, second.id, "Es fehlen Karten", NOW)
        operations.send(session, actor, first.id, NOW)
        assert balance(session, store, edition) == 20
