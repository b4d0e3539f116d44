"""How many cards an organisation may get in a year."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import LONG_AGO, actor_for, make_organisation, make_person
from tests.inventory.factories import make_order
from tests.inventory.orders.making import approved, office, stocked, wanted
from trainings.core.audit import AuditEntry
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.orders import entry, limits, operations
from trainings.inventory.rules import ORGANISATION, in_store
from trainings.organisations.models import Level, Organisation

pytestmark = pytest.mark.both_databases


def tree(session: Session) -> tuple[Organisation, Organisation, Organisation]:
    group = make_organisation(session, "Verbund", level=Level.GROUP)
    city = make_organisation(session, "Stadt Essen", parent=group)
    return group, city, make_organisation(session, "Amt", parent=city, level=Level.UNIT)


def left(session: Session, organisation: Organisation) -> list[tuple[str, int]]:
    chain = limits.lock_chain(session, organisation.id)
    return [(each.name, each.left) for each in limits.allowances(session, chain, NOW)]


def test_the_limit_counts_all_below_and_what_came_back(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 5000)
        edition = card.editions[0]
        group, city, unit = tree(session)
        former = make_organisation(session, "Alte Stadt")
        former.merged_into_id, former.retired_at = city.id, NOW
        limits.set_limit(session, actor, None, 1000, NOW)
        limits.set_limit(session, actor, group.id, 600, NOW)

        def move(quantity: int, organisation: Organisation, *, back: bool = False) -> None:
            ends = (in_store(store.id), ORGANISATION)
            booking = Booking(
                edition.id, quantity, *(reversed(ends) if back else ends),
                organisation_id=organisation.id,
            )  # fmt: skip
            moved = lock_stores(session, [store.id], NOW)
            moved.book(actor, booking, key=f"{organisation.id}-{quantity}-{back}")

        move(100, unit)
        move(50, former)
        move(30, unit, back=True)
        # What went there last year does not count.
        lock_stores(session, [store.id], LONG_AGO).book(
            actor,
            Booking(edition.id, 400, in_store(store.id), ORGANISATION, organisation_id=city.id),
            key="last year",
        )
        approved(session, actor, make_order(session, card, 200, organisation=unit), store)
        assert left(session, unit) == [("Stadt Essen", 680), ("Verbund", 280)]
        assert left(session, group) == [("Verbund", 280)]


def test_a_contact_stays_within_the_limit_and_the_office_overrides_it(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 5000)
        _, city, unit = tree(session)
        limits.set_limit(session, actor, city.id, 100, NOW)
        contact = actor_for(make_person(session, city, roles=(Role.CONTACT,)))
        allowed = {city.id, unit.id}
        with pytest.raises(DomainError) as refusal:
            asked = wanted(card, 101, organisation_id=unit.id)
            entry.place_order(session, contact, asked, NOW, allowed=allowed)
        assert refusal.value.code == "limit_reached"
        assert "noch 100 Karten" in refusal.value.sentence
        asked = wanted(card, 100, organisation_id=unit.id)
        first = entry.place_order(session, contact, asked, NOW, allowed=allowed)
        approved(session, actor, first, store)
        second = make_order(session, card, 1, organisation=city)
        for reason, beyond_limit in (("", False), ("", True), ("Großeinsatz", False)):
            with pytest.raises(DomainError, match="limit_exceeded"):
                approved(session, actor, second, store, reason=reason, beyond_limit=beyond_limit)
        approved(session, actor, second, store, reason="Großeinsatz", beyond_limit=True)
        actions = session.scalars(select(AuditEntry.action)).all()
        assert actions.count("card_limit_overridden") == 1


def test_a_limit_is_set_changed_and_removed(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        _, city, _ = tree(session)
        assert left(session, city) == []
        limits.set_limit(session, actor, None, 10, NOW)
        limits.set_limit(session, actor, None, 20, NOW)
        assert left(session, city) == [("Stadt Essen", 20)]
        limits.set_limit(session, actor, city.id, 0, NOW)
        assert left(session, city) == [("Stadt Essen", 0)]
        row = limits.limit_rows(session)[1]
        limits.remove_limit(session, actor, row.id, NOW)
        assert left(session, city) == [("Stadt Essen", 20)]
        for per_year in (-1, 10**12):
            with pytest.raises(DomainError, match="bad_limit"):
                limits.set_limit(session, actor, None, per_year, NOW)


def test_an_order_of_a_merged_organisation_counts_for_the_one_that_lives(app: Flask) -> None:
    with transaction() as session:
        actor = office(session)
        card, store = stocked(session, 5000)
        _, city, _ = tree(session)
        limits.set_limit(session, actor, city.id, 150, NOW)
        former = make_organisation(session, "Alte Stadt")
        former.merged_into_id, former.retired_at = city.id, NOW
        order = approved(session, actor, make_order(session, card, organisation=former), store)
        assert order.organisation_id == city.id
        assert left(session, city) == [("Stadt Essen", 50)]
        operations.assign_organisation(
            session, actor, (again := make_order(session, card)).id, former.id, NOW
        )
        assert again.organisation_id == city.id
        with pytest.raises(DomainError, match="limit_exceeded"):
            approved(session, actor, again, store)
