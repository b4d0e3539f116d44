"""Sessions that somebody missed and made up at another event, by a decision of the office."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, exists, select
from sqlalchemy.orm import Session

from trainings.attendance.access import event_access
from trainings.attendance.certificates.operations import lock_decisions, settle_one
from trainings.attendance.models import Attendance, AttendanceMark, MadeUpSession
from trainings.attendance.operations import lock_attending
from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import EventSession
from trainings.registrations.models import ATTENDING, Registration


def decide_made_up(
    session: Session,
    actor: Actor,
    registration_id: int,
    session_id: int,
    *,
    made_up_at_id: int,
    now: datetime,
) -> MadeUpSession:
    """Let a session of another event count for one that somebody missed.

    If the attendance of the event is closed, the certificate is replaced at once.

    Args:
        session: the open transaction.
        actor: of the office.
        registration_id: who missed it.
        session_id: the one that was missed.
        made_up_at_id: of another event, at which the same person was present.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `not_attended_there`; `made_up_already`: the session is settled,
            or the other one counts for another session already.

    """
    registration = _lock(session, actor, registration_id, made_up_at_id)
    missed = session.get(EventSession, session_id)
    if missed is None or missed.event_id != registration.event_id:
        raise not_found()
    was_there = exists().where(
        Attendance.session_id == made_up_at_id,
        Attendance.mark == AttendanceMark.PRESENT,
        Attendance.registration_id == Registration.id,
        Registration.person_id == registration.person_id,
        Registration.event_id != registration.event_id,
    )
    if not session.scalar(select(was_there)):
        raise DomainError(
            "not_attended_there",
            "Die Person ist an diesem Termin nicht als anwesend erfasst. Bitte wählen Sie einen "
            "Termin einer anderen Veranstaltung, an dem sie da war.",
            field="made_up_at",
        )
    _refuse_second(session, registration, session_id, made_up_at_id)
    decision = MadeUpSession(
        registration_id=registration.id,
        session_id=session_id,
        made_up_at_id=made_up_at_id,
        decided_at=now,
        decided_by_id=actor.person_id,
    )
    session.add(decision)
    audit.record(session, actor, "session_made_up", registration, now, session_id=session_id,
                 made_up_at_id=made_up_at_id)  # fmt: skip
    session.flush()
    settle_one(session, actor, registration, now)
    return decision


def revoke_made_up(session: Session, actor: Actor, decision_id: int, now: datetime) -> None:
    """Take such a decision back; a certificate that was issued on it is replaced or void.

    Args:
        session: the open transaction.
        actor: of the office.
        decision_id: the decision.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also if it was taken back before.

    """
    row = session.execute(
        select(MadeUpSession.registration_id, MadeUpSession.made_up_at_id).where(
            MadeUpSession.id == decision_id
        )
    ).one_or_none()
    if row is None:
        raise not_found()
    registration = _lock(session, actor, row.registration_id, row.made_up_at_id)
    decision = session.get(MadeUpSession, decision_id, populate_existing=True)
    if decision is None:
        raise not_found()
    session.delete(decision)
    audit.record(
        session, actor, "session_made_up_revoked", registration, now,
        session_id=decision.session_id, made_up_at_id=decision.made_up_at_id,
    )  # fmt: skip
    session.flush()
    settle_one(session, actor, registration, now)


def _lock(session: Session, actor: Actor, registration_id: int, made_up_at_id: int) -> Registration:
    """Lock both events for decisions, so that neither is closed meanwhile, then who takes part."""
    event_id = session.scalar(
        select(Registration.event_id).where(Registration.id == registration_id)
    )
    if event_id is None or not actor.may(Permission.OFFICE):
        raise not_found()
    event_access(session, actor, event_id)
    other = select(EventSession.event_id).where(EventSession.id == made_up_at_id)
    lock_decisions(session, {event_id, session.scalar(other) or event_id})
    lock_attending(session, event_id)
    registration = session.get_one(Registration, registration_id, populate_existing=True)
    if registration.state not in ATTENDING:
        raise not_found()
    return registration


def _refuse_second(
    session: Session, registration: Registration, session_id: int, made_up_at_id: int
) -> None:
    taken = session.execute(
        select(MadeUpSession.session_id, MadeUpSession.made_up_at_id)
        .join(Registration, MadeUpSession.registration_id == Registration.id)
        .where(Registration.person_id == registration.person_id)
    ).all()
    own = select(MadeUpSession.id).where(
        and_(
            MadeUpSession.registration_id == registration.id,
            MadeUpSession.session_id == session_id,
        )
    )
    if session.scalar(own) is not None:
        raise DomainError(
            "made_up_already",
            "Für diesen Termin ist schon ein Nachholtermin angerechnet. Bitte heben Sie ihn zuerst "
            "auf.",
        )
    if any(row.made_up_at_id == made_up_at_id for row in taken):
        raise DomainError(
            "made_up_already",
            "Dieser Termin ist schon für einen anderen versäumten angerechnet. Bitte wählen Sie "
            "einen anderen.",
            field="made_up_at",
        )
