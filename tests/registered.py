"""Makes registrations for tests, with the history and the attendance that belong to them."""

from __future__ import annotations

from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.factories import LONG_AGO
from trainings.attendance.ledger import new_key
from trainings.attendance.models import (
    Attendance,
    AttendanceChange,
    AttendanceMark,
    RecordingKind,
)
from trainings.events.models import Event
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationChange, RegistrationState
from trainings.registrations.moves import new_ticket

MARKS = {
    "p": AttendanceMark.PRESENT,
    "a": AttendanceMark.ABSENT,
    "e": AttendanceMark.EXCUSED,
}


def make_registration(
    session: Session,
    event: Event,
    person: Person,
    *,
    state: RegistrationState = RegistrationState.PLACED,
    marks: str = "",
) -> Registration:
    """Add a registration; marks are one letter per session: p, a, e, or - for not recorded."""
    rank = session.scalar(
        select(func.count()).select_from(Registration).where(Registration.event_id == event.id)
    )
    steps = [None, RegistrationState.WAITING]
    if state is not RegistrationState.WAITING:
        steps.append(RegistrationState.PLACED)
    if state not in {RegistrationState.WAITING, RegistrationState.PLACED}:
        steps.append(state)
    if state is RegistrationState.WALK_IN:
        steps = [None, state]
    registration = Registration(
        pool_id=event.pool_id,
        event=event,
        person=person,
        state=state,
        rank=(rank or 0) + 1,
        requested_at=LONG_AGO,
        state_since=LONG_AGO,
        organisation=person.organisation,
        organisation_name=person.organisation.name,
        organisation_kind=person.organisation.kind,
        unit=person.unit,
        ticket=new_ticket() if state is RegistrationState.PLACED else None,
        history=[
            RegistrationChange(at=LONG_AGO, from_state=old, to_state=new, reason="test")
            for old, new in pairwise(steps)
        ],
    )
    session.add(registration)
    session.flush()
    for part, letter in zip(event.sessions, marks, strict=False):
        if letter in MARKS:
            mark = MARKS[letter]
            session.add(Attendance(registration=registration, session=part, mark=mark))
            session.add(
                AttendanceChange(
                    key=new_key(),
                    registration_id=registration.id,
                    session_id=part.id,
                    kind=RecordingKind.SET,
                    at=LONG_AGO,
                    received_at=LONG_AGO,
                    new_mark=mark,
                )
            )
    session.flush()
    return registration
