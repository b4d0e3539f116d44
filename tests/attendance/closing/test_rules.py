"""What remains of the times of day when an attendance is closed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.attendance.factories import FRIDAY, THURSDAY
from tests.factories import berlin
from trainings.attendance.closing.operations import check_closing
from trainings.attendance.closing.rules import (
    begin_of_day,
    days_in_order,
    is_day_only,
)
from trainings.attendance.models import AttendanceMark, RecordingKind
from trainings.attendance.rules import NOTHING, Change, Entry, SessionTime, fold
from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError
from trainings.events.models import EventState

SESSIONS = (
    SessionTime(1, THURSDAY, time(9), time(12), "Vormittag"),
    SessionTime(2, FRIDAY, time(13), time(16), "Nachmittag"),
)
# Over the change of the clock on 29 March.
instants = st.integers(0, 4 * 86_400 * 10**6).map(
    lambda passed: berlin(date(2026, 3, 27), 0) + timedelta(microseconds=passed)
)
entries = st.builds(
    Entry, st.sampled_from([None, *AttendanceMark]), st.integers(0, 90), st.integers(0, 90)
)


@st.composite
def histories(draw: st.DrawFn) -> list[Change]:
    """Recordings of a few people, some at the same instant, some of which take others back."""
    found: list[Change] = []
    for number in range(draw(st.integers(0, 14))):
        person = draw(st.sampled_from((1, 2)))
        own = [change.key for change in found if change.registration_id == person]
        taken_back = {change.undoes_key for change in found}
        undoable = sorted(set(own) - taken_back)
        kinds = [RecordingKind.SET, RecordingKind.SEEN, RecordingKind.FILL]
        kind = draw(st.sampled_from([*kinds, RecordingKind.UNDO] if undoable else kinds))
        at = draw(st.sampled_from([change.at for change in found]) if found else instants)
        found.append(
            Change(
                key=f"{draw(st.integers(0, 999)):03}-{number}",
                registration_id=person,
                session_id=1,
                kind=kind,
                actor_id=10,
                actor_name="",
                at=draw(st.one_of(st.just(at), instants)),
                batch="",
                old=NOTHING,
                new=draw(entries),
                undoes_key=(
                    draw(st.sampled_from(undoable)) if kind is RecordingKind.UNDO else None
                ),
            )
        )
    return found


def closed(changes: list[Change]) -> list[Change]:
    kept = days_in_order((place, found.at, found.key) for place, found in enumerate(changes))
    return [replace(found, at=kept[place]) for place, found in enumerate(changes)]


def marks(changes: list[Change]) -> list[tuple[Entry, str | None]]:
    found = []
    for person in (1, 2):
        entry, deciding = fold(change for change in changes if change.registration_id == person)
        found.append((entry, deciding.key if deciding else None))
    return found


@given(histories())
def test_closing_leaves_every_mark_and_the_recording_that_decided(changes: list[Change]) -> None:
    assert marks(closed(changes)) == marks(changes)


@given(histories())
def test_only_day_and_order_remain(changes: list[Change]) -> None:
    after = closed(changes)
    assert all(is_day_only(change.at) for change in after)
    assert [berlin_day(change.at) for change in after] == [
        berlin_day(change.at) for change in changes
    ]
    assert [change.key for change in sorted(after, key=lambda found: found.order)] == [
        change.key for change in sorted(changes, key=lambda found: found.order)
    ]


@given(histories())
def test_closing_again_changes_nothing(changes: list[Change]) -> None:
    assert closed(closed(changes)) == closed(changes)


@given(instants)
def test_time_of_day_counts_from_midnight_in_berlin(at: datetime) -> None:
    assert berlin_day(begin_of_day(at)) == berlin_day(at)
    assert is_day_only(begin_of_day(at))
    assert not is_day_only(begin_of_day(at) + timedelta(seconds=1))


def test_attendance_closes_from_the_begin_of_the_last_session_on() -> None:
    begin = berlin(FRIDAY, 13)
    check_closing(EventState.PUBLISHED, SESSIONS, begin)
    check_closing(EventState.HELD, SESSIONS, begin)
    with pytest.raises(DomainError, match="too_early_to_close"):
        check_closing(EventState.PUBLISHED, SESSIONS, begin - timedelta(seconds=1))


def test_event_without_sessions_cannot_be_closed() -> None:
    with pytest.raises(DomainError, match="too_early_to_close"):
        check_closing(EventState.PUBLISHED, (), berlin(FRIDAY, 13))


@pytest.mark.parametrize(
    ("state", "code"),
    [(EventState.DRAFT, "event_draft"), (EventState.CANCELLED, "event_cancelled")],
)
def test_drafts_and_cancelled_events_are_not_closed(state: EventState, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        check_closing(state, SESSIONS, berlin(FRIDAY, 18))
