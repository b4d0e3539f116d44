"""Makes formats with several dates, and what people wish of them."""

from __future__ import annotations

from datetime import date, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person
from tests.registered import make_registration
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.outbox import Mail, OutgoingMail
from trainings.events.models import (
    Event,
    EventKind,
    EventTemplate,
    TemplateSession,
    Visibility,
)
from trainings.people.models import Person
from trainings.registrations.demand_operations import Wished, express_wish
from trainings.registrations.models import (
    Registration,
    RegistrationChange,
    RegistrationState,
    Wish,
)
from trainings.registrations.operations import withdraw

DAY = date(2026, 4, 16)


def make_template(
    session: Session, title: str = "Umgang mit Konflikten", **values: object
) -> EventTemplate:
    """Add a format of one half day."""
    template = EventTemplate(
        **{
            "kind": EventKind.TRAINING,
            "title": title,
            "capacity": 12,
            "minimum": 6,
            "visibility": Visibility.PARTNERS,
            "registration_deadline_days": 14,
            "withdrawal_deadline_days": 7,
            "needs_deadline_days": 14,
            "sessions": [
                TemplateSession(position=0, day=1, begins=time(9), ends=time(12), label="")
            ],
            **values,
        }
    )
    session.add(template)
    session.flush()
    return template


def make_dates(
    session: Session,
    template: EventTemplate,
    count: int,
    *,
    first_day: date = DAY,
    **values: object,
) -> list[Event]:
    """Add dates of a format, a week apart, with one place each unless told otherwise."""
    events = []
    for number in range(count):
        day = first_day + timedelta(weeks=number)
        event = make_event(session, first_day=day, **{"capacity": 1, "minimum": 0, **values})  # type: ignore[arg-type]
        event.template_id = template.id
        events.append(event)
    session.flush()
    return events


def fill_up(session: Session, *events: Event) -> list[Person]:
    """Give all places of the events to others."""
    people = []
    for event in events:
        for _ in range(event.pool.capacity):
            people.append(make_person(session))
            make_registration(session, event, people[-1])
    return people


class Course:
    """A format with three dates, the first ones full, and somebody who would take any of them."""

    def __init__(self, *, full: int = 3, **values: object) -> None:
        with transaction() as session:
            template = make_template(session)
            dates = make_dates(session, template, 3, **values)
            self.holders = [actor_for(person) for person in fill_up(session, *dates[:full])]
            self.actor = actor_for(make_person(session))
            self.template_id = template.id
            self.events = [event.id for event in dates]

    def wish(self, *numbers: int, next_free: bool = False, actor: Actor | None = None) -> Wished:
        """Wish for dates by their numbers."""
        with transaction() as session:
            return express_wish(
                session,
                actor or self.actor,
                self.template_id,
                event_ids=[self.events[number] for number in numbers],
                next_free=next_free,
                now=NOW,
            )

    def give_back(self, number: int) -> None:
        """Let the holder of a date's only place give it back."""
        holder = self.holders[number]
        with transaction() as session:
            withdraw(session, holder, registration_id(holder, self.events[number]), NOW)

    def states(self) -> list[RegistrationState]:
        """Return the states of the person's registrations, by date."""
        return states_of(self.actor.person_id)


def registration_id(actor: Actor, event_id: int) -> int:
    """Return somebody's latest registration for an event."""
    found = db.session.scalars(
        select(Registration.id)
        .where(Registration.person_id == actor.person_id, Registration.event_id == event_id)
        .order_by(Registration.id.desc())
    ).first()
    assert found is not None
    return found


def mails_to(person_id: int | None) -> list[tuple[str, Mail]]:
    """Return kind and content of the mails to somebody, the oldest first."""
    db.session.remove()
    address = db.session.get_one(Person, person_id).email
    rows = db.session.scalars(
        select(OutgoingMail).where(OutgoingMail.recipient == address).order_by(OutgoingMail.id)
    )
    return [(row.kind, row.mail) for row in rows]


def states_of(person_id: int | None) -> list[RegistrationState]:
    """Return the states of somebody's registrations, by date."""
    db.session.remove()
    return list(
        db.session.scalars(
            select(Registration.state)
            .join(Event, Registration.event_id == Event.id)
            .where(Registration.person_id == person_id)
            .order_by(Event.first_day, Registration.id)
        )
    )


def open_wishes(person_id: int | None) -> list[Wish]:
    """Return the wishes of somebody that have not ended."""
    db.session.remove()
    return list(
        db.session.scalars(select(Wish).where(Wish.person_id == person_id, Wish.ended_at.is_(None)))
    )


def reasons_of(person_id: int | None) -> list[list[str]]:
    """Return the codes in the histories of somebody's registrations, by date."""
    db.session.remove()
    registrations = db.session.scalars(
        select(Registration)
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.person_id == person_id)
        .order_by(Event.first_day, Registration.id)
    )
    return [[change.reason for change in row.history] for row in registrations]


def everything() -> list[object]:
    """Return what a sweep that runs again must leave as it is."""
    db.session.remove()
    registrations = db.session.execute(
        select(
            Registration.id,
            Registration.state,
            Registration.rank,
            Registration.offer_until,
            Registration.ticket,
        ).order_by(Registration.id)
    ).all()
    changes = db.session.scalars(select(RegistrationChange.id)).all()
    wishes = db.session.execute(select(Wish.id, Wish.ended_at).order_by(Wish.id)).all()
    return [registrations, len(changes), wishes]
