"""People who came without a registration: recorded at the door, completed by the office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.attendance.access import event_access
from trainings.attendance.door.limits import (
    COMPLETED,
    DISMISSED,
    MOST_NOTES,
    TOO_MANY_NOTES,
    count_notes,
)
from trainings.attendance.ledger import Ledger, Stamp, new_key
from trainings.attendance.models import RecordingKind, WalkIn, WalkInSession
from trainings.attendance.operations import open_session
from trainings.attendance.reads import load_sessions
from trainings.attendance.rules import THERE, Answer, SessionTime
from trainings.attendance.wording import refusal
from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, berlin_instant
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.registrations.models import ATTENDING, Registration
from trainings.registrations.places import LockedPlaces, lock_persons, with_places
from trainings.registrations.walk_in import enter_walk_in


def record_walk_in(
    session: Session,
    actor: Actor,
    event_id: int,
    session_id: int,
    *,
    name: str,
    organisation: str,
    now: datetime,
) -> WalkIn:
    """Note that somebody is there without a registration; holds no place.

    Raises:
        DomainError: `not_found`, `too_many_walk_ins`, or the code of an `Answer`.

    """
    if actor.person_id is not None:
        # As a phone's queue does: of two at once the second one counts the first.
        lock_persons(session, [actor.person_id])
    access, chosen = open_session(session, actor, event_id, session_id, now)
    if count_notes(session, event_id, actor.person_id) >= MOST_NOTES:
        raise DomainError("too_many_walk_ins", TOO_MANY_NOTES)
    walk_in = WalkIn(
        key=new_key(),
        event_id=access.event_id,
        name=name,
        organisation=organisation,
        at=now,
        received_at=now,
        actor_person_id=actor.person_id,
        sessions=[WalkInSession(session_id=chosen.id)],
    )
    session.add(walk_in)
    audit.record(session, actor, "walk_in_recorded", walk_in, now, session_id=chosen.id)
    return walk_in


def mark_walk_in(
    session: Session, actor: Actor, walk_in_id: int, session_id: int, now: datetime
) -> WalkIn:
    """Note that somebody without a registration is there in another session, too.

    Raises:
        DomainError: `not_found`, `walk_in_settled`, or the code of an `Answer`.

    """
    walk_in, chosen = _lock_at_door(session, actor, walk_in_id, session_id, now)
    if all(found.session_id != chosen.id for found in walk_in.sessions):
        walk_in.sessions.append(WalkInSession(session_id=chosen.id))
        audit.record(session, actor, "walk_in_marked", walk_in, now, session_id=chosen.id)
    return walk_in


def undo_walk_in(
    session: Session, actor: Actor, walk_in_id: int, session_id: int, now: datetime
) -> WalkIn:
    """Take back that somebody without a registration was there; the last one ends it.

    Raises:
        DomainError: `not_found`, `walk_in_settled`, or the code of an `Answer`.

    """
    walk_in, chosen = _lock_at_door(session, actor, walk_in_id, session_id, now)
    walk_in.sessions = [found for found in walk_in.sessions if found.session_id != chosen.id]
    if not walk_in.sessions:
        walk_in.dismissed_at = now
    audit.record(session, actor, "walk_in_undone", walk_in, now, session_id=chosen.id)
    return walk_in


def dismiss_walk_in(session: Session, actor: Actor, walk_in_id: int, now: datetime) -> WalkIn:
    """Settle that somebody without a registration does not count.

    Raises:
        DomainError: `not_found`, `walk_in_settled`.

    """
    _require_office(actor)
    walk_in = _lock_open(session, walk_in_id)
    walk_in.dismissed_at = now
    audit.record(session, actor, DISMISSED, walk_in, now)
    return walk_in


def complete_walk_in(
    session: Session, actor: Actor, walk_in_id: int, person_id: int, now: datetime
) -> Registration:
    """Say who somebody without a registration was; what was recorded counts from now on.

    Whoever takes part anyway keeps the registration that is there, and the recordings go to it.

    Args:
        session: the open transaction.
        actor: of the office.
        walk_in_id: what was noted at the door.
        person_id: who it was.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `walk_in_settled`, `trains_this_event`, or the code of an
            `Answer`, such as `attendance_closed`.

    """
    _require_office(actor)
    found = session.get(WalkIn, walk_in_id)
    if found is None:
        raise not_found()

    def work(places: LockedPlaces) -> Registration:
        walk_in = _lock_open(session, walk_in_id)
        registration = session.scalar(
            select(Registration)
            .where(
                Registration.event_id == walk_in.event_id,
                Registration.person_id == person_id,
                Registration.state.in_(ATTENDING),
            )
            .order_by(Registration.id)
            .limit(1)
            .with_for_update(key_share=True, of=Registration)
        )
        if registration is None:
            registration = enter_walk_in(places, actor, person_id)
        _record(session, actor, walk_in, registration, now)
        _link(session, walk_in, registration, now)
        audit.record(session, actor, COMPLETED, walk_in, now, registration_id=registration.id)
        return registration

    return with_places(session, found.event_id, [person_id], now, work)


def _record(
    session: Session, actor: Actor, walk_in: WalkIn, registration: Registration, now: datetime
) -> None:
    """Record somebody as present as it was noted at the door: by whom, and when."""
    access = event_access(session, actor, walk_in.event_id)
    wanted = {found.session_id for found in walk_in.sessions}
    sessions = [found for found in load_sessions(session, access.event_id) if found.id in wanted]
    ledger = Ledger(session, [registration.id], wanted)
    for chosen in sessions:
        answer = access.answer(chosen.day, now)
        if answer is not Answer.READY:
            raise refusal(answer, chosen.day)
        same_day = berlin_day(walk_in.at) == chosen.day
        at = walk_in.at if same_day else berlin_instant(chosen.day, chosen.begins)
        ledger.record(
            (registration.id, chosen.id),
            RecordingKind.SEEN,
            THERE,
            Stamp(walk_in.actor_person_id, min(at, now), now),
        )


def _link(session: Session, walk_in: WalkIn, registration: Registration, now: datetime) -> None:
    """Keep which registration came of it; a second note of the same person adds its recordings."""
    session.flush()
    other = select(WalkIn.id).where(WalkIn.registration_id == registration.id)
    if session.scalar(other) is None:
        walk_in.registration_id = registration.id
    else:
        walk_in.dismissed_at = now


def _lock_at_door(
    session: Session, actor: Actor, walk_in_id: int, session_id: int, now: datetime
) -> tuple[WalkIn, SessionTime]:
    found = session.get(WalkIn, walk_in_id)
    if found is None:
        raise not_found()
    _, chosen = open_session(session, actor, found.event_id, session_id, now)
    return _lock_open(session, walk_in_id), chosen


def _lock_open(session: Session, walk_in_id: int) -> WalkIn:
    walk_in = session.scalar(
        select(WalkIn)
        .where(WalkIn.id == walk_in_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if walk_in is None:
        raise not_found()
    if walk_in.registration_id is not None or walk_in.dismissed_at is not None:
        raise DomainError(
            "walk_in_settled",
            "Das ist schon erledigt: Die Person ist nachgetragen oder die Erfassung verworfen.",
        )
    return walk_in


def _require_office(actor: Actor) -> None:
    if not actor.may(Permission.OFFICE):
        raise not_found()
