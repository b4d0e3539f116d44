from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories import berlin
from trainings.core.errors import DomainError
from trainings.events.models import EventState
from trainings.events.rules import (
    EVENT_MOVES,
    MOST_SESSIONS,
    Deadlines,
    Readiness,
    SessionPlan,
    begin_of,
    check_move,
    check_session_plans,
    deadlines_before,
    first_overlap,
    publishing_obstacles,
    sessions_overlap,
    shift_instant,
    shift_sessions,
)

DAY = date(2026, 3, 12)
MINUTES = st.integers(0, 24 * 60 - 2)


def at(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


@st.composite
def sessions(draw: st.DrawFn) -> SessionPlan:
    begins = draw(MINUTES)
    ends = draw(st.integers(begins + 1, 24 * 60 - 1))
    day = DAY + timedelta(days=draw(st.integers(0, 3)))
    return SessionPlan(day, at(begins), at(ends))


def minutes_of(plan: SessionPlan) -> set[tuple[date, int]]:
    begins = plan.begins.hour * 60 + plan.begins.minute
    ends = plan.ends.hour * 60 + plan.ends.minute
    return {(plan.day, minute) for minute in range(begins, ends)}


@given(sessions(), sessions())
def test_sessions_overlap_exactly_when_they_share_a_minute(
    first: SessionPlan, second: SessionPlan
) -> None:
    shared = bool(minutes_of(first) & minutes_of(second))
    assert sessions_overlap(first, second) is shared
    assert sessions_overlap(second, first) is shared


@given(sessions())
def test_session_overlaps_itself_but_not_what_begins_at_its_end(plan: SessionPlan) -> None:
    assert sessions_overlap(plan, plan)
    after = SessionPlan(plan.day, plan.ends, time(23, 59, 59))
    assert not sessions_overlap(plan, after)


@given(st.lists(sessions(), max_size=6), st.lists(sessions(), max_size=6))
def test_first_overlap_finds_one_exactly_when_there_is_one(
    planned: list[SessionPlan], others: list[SessionPlan]
) -> None:
    found = first_overlap(planned, others)
    shared = {plan for plan in planned if any(sessions_overlap(plan, other) for other in others)}
    assert (found in shared) if shared else (found is None)


@given(st.lists(sessions(), min_size=1, max_size=8))
def test_accepted_plans_are_in_order_and_apart(plans: list[SessionPlan]) -> None:
    try:
        ordered = check_session_plans(plans)
    except DomainError as refusal:
        assert refusal.code == "sessions_overlap"
        assert any(sessions_overlap(a, b) for i, a in enumerate(plans) for b in plans[i + 1 :])
        return
    assert sorted(map(repr, ordered)) == sorted(map(repr, plans))
    for earlier, later in pairwise(ordered):
        assert (earlier.day, earlier.ends) <= (later.day, later.begins)


@pytest.mark.parametrize(
    ("plans", "code"),
    [
        ([], "no_session"),
        ([SessionPlan(DAY, time(9), time(9))], "ends_before_begin"),
        ([SessionPlan(DAY, time(12), time(9))], "ends_before_begin"),
        ([SessionPlan(date(1, 1, 1), time(9), time(10))], "absurd_day"),
        ([SessionPlan(date(2101, 1, 1), time(9), time(10))], "absurd_day"),
        (
            [
                SessionPlan(DAY + timedelta(days=n), time(9), time(10))
                for n in range(MOST_SESSIONS + 1)
            ],
            "too_many_sessions",
        ),
    ],
)
def test_plans_that_make_no_sense_are_refused(plans: list[SessionPlan], code: str) -> None:
    with pytest.raises(DomainError, match=code) as refusal:
        check_session_plans(plans)
    assert refusal.value.field == "sessions"


@pytest.mark.parametrize("old", EventState)
@pytest.mark.parametrize("new", EventState)
def test_only_moves_of_the_table_are_legal(old: EventState, new: EventState) -> None:
    legal = {
        (EventState.DRAFT, EventState.PUBLISHED),
        (EventState.PUBLISHED, EventState.HELD),
        (EventState.PUBLISHED, EventState.CANCELLED),
    }
    assert {(a, b) for a, targets in EVENT_MOVES.items() for b in targets} == legal
    if (old, new) in legal:
        check_move(old, new)
    else:
        with pytest.raises(DomainError, match="illegal_move"):
            check_move(old, new)


def test_deadlines_end_with_their_day_in_berlin_on_both_sides_of_the_clock_change() -> None:
    # The clock goes forward on 29.03.2026: 14 days before 02.04. is winter, 2 days before summer.
    deadlines = deadlines_before(
        date(2026, 4, 2), registration_days=14, withdrawal_days=2, needs_days=4
    )
    assert deadlines.closes_at == datetime(2026, 3, 19, 23, 0, tzinfo=UTC)
    assert deadlines.withdraw_until == datetime(2026, 3, 31, 22, 0, tzinfo=UTC)
    assert deadlines.needs_until == datetime(2026, 3, 29, 22, 0, tzinfo=UTC)


def test_shifted_instant_keeps_its_wall_clock_time() -> None:
    assert shift_instant(berlin(date(2026, 3, 20), 24 - 1, 30), 20) == berlin(
        date(2026, 4, 9), 23, 30
    )


def test_shifted_sessions_keep_gaps_times_and_labels() -> None:
    plans = [
        SessionPlan(DAY, time(9), time(12), "Vormittag"),
        SessionPlan(DAY + timedelta(days=7), time(13), time(16), "Nachmittag"),
    ]
    moved = shift_sessions(plans, date(2027, 1, 4))
    assert [plan.day for plan in moved] == [date(2027, 1, 4), date(2027, 1, 11)]
    assert [replace(plan, day=DAY) for plan in moved] == [replace(plan, day=DAY) for plan in plans]


NOW = berlin(date(2026, 3, 2), 9)
READY = Readiness(
    sessions=[SessionPlan(date(2026, 4, 16), time(9), time(16))],
    has_venue=True,
    opens_at=NOW,
    deadlines=Deadlines(
        berlin(date(2026, 4, 2), 0), berlin(date(2026, 4, 9), 0), berlin(date(2026, 4, 2), 0)
    ),
    capacity=12,
    minimum=6,
    needs_hosts=False,
    needs_invitations=False,
)


def test_nothing_keeps_a_complete_draft_from_being_published() -> None:
    assert publishing_obstacles(READY, NOW) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sessions": []}, "keinen Termin"),
        ({"has_venue": False}, "Veranstaltungsort"),
        ({"capacity": 0, "minimum": 0}, "keine Plätze"),
        ({"minimum": 13}, "Mindestzahl"),
        ({"needs_hosts": True}, "welche Organisationen"),
        ({"needs_invitations": True}, "niemand eingeladen"),
        ({"opens_at": berlin(date(2026, 4, 3), 0)}, "endet, bevor sie beginnt"),
        (
            {"sessions": [SessionPlan(date(2026, 3, 2), time(8), time(10))]},
            "Mo.,\u00a002.03.2026, 08:00",
        ),
        (
            {"deadlines": replace(READY.deadlines, closes_at=berlin(date(2026, 4, 18), 0))},
            "Anmeldeschluss liegt nach",
        ),
        (
            {"deadlines": replace(READY.deadlines, withdraw_until=berlin(date(2026, 4, 18), 0))},
            "Platz zurückzugeben, liegt nach",
        ),
        (
            {"deadlines": replace(READY.deadlines, needs_until=berlin(date(2026, 4, 18), 0))},
            "Bedarfe liegt nach",
        ),
        (
            {
                "opens_at": berlin(date(2026, 2, 1), 0),
                "deadlines": replace(READY.deadlines, closes_at=berlin(date(2026, 3, 1), 0)),
            },
            "schon vorbei",
        ),
    ],
)
def test_each_obstacle_says_what_is_missing(changes: dict[str, object], words: str) -> None:
    obstacles = publishing_obstacles(replace(READY, **changes), NOW)  # type: ignore[arg-type]
    assert len(obstacles) == 1
    assert words in obstacles[0]


def test_event_begins_with_its_earliest_session() -> None:
    late = SessionPlan(DAY, time(13), time(16))
    early = SessionPlan(DAY, time(9), time(12))
    assert begin_of([late, early]) == berlin(DAY, 9)
