"""The data of the benchmarks: 44 courses of two days with 12 places each, 428 registrations."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import cycle, islice

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from tests.factories import make_event, make_person
from tests.registered import make_registration
from trainings.attendance.models import Attendance, AttendanceChange
from trainings.cli.seed.base import load_organisations, load_templates, load_venues
from trainings.cli.seed.files import Loading
from trainings.core.clock import berlin_day, utc_now
from trainings.core.permissions import Role
from trainings.events.models import (
    Event,
    EventTemplate,
    EventTrainer,
    Venue,
)
from trainings.organisations.models import Level, Organisation
from trainings.people.models import Account, Person, PersonRole
from trainings.registrations.models import Need, Registration, RegistrationChange

EVENTS = 44
PLACES = 12
REGISTRATIONS = 428
NEWCOMERS = 200
TRAINERS = 2
# The first course begins after every deadline of the others has been thought of.
FIRST_IN_DAYS = 15


@dataclass
class Data:
    """What the benchmarks need to know of the rows.

    Attributes:
        numbers: of the courses.
        newcomers: accounts of people without any registration.
        everything: account of somebody who may do everything and has a place today.
        last_registration: the highest id of the registrations that stay.
        crowded: number of the course that everybody wants.
        crowded_id: its id.
        tickets: of those who take part in the conference of today.
        today_number: its number.

    """

    numbers: list[str] = field(default_factory=list)
    newcomers: list[int] = field(default_factory=list)
    everything: int = 0
    last_registration: int = 0
    crowded: str = ""
    crowded_id: int = 0
    tickets: list[str] = field(default_factory=list)
    today_number: str = ""

    @property
    def free_numbers(self) -> list[str]:
        """Number of the course of each free place, the courses in turn."""
        rounds = range(REGISTRATIONS, EVENTS * PLACES)
        return [self.numbers[place % EVENTS] for place in rounds]


def make_courses(session: Session, data: Data) -> None:
    """Add organisations, venues, people, and the courses with their registrations."""
    now = utc_now()
    loading = Loading(session, now, berlin_day(now))
    load_organisations(loading)
    load_venues(loading)
    load_templates(loading)
    session.flush()
    authorities = [
        organisation
        for organisation in loading.organisations.values()
        if organisation.level is Level.AUTHORITY
    ]
    organisations = cycle(authorities)
    for _ in range(TRAINERS):
        make_person(session, next(organisations), roles=(Role.TRAINER,))
    events = add_courses(session, EVENTS)
    people = [make_person(session, next(organisations)) for _ in range(REGISTRATIONS)]
    for person, event in zip(people, cycle(events), strict=False):
        make_registration(session, event, person)
    newcomers = [make_person(session, next(organisations)) for _ in range(NEWCOMERS)]
    everything = make_person(session, next(organisations), roles=(Role.ADMIN,))
    session.flush()
    data.numbers = [event.number for event in events]
    data.newcomers = [_account_id(person) for person in newcomers]
    data.everything = _account_id(everything)
    data.last_registration = _last_registration(session)


def add_courses(session: Session, number: int) -> list[Event]:
    """Add courses behind those that there are, each on two days of its own."""
    there = session.scalar(select(func.count()).select_from(Event)) or 0
    first = berlin_day(utc_now()) + timedelta(days=FIRST_IN_DAYS)
    return [
        _add_event(session, first + timedelta(days=2 * index))
        for index in range(there, there + number)
    ]


def add_crowded_course(session: Session, data: Data) -> None:
    """Add the course that everybody wants."""
    (event,) = add_courses(session, 1)
    data.crowded, data.crowded_id = event.number, event.id


def add_conference_of_today(session: Session, data: Data) -> None:
    """Add a conference with as many participants as all courses together."""
    event = _add_event(session, berlin_day(utc_now()), capacity=REGISTRATIONS)
    everything = session.get_one(Account, data.everything).person
    organisations = session.scalars(
        select(Organisation).where(Organisation.level == Level.AUTHORITY)
    ).all()
    people = [
        make_person(session, organisation, account=False)
        for organisation in islice(cycle(organisations), REGISTRATIONS - 1)
    ]
    registrations = [make_registration(session, event, person) for person in (everything, *people)]
    data.tickets = [registration.ticket or "" for registration in registrations]
    data.today_number = event.number
    data.last_registration = _last_registration(session)


def forget_new_registrations(session: Session, data: Data) -> None:
    """Delete the registrations that the benchmarks made, so that each run finds the same places."""
    new = select(Registration.id).where(Registration.id > data.last_registration)
    for model in (Need, RegistrationChange):
        session.execute(delete(model).where(model.registration_id.in_(new)))
    session.execute(delete(Registration).where(Registration.id > data.last_registration))


def forget_attendance(session: Session) -> None:
    """Delete all attendance, so that each run records people who are not recorded yet."""
    for model in (AttendanceChange, Attendance):
        session.execute(delete(model))


def _add_event(session: Session, first_day: date, capacity: int = PLACES) -> Event:
    template = session.scalars(select(EventTemplate).order_by(EventTemplate.id).limit(1)).one()
    venues = session.scalars(select(Venue).order_by(Venue.id)).all()
    event = make_event(
        session,
        first_day=first_day,
        capacity=capacity,
        title=template.title,
        venue=venues[first_day.toordinal() // 2 % len(venues)],
    )
    event.summary, event.contents = template.summary, template.contents
    event.agenda = template.agenda
    holders = select(PersonRole.person_id).where(PersonRole.role == Role.TRAINER)
    for position, person_id in enumerate(session.scalars(holders.limit(TRAINERS))):
        event.trainers.append(EventTrainer(person_id=person_id, position=position))
    session.flush()
    return event


def _account_id(person: Person) -> int:
    if person.account is None:
        raise LookupError(f"{person.email} has no account.")
    return person.account.id


def _last_registration(session: Session) -> int:
    session.flush()
    return session.scalar(select(func.max(Registration.id))) or 0
