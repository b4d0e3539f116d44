"""Taking over what a phone recorded, with a network or hours later without: once, in any order.

A recording is kept in one of three places, and its key tells where: as a change of the attendance,
as somebody without a registration, or as refused. Whatever arrives again is found there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.closing.rules import is_day_only
from trainings.attendance.door.limits import (
    MOST_NOTES,
    TOO_MANY_NOTES,
    Refusals,
    count_notes,
)
from trainings.attendance.door.sync_queries import (
    arrivals,
    holders_of,
    known_keys,
    last_move,
    lock_seats,
    queue_access,
    with_closing,
)
from trainings.attendance.door.sync_results import Result, nothing, said
from trainings.attendance.door.sync_rules import (
    Outcome,
    Recording,
    Unreadable,
    corrected,
    outcome_of,
    salt_of,
)
from trainings.attendance.door.sync_wording import (
    COMPLETED_WALK_IN,
    FOREIGN_UNDO,
    TOO_MANY_REFUSED,
    kept_words,
    words_of,
)
from trainings.attendance.ledger import Cell, Ledger, Stamp, insert_all
from trainings.attendance.models import (
    RecordingKind,
    RefusedRecording,
    WalkIn,
    WalkInSession,
    new_batch,
)
from trainings.attendance.reads import load_sessions
from trainings.attendance.rules import NOTHING, Answer, Change, check_minutes
from trainings.attendance.wording import refusal_words
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import clock_time
from trainings.core.settings import current_settings
from trainings.people.models import Person
from trainings.registrations.models import RegistrationState

Queue = Sequence[Recording | Unreadable]


def sync_recordings(
    session: Session,
    actor: Actor,
    number: str,
    recordings: Queue,
    *,
    sent_at: datetime,
    now: datetime,
) -> list[Result]:
    """Take over the recordings of a phone; any number of times, in any order.

    Args:
        session: the open transaction.
        actor: who sends; a former trainer's recordings are kept for the office.
        number: of the event.
        recordings: as `sync_rules.parse_request` returns them.
        sent_at: when the phone sent them, by its own clock.
        now: the present instant.

    Returns:
        What came of each, in their order.

    Raises:
        DomainError: `not_found`, also for an event that the actor never had to do with.

    """
    readable = [each for each in recordings if isinstance(each, Recording)]
    instants = corrected([each.at for each in readable], sent_at, now)
    in_time = iter(instants)
    queue = _Queue(session, actor, number, readable, now)
    # Everything is written at the end, in a statement for each table.
    with session.no_autoflush:
        results = [
            queue.take(replace(each, at=next(in_time)))
            if isinstance(each, Recording)
            else nothing(each.sent_key, each.sentence)
            for each in recordings
        ]
    queue.write()
    return results


class _Queue:
    """One request: everything that it needs is loaded once, under the locks."""

    def __init__(
        self,
        session: Session,
        actor: Actor,
        number: str,
        recordings: Sequence[Recording],
        now: datetime,
    ) -> None:
        self.session, self.now = session, now
        # A phone that sends its queue twice at once: the second request waits for the first.
        sender = session.scalar(
            select(Person)
            .where(Person.id == actor.person_id)
            .with_for_update(key_share=True, of=Person)
        )
        if sender is None:
            raise not_found()
        self.sender = sender
        access = queue_access(session, actor, number)
        salt = salt_of(current_settings().secret_key, number)
        self.holders = holders_of(session, access.event_id, salt, recordings)
        self.known = known_keys(session, access.event_id, sender.id, recordings)
        people = {each.registration_id for each in recordings if each.registration_id}
        people |= {
            self.holders[each.hash].registration_id
            for each in recordings
            if each.hash in self.holders
        }
        people |= {registration_id for registration_id, _ in self.known.changes.values()}
        self.seats = lock_seats(session, access.event_id, people)
        self.access = with_closing(session, access)
        self.sessions = {found.id: found for found in load_sessions(session, access.event_id)}
        self.ledger = Ledger(session, self.seats.keys(), self.sessions.keys(), in_bulk=True)
        self.refusals = Refusals(
            self.known.refused.values(), access.event_id, sender.id, self.sessions
        )
        self.batches: dict[tuple[int | None, datetime], str] = {}
        self.own_keys: set[str] = set()

    @cached_property
    def moved_at(self) -> datetime | None:
        return last_move(self.session, self.access.event_id)

    @cached_property
    def notes(self) -> int:
        return count_notes(self.session, self.access.event_id, self.sender.id)

    @cached_property
    def arrived(self) -> dict[str, int]:
        return arrivals(self.session, list(self.known.changes.values()))

    def write(self) -> None:
        """Store what was taken over and what was refused."""
        self.ledger.write()
        insert_all(self.session, self.refusals.new)

    def take(self, recording: Recording) -> Result:
        """Take one recording over, or find what came of it before."""
        known, key = self.known, recording.key
        if key in known.refused:
            if known.refused[key].event_id != self.access.event_id:
                return nothing(recording.sent_key)
            refused = known.refused[key]
            return self._refused(recording, Answer(refused.reason), refused.registration_id)
        if key in known.walk_ins:
            if known.walk_ins[key].event_id != self.access.event_id:
                return nothing(recording.sent_key)
            return said(recording, Outcome.WALK_IN)
        if key in known.changes:
            return self._again(recording, known.changes[key])
        if recording.undoes in known.refused or recording.undoes in known.walk_ins:
            return self._undo_elsewhere(recording)
        return self._new(recording)

    def _new(self, recording: Recording) -> Result:
        holder = self.holders.get(recording.hash)
        registration_id = holder.registration_id if holder else recording.registration_id
        settled = self.refusals.settled_scan(recording, registration_id)
        if settled is not None:
            return self._refused(
                recording, Answer(settled.reason), settled.registration_id, settled.key
            )
        if recording.hash and holder is None:
            return self._refuse(recording, Answer.UNKNOWN, None)
        if holder is not None and holder.event_id != self.access.event_id:
            return self._refuse(recording, Answer.OTHER_EVENT, registration_id)
        state = RegistrationState.PLACED
        if registration_id is not None:
            if registration_id not in self.seats:
                return nothing(recording.sent_key)
            state = self.seats[registration_id].state
        answer = self._answer(recording, state)
        if answer is not Answer.READY or recording.session_id is None:
            return self._refuse(recording, answer, registration_id)
        if registration_id is None:
            return self._without_registration(recording, recording.session_id)
        return self._record(recording, (registration_id, recording.session_id))

    def _answer(self, recording: Recording, state: RegistrationState) -> Answer:
        """Say whether it counts: by when it was recorded, and by how things stand now."""
        access, at = self.access, recording.at
        if not access.allowed:
            return Answer.NOT_ALLOWED
        if recording.session_id is None:
            return access.answer(None, at, state)
        chosen = self.sessions.get(recording.session_id)
        if chosen is None:
            answer = access.answer(None, at, state)
            return Answer.SESSION_MOVED if answer is Answer.OTHER_DAY else answer
        answer = access.answer(chosen.day, at, state)
        other_day = berlin_day(at) != chosen.day and answer in (Answer.READY, Answer.TOO_EARLY)
        if other_day and self.moved_at is not None and at < self.moved_at:
            return Answer.SESSION_MOVED
        return answer

    def _record(self, recording: Recording, cell: Cell) -> Result:
        if recording.kind is RecordingKind.UNDO:
            return self._undo(recording, cell)
        try:
            check_minutes(recording.says, self.sessions[cell[1]])
        except DomainError as refusal:
            return nothing(recording.sent_key, refusal.sentence)
        self.ledger.record(
            cell,
            recording.kind,
            recording.says,
            self._stamp(recording, self._batch(recording)),
        )
        self._remember(recording.key, cell)
        return self._outcome(recording, cell, self.ledger.history(cell))

    def _undo(self, recording: Recording, cell: Cell) -> Result:
        there = self.known.changes.get(recording.undoes, cell)
        if there != cell or self.known.undoes.get(recording.undoes, cell) != cell:
            return nothing(recording.sent_key, FOREIGN_UNDO)
        if recording.undoes not in self.known.undoes:
            self.ledger.undo(
                cell,
                recording.undoes,
                self._stamp(recording),
            )
            self.known.undoes[recording.undoes] = cell
            self._remember(recording.key, cell)
        return self._kept(recording, cell, Outcome.UNDONE, self.ledger.history(cell))

    def _stamp(self, recording: Recording, batch: str = "") -> Stamp:
        return Stamp(self.sender.id, recording.at, self.now, recording.key, batch)

    def _batch(self, recording: Recording) -> str:
        """Return one step for all whom „alle anwesend“ recorded, so that a page undoes it whole."""
        if recording.kind is not RecordingKind.FILL:
            return ""
        return self.batches.setdefault((recording.session_id, recording.at), new_batch())

    def _remember(self, key: str, cell: Cell) -> None:
        self.known.changes[key] = cell
        self.own_keys.add(key)

    def _again(self, recording: Recording, cell: Cell) -> Result:
        """Answer as the first time: by what had arrived until then."""
        history = self.ledger.history(cell)
        if recording.key in self.own_keys:
            # It came twice in one request; what it has brought since then comes behind it.
            own = [change.key for change in history].index(recording.key)
            return self._outcome(recording, cell, history[: own + 1])
        if not any(change.key == recording.key for change in history):
            return nothing(recording.sent_key)
        order = self.arrived
        until = order[recording.key]
        return self._outcome(
            recording,
            cell,
            [change for change in history if order.get(change.key, until + 1) <= until],
        )

    def _outcome(self, recording: Recording, cell: Cell, known: Sequence[Change]) -> Result:
        change = next(found for found in known if found.key == recording.key)
        outcome, _ = outcome_of(change, known)
        return self._kept(recording, cell, outcome, known)

    def _kept(
        self, recording: Recording, cell: Cell, outcome: Outcome, known: Sequence[Change]
    ) -> Result:
        if not self.access.allowed:
            return said(recording, outcome)
        seat, entry = self.seats[cell[0]], self.ledger.entry(cell)
        deciding = None
        if known:
            _, deciding = outcome_of(known[-1], known)
        by = "" if deciding is None else deciding.actor_name
        if deciding is not None and deciding.actor_id == self.sender.id:
            by = self.sender.name
        word, sentence = kept_words(outcome, seat.name, entry, deciding, by)
        return Result(
            key=recording.sent_key,
            outcome=outcome,
            word=word,
            sentence=sentence,
            registration_id=cell[0],
            name=seat.name,
            organisation=seat.organisation,
            session_id=cell[1],
            by=by,
            at=clock_time(to_berlin(deciding.at).time())
            if deciding and not is_day_only(deciding.at)
            else "",
            entry=entry,
        )

    def _without_registration(self, recording: Recording, session_id: int) -> Result:
        if recording.kind is RecordingKind.UNDO:
            if recording.undoes in self.known.changes:
                # Its key stays that of the recording, which has a name.
                return nothing(recording.sent_key, FOREIGN_UNDO)
            if self.notes >= MOST_NOTES:
                return nothing(recording.sent_key, TOO_MANY_NOTES)
            # The recording itself is still on its way: it finds this row, and nothing else.
            row = self._walk_in(recording, recording.undoes)
            row.dismissed_at = self.now
            return said(recording, Outcome.UNDONE)
        if self.notes >= MOST_NOTES:
            return nothing(recording.sent_key, TOO_MANY_NOTES)
        row = self._walk_in(recording, recording.key)
        row.sessions.append(WalkInSession(session_id=session_id))
        return said(recording, Outcome.WALK_IN, recording.name)

    def _walk_in(self, recording: Recording, key: str) -> WalkIn:
        row = WalkIn(
            key=key,
            event_id=self.access.event_id,
            name=recording.name,
            organisation=recording.organisation,
            at=recording.at,
            received_at=self.now,
            actor_person_id=self.sender.id,
        )
        self.session.add(row)
        self.notes += 1
        self.known.walk_ins[key] = row
        return row

    def _undo_elsewhere(self, recording: Recording) -> Result:
        """Take back what is no change of the attendance: refused, or without a registration."""
        refused = self.known.refused.get(recording.undoes)
        walk_in = self.known.walk_ins.get(recording.undoes)
        if refused is not None and self._may_settle(refused.event_id, refused.actor_person_id):
            self._settle(refused)
            return said(recording, Outcome.UNDONE)
        if walk_in is None or not self._may_settle(walk_in.event_id, walk_in.actor_person_id):
            return nothing(recording.sent_key)
        if walk_in.registration_id is not None:
            return said(recording, Outcome.SUPERSEDED, sentence=COMPLETED_WALK_IN)
        walk_in.dismissed_at = walk_in.dismissed_at or self.now
        return said(recording, Outcome.UNDONE)

    def _may_settle(self, event_id: int, recorded_by: int | None) -> bool:
        mine = recorded_by == self.sender.id
        return event_id == self.access.event_id and (self.access.allowed or mine)

    def _settle(self, refused: RefusedRecording) -> None:
        if refused.settled_at is None:
            refused.settled_at, refused.settled_by_id = self.now, self.sender.id

    def _refuse(self, recording: Recording, answer: Answer, registration_id: int | None) -> Result:
        """Keep a recording that cannot be taken as it is, until the office has settled it."""
        waits = self.refusals.open_scan(recording, registration_id)
        if waits is not None:
            return self._refused(recording, answer, registration_id, waits.key)
        if self.refusals.full:
            return nothing(recording.sent_key, TOO_MANY_REFUSED)
        says = recording.says if recording.kind is RecordingKind.SET else NOTHING
        row = RefusedRecording(
            key=recording.key,
            event_id=self.access.event_id,
            registration_id=registration_id,
            session_id=recording.session_id if recording.session_id in self.sessions else None,
            kind=recording.kind,
            mark=says.mark,
            late_minutes=says.late,
            early_minutes=says.early,
            name=recording.name,
            organisation=recording.organisation,
            at=recording.at,
            received_at=self.now,
            actor_person_id=self.sender.id,
            reason=answer.value,
        )
        self.refusals.add(row)
        self.known.refused[row.key] = row
        if recording.key in self.known.undoes:
            self._settle(row)
        return self._refused(recording, answer, registration_id)

    def _refused(
        self,
        recording: Recording,
        answer: Answer,
        registration_id: int | None,
        kept_as: str = "",
    ) -> Result:
        seat = self.seats.get(registration_id or 0) if self.access.allowed else None
        chosen = self.sessions.get(recording.session_id or 0)
        word, sentence = words_of(answer)
        if answer is Answer.TOO_EARLY and chosen is not None:
            word, sentence = refusal_words(answer, chosen.day)
        return Result(
            key=recording.sent_key,
            outcome=answer.value,
            word=word,
            sentence=sentence,
            registration_id=registration_id if seat else None,
            name=seat.name if seat else recording.name,
            organisation=seat.organisation if seat else recording.organisation,
            session_id=recording.session_id,
            kept_as=kept_as,
        )
