"""A training as its trainer sees it in the browser, for tests of pages."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from flask.testing import FlaskClient

from tests.attendance.factories import make_registration, make_trainer, registration_ids
from tests.factories import log_in, make_event, make_person
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import transaction
from trainings.core.permissions import Role


@dataclass
class Taught:
    """A training with some people; its trainer is logged in, others can be.

    Attributes:
        client: the trainer's browser.
        event_id: the training.
        number: its number.
        sessions: ids of its sessions in their order.
        people: ids of the registrations.
        trainer: id of the person who leads it.
        foreign: id of somebody who leads another one.
        office: id of a coordinator.

    """

    client: FlaskClient
    event_id: int
    number: str
    sessions: list[int]
    people: list[int]
    trainer: int
    foreign: int
    office: int


AnyTaught = TypeVar("AnyTaught", bound=Taught)


def make_taught(
    kind: type[AnyTaught], client: FlaskClient, *, days_ago: int, names: tuple[str, ...]
) -> AnyTaught:
    """Make a training of two days that began some days ago, and log its trainer in."""
    with transaction() as session:
        today = berlin_day(utc_now())
        event = make_event(session, first_day=today - timedelta(days=days_ago))
        other = make_event(session, first_day=today)
        for name in names:
            make_registration(session, event, family_name=name)
        made = kind(
            client=client,
            event_id=event.id,
            number=event.number,
            sessions=[found.id for found in event.sessions],
            people=registration_ids(session, event),
            trainer=make_trainer(session, event).id,
            foreign=make_trainer(session, other).id,
            office=make_person(session, roles=(Role.COORDINATOR,)).id,
        )
    log_in(client, made.trainer)
    return made
