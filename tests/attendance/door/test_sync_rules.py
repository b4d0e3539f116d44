"""The rules of syncing, attacked with invented requests, clocks and recordings."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.attendance.door.sync_rules import (
    CLOCK_TOLERANCE,
    Outcome,
    Recording,
    Unreadable,
    UnreadableError,
    corrected,
    outcome_of,
    parse_request,
    salt_of,
    ticket_hash,
)
from trainings.attendance.door.sync_wording import all_words
from trainings.attendance.models import AttendanceMark, RecordingKind
from trainings.attendance.rules import NOTHING, THERE, Change, Entry

NOW = datetime(2026, 3, 12, 8, 0, tzinfo=UTC)
KEY = "00000000-0000-4000-8000-000000000001"
ABSENT = Entry(AttendanceMark.ABSENT)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
recordings = st.fixed_dictionaries(
    {},
    optional={
        "key": st.just(KEY) | anything,
        "kind": st.sampled_from([kind.value for kind in RecordingKind]) | anything,
        "at": st.just("2026-03-12T08:00:00Z") | st.text() | anything,
        "session": st.integers() | anything,
        "registration": st.integers() | anything,
        "hash": st.just("0" * 64) | anything,
        "ticket": st.text() | anything,
        "mark": st.sampled_from(["present", "open"]) | anything,
        "late": st.integers() | anything,
        "undoes": st.just(KEY) | anything,
        "name": st.text() | anything,
        "organisation": st.text() | anything,
    },
)


@given(st.lists(recordings | anything, max_size=5))
def test_whatever_a_phone_sends_is_read_or_said_to_be_unreadable(sent: list[Any]) -> None:
    _, read = parse_request({"sent_at": "2026-03-12T08:00:00Z", "recordings": sent})
    assert len(read) == len(sent)
    for each in read:
        json.dumps(each.sent_key)
        if isinstance(each, Recording):
            assert each.key == KEY
            assert each.at == NOW
            assert "\x00" not in each.name + each.organisation + each.ticket + each.undoes
            assert max(len(each.name), len(each.organisation)) <= 160
            assert len(each.ticket) <= 32
            assert each.registration_id is None or 0 < each.registration_id < 2**31
            assert 0 <= each.says.late <= 24 * 60
            assert each.says == THERE or each.kind is RecordingKind.SET
            assert bool(each.undoes) == (each.kind is RecordingKind.UNDO)
            assert bool(each.name) == (each.kind is RecordingKind.WALK_IN)
        else:
            assert isinstance(each, Unreadable)


@given(anything)
def test_what_is_no_request_is_refused_as_a_whole(sent: Any) -> None:
    with pytest.raises(UnreadableError):
        parse_request(sent)


@given(
    st.lists(st.integers(-90_000, 100), min_size=1, max_size=6),
    st.integers(-90_000, 90_000),
)
def test_clocks_are_corrected_in_order_and_nothing_is_in_the_future(
    recorded: list[int], wrong: int
) -> None:
    off = timedelta(seconds=wrong)
    true = [NOW + timedelta(seconds=at) for at in recorded]
    found = corrected([at + off for at in true], NOW + off, NOW)
    assert all(at <= NOW for at in found)
    tolerance = CLOCK_TOLERANCE + timedelta(seconds=max(0, *recorded, 0))
    assert all(abs(at - was) <= 2 * tolerance for at, was in zip(found, true, strict=True))
    in_past = [(was, at) for was, at in zip(true, found, strict=True) if was <= NOW]
    assert sorted(in_past) == sorted(in_past, key=lambda pair: (pair[1], pair[0]))


def test_a_small_difference_is_left_alone_and_a_great_one_corrected() -> None:
    at, minute = NOW - timedelta(hours=1), timedelta(minutes=1)
    assert corrected([at], NOW - 2 * minute, NOW) == [at]
    assert corrected([at], NOW - 3 * minute, NOW) == [at + 3 * minute]
    assert corrected([at], NOW + 3 * minute, NOW) == [at - 3 * minute]
    ahead = [NOW, NOW + minute]
    assert corrected(ahead, NOW + minute, NOW) == [NOW - minute, NOW]


def change(number: int, kind: RecordingKind, says: Entry = THERE, undoes: str = "") -> Change:
    return Change(
        key=f"k{number}",
        registration_id=1,
        session_id=1,
        kind=kind,
        actor_id=1,
        actor_name="",
        at=NOW + timedelta(seconds=number),
        batch="",
        old=NOTHING,
        new=says,
        undoes_key=undoes or None,
    )


SEEN, SET, FILL, UNDO = (
    RecordingKind.SEEN, RecordingKind.SET, RecordingKind.FILL, RecordingKind.UNDO,
)  # fmt: skip


@pytest.mark.parametrize(
    ("known", "number", "outcome"),
    [
        ([change(1, SEEN)], 1, Outcome.RECORDED),
        ([change(1, SEEN), change(2, SEEN)], 2, Outcome.ALREADY),
        ([change(2, SEEN), change(1, SEEN)], 1, Outcome.RECORDED),
        ([change(1, SET, ABSENT), change(2, SEEN)], 2, Outcome.RECORDED),
        ([change(1, SET, ABSENT), change(2, FILL)], 2, Outcome.SUPERSEDED),
        ([change(1, SET), change(2, FILL)], 2, Outcome.ALREADY),
        ([change(2, SET, ABSENT), change(1, SET)], 1, Outcome.SUPERSEDED),
        ([change(1, SET, ABSENT), change(2, SET, ABSENT)], 2, Outcome.RECORDED),
        ([change(1, SET, NOTHING)], 1, Outcome.RECORDED),
        ([change(2, UNDO, undoes="k1"), change(1, SEEN)], 1, Outcome.SUPERSEDED),
        ([change(2, UNDO, undoes="k1")], 2, Outcome.UNDONE),
    ],
)
def test_what_came_of_a_recording(known: list[Change], number: int, outcome: Outcome) -> None:
    own = next(each for each in known if each.key == f"k{number}")
    assert outcome_of(own, known)[0] is outcome


def test_the_hash_is_the_one_that_the_phone_computes() -> None:
    salt = salt_of("secret", "2026-014")
    assert salt == salt_of("secret", "2026-014")
    assert len({salt, salt_of("secret", "2026-015"), salt_of("other", "2026-014")}) == 3
    assert ticket_hash("ab", "ABCD") == (
        "e892294e127e31e952c7904e69fdf9ce3545b9f2dabee6627f2fe2d17a8a7047"
    )


def test_every_outcome_has_words_without_gaps() -> None:
    words = all_words()
    assert {outcome.value for outcome in Outcome} <= words.keys()
    for word, sentence in (each.values() for each in words.values()):
        assert word
        assert sentence.endswith(".")
        assert "{" not in sentence
