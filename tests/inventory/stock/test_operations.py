"""One operation for each kind of work: what it books, and what it refuses."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import make_organisation, make_person
from tests.inventory.factories import balance, fill, journal_sum, make_card, make_store, new_key
from trainings.core.actors import SYSTEM, Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.inventory.ledger import lock_stores
from trainings.inventory.models import Edition, Movement, PlaceKind, Store, StoreKind
from trainings.inventory.stock import operations
from trainings.inventory.stock.store_operations import (
    StoreData,
    create_store,
    delete_store,
    reactivate_store,
    retire_store,
    update_store,
)
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState

pytestmark = pytest.mark.both_databases


@dataclass
class Shelf:
    """A store of the office with 100 cards, and an empty one."""

    store: Store
    other: Store
    edition: Edition


def shelf(session: Session, quantity: int = 100) -> Shelf:
    found = Shelf(
        make_store(session), make_store(session, "Keller"), make_card(session).editions[0]
    )
    if quantity:
        fill(session, found.store, found.edition, quantity)
    return found


def common(found: Shelf, quantity: int) -> dict[str, object]:
    return {
        "store_id": found.store.id, "edition_id": found.edition.id, "quantity": quantity,
        "key": new_key(), "now": NOW,
    }  # fmt: skip


def ends(movement: Movement) -> tuple[PlaceKind, PlaceKind]:
    return movement.source, movement.target


def code_of(work: object, *args: object, **kwargs: object) -> str:
    with pytest.raises(DomainError) as refusal:
        work(*args, **kwargs)  # type: ignore[operator]
    return refusal.value.code


def test_each_kind_of_work_books_its_way(app: Flask) -> None:
    with transaction() as session:
        found, actor = shelf(session, 0), Actor(person_id=make_person(session).id)
        organisation = make_organisation(session, "Stadt Essen").id
        received = operations.receive(session, actor, **common(found, 100))  # type: ignore[arg-type]
        assert ends(received) == (PlaceKind.PRINTER, PlaceKind.STORE)
        assert received.person_id == actor.person_id
        moved = operations.transfer(
            session, actor, source_id=found.store.id, target_id=found.other.id,
            edition_id=found.edition.id, quantity=10, key=new_key(), now=NOW,
        )  # fmt: skip
        assert (moved.source_store_id, moved.target_store_id) == (found.store.id, found.other.id)
        given = operations.issue(
            session,
            actor,
            organisation_id=organisation,
            **common(found, 20),  # type: ignore[arg-type]
        )
        assert ends(given) == (PlaceKind.STORE, PlaceKind.ORGANISATION)
        assert given.organisation_id == organisation
        elsewhere = operations.issue(session, actor, reason="Messe", **common(found, 5))  # type: ignore[arg-type]
        assert ends(elsewhere) == (PlaceKind.STORE, PlaceKind.OTHER)
        back = operations.take_back(
            session,
            actor,
            organisation_id=organisation,
            **common(found, 4),  # type: ignore[arg-type]
        )
        assert ends(back) == (PlaceKind.ORGANISATION, PlaceKind.STORE)
        found_again = operations.take_back(session, actor, **common(found, 1))  # type: ignore[arg-type]
        assert ends(found_again) == (PlaceKind.RETURN, PlaceKind.STORE)
        lost = operations.write_off(session, actor, reason="Wasser", **common(found, 7))  # type: ignore[arg-type]
        assert ends(lost) == (PlaceKind.STORE, PlaceKind.LOSS)
        expected = 100 - 10 - 20 - 5 + 4 + 1 - 7
        assert balance(session, found.store, found.edition) == expected
        assert journal_sum(session, found.store, found.edition) == expected
        assert balance(session, found.other, found.edition) == 10


@pytest.mark.parametrize("quantity", [0, -1, 10**12, 101])
def test_no_more_leaves_than_there_is_and_nothing_that_is_no_number(
    app: Flask, quantity: int
) -> None:
    with transaction() as session:
        found = shelf(session)
        code = code_of(operations.write_off, session, SYSTEM, reason="x", **common(found, quantity))
        assert code == ("not_enough" if quantity == 101 else "bad_quantity")
        assert balance(session, found.store, found.edition) == 100


def test_the_same_key_books_once(app: Flask) -> None:
    with transaction() as session:
        found = shelf(session)
        wanted = common(found, 30)
        first = operations.issue(session, SYSTEM, reason="Messe", **wanted)  # type: ignore[arg-type]
        assert operations.issue(session, SYSTEM, reason="Messe", **wanted) is first  # type: ignore[arg-type]
        assert balance(session, found.store, found.edition) == 70


def test_somebody_outside_of_the_register_is_named(app: Flask) -> None:
    with transaction() as session:
        found = shelf(session)
        assert code_of(operations.issue, session, SYSTEM, **common(found, 1)) == "who_gets_them"


def test_an_organisation_that_is_gone_gets_nothing(app: Flask) -> None:
    with transaction() as session:
        found, gone = shelf(session), make_organisation(session)
        gone.retired_at = NOW
        for work in (operations.issue, operations.take_back):
            for chosen in (gone.id, 999_999):
                assert (
                    code_of(work, session, SYSTEM, organisation_id=chosen, **common(found, 1))
                    == "organisation_gone"
                )


def test_a_movement_is_taken_back_once(app: Flask) -> None:
    with transaction() as session:
        found = shelf(session)
        given = operations.issue(session, SYSTEM, reason="Messe", **common(found, 30))  # type: ignore[arg-type]
        again = {"reason": "falsch", "now": NOW}
        back = operations.reverse_movement(session, SYSTEM, given.id, key="back", **again)  # type: ignore[arg-type]
        assert (back.reverses_id, back.reason) == (given.id, "falsch")
        assert balance(session, found.store, found.edition) == 100
        same = operations.reverse_movement(session, SYSTEM, given.id, key="back", **again)  # type: ignore[arg-type]
        assert same is back
        reverse = operations.reverse_movement
        for movement_id, code in (
            (given.id, "already_reversed"),
            (back.id, "is_reversal"),
            (999_999, "not_found"),
        ):
            assert code_of(reverse, session, SYSTEM, movement_id, key=new_key(), **again) == code


def test_nothing_returns_into_a_retired_store(app: Flask) -> None:
    with transaction() as session:
        found = shelf(session)
        given = operations.issue(session, SYSTEM, reason="Messe", **common(found, 100))  # type: ignore[arg-type]
        retire_store(session, SYSTEM, found.store.id, now=NOW)
        code = code_of(
            operations.reverse_movement, session, SYSTEM, given.id,
            reason="x", key=new_key(), now=NOW,
        )  # fmt: skip
        assert code == "store_retired"
        assert code_of(operations.receive, session, SYSTEM, **common(found, 1)) == "store_retired"
        reactivate_store(session, SYSTEM, found.store.id, now=NOW)
        operations.receive(session, SYSTEM, **common(found, 1))  # type: ignore[arg-type]


def test_a_store_is_retired_when_it_is_empty_and_deleted_when_it_has_no_history(app: Flask) -> None:
    with transaction() as session:
        found = shelf(session)
        assert code_of(retire_store, session, SYSTEM, found.store.id, now=NOW) == "store_not_empty"
        assert code_of(delete_store, session, SYSTEM, found.store.id, now=NOW) == "store_in_use"
        # Somebody looked whether anything is there, which leaves a balance of 0.
        lock_stores(session, [found.other.id], NOW).stocks(found.other.id, [found.edition])
        session.flush()
        take = Stocktake(store_id=found.other.id, state=StocktakeState.COUNTING, opened_at=NOW)
        session.add(take)
        session.flush()
        assert code_of(retire_store, session, SYSTEM, found.other.id, now=NOW) == "stocktake_open"
        assert code_of(delete_store, session, SYSTEM, found.other.id, now=NOW) == "store_in_use"
        session.delete(take)
        session.flush()
        delete_store(session, SYSTEM, found.other.id, now=NOW)
        assert session.get(Store, found.other.id) is None
        deleted = select(func.count()).where(AuditEntry.action == "card_store_deleted")
        assert session.scalar(deleted) == 1


def test_a_trainer_has_one_box(app: Flask) -> None:
    with transaction() as session:
        trainer = make_person(session, roles=(Role.TRAINER,)).id
        colleague = make_person(session, roles=(Role.TRAINER,)).id
        data = StoreData("Box", person_id=trainer)
        box = create_store(session, SYSTEM, StoreKind.BOX, data, now=NOW)
        update_store(session, SYSTEM, box.id, data, now=NOW)
        assert code_of(create_store, session, SYSTEM, StoreKind.BOX, data, now=NOW) == "has_a_box"
        update_store(session, SYSTEM, box.id, StoreData("Box", person_id=colleague), now=NOW)
        assert box.person_id == colleague
        for nobody in (None, 999_999):
            wrong = StoreData("Box", person_id=nobody)
            assert (
                code_of(create_store, session, SYSTEM, StoreKind.BOX, wrong, now=NOW)
                == "no_trainer"
            )


def test_a_partners_store_names_the_partner(app: Flask) -> None:
    with transaction() as session:
        partner = make_organisation(session, "Stadt Essen")
        data = StoreData("Amt 32", organisation_id=partner.id)
        store = create_store(session, SYSTEM, StoreKind.PARTNER, data, now=NOW)
        partner.retired_at = NOW
        session.flush()
        update_store(session, SYSTEM, store.id, data, now=NOW)
        assert (
            code_of(create_store, session, SYSTEM, StoreKind.PARTNER, data, now=NOW)
            == "no_organisation"
        )
