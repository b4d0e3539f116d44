"""Which session is meant, who may be recorded when, and what undoing takes back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.attendance.models import AttendanceMark
from trainings.attendance.rules import (
    Answer,
    Change,
    Mark,
    SessionTime,
    changes_in_force,
    current_session,
    is_undone,
    last_step,
    normalise_ticket,
    recording_answer,
    session_of_today,
    tally,
)
from trainings.core.clock import berlin_instant
from trainings.events.models import EventState
from trainings.registrations.models import RegistrationState

THURSDAY, FRIDAY = date(2026, 3, 12), date(2026, 3, 13)
MORNING, AFTERNOON = (time(9), time(12, 15)), (time(13, 15), time(16, 30))
SESSIONS = [
    SessionTime(1, THURSDAY, *MORNING, "Vormittag"),
    SessionTime(2, THURSDAY, *AFTERNOON, "Nachmittag"),
    SessionTime(3, FRIDAY, *MORNING, "Vormittag"),
    SessionTime(4, FRIDAY, *AFTERNOON, "Nachmittag"),
]
PRESENT, ABSENT, EXCUSED = AttendanceMark
AT = datetime(2026, 3, 12, 8, tzinfo=UTC)


def current(day: date, at: time, complete: set[int] | None = None) -> int | None:
    found = current_session(SESSIONS, complete or set(), berlin_instant(day, at))
    return found.id if found else None


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (THURSDAY, time(7, 30), 1),
        (THURSDAY, time(9, 0), 1),
        (THURSDAY, time(12, 14), 1),
        (THURSDAY, time(12, 15), 2),
        (THURSDAY, time(16, 29), 2),
        (FRIDAY, time(8, 0), 3),
        (FRIDAY, time(14, 0), 4),
    ],
)
def test_page_opens_with_the_session_that_runs_or_is_next_today(
    day: date, at: time, expected: int
) -> None:
    assert current(day, at) == expected
    today = session_of_today(SESSIONS, berlin_instant(day, at))
    assert today is not None
    assert today.id == expected


def test_page_opens_with_first_session_before_the_event() -> None:
    assert current(THURSDAY - timedelta(days=3), time(10)) == 1


def test_page_opens_with_first_incomplete_session_after_the_last_one_of_the_day() -> None:
    assert current(THURSDAY, time(18), {1}) == 2
    assert current(THURSDAY, time(18), set()) == 1
    assert current(THURSDAY, time(18), {1, 2}) == 2


def test_page_opens_with_incomplete_session_long_after_the_event() -> None:
    assert current(FRIDAY + timedelta(days=9), time(10), {1, 2, 4}) == 3
    assert current(FRIDAY + timedelta(days=9), time(10), {1, 2, 3, 4}) == 4


def test_page_without_sessions_has_no_current_one() -> None:
    assert current_session([], set(), AT) is None


def test_ticket_means_the_last_session_of_today_once_all_are_over() -> None:
    found = session_of_today(SESSIONS, berlin_instant(THURSDAY, time(20)))
    assert found == SESSIONS[1]


def test_ticket_means_no_session_on_another_day() -> None:
    assert session_of_today(SESSIONS, berlin_instant(FRIDAY + timedelta(days=1), time(9))) is None


def answer(**changed: object) -> Answer:
    values: dict[str, object] = {
        "event_state": EventState.PUBLISHED,
        "last_day": FRIDAY,
        "session_day": THURSDAY,
        "now": berlin_instant(THURSDAY, time(8)),
        "by_office": False,
    }
    return recording_answer(**(values | changed))  # type: ignore[arg-type]


def test_recording_is_ready_on_the_day() -> None:
    assert answer() is Answer.READY
    assert answer(event_state=EventState.HELD) is Answer.READY


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (RegistrationState.PLACED, Answer.READY),
        (RegistrationState.WITHDRAWN, Answer.WITHDRAWN),
        (RegistrationState.WAITING, Answer.WAITING),
        (RegistrationState.SUBSTITUTED, Answer.SUBSTITUTED),
        (RegistrationState.CANCELLED, Answer.EVENT_CANCELLED),
        (RegistrationState.AWAITING_RELEASE, Answer.NO_PLACE),
        (RegistrationState.OFFERED, Answer.NO_PLACE),
        (RegistrationState.DECLINED, Answer.NO_PLACE),
        (RegistrationState.EXPIRED, Answer.NO_PLACE),
    ],
)
def test_each_state_of_a_registration_has_its_answer(
    state: RegistrationState, expected: Answer
) -> None:
    assert answer(place=state) is expected


def test_cancelled_and_draft_events_say_so_before_anything_else() -> None:
    withdrawn = RegistrationState.WITHDRAWN
    assert answer(event_state=EventState.CANCELLED, place=withdrawn) is Answer.EVENT_CANCELLED
    assert answer(event_state=EventState.DRAFT, session_day=None) is Answer.EVENT_DRAFT


def test_withdrawn_is_said_before_the_wrong_day() -> None:
    assert answer(place=RegistrationState.WITHDRAWN, session_day=None) is Answer.WITHDRAWN


def test_no_session_today_is_another_day() -> None:
    assert answer(session_day=None) is Answer.OTHER_DAY


def test_recording_begins_at_midnight_of_the_day_in_berlin() -> None:
    assert (
        answer(now=berlin_instant(THURSDAY - timedelta(days=1), time(23, 59))) is Answer.TOO_EARLY
    )
    assert answer(now=berlin_instant(THURSDAY, time(0))) is Answer.READY


def test_trainers_correct_for_fourteen_days_and_the_office_always() -> None:
    last = berlin_instant(FRIDAY + timedelta(days=14), time(23, 59))
    after = berlin_instant(FRIDAY + timedelta(days=15), time(0))
    assert answer(now=last) is Answer.READY
    assert answer(now=after) is Answer.TOO_LATE
    assert answer(now=after + timedelta(days=900), by_office=True) is Answer.READY


def test_office_is_held_to_the_day_too() -> None:
    early = berlin_instant(THURSDAY - timedelta(days=1), time(12))
    assert answer(now=early, by_office=True) is Answer.TOO_EARLY


marks = st.one_of(st.none(), st.sampled_from(AttendanceMark))


@given(st.lists(marks, max_size=40))
def test_tally_counts_everybody_once(found: list[Mark]) -> None:
    counts = tally(found)
    assert counts.total == len(found)
    assert counts.present + counts.missing + counts.unrecorded == len(found)
    assert counts.unrecorded == sum(mark is None for mark in found)


@pytest.mark.parametrize(
    "typed", ["ABCDEFGHJK23", "abcdefghjk23", "abcd-efgh-jk23", " ABCD EFGH\u00a0JK23 \x00"]
)
def test_ticket_is_read_however_it_is_typed(typed: str) -> None:
    assert normalise_ticket(typed) == "ABCDEFGHJK23"


@given(st.text())
def test_normalised_ticket_is_plain_and_stable(typed: str) -> None:
    once = normalise_ticket(typed)
    assert normalise_ticket(once) == once
    assert once.isascii()
    assert not once or once.isalnum()


class Book:
    """What a session's rows would hold: marks, and every change."""

    def __init__(self) -> None:
        self.marks: dict[int, Mark] = {}
        self.changes: list[Change] = []
        self.steps = 0

    def record(self, actor: int, changes: dict[int, tuple[Mark, int | None]]) -> None:
        self.steps += 1
        for person, (mark, undoes) in changes.items():
            old = self.marks.get(person)
            if old is mark:
                continue
            self.changes.append(
                Change(
                    len(self.changes) + 1, person, actor, "", AT, str(self.steps), old, mark, undoes
                )
            )
            self.marks[person] = mark

    def undo(self, actor: int) -> tuple[Change, ...]:
        step = last_step(self.changes, actor)
        self.record(actor, {change.registration_id: (change.old, change.id) for change in step})
        return step


PEOPLE, ACTORS = (1, 2, 3, 4), (10, 20)
Move = Callable[[Book], object]
moves = st.one_of(
    st.builds(
        lambda actor, person, mark: lambda book: book.record(actor, {person: (mark, None)}),
        st.sampled_from(ACTORS),
        st.sampled_from(PEOPLE),
        marks,
    ),
    st.builds(
        lambda actor: (
            lambda book: book.record(
                actor,
                {person: (PRESENT, None) for person in PEOPLE if book.marks.get(person) is None},
            )
        ),
        st.sampled_from(ACTORS),
    ),
    st.builds(lambda actor: lambda book: book.undo(actor), st.sampled_from(ACTORS)),
)


def play(script: list[Move]) -> Book:
    book = Book()
    for move in script:
        move(book)
    return book


@given(st.lists(moves, max_size=25))
def test_marks_always_are_what_the_changes_in_force_say(script: list[Move]) -> None:
    book = play(script)
    in_force = changes_in_force(book.changes)
    for person in PEOPLE:
        last = in_force.get(person)
        assert book.marks.get(person) is (last.new if last else None)


@given(st.lists(moves, max_size=25), st.sampled_from(ACTORS))
def test_undo_takes_back_only_what_oneself_recorded_last(script: list[Move], actor: int) -> None:
    book = play(script)
    before, in_force = dict(book.marks), changes_in_force(book.changes)
    step = book.undo(actor)
    assert all(in_force[change.registration_id] == change for change in step)
    assert all(change.actor_id == actor for change in step)
    untouched = set(PEOPLE) - {change.registration_id for change in step}
    assert all(book.marks.get(person) is before.get(person) for person in untouched)
    assert all(book.marks.get(change.registration_id) is change.old for change in step)


@given(st.lists(moves, max_size=15), st.sampled_from(ACTORS), st.sampled_from(PEOPLE), marks)
def test_undo_right_after_a_step_restores_what_was_before(
    script: list[Move], actor: int, person: int, mark: Mark
) -> None:
    book = play(script)
    before, count = dict(book.marks), len(book.changes)
    book.record(actor, {person: (mark, None)})
    if len(book.changes) > count:
        book.undo(actor)
        assert {key: value for key, value in book.marks.items() if value} == {
            key: value for key, value in before.items() if value
        }


@given(st.lists(moves, max_size=25), st.sampled_from(ACTORS))
def test_undoing_again_and_again_comes_to_an_end(script: list[Move], actor: int) -> None:
    book = play(script)
    steps = 0
    while book.undo(actor):
        steps += 1
        assert steps <= len(script)
    undone = [change.undoes_id for change in book.changes if change.undoes_id]
    assert len(undone) == len(set(undone))


def test_step_counts_as_undone_once_it_was_taken_back() -> None:
    book = Book()
    book.record(10, {1: (PRESENT, None)})
    assert not is_undone(book.changes, "1")
    book.undo(10)
    assert is_undone(book.changes, "1")
    assert not is_undone(book.changes, "2")
