"""How a place that became free is passed on."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import berlin
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.workdays import is_working_day
from trainings.events.models import MissedOffer, ShortNotice
from trainings.registrations.models import RegistrationState
from trainings.registrations.offer_rules import (
    SHORTEST_OFFER,
    Passing,
    PassingOn,
    after_missed_offer,
    offer_deadline,
    passing_on,
)

INSTANTS = st.datetimes(
    datetime(2025, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)  # noqa: DTZ001 - made aware
)  # fmt: skip
FAR = berlin(date(2026, 9, 1), 9)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (berlin(date(2026, 3, 10), 14, 30), berlin(date(2026, 3, 12), 14, 30)),
        (berlin(date(2026, 3, 10), 8), berlin(date(2026, 3, 12), 12)),
        (berlin(date(2026, 3, 13), 15), berlin(date(2026, 3, 17), 15)),
        (berlin(date(2026, 3, 14), 20), berlin(date(2026, 3, 18), 12)),
        (berlin(date(2026, 4, 1), 13), berlin(date(2026, 4, 7), 13)),
        # The clock goes forward in the night to 29.03.
        (berlin(date(2026, 3, 27), 16), berlin(date(2026, 3, 31), 16)),
    ],
)
def test_two_working_days_never_before_noon(now: datetime, until: datetime) -> None:
    assert offer_deadline(now, 2, FAR) == until


def test_close_to_the_event_there_is_less_time_and_then_none() -> None:
    begins = berlin(date(2026, 4, 16), 9)
    eve = date(2026, 4, 15)
    assert offer_deadline(berlin(date(2026, 4, 14), 9), 2, begins) == berlin(eve, 12)
    assert offer_deadline(berlin(eve, 8), 2, begins) == berlin(eve, 12)
    assert offer_deadline(berlin(eve, 8, 1), 2, begins) is None


@given(INSTANTS, st.integers(1, 20), st.integers(0, 90))
def test_an_offer_ends_on_a_working_day_from_noon_on(now: datetime, days: int, ahead: int) -> None:
    begins = now + timedelta(days=ahead)
    until = offer_deadline(now, days, begins)
    if until is None:
        return
    assert until - now >= SHORTEST_OFFER
    assert until < begins
    assert is_working_day(berlin_day(until))
    assert to_berlin(until).hour >= 12


@pytest.mark.parametrize(
    ("days", "rule", "begins", "expected"),
    [
        (0, ShortNotice.OFFICE, FAR, PassingOn(Passing.AT_ONCE)),
        (2, ShortNotice.OFFICE, FAR, PassingOn(Passing.OFFER, berlin(date(2026, 3, 12), 14))),
        (2, ShortNotice.OFFICE, berlin(date(2026, 3, 11), 9), PassingOn(Passing.OFFICE)),
        (2, ShortNotice.AUTOMATIC, berlin(date(2026, 3, 11), 9), PassingOn(Passing.AT_ONCE)),
    ],
)
def test_how_a_free_place_goes_on(
    days: int, rule: ShortNotice, begins: datetime, expected: PassingOn
) -> None:
    assert passing_on(days, rule, begins, berlin(date(2026, 3, 10), 14)) == expected


@pytest.mark.parametrize(
    ("rule", "missed_before", "expected"),
    [
        (MissedOffer.TO_THE_END, 0, RegistrationState.WAITING),
        (MissedOffer.TO_THE_END, 1, RegistrationState.EXPIRED),
        (MissedOffer.LEAVES, 0, RegistrationState.EXPIRED),
    ],
)
def test_whoever_lets_an_offer_pass(
    rule: MissedOffer, missed_before: int, expected: RegistrationState
) -> None:
    assert after_missed_offer(rule, missed_before) is expected
