"""Invariants of certificates: numbers, and what they certify."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.access import closed_event
from trainings.attendance.certificates.reads import agrees, load_certified_event, load_standings
from trainings.attendance.models import Certificate
from trainings.events.models import Event


def numbers_are_given_once(session: Session, _now: datetime) -> list[str]:
    """No number stands on two certificates, and each belongs to its event."""
    twice = session.scalars(
        select(Certificate.number)
        .group_by(Certificate.number)
        .having(func.count() > 1)
        .order_by(Certificate.number)
    )
    strange = session.execute(
        select(Certificate.number, Event.number)
        .join(Event, Certificate.event_id == Event.id)
        .where(Certificate.number.not_like("%-" + Event.number + "-%"))
        .order_by(Certificate.number)
    )
    return [
        *(f"Die Nummer {number} steht auf mehreren Bescheinigungen." for number in twice),
        *(f"Die Bescheinigung {one} gehört zu {event}." for one, event in strange),
    ]


def nobody_has_two_certificates(session: Session, _now: datetime) -> list[str]:
    """Each registration has one valid certificate at most."""
    rows = session.execute(
        select(Event.number, Certificate.registration_id)
        .join(Event, Certificate.event_id == Event.id)
        .where(Certificate.voided_at.is_(None))
        .group_by(Event.number, Certificate.registration_id)
        .having(func.count() > 1)
        .order_by(Event.number, Certificate.registration_id)
    )
    return [
        f"{number}: Anmeldung {registration_id} hat mehrere gültige Bescheinigungen."
        for number, registration_id in rows
    ]


def certificates_agree_with_the_attendance(session: Session, _now: datetime) -> list[str]:
    """While an event is closed, each valid certificate says what was attended.

    While it is open again, the attendance is being corrected; closing replaces what changed.
    """
    events = session.scalars(
        select(Certificate.event_id)
        .join(Event, Certificate.event_id == Event.id)
        .where(Certificate.voided_at.is_(None), closed_event())
        .distinct()
        .order_by(Certificate.event_id)
    ).all()
    return [finding for event_id in events for finding in _disagreeing(session, event_id)]


def _disagreeing(session: Session, event_id: int) -> list[str]:
    event = load_certified_event(session, event_id)
    standings = {found.registration.id: found for found in load_standings(session, event)}
    valid = session.scalars(
        select(Certificate)
        .where(Certificate.event_id == event_id, Certificate.voided_at.is_(None))
        .order_by(Certificate.running)
    )
    found = []
    for certificate in valid:
        standing = standings.get(certificate.registration_id)
        if standing is None:
            found.append(f"Die Bescheinigung {certificate.number} hat jemand, der nicht teilnahm.")
        elif not agrees(certificate, event, standing):
            found.append(
                f"Die Bescheinigung {certificate.number} stimmt nicht mit der Anwesenheit überein."
            )
    return found
