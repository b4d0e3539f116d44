"""Two requests with the same queue at the same moment: with the locks once, without them a race."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.attendance.door.test_sync_operations import AT, Door, counts, make_door
from tests.attendance.factories import FRIDAY
from tests.attendance.phone import recording
from tests.concurrency.threads import run_together, without_immediate
from tests.factories import berlin
from trainings.attendance.closing import operations as closing_operations
from trainings.attendance.closing.operations import close_attendance
from trainings.attendance.door import sync_operations
from trainings.core.database import transaction

pytestmark = pytest.mark.both_databases

PATIENCE_SECONDS = 1


def let_both_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold whoever has read what is known until the other one has read it too, if it can."""
    meeting = threading.Barrier(2)
    real: Callable[..., Any] = sync_operations.Ledger

    def read_and_wait(*arguments: Any, **named: Any) -> Any:
        read = real(*arguments, **named)
        # It breaks while the other one waits for our lock.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(PATIENCE_SECONDS)
        return read

    monkeypatch.setattr(sync_operations, "Ledger", read_and_wait)


def send_twice_at_once(app: Flask, door: Door) -> list[Any]:
    queue = [
        door.seen(0),
        door.seen(1),
        recording("walk_in", door.sessions[0], AT, name="Gast"),
        door.seen(hash="0" * 64),
    ]
    return run_together(app, [lambda: door.sync(*queue), lambda: door.sync(*queue)])


def test_with_the_locks_the_second_finds_what_the_first_has_stored(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = make_door()
    let_both_read_first(monkeypatch)
    first, second = send_twice_at_once(app, door)
    assert first == second == ["recorded", "recorded", "walk_in_recorded", "unknown_ticket"]
    assert counts() == (2, 1, 1)


def test_without_the_locks_both_would_store_it(
    app: Flask, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = make_door()
    let_both_read_first(monkeypatch)
    monkeypatch.setattr(Select, "with_for_update", lambda statement, **_: statement)
    with without_immediate() if backend == "sqlite" else nullcontext():
        done = send_twice_at_once(app, door)
    assert any(isinstance(each, IntegrityError | OperationalError) for each in done)


def test_a_replay_while_the_attendance_is_closed_waits_for_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing takes the times out of settled notes; a phone sends one of them once more."""
    door = make_door()
    evening = berlin(FRIDAY, 18)
    guest, seen = recording("walk_in", door.sessions[0], AT, name="Gast"), door.seen(0)
    undo = recording("undo", door.sessions[0], AT, undoes=guest["key"])
    door.sync(guest, seen, undo)
    meeting = threading.Barrier(2)
    seats, forget = sync_operations.lock_seats, closing_operations._forget_times

    def meet() -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(PATIENCE_SECONDS)

    def lock_later(*arguments: Any) -> Any:
        meet()
        return seats(*arguments)

    def forget_later(*arguments: Any) -> None:
        meet()
        forget(*arguments)

    def close() -> bool:
        with transaction() as session:
            return close_attendance(session, door.trainer, door.event_id, evening)

    monkeypatch.setattr(sync_operations, "lock_seats", lock_later)
    monkeypatch.setattr(closing_operations, "_forget_times", forget_later)
    replay = partial(door.sync, guest, seen, now=evening)
    assert run_together(app, [replay, close]) == [["walk_in_recorded", "recorded"], True]
