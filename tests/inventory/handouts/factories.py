"""A training on Thursday and Friday with a trainer, a card and a filled store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.attendance.factories import make_registration, make_trainer
from tests.factories import actor_for, berlin, make_event, make_person
from tests.inventory.factories import balance, fill, make_card, make_store
from trainings.core.actors import Actor
from trainings.core.permissions import Role
from trainings.events.models import Event
from trainings.inventory.models import Edition, Movement, Store
from trainings.people.models import Person

DAY = date(2026, 3, 12)
BEFORE, AT = berlin(date(2026, 3, 10), 9), berlin(DAY, 9)


@dataclass
class Course:
    """Ids of what a test about handing out needs.

    Attributes:
        editions: two of the one card, the older first, with 100 cards each in the store.
        people: registrations.

    """

    event: int
    number: str
    card: int
    editions: list[int]
    store: int
    trainer: int
    trainer_actor: Actor
    office: int
    office_actor: Actor
    people: list[int]


def make_course(session: Session, *, people: int = 3, first_day: date = DAY) -> Course:
    """Add a training with people, a trainer without a box, and a store with 200 cards."""
    event = make_event(session, first_day=first_day)
    names = ("Ağaoğlu", "Brüggemann", "Dörrenberg-van Aken")
    registered = [
        make_registration(session, event, family_name=names[index % 3]) for index in range(people)
    ]
    trainer = make_trainer(session, event)
    office = make_person(session, roles=(Role.COORDINATOR,))
    card, store = make_card(session, editions=2), make_store(session)
    for edition in card.editions:
        fill(session, store, edition, 100)
    return Course(
        event=event.id,
        number=event.number,
        card=card.id,
        editions=[edition.id for edition in card.editions],
        store=store.id,
        trainer=trainer.id,
        trainer_actor=actor_for(trainer),
        office=office.id,
        office_actor=actor_for(office),
        people=[registration.id for registration in registered],
    )


def add_trainer(session: Session, course: Course) -> Person:
    """Add another trainer of the event."""
    return make_trainer(session, session.get_one(Event, course.event))


def box_of(session: Session, person_id: int) -> Store | None:
    """Return somebody's box."""
    return session.scalar(select(Store).where(Store.person_id == person_id))


def in_box(session: Session, course: Course, person_id: int | None = None) -> list[int]:
    """Return how many cards of each edition lie in a trainer's box."""
    box = box_of(session, person_id or course.trainer)
    return [
        balance(session, box, session.get_one(Edition, edition)) if box else 0
        for edition in course.editions
    ]


def moved(session: Session, course: Course) -> list[Movement]:
    """Return the movements of the event in their order."""
    statement = select(Movement).where(Movement.event_id == course.event).order_by(Movement.id)
    return list(session.scalars(statement))
