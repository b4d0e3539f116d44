"""Consumption, months of Berlin, and how long the stock lasts: pure rules."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st

from trainings.core.clock import berlin_day
from trainings.inventory.models import PlaceKind
from trainings.inventory.reports.rules import (
    FEWEST_MONTHS,
    MONTHS_COUNTED,
    Flow,
    Forecast,
    Month,
    counted_months,
    flow_of,
    forecast,
    month_of,
    months_between,
    rolled_up,
    summed,
)

DAYS = st.dates(date(2003, 1, 1), date(2090, 12, 31))
MONTHS = st.builds(Month, st.integers(2003, 2090), st.integers(1, 12))
COUNTS = st.integers(-500, 5_000)
FLOWS = st.builds(Flow, st.integers(0, 99), st.integers(0, 99), st.integers(-9, 99))
TODAY = date(2026, 11, 21)
LONG_SINCE = date(2020, 1, 1)


def evenly(per_month: int, today: date = TODAY) -> dict[Month, int]:
    return {month_of(today).shifted(-index): per_month for index in range(1, 40)}


def of(free: int, consumed: dict[Month, int], *, level: int = 0) -> Forecast:
    return forecast(
        free=free, reorder_level=level, today=TODAY, since=LONG_SINCE, consumed=consumed
    )


@given(MONTHS)
def test_a_month_begins_when_the_one_before_ends(month: Month) -> None:
    first = month.begins_at
    assert berlin_day(first) == month.first
    assert month_of(berlin_day(first - timedelta(microseconds=1))).after == month
    assert month.shifted(-1).after == month == month.after.shifted(-1)


def test_months_with_a_change_of_the_clock_have_another_length() -> None:
    assert Month(2026, 3).begins_at == datetime(2026, 2, 28, 23, tzinfo=UTC)
    assert Month(2026, 4).begins_at == datetime(2026, 3, 31, 22, tzinfo=UTC)
    assert Month(2026, 11).begins_at == datetime(2026, 10, 31, 23, tzinfo=UTC)

    def hours(month: Month) -> float:
        return (month.after.begins_at - month.begins_at) / timedelta(hours=1)

    assert hours(Month(2026, 3)) == 31 * 24 - 1
    assert hours(Month(2026, 10)) == 31 * 24 + 1
    assert (Month(2026, 3).days, Month(2026, 10).days) == (31, 31)


@given(MONTHS, st.integers(0, 80))
def test_months_between_have_no_gap(first: Month, number: int) -> None:
    found = months_between(first, first.shifted(number))
    assert len(found) == number + 1
    assert all(after == before.after for before, after in pairwise(found))
    assert months_between(first.after, first) == []


@given(st.sampled_from(PlaceKind), st.sampled_from(PlaceKind), st.integers(1, 10_000))
def test_a_movement_back_takes_back_what_the_first_one_counted(
    source: PlaceKind, target: PlaceKind, quantity: int
) -> None:
    assume(PlaceKind.STORE in {source, target})
    there, back = flow_of(source, target, quantity), flow_of(target, source, quantity)
    assert there.consumed + back.consumed == 0
    assert there.lost + back.lost == 0


def test_only_what_is_in_use_is_consumed() -> None:
    store = PlaceKind.STORE
    for target in (PlaceKind.ORGANISATION, PlaceKind.EVENT, PlaceKind.OTHER):
        assert flow_of(store, target, 7) == Flow(given=7)
        assert flow_of(target, store, 7) == Flow(returned=7)
    assert flow_of(PlaceKind.RETURN, store, 7) == Flow(returned=7)
    assert flow_of(store, PlaceKind.LOSS, 7) == Flow(lost=7)
    assert not flow_of(PlaceKind.PRINTER, store, 7)
    assert not flow_of(store, store, 7)


@given(st.lists(st.tuples(st.integers(1, 5), FLOWS)), st.integers(1, 3))
def test_sums_lose_nothing(rows: list[tuple[int, Flow]], divisor: int) -> None:
    total = sum((flow for _, flow in rows), Flow())
    by_key = summed(rows)
    assert sum(by_key.values(), Flow()) == total
    up = rolled_up({**by_key, None: Flow(given=3)}, lambda key: key // divisor)
    assert sum(up.values(), Flow()) == total + Flow(given=3)


@given(DAYS, DAYS)
def test_only_full_months_count_and_at_most_a_year_of_them(today: date, since: date) -> None:
    months = counted_months(today, since)
    assert len(months) <= MONTHS_COUNTED
    assert all(month.first >= since for month in months)
    assert all(month.after.first <= today for month in months)
    assert counted_months(today, None) == ()


@given(st.integers(0, 100_000), st.integers(0, 5_000), DAYS, DAYS, st.lists(COUNTS, max_size=30))
def test_a_forecast_holds_or_says_nothing(
    free: int, level: int, today: date, since: date, counts: list[int]
) -> None:
    consumed = {month_of(today).shifted(-index): count for index, count in enumerate(counts)}
    found = forecast(free=free, reorder_level=level, today=today, since=since, consumed=consumed)
    if not found.has_history or found.consumed <= 0:
        assert (found.weeks, found.empty_on, found.reorder_on) == (None, None, None)
        return
    per_day = found.consumed / found.days
    for day, cards in ((found.empty_on, 1), (found.reorder_on, level)):
        if day is not None:
            ahead = (day - today).days
            # On that day fewer are left; on the day before there are still enough.
            assert free - ahead * per_day < cards + 1e-6
            assert free - (ahead - 1) * per_day >= cards - 1e-6
    assert found.reorder_on is None or found.empty_on is None or found.reorder_on <= found.empty_on
    assert found.weeks is not None
    assert found.weeks >= 0


@given(st.integers(0, 5_000), st.integers(1, 5_000), st.integers(1, 900))
def test_more_cards_last_longer_and_more_consumption_shorter(
    free: int, more: int, per_month: int
) -> None:
    few, many = of(free, evenly(per_month)), of(free + more, evenly(per_month))
    assert few.weeks is not None
    assert many.weeks is not None
    assert few.weeks < many.weeks
    hungry = of(free, evenly(per_month + 1))
    assert hungry.weeks is not None
    assert hungry.weeks <= few.weeks


def test_the_running_month_and_what_lies_longer_back_than_a_year_do_not_count() -> None:
    consumed = {Month(2026, 11): 900, Month(2025, 10): 900, Month(2026, 5): 365}
    found = of(700, consumed)
    assert (found.months[0], found.months[-1]) == (Month(2025, 11), Month(2026, 10))
    assert (found.consumed, found.days, found.per_week) == (365, 365, 7)
    assert found.weeks == 100
    assert found.empty_on == TODAY + timedelta(days=700)


def test_months_without_consumption_count_as_months() -> None:
    assert of(365, {Month(2026, 5): 365}).per_week == 7
    quiet = of(365, {})
    assert (quiet.per_week, quiet.weeks, quiet.empty_on) == (0, None, None)


def test_too_little_history_gives_no_forecast() -> None:
    def since(day: date) -> Forecast:
        return forecast(free=10, reorder_level=5, today=TODAY, since=day, consumed=evenly(100))

    assert not since(date(2026, 8, 2)).has_history
    assert since(date(2026, 8, 2)).per_week is None
    assert since(date(2026, 8, 1)).has_history
    assert len(since(date(2026, 8, 1)).months) == FEWEST_MONTHS


def test_below_the_level_there_is_no_day_to_wait_for() -> None:
    below = of(99, evenly(30), level=100)
    assert below.is_low
    assert below.reorder_on is None
    assert below.empty_on is not None
    at = of(100, evenly(30), level=100)
    assert not at.is_low
    assert at.reorder_on == TODAY + timedelta(days=1)
    assert of(0, evenly(30)).empty_on is None
    assert of(10**6, evenly(1)).empty_on is None
