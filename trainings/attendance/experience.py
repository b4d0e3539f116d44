"""How often people took part before, for the rules of admission."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.models import Attendance, AttendanceMark
from trainings.events.models import Event
from trainings.registrations.admission_queries import same_course
from trainings.registrations.models import Registration, RegistrationState


def participations_before(session: Session, event: Event) -> dict[int, int]:
    """Count by person how often those who ask for an event took part in others of its format.

    A participation is a registration with at least one session that somebody was present at; who
    never took part is left out. One statement.
    """
    asking = select(Registration.person_id).where(
        Registration.pool_id == event.pool_id, Registration.state == RegistrationState.WAITING
    )
    rows = session.execute(
        select(Registration.person_id, func.count(Registration.id.distinct()))
        .join(Event, Registration.event_id == Event.id)
        .join(Attendance, Attendance.registration_id == Registration.id)
        .where(
            same_course(event),
            Registration.person_id.in_(asking),
            Attendance.mark == AttendanceMark.PRESENT,
        )
        .group_by(Registration.person_id)
    )
    return {row[0]: row[1] for row in rows}
