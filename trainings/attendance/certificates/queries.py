"""What the pages of certificates show, each in a fixed number of statements."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.attendance.certificates.reads import (
    Standing,
    content_of,
    load_certified_event,
    load_standings,
    session_time,
)
from trainings.attendance.certificates.rules import minutes_at
from trainings.attendance.models import Attendance, AttendanceMark, Certificate, MadeUpSession
from trainings.attendance.reads import EventHead, event_head
from trainings.attendance.rules import Entry, SessionTime, normalise_ticket
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.settings import current_settings
from trainings.events.models import Event, EventSession
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class CertificateTable:
    """Everybody of an event with what is due and what was issued.

    Attributes:
        event: the event.
        share: percent of the planned time from which on a certificate is due.
        standings: all who take part, by name.
        outdated: registrations whose valid certificate would say something else today.

    """

    event: EventHead
    share: int
    standings: tuple[Standing, ...]
    outdated: frozenset[int]

    @property
    def closed(self) -> bool:
        """Whether the attendance is closed, without which nothing is issued."""
        return self.event.access.closed

    @property
    def valid(self) -> int:
        """How many have a valid certificate."""
        return sum(found.valid is not None for found in self.standings)

    @property
    def missing(self) -> int:
        """How many papers are due and not issued; what the office withdrew is not missing."""
        return sum(found.lacks for found in self.standings)


@dataclass(frozen=True)
class MadeUp:
    """A decision of the office, as the page of the person shows it."""

    id: int
    missed: SessionTime
    at: SessionTime
    at_event: str


@dataclass(frozen=True)
class Elsewhere:
    """A session of another event that somebody attended."""

    id: int
    session: SessionTime
    title: str
    number: str
    same_template: bool
    minutes: int


def certificate_table(session: Session, actor: Actor, number: str) -> CertificateTable:
    """Return what is due to whom.

    Raises:
        DomainError: `not_found`, also for a foreign event.

    """
    head = event_head(session, actor, number)
    event = load_certified_event(session, head.id)
    standings = tuple(load_standings(session, event))
    office = current_settings().office
    outdated = frozenset(
        found.registration.id
        for found in standings
        if found.valid is not None
        and found.valid.content is not None
        and found.valid.content != content_of(event, found, office)
    )
    return CertificateTable(head, event.certificate_share, standings, outdated)


def valid_certificates(
    session: Session, actor: Actor, number: str, certificate_id: int | None = None
) -> list[Certificate]:
    """Return the valid certificates of an event that can still be printed, by number.

    Args:
        session: for reading.
        actor: a trainer of the event, or somebody of the office.
        number: of the event.
        certificate_id: the only one that is meant; None: all.

    Raises:
        DomainError: `not_found`, also for a foreign event, and where there is none.

    """
    head = event_head(session, actor, number)
    statement = (
        select(Certificate)
        .where(
            Certificate.event_id == head.id,
            Certificate.voided_at.is_(None),
            Certificate.content.is_not(None),
        )
        .order_by(Certificate.running)
    )
    if certificate_id is not None:
        statement = statement.where(Certificate.id == certificate_id)
    found = list(session.scalars(statement))
    if not found:
        raise not_found()
    return found


def my_certificates(session: Session, actor: Actor) -> list[Certificate]:
    """Return all certificates that were ever issued to a person, the newest first."""
    return list(
        session.scalars(
            select(Certificate)
            .join(Registration, Certificate.registration_id == Registration.id)
            .where(Registration.person_id == actor.person_id)
            .options(joinedload(Certificate.event), joinedload(Certificate.replaced_by))
            .order_by(Certificate.issued_at.desc(), Certificate.id.desc())
        )
    )


def my_certificate(session: Session, actor: Actor, certificate_id: int) -> Certificate:
    """Return one's own valid certificate.

    Raises:
        DomainError: `not_found`, also for somebody else's, a void one, and one no longer stored.

    """
    found = session.scalar(
        select(Certificate)
        .join(Registration, Certificate.registration_id == Registration.id)
        .where(
            Certificate.id == certificate_id,
            Registration.person_id == actor.person_id,
            Certificate.voided_at.is_(None),
            Certificate.content.is_not(None),
        )
    )
    if found is None:
        raise not_found()
    return found


def certificate_by_code(session: Session, code: str) -> Certificate | None:
    """Return the certificate with a code, however it was typed; None if there is none."""
    return session.scalar(
        select(Certificate)
        .where(Certificate.code == normalise_ticket(code))
        .options(joinedload(Certificate.replaced_by))
    )


def made_up_sessions(session: Session, registration_id: int) -> list[MadeUp]:
    """Return what somebody made up elsewhere, by the missed session."""
    missed, at = aliased(EventSession), aliased(EventSession)
    rows = session.execute(
        select(MadeUpSession.id, missed, at, Event.number)
        .join(missed, MadeUpSession.session_id == missed.id)
        .join(at, MadeUpSession.made_up_at_id == at.id)
        .join(Event, at.event_id == Event.id)
        .where(MadeUpSession.registration_id == registration_id)
        .order_by(missed.day, missed.begins, MadeUpSession.id)
    )
    return [
        MadeUp(row_id, session_time(first), session_time(second), number)
        for row_id, first, second, number in rows
    ]


def attended_elsewhere(session: Session, registration_id: int) -> list[Elsewhere]:
    """Return the sessions of other events that the person of a registration was present at.

    Those of the same format come first. The caller has checked that the actor is of the office.
    """
    mine, own, others = aliased(Registration), aliased(Event), aliased(Registration)
    rows = session.execute(
        select(
            EventSession,
            Event.title,
            Event.number,
            Event.template_id,
            own.template_id,
            Attendance.late_minutes,
            Attendance.early_minutes,
        )
        .join(Event, EventSession.event_id == Event.id)
        .join(Attendance, Attendance.session_id == EventSession.id)
        .join(others, Attendance.registration_id == others.id)
        .join(mine, mine.person_id == others.person_id)
        .join(own, mine.event_id == own.id)
        .where(
            mine.id == registration_id,
            others.event_id != mine.event_id,
            Attendance.mark == AttendanceMark.PRESENT,
        )
        .order_by(EventSession.day.desc(), EventSession.begins, EventSession.id)
    )
    found = []
    for row, title, number, template, own_template, late, early in rows:
        times = session_time(row)
        minutes = minutes_at(times, Entry(AttendanceMark.PRESENT, late, early))
        same = template is not None and template == own_template
        found.append(Elsewhere(row.id, times, title, number, same, minutes))
    return sorted(found, key=lambda each: not each.same_template)
