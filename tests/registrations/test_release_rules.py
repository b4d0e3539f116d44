"""Rules of the release: deadlines, who decides, who is asked again, what typed numbers mean."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import berlin
from trainings.core.clock import berlin_day, end_of_day
from trainings.core.formats import deadline_day
from trainings.core.workdays import is_working_day
from trainings.organisations.models import Level
from trainings.registrations.release_rules import (
    Asked,
    Desks,
    Node,
    Tree,
    is_digest_time,
    is_time_to_warn,
    is_to_be_asked,
    is_urgent,
    ranking,
    release_deadline,
)

DAYS = st.dates(date(2024, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(
    ("closes", "first_day", "until"),
    [
        # Thursday plus two working days is Monday.
        (end_of_day(date(2026, 3, 5)), date(2026, 4, 16), end_of_day(date(2026, 3, 9))),
        # Maundy Thursday: Good Friday and Easter Monday are none.
        (end_of_day(date(2026, 4, 2)), date(2026, 4, 30), end_of_day(date(2026, 4, 8))),
        # The event begins on the day after the deadline to register.
        (end_of_day(date(2026, 4, 15)), date(2026, 4, 16), end_of_day(date(2026, 4, 15))),
        # It begins on a Monday: nobody releases on a Sunday.
        (end_of_day(date(2026, 4, 19)), date(2026, 4, 20), end_of_day(date(2026, 4, 17))),
        (berlin(date(2026, 3, 5), 12), date(2026, 4, 16), end_of_day(date(2026, 3, 9))),
    ],
)
def test_deadline_of_a_release(closes: datetime, first_day: date, until: datetime) -> None:
    assert release_deadline(closes, first_day) == until


@given(DAYS, st.integers(0, 60))
def test_a_release_ends_on_a_working_day_before_the_event(first_day: date, before: int) -> None:
    until = release_deadline(end_of_day(first_day - timedelta(days=before)), first_day)
    assert is_working_day(deadline_day(until))
    assert deadline_day(until) < first_day


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (berlin(date(2026, 3, 2), 6, 59), False),
        (berlin(date(2026, 3, 2), 7), True),
        (berlin(date(2026, 3, 1), 9), False),
        (berlin(date(2026, 4, 3), 9), False),
    ],
)
def test_digests_leave_on_working_days_from_seven(at: datetime, expected: bool) -> None:
    assert is_digest_time(at) is expected


MONDAY = berlin(date(2026, 3, 2), 9)
LATE = end_of_day(date(2026, 4, 15))


@pytest.mark.parametrize(
    ("told", "asked", "deadline", "now", "expected"),
    [
        (None, None, LATE, MONDAY, True),
        (MONDAY, None, LATE, MONDAY + timedelta(days=1), True),
        # Another recipient was told, this one not yet.
        (None, MONDAY, LATE, MONDAY + timedelta(days=1), True),
        (MONDAY - timedelta(days=3), MONDAY, LATE, MONDAY + timedelta(days=1), True),
        (MONDAY, MONDAY, LATE, MONDAY + timedelta(days=2), False),
        (MONDAY, MONDAY, LATE, MONDAY + timedelta(days=3), True),
        (MONDAY, MONDAY, end_of_day(date(2026, 3, 5)), MONDAY + timedelta(days=1), True),
        (MONDAY, MONDAY, end_of_day(date(2026, 3, 6)), MONDAY + timedelta(days=1), False),
    ],
)
def test_who_is_asked_again(
    told: datetime | None, asked: datetime | None, deadline: datetime, now: datetime, expected: bool
) -> None:
    request = Asked(MONDAY - timedelta(hours=1), asked, deadline)
    assert is_to_be_asked(request, told, now) is expected


@given(DAYS, st.integers(0, 20))
def test_a_request_on_its_last_day_is_urgent(day: date, hour: int) -> None:
    now = berlin(day, hour)
    assert is_urgent(end_of_day(berlin_day(now)), now)


def test_contingents_are_warned_of_five_working_days_before_they_end() -> None:
    friday = end_of_day(date(2026, 3, 13))
    assert not is_time_to_warn(friday, berlin(date(2026, 3, 5), 23))
    assert is_time_to_warn(friday, berlin(date(2026, 3, 6), 0))


GROUP, AUTHORITY, UNIT, OTHER_UNIT, OTHER, OLD = range(1, 7)
TREE = Tree(
    {
        GROUP: Node(Level.GROUP, None),
        AUTHORITY: Node(Level.AUTHORITY, GROUP),
        UNIT: Node(Level.UNIT, AUTHORITY),
        OTHER_UNIT: Node(Level.UNIT, OTHER),
        OTHER: Node(Level.AUTHORITY, None),
        OLD: Node(Level.AUTHORITY, None, merged_into_id=AUTHORITY),
    }
)


@pytest.mark.parametrize(
    ("authority", "person_at", "chain"),
    [
        (AUTHORITY, UNIT, (UNIT, AUTHORITY, GROUP)),
        (AUTHORITY, AUTHORITY, (AUTHORITY, GROUP)),
        # Somebody who moved to another authority after registering.
        (AUTHORITY, OTHER_UNIT, (AUTHORITY, GROUP)),
        (OLD, UNIT, (UNIT, AUTHORITY, GROUP)),
        (OLD, AUTHORITY, (AUTHORITY, GROUP)),
        (GROUP, GROUP, (GROUP,)),
        (OTHER, OTHER, (OTHER,)),
    ],
)
def test_whose_contacts_decide(authority: int, person_at: int, chain: tuple[int, ...]) -> None:
    assert TREE.deciding(authority, person_at) == chain


@given(st.sampled_from([GROUP, AUTHORITY, OTHER, OLD]), st.sampled_from(range(1, 7)))
def test_whoever_decides_sees_the_request_and_nobody_else_does(
    authority: int, person_at: int
) -> None:
    deciding = TREE.deciding(authority, person_at)
    for organisation_id in (GROUP, AUTHORITY, UNIT, OTHER_UNIT, OTHER):
        overseen = TREE.overseen([organisation_id])
        sees = authority in overseen.authorities or (
            person_at in overseen.units and authority in overseen.unit_authorities
        )
        assert sees is (organisation_id in deciding), organisation_id


def test_the_nearest_level_is_asked_and_nobody_about_their_own_request() -> None:
    desks = Desks({UNIT: (7,), AUTHORITY: (8, 9)}, {AUTHORITY: "fb@stadt.example"})
    chain = (UNIT, AUTHORITY, GROUP)
    assert desks.reachable(chain, 1) == (UNIT, (7,), "")
    assert desks.reachable(chain, 7) == (AUTHORITY, (8, 9), "fb@stadt.example")
    assert desks.reachable((AUTHORITY,), 8) == (AUTHORITY, (9,), "fb@stadt.example")
    assert desks.reachable((GROUP,), 1) is None
    assert Desks({UNIT: (7,)}, {}).reachable((UNIT,), 7) is None


@given(st.dictionaries(st.integers(1, 9), st.none() | st.integers(1, 4)))
def test_typed_numbers_become_places_without_gaps(typed: dict[int, int | None]) -> None:
    ranks = ranking(typed, sorted(typed))
    given_ranks = sorted(rank for rank in ranks.values() if rank is not None)
    assert given_ranks == list(range(1, len(given_ranks) + 1))
    for one, number in typed.items():
        assert (ranks[one] is None) is (number is None)
        for other, other_number in typed.items():
            if number is not None and other_number is not None and number < other_number:
                assert (ranks[one] or 0) < (ranks[other] or 0)


def test_equal_numbers_keep_the_order_of_the_requests() -> None:
    assert ranking({5: 1, 3: 1, 4: None}, [5, 4, 3]) == {5: 1, 3: 2, 4: None}
