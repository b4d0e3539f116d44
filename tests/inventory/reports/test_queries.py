"""Reports on both databases: sums agree, months are those of Berlin, reversals never happened."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import berlin, make_event, make_organisation, make_person
from tests.inventory.factories import make_card, make_store
from tests.inventory.reports.booked import Shelf, make_shelf
from tests.registered import make_registration
from trainings.core.clock import end_of_day
from trainings.core.database import transaction
from trainings.events.models import EventState
from trainings.inventory.models import Balance, Edition, PlaceKind, Store
from trainings.inventory.reports.flows import Selection
from trainings.inventory.reports.past_stock import load_stock_at
from trainings.inventory.reports.queries import (
    WITHOUT_EVENT,
    WITHOUT_ORGANISATION,
    Breakdown,
    load_report,
)
from trainings.inventory.reports.rules import Flow
from trainings.organisations.models import Level, OrganisationKind

pytestmark = pytest.mark.both_databases
ALL = Selection()
ORGANISATION, EVENT, LOSS = PlaceKind.ORGANISATION, PlaceKind.EVENT, PlaceKind.LOSS


def lines(
    session: Session, breakdown: Breakdown, selection: Selection = ALL, *, apart: bool = False
) -> dict[str, Flow]:
    report = load_report(session, selection, breakdown, units_apart=apart)
    names = [line.small if breakdown is Breakdown.EDITION else line.words for line in report.lines]
    return dict(zip(names, (line.flow for line in report.lines), strict=True))


def a_busy_year(session: Session) -> Shelf:
    """Some of everything, over two turns of a year."""
    shelf = make_shelf(session, editions=2)
    first, second = shelf.card.editions
    city = make_organisation(session, "Stadt Essen")
    police = make_organisation(session, "Polizei", kind=OrganisationKind.STATE_POLICE)
    event = make_event(session, state=EventState.HELD)
    shelf.give(100, berlin(date(2025, 3, 10), 9), to=ORGANISATION, organisation_id=city.id)
    shelf.give(40, berlin(date(2025, 12, 31), 23, 30), to=ORGANISATION, organisation_id=police.id)
    shelf.give(30, berlin(date(2026, 1, 1), 0, 15), to=EVENT, event_id=event.id, edition=second)
    shelf.take(5, berlin(date(2026, 2, 3), 9), source=EVENT, event_id=event.id, edition=second)
    shelf.take(7, berlin(date(2026, 2, 4), 9), source=PlaceKind.RETURN)
    shelf.give(3, berlin(date(2026, 3, 1), 9), to=LOSS, edition=first)
    shelf.take(1, berlin(date(2026, 3, 2), 9), source=LOSS, edition=first)
    wrong = shelf.give(900, berlin(date(2025, 6, 1), 9), to=ORGANISATION, organisation_id=city.id)
    shelf.reverse(wrong, berlin(date(2026, 3, 3), 9))
    shelf.move(50, make_store(session, "Zweites Lager"), berlin(date(2026, 3, 4), 9))
    return shelf


def test_all_breakdowns_have_the_same_sum(app: Flask) -> None:
    with transaction() as session:
        shelf = a_busy_year(session)
        other = make_card(session, "Andere Karte")
        other_shelf = Shelf(session, other, shelf.store)
        other_shelf.take(20, source=PlaceKind.PRINTER)
        other_shelf.give(9)
        for selection in (
            ALL,
            Selection(card_id=shelf.card.id),
            Selection(date(2026, 1, 1), date(2026, 12, 31)),
            Selection(date(2025, 12, 31), date(2026, 1, 1), shelf.card.id),
            Selection(last=date(2025, 12, 31)),
        ):
            totals = {
                load_report(session, selection, breakdown, units_apart=apart).total
                for breakdown in Breakdown
                for apart in (False, True)
            }
            assert len(totals) == 1, selection
        assert load_report(session, ALL, Breakdown.YEAR).total == Flow(179, 12, 2)


def test_a_reversed_movement_counts_nowhere_and_in_no_month(app: Flask) -> None:
    with transaction() as session:
        a_busy_year(session)
        by_month = lines(session, Breakdown.MONTH)
        assert by_month["Juni 2025"] == Flow()
        assert by_month["März 2026"] == Flow(lost=2)
        assert lines(session, Breakdown.ORGANISATION)["Stadt Essen"] == Flow(given=100)
        only_the_reversal = Selection(date(2026, 3, 3), date(2026, 3, 3))
        assert load_report(session, only_the_reversal, Breakdown.EDITION).lines == ()


def test_years_and_months_turn_at_midnight_in_berlin(app: Flask) -> None:
    with transaction() as session:
        a_busy_year(session)
        by_year = lines(session, Breakdown.YEAR)
        assert by_year == {"2025": Flow(given=140), "2026": Flow(30, 12, 2)}
        by_month = lines(session, Breakdown.MONTH)
        assert by_month["Dezember 2025"] == Flow(given=40)
        assert by_month["Januar 2026"] == Flow(given=30)
        # A month without anything stands there too.
        assert by_month["April 2025"] == Flow()
        last_day = Selection(date(2025, 12, 31), date(2025, 12, 31))
        assert lines(session, Breakdown.YEAR, last_day) == {"2025": Flow(given=40)}


@pytest.mark.parametrize(
    ("instant", "month"),
    [
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), "März 2026"),
        (datetime(2026, 3, 31, 21, 59, tzinfo=UTC), "März 2026"),
        (datetime(2026, 3, 31, 22, 0, tzinfo=UTC), "April 2026"),
        (datetime(2025, 10, 31, 22, 59, tzinfo=UTC), "Oktober 2025"),
        (datetime(2025, 10, 31, 23, 0, tzinfo=UTC), "November 2025"),
    ],
)
def test_both_changes_of_the_clock_keep_a_movement_in_its_month(
    app: Flask, instant: datetime, month: str
) -> None:
    with transaction() as session:
        make_shelf(session).give(4, instant)
        given = {name: flow for name, flow in lines(session, Breakdown.MONTH).items() if flow}
        assert given == {month: Flow(given=4)}


def test_by_edition_kind_and_event(app: Flask) -> None:
    with transaction() as session:
        a_busy_year(session)
        assert lines(session, Breakdown.EDITION) == {
            "Auflage 1": Flow(140, 7, 2),
            "Auflage 2": Flow(30, 5),
        }
        assert lines(session, Breakdown.KIND) == {
            "Stadt/Gemeinde": Flow(given=100),
            "Landespolizei": Flow(given=40),
            WITHOUT_ORGANISATION: Flow(30, 12, 2),
        }
        report = load_report(session, ALL, Breakdown.EVENT)
        assert [line.flow for line in report.lines] == [Flow(30, 5), Flow(140, 7, 2)]
        assert report.lines[-1].words == WITHOUT_EVENT


def test_the_kind_is_that_of_then(app: Flask) -> None:
    with transaction() as session:
        shelf, city = make_shelf(session), make_organisation(session)
        shelf.give(5, to=ORGANISATION, organisation_id=city.id)
        city.kind = OrganisationKind.OTHER
        session.flush()
        assert list(lines(session, Breakdown.KIND)) == ["Stadt/Gemeinde"]


def test_merged_organisations_and_units_count_where_they_belong(app: Flask) -> None:
    with transaction() as session:
        shelf = make_shelf(session)
        living = make_organisation(session, "Stadt Neu")
        middle, old = make_organisation(session, "Mitte"), make_organisation(session, "Stadt Alt")
        old.merged_into, middle.merged_into = middle, living
        unit = make_organisation(session, "Ordnungsamt", parent=old, level=Level.UNIT)
        session.flush()
        for organisation, quantity in ((living, 1), (old, 10), (unit, 100)):
            shelf.give(quantity, to=ORGANISATION, organisation_id=organisation.id)
        assert lines(session, Breakdown.ORGANISATION) == {"Stadt Neu": Flow(given=111)}
        apart = load_report(session, ALL, Breakdown.ORGANISATION, units_apart=True).lines
        assert [(line.words, line.small, line.flow.given) for line in apart] == [
            ("Ordnungsamt", "Stadt Neu", 100),
            ("Stadt Neu", "Stadt/Gemeinde", 11),
        ]


def test_cards_per_participation(app: Flask) -> None:
    with transaction() as session:
        shelf, event = make_shelf(session), make_event(session, state=EventState.HELD)
        for marks in ("pppp", "paaa", "aaaa"):
            make_registration(session, event, make_person(session), marks=marks)
        shelf.give(7, to=EVENT, event_id=event.id)
        shelf.take(2, source=EVENT, event_id=event.id)
        (line,) = load_report(session, ALL, Breakdown.EVENT).lines
        assert (line.participations, line.per_participation) == (2, 2.5)
        nobody = make_event(session, state=EventState.HELD)
        shelf.give(3, to=EVENT, event_id=nobody.id)
        found = load_report(session, ALL, Breakdown.EVENT).lines
        assert [each.per_participation for each in found if each.flow.given == 3] == [None]


def test_an_empty_journal_gives_empty_reports(app: Flask) -> None:
    with transaction() as session:
        for breakdown in Breakdown:
            report = load_report(session, ALL, breakdown)
            assert (report.lines, report.total) == ((), Flow())


def stock_on(session: Session, day: date) -> dict[tuple[str, int], int]:
    rows = load_stock_at(session, end_of_day(day))
    return {(row.store, row.running): row.quantity for row in rows}


def test_stock_on_a_past_day_ends_at_midnight_in_berlin(app: Flask) -> None:
    with transaction() as session:
        shelf = make_shelf(session, 100)
        second = make_store(session, "Zweites Lager")
        shelf.move(40, second, berlin(date(2026, 3, 28), 23, 59))
        shelf.give(10, berlin(date(2026, 3, 29), 23, 59))
        wrong = shelf.give(5, berlin(date(2026, 3, 30), 0, 0))
        shelf.reverse(wrong, berlin(date(2026, 3, 31), 12))
        before, after = ("Lager Essen", 1), ("Zweites Lager", 1)
        assert stock_on(session, date(2024, 12, 31)) == {}
        assert stock_on(session, date(2026, 3, 27)) == {before: 100}
        assert stock_on(session, date(2026, 3, 28)) == {before: 60, after: 40}
        assert stock_on(session, date(2026, 3, 29)) == {before: 50, after: 40}
        # What was booked that day was booked: the reversal stands in the journal a day later.
        assert stock_on(session, date(2026, 3, 30)) == {before: 45, after: 40}
        assert stock_on(session, date(2026, 3, 31)) == {before: 50, after: 40}


def test_stock_of_today_equals_the_balances(app: Flask) -> None:
    with transaction() as session:
        a_busy_year(session)
        found = load_stock_at(session, end_of_day(date(2026, 12, 31)))
        stored = session.execute(
            select(Store.name, Edition.running, Balance.quantity)
            .join(Store, Balance.store_id == Store.id)
            .join(Edition, Balance.edition_id == Edition.id)
        )
        assert sorted((row.store, row.running, row.quantity) for row in found) == sorted(
            map(tuple, stored)
        )


def test_now_is_in_the_reports(app: Flask) -> None:
    with transaction() as session:
        make_shelf(session).give(1, NOW)
        assert load_report(session, ALL, Breakdown.MONTH).total == Flow(given=1)
