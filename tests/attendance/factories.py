"""Makes registrations with a place, for the tests of the attendance."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import LONG_AGO, make_event, make_person
from trainings.attendance.models import Attendance, AttendanceChange, AttendanceMark
from trainings.core.permissions import Role
from trainings.events.models import Event, EventTrainer
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationState

THURSDAY, FRIDAY = date(2026, 3, 12), date(2026, 3, 13)
NAMES = ("Ağaoğlu", "Brüggemann", "Czerwiński", "Dörrenberg-van Aken", "El-Khatib", "Hülsmann")


def make_registration(
    session: Session,
    event: Event,
    *,
    family_name: str = "Beispiel",
    state: RegistrationState = RegistrationState.PLACED,
    ticket: str | None = None,
) -> Registration:
    """Add a registration of a new person."""
    person = make_person(session, family_name=family_name, given_name="Kübra", account=False)
    registration = Registration(
        pool_id=event.pool_id,
        event_id=event.id,
        person_id=person.id,
        state=state,
        rank=person.id,
        requested_at=LONG_AGO,
        state_since=LONG_AGO,
        organisation_id=person.organisation_id,
        organisation_name="Stadt Essen",
        organisation_kind=person.organisation.kind,
        unit="Jugendamt",
        ticket=ticket or f"TICKET{person.id:06d}",
    )
    session.add(registration)
    session.flush()
    return registration


def make_course(session: Session, people: int = 3, **values: object) -> Event:
    """Add a training on Thursday and Friday, 12 and 13 March 2026, with people who have a place."""
    event = make_event(session, first_day=THURSDAY, **values)  # type: ignore[arg-type]
    for number in range(people):
        name = NAMES[number % len(NAMES)]
        make_registration(session, event, family_name=name)
    return event


def make_trainer(session: Session, *events: Event) -> Person:
    """Add a trainer of these events."""
    trainer = make_person(session, family_name="Kałuża", given_name="Jördis", roles=(Role.TRAINER,))
    for event in events:
        session.add(EventTrainer(event_id=event.id, person_id=trainer.id))
    session.flush()
    return trainer


def registration_ids(session: Session, event: Event) -> list[int]:
    """Return the ids of the registrations of an event."""
    statement = select(Registration.id).where(Registration.event_id == event.id)
    return list(session.scalars(statement.order_by(Registration.id)))


def marks_of(session: Session, session_id: int) -> dict[int, AttendanceMark]:
    """Return what is stored for a session."""
    rows = session.scalars(select(Attendance).where(Attendance.session_id == session_id))
    return {row.registration_id: row.mark for row in rows}


def history_of(session: Session, session_id: int) -> list[AttendanceChange]:
    """Return the changes of a session in their order."""
    statement = select(AttendanceChange).where(AttendanceChange.session_id == session_id)
    return list(session.scalars(statement.order_by(AttendanceChange.id)))
