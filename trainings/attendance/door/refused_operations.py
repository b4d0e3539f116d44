"""What the office does with recordings that were refused: take them over, or let them go."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.access import event_access
from trainings.attendance.ledger import Ledger, Stamp
from trainings.attendance.models import RecordingKind, RefusedRecording, WalkIn, WalkInSession
from trainings.attendance.reads import load_sessions
from trainings.attendance.rules import THERE, Answer, Entry, SessionTime, check_minutes
from trainings.attendance.wording import refusal
from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.registrations.models import Registration, RegistrationState

_NO_PLACE = (
    "Die Person hat keinen Platz. War sie da, erfassen Sie sie in der Liste der Veranstaltung als "
    "„Person ohne Anmeldung“, tragen Sie sie nach, und verwerfen Sie diese Erfassung."
)
_FIRST: dict[Answer, str] = {
    Answer.WITHDRAWN: _NO_PLACE,
    Answer.SUBSTITUTED: _NO_PLACE,
    Answer.WAITING: _NO_PLACE,
    Answer.NO_PLACE: _NO_PLACE,
    Answer.CLOSED: "Die Anwesenheit ist abgeschlossen. Öffnen Sie sie zuerst wieder.",
}
"""What the office does first; the usual sentences send trainers to the office."""
TAKEN_OVER, DISMISSED = "recording_taken_over", "recording_dismissed"
"""What the audit calls the two; phones learn it from there."""
COUNTABLE = (RecordingKind.SEEN, RecordingKind.SET, RecordingKind.FILL)


def take_over(session: Session, actor: Actor, refused_id: int, now: datetime) -> RefusedRecording:
    """Let a refused recording count after all: by the office, with its own time.

    Args:
        session: the open transaction.
        actor: of the office.
        refused_id: the recording.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `already_settled`, `nothing_to_take_over`, or the code of an
            `Answer`: somebody without a place has to get one first, a closed attendance has to be
            opened.

    """
    row = _lock_open(session, actor, refused_id)
    access = event_access(session, actor, row.event_id)
    sessions = {found.id: found for found in load_sessions(session, row.event_id)}
    chosen = sessions.get(row.session_id or 0)
    state = _lock_registration(session, row)
    if chosen is None or state is None:
        raise DomainError(
            "nothing_to_take_over",
            "Diese Erfassung nennt keine Person oder keinen Termin dieser Veranstaltung. Bitte "
            "tragen Sie in der Liste nach, was fehlt, und verwerfen Sie sie.",
        )
    answer = access.answer(chosen.day, now, state)
    if answer is not Answer.READY:
        usual = refusal(answer, chosen.day)
        raise DomainError(usual.code, _FIRST.get(answer, usual.sentence), status=usual.status)
    if row.kind is RecordingKind.WALK_IN:
        _note_walk_in(session, row, chosen)
    else:
        _record(session, actor, row, chosen, now)
    return _settle(session, actor, row, TAKEN_OVER, now)


def dismiss_refused(
    session: Session, actor: Actor, refused_id: int, now: datetime
) -> RefusedRecording:
    """Settle that a refused recording does not count.

    Raises:
        DomainError: `not_found`, `already_settled`.

    """
    return _settle(session, actor, _lock_open(session, actor, refused_id), DISMISSED, now)


def _lock_open(session: Session, actor: Actor, refused_id: int) -> RefusedRecording:
    if not actor.may(Permission.OFFICE):
        raise not_found()
    row = session.scalar(
        select(RefusedRecording)
        .where(RefusedRecording.id == refused_id)
        .with_for_update(key_share=True)
    )
    if row is None:
        raise not_found()
    if row.settled_at is not None:
        raise DomainError("already_settled", "Über diese Erfassung ist schon entschieden.")
    return row


def _lock_registration(session: Session, row: RefusedRecording) -> RegistrationState | None:
    """Return the state of the one who is meant; None: nobody of this event, or not countable."""
    if row.kind is RecordingKind.WALK_IN:
        return RegistrationState.PLACED
    if row.kind not in COUNTABLE:
        return None
    return session.scalar(
        select(Registration.state)
        .where(Registration.id == row.registration_id, Registration.event_id == row.event_id)
        .with_for_update(key_share=True, of=Registration)
    )


def _record(
    session: Session, actor: Actor, row: RefusedRecording, chosen: SessionTime, now: datetime
) -> None:
    cell = (row.registration_id or 0, chosen.id)
    says = Entry(row.mark, row.late_minutes, row.early_minutes)
    if row.kind is not RecordingKind.SET:
        says = THERE
    Ledger(session, [cell[0]], [cell[1]]).record(
        cell,
        row.kind,
        check_minutes(says, chosen),
        Stamp(actor.person_id, row.at, now, key=row.key),
    )


def _note_walk_in(session: Session, row: RefusedRecording, chosen: SessionTime) -> None:
    session.add(
        WalkIn(
            key=row.key,
            event_id=row.event_id,
            name=row.name,
            organisation=row.organisation,
            at=row.at,
            received_at=row.received_at,
            actor_person_id=row.actor_person_id,
            sessions=[WalkInSession(session_id=chosen.id)],
        )
    )


def _settle(
    session: Session, actor: Actor, row: RefusedRecording, action: str, now: datetime
) -> RefusedRecording:
    row.settled_at, row.settled_by_id = now, actor.person_id
    audit.record(session, actor, action, row, now)
    return row
