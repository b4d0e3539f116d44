"""Which session is meant, who may be recorded when, and what undoing takes back."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.attendance.models import AttendanceMark, RecordingKind
from trainings.attendance.rules import (
    NOTHING,
    THERE,
    Answer,
    Change,
    Entry,
    Mark,
    SessionTime,
    apply,
    changes_in_force,
    check_minutes,
    current_session,
    fold,
    is_repetition,
    is_undone,
    last_step,
    name_matches,
    normalise_ticket,
    recording_answer,
    session_of_today,
    tally,
)
from trainings.core.clock import berlin_instant
from trainings.core.errors import DomainError
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
    """What the rows of one session would hold: every recording, in the order of arrival."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.steps = 0

    @property
    def marks(self) -> dict[int, Mark]:
        found = {person: fold(self.of(person))[0].mark for person in PEOPLE}
        return {person: mark for person, mark in found.items() if mark}

    def of(self, person: int) -> list[Change]:
        return [change for change in self.changes if change.registration_id == person]

    def record(self, actor: int, people: Iterable[int], kind: RecordingKind, mark: Mark) -> None:
        self.steps += 1
        for person in people:
            self._add(actor, person, kind, mark, None)

    def undo(self, actor: int) -> tuple[Change, ...]:
        step = last_step(self.changes, actor)
        self.steps += 1
        for change in step:
            self._add(actor, change.registration_id, RecordingKind.UNDO, None, change.key)
        return step

    def _add(
        self, actor: int, person: int, kind: RecordingKind, mark: Mark, undoes: str | None
    ) -> None:
        number = len(self.changes)
        self.changes.append(
            Change(
                key=f"{number:04}",
                registration_id=person,
                session_id=1,
                kind=kind,
                actor_id=actor,
                actor_name="",
                at=AT + timedelta(seconds=number),
                batch=str(self.steps),
                old=NOTHING,
                new=Entry(mark),
                undoes_key=undoes,
            )
        )


PEOPLE, ACTORS = (1, 2, 3, 4), (10, 20)
Move = Callable[[Book], object]
moves = st.one_of(
    st.builds(
        lambda actor, person, mark: (
            lambda book: book.record(actor, [person], RecordingKind.SET, mark)
        ),
        st.sampled_from(ACTORS),
        st.sampled_from(PEOPLE),
        marks,
    ),
    st.builds(
        lambda actor, person: (
            lambda book: book.record(actor, [person], RecordingKind.SEEN, PRESENT)
        ),
        st.sampled_from(ACTORS),
        st.sampled_from(PEOPLE),
    ),
    st.builds(
        lambda actor: lambda book: book.record(actor, PEOPLE, RecordingKind.FILL, PRESENT),
        st.sampled_from(ACTORS),
    ),
    st.builds(lambda actor: lambda book: book.undo(actor), st.sampled_from(ACTORS)),
)


def play(script: list[Move]) -> Book:
    book = Book()
    for move in script:
        move(book)
    return book


@given(st.lists(moves, max_size=25), st.randoms(use_true_random=False))
def test_marks_do_not_depend_on_the_order_in_which_recordings_arrive(
    script: list[Move], chance: random.Random
) -> None:
    book = play(script)
    before = book.marks
    chance.shuffle(book.changes)
    assert book.marks == before


@given(st.lists(moves, max_size=25))
def test_recording_that_arrives_late_leaves_a_later_correction_in_force(script: list[Move]) -> None:
    book = play(script)
    book.record(10, [1], RecordingKind.SET, ABSENT)
    early = replace(
        book.changes[-1], key="early", kind=RecordingKind.SEEN, at=AT - timedelta(hours=1)
    )
    book.changes.append(early)
    assert book.marks[1] is ABSENT


@pytest.mark.parametrize(
    ("before", "kind", "after"),
    [
        (NOTHING, RecordingKind.SEEN, THERE),
        (Entry(ABSENT), RecordingKind.SEEN, THERE),
        (Entry(PRESENT, 10, 5), RecordingKind.SEEN, Entry(PRESENT, 10, 5)),
        (NOTHING, RecordingKind.FILL, THERE),
        (Entry(ABSENT), RecordingKind.FILL, Entry(ABSENT)),
        (Entry(PRESENT, 10), RecordingKind.SET, Entry(EXCUSED)),
    ],
)
def test_each_kind_of_recording_says_something_else(
    before: Entry, kind: RecordingKind, after: Entry
) -> None:
    assert apply(before, kind, Entry(EXCUSED)) == after


@given(st.lists(moves, max_size=25), st.sampled_from(ACTORS))
def test_undo_takes_back_only_what_oneself_recorded_last(script: list[Move], actor: int) -> None:
    book = play(script)
    before, in_force = book.marks, changes_in_force(book.changes)
    step = book.undo(actor)
    assert all(in_force[change.registration_id] == change for change in step)
    assert all(change.actor_id == actor for change in step)
    untouched = set(PEOPLE) - {change.registration_id for change in step}
    assert all(book.marks.get(person) is before.get(person) for person in untouched)


@given(st.lists(moves, max_size=15), st.sampled_from(ACTORS), st.sampled_from(PEOPLE), marks)
def test_undo_right_after_a_step_restores_what_was_before(
    script: list[Move], actor: int, person: int, mark: Mark
) -> None:
    book = play(script)
    before = book.marks
    book.record(actor, [person], RecordingKind.SET, mark)
    if book.marks != before:
        book.undo(actor)
        assert book.marks == before


@given(st.lists(moves, max_size=25), st.sampled_from(ACTORS))
def test_undoing_again_and_again_comes_to_an_end(script: list[Move], actor: int) -> None:
    book = play(script)
    steps = 0
    while book.undo(actor):
        steps += 1
        assert steps <= len(PEOPLE) * len(script)
    undone = [change.undoes_key for change in book.changes if change.undoes_key]
    assert len(undone) == len(set(undone))


def test_step_counts_as_undone_once_it_was_taken_back() -> None:
    book = Book()
    book.record(10, [1], RecordingKind.SET, PRESENT)
    assert not is_undone(book.changes, "1")
    book.undo(10)
    assert is_undone(book.changes, "1")
    assert not is_undone(book.changes, "2")


@pytest.mark.parametrize(
    ("seconds", "actor", "mark", "repeated"),
    [(60, 10, PRESENT, True), (61, 10, PRESENT, False), (1, 20, PRESENT, False),
     (1, 10, ABSENT, False)],
)  # fmt: skip
def test_same_recording_at_once_is_a_repetition(
    seconds: int, actor: int, mark: Mark, repeated: bool
) -> None:
    book = Book()
    book.record(10, [1], RecordingKind.SET, PRESENT)
    first = book.changes[0]
    again = replace(
        first,
        key="again",
        actor_id=actor,
        new=Entry(mark),
        at=first.at + timedelta(seconds=seconds),
    )
    assert is_repetition(first, again) is repeated
    assert not is_repetition(None, again)


@given(st.integers(0, 300), st.integers(0, 300))
def test_minutes_leave_something_of_the_session(late: int, early: int) -> None:
    entry = Entry(PRESENT, late, early)
    if late + early < SESSIONS[0].minutes == 195:
        assert check_minutes(entry, SESSIONS[0]) == entry
    else:
        with pytest.raises(DomainError, match="wrong_minutes"):
            check_minutes(entry, SESSIONS[0])


def test_who_is_absent_has_no_minutes() -> None:
    assert check_minutes(Entry(ABSENT, 10, 20), SESSIONS[0]) == Entry(ABSENT)


def test_nothing_is_recorded_once_the_attendance_is_closed() -> None:
    answer = recording_answer(
        EventState.PUBLISHED, FRIDAY, THURSDAY, AT, by_office=True, closed=True
    )
    assert answer is Answer.CLOSED


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("", True),
        ("Öztürk", True),
        ("oeztuerk", True),
        ("OZTURK", True),
        ("Oeztürk kü", True),
        ("kübra öz", True),
        ("lind", True),
        ("indner", False),
        ("Öztürk Achim", False),
    ],
)
def test_name_is_found_however_its_umlauts_are_typed(typed: str, found: bool) -> None:
    assert name_matches("Öztürk-Lindner, Kübra", typed) is found


@given(st.text(max_size=20), st.text(max_size=20))
def test_name_finds_itself(family: str, given_name: str) -> None:
    assert name_matches(f"{family}, {given_name}", f"{given_name} {family}")
