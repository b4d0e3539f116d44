"""Issuing certificates, voiding and replacing them.

Each of these locks the registrations of all who take part, as recording does, before it reads what
is recorded: running numbers are given once, and nobody gets two certificates.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import null, or_, select, update
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.attendance.access import event_access
from trainings.attendance.certificates import mails
from trainings.attendance.certificates.issuing import Issuance, Issuing
from trainings.attendance.certificates.reads import (
    Standing,
    load_certified_event,
    load_standings,
)
from trainings.attendance.certificates.rules import KEPT_FOR
from trainings.attendance.models import (
    Certificate,
    CertificateKind,
    MadeUpSession,
    VoidReason,
)
from trainings.attendance.operations import lock_attending
from trainings.core import audit
from trainings.core.actors import SYSTEM, Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventSession, Pool
from trainings.registrations.models import Registration


def issue_certificates(session: Session, actor: Actor, event_id: int, now: datetime) -> Issuance:
    """Issue what is due at an event whose attendance is closed, and tell everybody concerned.

    Closing calls it in its own transaction. A certificate that no longer says what was attended is
    voided and replaced; one that the office withdrew stays withdrawn until the office issues it
    anew. Where nothing changed, nothing is done.

    Args:
        session: the open transaction.
        actor: who closed it, or somebody of the office.
        event_id: the event.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for a foreign event; `attendance_open`.

    """
    event = _lock_closed_event(session, actor, event_id)
    standings = load_standings(session, event)
    work = Issuing(session, actor, event, now)
    for standing in standings:
        work.settle(standing)
    for certificate in _of_others(session, event, standings):
        work.void(certificate, VoidReason.CORRECTED)
    done = work.finish()
    for registration in _made_up_here(session, event_id):
        settle_one(session, SYSTEM, registration, now)
    return done


def issue_below_share(
    session: Session, actor: Actor, registration_id: int, reason: str, now: datetime
) -> Issuance:
    """Issue a certificate to somebody who attended less than the share, by the office's decision.

    Args:
        session: the open transaction.
        actor: of the office.
        registration_id: who gets it.
        reason: why, in the office's words.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `attendance_open`; `nothing_attended`; `certificate_due`: the
            share is reached; `certified_already`.

    """
    event, standing = _lock_standing(session, actor, registration_id)
    if not standing.time.attended:
        raise DomainError(
            "nothing_attended",
            "Für diese Person ist keine besuchte Zeit erfasst. Ohne sie gibt es keine "
            "Bescheinigung.",
        )
    if standing.time.reaches(standing.share):
        raise DomainError(
            "certificate_due",
            "Der Anteil ist erreicht: Die Teilnahmebescheinigung braucht keine Begründung. Bitte "
            "stellen Sie sie ohne Begründung aus.",
        )
    if standing.valid is not None and standing.valid.kind is CertificateKind.CERTIFICATE:
        raise DomainError(
            "certified_already", "Die Person hat schon eine gültige Teilnahmebescheinigung."
        )
    work = Issuing(session, actor, event, now)
    work.issue(standing, CertificateKind.CERTIFICATE, reason)
    return work.finish()


def reissue_certificate(
    session: Session, actor: Actor, registration_id: int, now: datetime
) -> Issuance:
    """Issue somebody's certificate anew: after a correction of name or title, or a withdrawal.

    Args:
        session: the open transaction.
        actor: of the office.
        registration_id: whose.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `attendance_open`; `nothing_attended`; `nothing_changed`: a new
            one would say the same.

    """
    event, standing = _lock_standing(session, actor, registration_id)
    due = standing.due
    if due is None:
        raise DomainError(
            "nothing_attended",
            "Für diese Person ist keine besuchte Zeit erfasst. Ohne sie gibt es keine "
            "Bescheinigung.",
        )
    work = Issuing(session, actor, event, now)
    valid = standing.valid
    if valid is not None and valid.kind is due and valid.content == work.content(standing):
        raise DomainError(
            "nothing_changed",
            f"Die Bescheinigung {valid.number} sagt schon, was jetzt gilt. Eine neue würde sich "
            "nicht von ihr unterscheiden.",
        )
    work.issue(standing, due, standing.below_reason)
    return work.finish()


def withdraw_certificate(
    session: Session, actor: Actor, certificate_id: int, reason: str, now: datetime
) -> Certificate:
    """Take a certificate back, without another one in its place.

    Args:
        session: the open transaction.
        actor: of the office.
        certificate_id: a valid one.
        reason: why, in the office's words; the person reads it as well.
        now: the present instant.

    Raises:
        DomainError: `not_found`; `certificate_void`: it was not valid any more; `reason_missing`.

    """
    certificate = lock_certificate(session, actor, certificate_id)
    if not reason:
        raise DomainError(
            "reason_missing", "Bitte nennen Sie einen Grund.", field="reason", status=422
        )
    work = Issuing(session, actor, load_certified_event(session, certificate.event_id), now)
    work.void(certificate, VoidReason.WITHDRAWN, reason)
    work.finish()
    return certificate


def send_certificates(
    session: Session, actor: Actor, event_id: int, now: datetime, *, certificate_id: int | None
) -> int:
    """Send certificates once more, all of an event or one of them; return how many.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        now: the present instant.
        certificate_id: the only one that is meant; None: all valid ones.

    Raises:
        DomainError: `not_found`; `nothing_to_send`.

    """
    _check_office(session, actor, event_id)
    which = Certificate.id == certificate_id if certificate_id else Certificate.id.is_not(None)
    found = session.scalars(
        select(Certificate)
        .where(
            Certificate.event_id == event_id,
            Certificate.voided_at.is_(None),
            Certificate.content.is_not(None),
            which,
        )
        .order_by(Certificate.running)
        .options(joinedload(Certificate.registration).joinedload(Registration.person))
    ).all()
    event = load_certified_event(session, event_id)
    for certificate in found:
        mails.issued(session, certificate, event, certificate.registration.person, now)
        audit.record(session, actor, "certificate_sent", certificate, now, event_id=event_id)
    if not found:
        raise DomainError(
            "nothing_to_send", "Es gibt hier keine gültige Bescheinigung, die zu senden wäre."
        )
    return len(found)


def settle_one(
    session: Session, actor: Actor, registration: Registration, now: datetime
) -> Issuance:
    """Issue or replace one person's certificate if the attendance of the event is closed.

    For what changes somebody's hours beside the recording.

    Args:
        session: the open transaction, in which the registrations of the event are locked.
        actor: on whose behalf.
        registration: whose.
        now: the present instant.

    """
    if not event_access(session, actor, registration.event_id).closed:
        return Issuance()
    event = load_certified_event(session, registration.event_id)
    work = Issuing(session, actor, event, now)
    for standing in load_standings(session, event, Registration.id == registration.id):
        work.settle(standing)
    return work.finish()


def lock_decisions(session: Session, event_ids: Collection[int]) -> None:
    """Lock the pools of events by ascending id, before their registrations.

    Whoever decides what counts at an event, and whoever then goes by the decisions, takes this
    lock: so what `lock_certified` finds is all there is, and nobody locks out of order afterwards.
    """
    session.execute(
        select(Pool.id)
        .join(Event, Event.pool_id == Pool.id)
        .where(Event.id.in_(event_ids))
        .order_by(Pool.id)
        .with_for_update(key_share=True, of=Pool)
    )


def lock_certified(session: Session, event_id: int) -> None:
    """Lock all whose certificates may change with an event, by ascending id.

    Those are all who take part in it, and in the events for which sessions were made up at it. The
    caller holds `lock_decisions`.
    """
    other = aliased(Registration)
    others = (
        select(other.event_id)
        .join(MadeUpSession, MadeUpSession.registration_id == other.id)
        .join(EventSession, MadeUpSession.made_up_at_id == EventSession.id)
        .where(EventSession.event_id == event_id)
    )
    lock_attending(session, event_id, others)


def lock_certificate(session: Session, actor: Actor, certificate_id: int) -> Certificate:
    """Lock a valid certificate with all who take part in its event, and return it.

    Raises:
        DomainError: `not_found`; `certificate_void`.

    """
    event_id = session.scalar(select(Certificate.event_id).where(Certificate.id == certificate_id))
    if event_id is None:
        raise not_found()
    _check_office(session, actor, event_id)
    lock_attending(session, event_id)
    certificate = session.scalars(
        select(Certificate)
        .where(Certificate.id == certificate_id)
        .options(joinedload(Certificate.registration).joinedload(Registration.person))
        .with_for_update(of=Certificate)
        .execution_options(populate_existing=True)
    ).one()
    if certificate.voided_at is not None:
        raise DomainError(
            "certificate_void", f"Die Bescheinigung {certificate.number} gilt schon nicht mehr."
        )
    return certificate


def forget_old_certificates(session: Session, now: datetime) -> int:
    """Blank what certificates say ten years after they were issued; return how many.

    The row stays, so that its number is never given again and its code has an answer.
    """
    result = session.execute(
        update(Certificate)
        .where(
            Certificate.issued_at < now - KEPT_FOR,
            or_(Certificate.content.is_not(None), Certificate.void_note != ""),
        )
        .values(content=null(), void_note="")
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def _lock_closed_event(session: Session, actor: Actor, event_id: int) -> Event:
    lock_decisions(session, [event_id])
    lock_certified(session, event_id)
    if not event_access(session, actor, event_id).closed:
        raise DomainError(
            "attendance_open",
            "Die Anwesenheit ist noch nicht abgeschlossen. Bescheinigungen gibt es, sobald sie "
            "feststeht; bitte schließen Sie sie zuerst ab.",
        )
    return load_certified_event(session, event_id)


def _lock_standing(session: Session, actor: Actor, registration_id: int) -> tuple[Event, Standing]:
    event_id = session.scalar(
        select(Registration.event_id).where(Registration.id == registration_id)
    )
    if event_id is None:
        raise not_found()
    _check_office(session, actor, event_id)
    event = _lock_closed_event(session, actor, event_id)
    standings = load_standings(session, event, Registration.id == registration_id)
    if not standings:
        raise not_found()
    return event, standings[0]


def _check_office(session: Session, actor: Actor, event_id: int) -> None:
    if not actor.may(Permission.OFFICE):
        raise not_found()
    event_access(session, actor, event_id)


def _of_others(session: Session, event: Event, standings: Sequence[Standing]) -> list[Certificate]:
    """Return the valid certificates of those who do not take part any more."""
    present = {standing.registration.id for standing in standings}
    found = session.scalars(
        select(Certificate)
        .where(Certificate.event_id == event.id, Certificate.voided_at.is_(None))
        .options(joinedload(Certificate.registration).joinedload(Registration.person))
        .order_by(Certificate.running)
    )
    return [certificate for certificate in found if certificate.registration_id not in present]


def _made_up_here(session: Session, event_id: int) -> Sequence[Registration]:
    """Return the registrations of other events whose sessions were made up at this one."""
    return session.scalars(
        select(Registration)
        .join(MadeUpSession, MadeUpSession.registration_id == Registration.id)
        .join(EventSession, MadeUpSession.made_up_at_id == EventSession.id)
        .where(EventSession.event_id == event_id)
        .distinct()
        .order_by(Registration.event_id, Registration.id)
    ).all()
