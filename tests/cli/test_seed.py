"""The demonstration: what is published, what is alive, and that nothing in it is broken."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from trainings.cli.checks import CHECKS
from trainings.cli.seed.loader import load_seed
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.events.models import Admission, Event, EventKind, EventState, Visibility
from trainings.inventory.models import Balance, CardType, Movement
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.reports.outlook import load_outlooks
from trainings.inventory.reports.sweeps import warn_of_low_stock
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState
from trainings.people import demo
from trainings.people.models import Account, Person
from trainings.people.passwords import password_matches
from trainings.registrations.models import (
    Need,
    Registration,
    RegistrationChange,
    RegistrationState,
)
from trainings.registrations.place_queries import load_places
from trainings.statistics.queries import load_statistics
from trainings.statistics.rules import Selection

pytestmark = pytest.mark.both_databases

FRIDAY = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
UNTIL_THE_TALK = Selection(EventKind.TRAINING, last=date(2025, 10, 23))


def load(now: datetime = FRIDAY, *, with_passwords: bool = True) -> bool:
    with transaction() as session:
        return load_seed(session, now, with_passwords=with_passwords)


def upcoming(today: date) -> list[Event]:
    query = select(Event).where(Event.first_day >= today).order_by(Event.first_day, Event.id)
    return list(db.session.scalars(query))


def test_history_agrees_with_what_is_published_and_with_its_readme(app: Flask) -> None:
    assert load()
    found = load_statistics(db.session(), UNTIL_THE_TALK)
    assert (found.total.events, found.total.participations) == (44, 428)
    assert (found.people, found.total.organisations, found.total.cancelled) == (413, 38, 2)
    assert {
        year: (part.events, part.participations, part.capacity, part.no_shows)
        for year, part in found.by_year.items()
    } == {
        2021: (8, 83, 96, 6),
        2022: (13, 127, 156, 11),
        2023: (8, 76, 96, 5),
        2024: (8, 77, 96, 7),
        2025: (7, 65, 84, 4),
    }
    assert [part.participations for part in found.by_organisation_kind] == [
        171, 94, 52, 38, 31, 22, 9, 4, 4, 3,
    ]  # fmt: skip


@pytest.mark.parametrize(
    "now",
    [
        FRIDAY,
        datetime(2026, 11, 22, 22, 30, tzinfo=UTC),
        datetime(2026, 12, 23, 23, 30, tzinfo=UTC),
        datetime(2028, 2, 29, 0, 5, tzinfo=UTC),
        datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
    ],
    ids=["friday", "sunday night", "before christmas", "leap day", "amid the history"],
)
def test_nothing_is_broken_and_there_is_life_whenever_it_is_loaded(
    app: Flask, now: datetime
) -> None:
    load(now)
    assert [finding for check in CHECKS for finding in check(db.session(), now)] == []
    today = berlin_day(now)
    events = upcoming(today)
    assert events[0].first_day == today
    assert sum(event.state is EventState.PUBLISHED for event in events) >= 7


@pytest.mark.postgresql_only
def test_postgresql_knows_how_much_was_loaded(app: Flask) -> None:
    load()
    counted = text("SELECT reltuples FROM pg_class WHERE relname = 'registrations'")
    stored = db.session.scalar(select(func.count()).select_from(Registration))
    assert db.session.scalar(counted) == stored


def test_upcoming_events_show_each_situation_once_at_least(app: Flask) -> None:
    load()
    events = upcoming(berlin_day(FRIDAY))
    free = {
        event.id: load_places(db.session(), event.pool, FRIDAY).free
        for event in events
        if event.state is EventState.PUBLISHED
    }
    waiting = set(
        db.session.scalars(
            select(Registration.event_id).where(Registration.state == RegistrationState.WAITING)
        )
    )
    assert 1 in free.values()
    assert {event for event, places in free.items() if places == 0} & waiting
    assert any(places >= 8 for places in free.values())
    assert any(event.visibility is Visibility.IN_HOUSE and event.hosts for event in events)
    assert any(event.state is EventState.CANCELLED and event.replaced_by for event in events)
    assert any(event.state is EventState.DRAFT for event in events)
    assert any(event.needs_release and event.opens_at < FRIDAY for event in events)
    assert any(
        event.admission is Admission.BY_OFFICE and event.closes_at < FRIDAY for event in events
    )
    assert any(
        event.kind is EventKind.CONFERENCE and event.last_day > event.first_day for event in events
    )
    assert db.session.scalar(select(func.count()).select_from(Need).where(Need.note != ""))


def test_numbers_run_by_year_in_the_order_of_the_first_days(app: Flask) -> None:
    load()
    by_year: dict[int, list[Event]] = {}
    for event in db.session.scalars(select(Event).order_by(Event.number)):
        by_year.setdefault(event.first_day.year, []).append(event)
    for year, events in by_year.items():
        assert [event.number for event in events] == [
            f"{year}-{position:03d}" for position in range(1, len(events) + 1)
        ]
        days = [event.first_day for event in events]
        assert days == sorted(days)


def test_loading_twice_does_no_harm(app: Flask) -> None:
    assert load()
    before = db.session.scalar(select(func.count()).select_from(RegistrationChange))
    assert not load()
    assert db.session.scalar(select(func.count()).select_from(RegistrationChange)) == before


def test_there_is_one_login_for_each_role_with_the_published_password(app: Flask) -> None:
    load()
    logins = demo.demo_logins(db.session())
    assert [login.role for login in logins] == [
        "Teilnahme", "Ansprechperson", "Training", "Koordination", "Verwaltung",
    ]  # fmt: skip
    hashes = db.session.scalars(
        select(Account.password_hash).where(Account.password_hash.is_not(None))
    ).all()
    assert len(hashes) == 5
    assert all(password_matches(stored, demo.PASSWORD) for stored in hashes)


def test_outside_of_the_demonstration_nobody_gets_a_known_password(app: Flask) -> None:
    load(with_passwords=False)
    assert demo.demo_logins(db.session()) == []
    hashed = select(func.count()).where(Account.password_hash.is_not(None))
    assert db.session.scalar(hashed) == 0


def test_all_addresses_reach_nobody(app: Flask) -> None:
    load(with_passwords=False)
    assert all(email.endswith(".example") for email in db.session.scalars(select(Person.email)))


def test_balances_equal_the_journal_and_no_card_is_lost_on_the_way(app: Flask) -> None:
    load()
    session = db.session()
    booked: Counter[tuple[int, int]] = Counter()
    for movement in session.scalars(select(Movement).order_by(Movement.id)):
        for store_id, sign in ((movement.target_store_id, 1), (movement.source_store_id, -1)):
            if store_id is not None:
                booked[store_id, movement.edition_id] += sign * movement.quantity
                assert booked[store_id, movement.edition_id] >= 0
    balances = session.scalars(select(Balance)).all()
    stored = Counter({(each.store_id, each.edition_id): each.quantity for each in balances})
    assert +stored == +booked
    instants = list(session.scalars(select(Movement.at).order_by(Movement.id)))
    assert instants == sorted(instants)
    assert instants[-1] <= FRIDAY


def test_ten_thousand_cards_are_near_their_reorder_level_and_orders_are_open(app: Flask) -> None:
    load()
    session = db.session()
    card = session.scalars(select(CardType).where(CardType.title.startswith("Schütze"))).one()
    assert sum(edition.quantity for edition in card.editions) == 10_000
    outlooks = {outlook.card_id: outlook for outlook in load_outlooks(session, FRIDAY)}
    found = outlooks[card.id]
    assert card.reorder_level < found.lying.free < 1.4 * card.reorder_level
    assert found.lying.held > 0
    assert found.lying.boxes > 0
    assert found.forecast.reorder_on is not None
    assert len(outlooks) == 2
    states = set(session.scalars(select(CardOrder.state).distinct()))
    assert states >= {
        OrderState.UNCONFIRMED, OrderState.REQUESTED, OrderState.APPROVED, OrderState.PICKED,
        OrderState.SENT, OrderState.RECEIVED, OrderState.DECLINED, OrderState.CANCELLED,
    }  # fmt: skip
    reversals = select(func.count()).where(Movement.reverses_id.is_not(None))
    assert session.scalar(reversals) == 1
    stocktake = session.scalars(select(Stocktake)).one()
    assert stocktake.state is StocktakeState.POSTED
    differences = [
        line.counted - line.book
        for line in stocktake.lines
        if line.counted is not None and line.book is not None
    ]
    assert sorted(differences) == [-7, 0, 0]


@pytest.mark.parametrize(
    "now",
    [FRIDAY, datetime(2028, 2, 29, 0, 5, tzinfo=UTC), datetime(2026, 3, 2, 9, 0, tzinfo=UTC)],
    ids=["friday", "leap day", "amid the history"],
)
def test_cards_are_alive_whenever_they_are_loaded(app: Flask, now: datetime) -> None:
    load(now)
    for outlook in load_outlooks(db.session(), now):
        assert outlook.forecast.has_history
        assert outlook.forecast.weeks
    with transaction() as session:
        assert warn_of_low_stock(session, now) == 0
