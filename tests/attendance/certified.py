"""Makes events whose attendance is closed, for the tests of certificates."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.attendance.factories import FRIDAY, THURSDAY
from tests.factories import actor_for, berlin, make_event, make_person, make_venue
from tests.registered import make_registration
from trainings.attendance.models import Attendance, AttendanceClosing, AttendanceMark, Certificate
from trainings.core.actors import Actor
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.events.models import Event, EventTrainer
from trainings.people.models import Person
from trainings.registrations.models import Registration

CLOSED_AT = berlin(FRIDAY, 17)
LATER = berlin(FRIDAY, 18)
PEOPLE = (("Kübra", "Öztürk-Lindner"), ("Ann-Kathrin", "Wietfeld"), ("Jürgen", "Czerwiński"))


def make_closed_course(
    session: Session, *marks: str, closed: bool = True, **values: object
) -> Event:
    """Add a training of four sessions of 195 minutes on two days, with a person for each marks."""
    values.setdefault("venue", make_venue(session))
    event = make_event(session, first_day=THURSDAY, **values)  # type: ignore[arg-type]
    event.contents = "Hintergrundwissen\nKommunikation"
    trainer = make_person(session, given_name="Jördis", family_name="Kałuża", roles=(Role.TRAINER,))
    session.add(EventTrainer(event_id=event.id, person_id=trainer.id))
    for index, letters in enumerate(marks):
        given_name, family_name = PEOPLE[index % len(PEOPLE)]
        person = make_person(session, given_name=given_name, family_name=family_name)
        make_registration(session, event, person, marks=letters)
    if closed:
        close(session, event)
    session.flush()
    return event


def close(session: Session, event: Event, *, is_closed: bool = True) -> None:
    """Close the attendance of an event, or open it again."""
    session.add(AttendanceClosing(event_id=event.id, at=CLOSED_AT, is_closed=is_closed))
    session.flush()


def make_office(session: Session) -> tuple[int, Actor]:
    """Add somebody of the office; return the person's id and the actor."""
    person = make_person(session, family_name="Tönnies", roles=(Role.COORDINATOR,))
    return person.id, actor_for(person)


def mark(session: Session, registration_id: int, session_id: int, value: AttendanceMark) -> None:
    """Set a mark as if it had been corrected while the event was open again."""
    row = session.scalar(
        select(Attendance).where(
            Attendance.registration_id == registration_id, Attendance.session_id == session_id
        )
    )
    if row is None:
        row = Attendance(registration_id=registration_id, session_id=session_id, mark=value)
        session.add(row)
    row.mark = value
    session.flush()


def person_of(session: Session, registration_id: int) -> Person:
    """Return who takes part."""
    return session.get_one(Registration, registration_id).person


def certificates_of(session: Session, event_id: int) -> list[Certificate]:
    """Return all certificates of an event in the order of their numbers."""
    statement = select(Certificate).where(Certificate.event_id == event_id)
    return list(session.scalars(statement.order_by(Certificate.running)))


def mails_of(session: Session, kind: str) -> list[OutgoingMail]:
    """Return the mails of a kind in their order."""
    statement = select(OutgoingMail).where(OutgoingMail.kind == kind)
    return list(session.scalars(statement.order_by(OutgoingMail.id)))
