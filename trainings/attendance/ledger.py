"""The recordings of some people at some sessions, and the marks that follow from them.

Everything that changes a mark goes through here: pages, tickets, queues from phones, what the
office settles. The registrations are locked by the caller, by ascending id, so that of two who
record the same person at once the second one sees what the first one recorded.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import insert, inspect, select
from sqlalchemy.orm import Session

from trainings.attendance.models import Attendance, AttendanceChange, RecordingKind, new_batch
from trainings.attendance.reads import load_all_changes
from trainings.attendance.rules import NOTHING, Change, Entry, fold, is_repetition
from trainings.core.actors import Actor
from trainings.core.database import Base

_NEXT = timedelta(microseconds=1)
Cell = tuple[int, int]
"""A registration and a session."""


@dataclass(frozen=True)
class Stamp:
    """Who recorded something, and when.

    Attributes:
        actor_id: who recorded it; None for the system.
        at: when it was recorded.
        received_at: the present instant; on a page the same.
        key: of a phone's queue; empty: a new one.
        batch: the step that it belongs to; empty: one of its own.

    """

    actor_id: int | None
    at: datetime
    received_at: datetime
    key: str = ""
    batch: str = ""


def on_page(actor: Actor, now: datetime, batch: str = "") -> Stamp:
    """Return the stamp of what somebody records on a page, at the moment that it arrives."""
    return Stamp(actor.person_id, now, now, batch=batch)


@dataclass(frozen=True)
class Recorded:
    """What came of a recording.

    Attributes:
        registration_id: whose attendance.
        session_id: at which session.
        old: what was recorded before.
        new: what is recorded now.
        deciding: the recording that made it so; None where nothing is recorded.

    """

    registration_id: int
    session_id: int
    old: Entry
    new: Entry
    deciding: Change | None = None

    @property
    def changed(self) -> bool:
        """Whether the mark or its minutes are others now."""
        return self.old != self.new


class Ledger:
    """Marks and recordings of these people at these sessions, read once and kept up to date."""

    def __init__(
        self,
        session: Session,
        registration_ids: Collection[int],
        session_ids: Collection[int],
        *,
        in_bulk: bool = False,
    ) -> None:
        """Load everything in two statements.

        Args:
            session: the open transaction.
            registration_ids: locked by the caller.
            session_ids: of their event.
            in_bulk: keep new rows back until `write`, which takes one statement for each table.

        """
        self._session = session
        self._in_bulk = in_bulk
        self._unwritten: list[AttendanceChange] = []
        marked = select(Attendance).where(
            Attendance.session_id.in_(session_ids), Attendance.registration_id.in_(registration_ids)
        )
        self._rows = {(row.registration_id, row.session_id): row for row in session.scalars(marked)}
        self._changes: dict[Cell, list[Change]] = {}
        found = load_all_changes(
            session,
            AttendanceChange.session_id.in_(session_ids),
            AttendanceChange.registration_id.in_(registration_ids),
        )
        for change in found:
            self._changes.setdefault((change.registration_id, change.session_id), []).append(change)

    def entry(self, cell: Cell) -> Entry:
        """Return what is recorded of somebody at a session."""
        return entry_of(self._rows.get(cell))

    def history(self, cell: Cell) -> Sequence[Change]:
        """Return all recordings of somebody at a session."""
        return self._changes.get(cell, ())

    def changes(self, session_id: int) -> list[Change]:
        """Return all recordings of a session."""
        return [
            change for cell, own in self._changes.items() if cell[1] == session_id for change in own
        ]

    def record(self, cell: Cell, kind: RecordingKind, says: Entry, stamp: Stamp) -> Recorded:
        """Add a recording and set the mark to what all recordings come to.

        Args:
            cell: whose, at which session.
            kind: of the recording; not `UNDO`.
            says: the mark and minutes of a `SET`.
            stamp: who and when; what is recorded on a page comes after all others of this cell.

        """
        # What a phone recorded keeps its own time, or its place would depend on when it arrives.
        if not stamp.key and stamp.at == stamp.received_at:
            last = max([stamp.at, *(change.at + _NEXT for change in self._of(cell))])
            stamp = replace(stamp, at=last)
        change = self._change(cell, kind, says, stamp)
        newest = max(self._of(cell), key=lambda found: found.order, default=None)
        if not stamp.key and is_repetition(newest, change):
            return Recorded(*cell, change.old, change.old, fold(self._of(cell))[1])
        return self._add(cell, change, stamp.received_at)

    def write(self) -> None:
        """Write what was kept back; a mark that was taken back and made again goes first."""
        self._session.flush()
        insert_all(self._session, self._unwritten)
        insert_all(self._session, [row for row in self._rows.values() if _is_unwritten(row)])

    def undo(self, cell: Cell, undone_key: str, stamp: Stamp) -> Recorded:
        """Take a recording back, also one that is still on its way from another phone.

        Args:
            cell: whose, at which session.
            undone_key: of the recording that is taken back.
            stamp: who takes it back, and when.

        """
        own = self._of(cell)
        if any(change.undoes_key == undone_key for change in own):
            now = self.entry(cell)
            return Recorded(*cell, now, now, fold(own)[1])
        led_back_to, _ = fold(change for change in own if change.key != undone_key)
        change = self._change(cell, RecordingKind.UNDO, led_back_to, stamp, undone_key)
        return self._add(cell, change, stamp.received_at)

    def _change(
        self,
        cell: Cell,
        kind: RecordingKind,
        says: Entry,
        stamp: Stamp,
        undoes_key: str | None = None,
    ) -> Change:
        return Change(
            key=stamp.key or new_key(),
            registration_id=cell[0],
            session_id=cell[1],
            kind=kind,
            actor_id=stamp.actor_id,
            actor_name="",
            at=stamp.at,
            batch=stamp.batch or new_batch(),
            old=self.entry(cell),
            new=says,
            undoes_key=undoes_key,
        )

    def _of(self, cell: Cell) -> list[Change]:
        return self._changes.setdefault(cell, [])

    def _add(self, cell: Cell, change: Change, received_at: datetime) -> Recorded:
        self._of(cell).append(change)
        row = _row(change, received_at)
        if self._in_bulk:
            self._unwritten.append(row)
        else:
            self._session.add(row)
        entry, deciding = fold(self._of(cell))
        self._store(cell, entry)
        return Recorded(*cell, change.old, entry, deciding)

    def _store(self, cell: Cell, entry: Entry) -> None:
        row = self._rows.get(cell)
        if entry.mark is None:
            if row is not None:
                self._remove(cell, row)
            return
        if row is None:
            row = Attendance(registration_id=cell[0], session_id=cell[1])
            self._rows[cell] = row
            if not self._in_bulk:
                self._session.add(row)
        row.mark, row.late_minutes, row.early_minutes = entry.mark, entry.late, entry.early

    def _remove(self, cell: Cell, row: Attendance) -> None:
        del self._rows[cell]
        if row in self._session.new:
            self._session.expunge(row)
        elif not _is_unwritten(row):
            self._session.delete(row)


def insert_all(session: Session, rows: Sequence[Base]) -> None:
    """Insert rows of one table that are complete but for their ids, in one statement."""
    if not rows:
        return
    names = [column.key for column in inspect(type(rows[0])).column_attrs if column.key != "id"]
    values = [{name: getattr(row, name) for name in names} for row in rows]
    session.execute(insert(type(rows[0])).execution_options(render_nulls=True), values)


def _is_unwritten(row: Attendance) -> bool:
    return bool(inspect(row).transient)


def entry_of(row: Attendance | None) -> Entry:
    """Return what a row says; None is "not recorded"."""
    return Entry(row.mark, row.late_minutes, row.early_minutes) if row else NOTHING


def new_key() -> str:
    """Return a key for a recording that is made here and not on a phone."""
    return str(uuid.uuid4())


def _row(change: Change, received_at: datetime) -> AttendanceChange:
    return AttendanceChange(
        key=change.key,
        registration_id=change.registration_id,
        session_id=change.session_id,
        kind=change.kind,
        at=change.at,
        received_at=received_at,
        actor_person_id=change.actor_id,
        old_mark=change.old.mark,
        old_late_minutes=change.old.late,
        old_early_minutes=change.old.early,
        new_mark=change.new.mark,
        new_late_minutes=change.new.late,
        new_early_minutes=change.new.early,
        batch=change.batch,
        undoes_key=change.undoes_key,
    )
