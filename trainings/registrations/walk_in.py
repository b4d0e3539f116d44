"""Somebody who came without a registration, entered afterwards: takes part, holds no place."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError
from trainings.core.outbox import Mail
from trainings.events.models import EventTrainer
from trainings.people.models import Person
from trainings.registrations.entry import new_registration
from trainings.registrations.mail_parts import MY_REGISTRATIONS, event_facts, event_subject, post
from trainings.registrations.models import ACTIVE, Registration, RegistrationState
from trainings.registrations.moves import move, note_change
from trainings.registrations.places import LockedPlaces


def enter_walk_in(places: LockedPlaces, actor: Actor, person_id: int) -> Registration:
    """Add the registration of somebody who came without one, and tell the person.

    Whoever still waits for a place, or is offered one, takes part by that registration: the wait is
    over, and a seat that was offered goes to the next one.

    Args:
        places: of the event; the person is locked too.
        actor: of the office.
        person_id: who came.

    Raises:
        DomainError: `trains_this_event`.

    """
    session, event, now = places.session, places.event, places.now
    leads = select(EventTrainer.person_id).where(
        EventTrainer.event_id == event.id, EventTrainer.person_id == person_id
    )
    if session.scalar(leads) is not None:
        raise DomainError(
            "trains_this_event",
            "Diese Person leitet die Veranstaltung. Bitte prüfen Sie die Adresse, oder verwerfen "
            "Sie die Erfassung.",
            field="email",
        )
    waits = session.scalar(
        select(Registration).where(
            Registration.pool_id == event.pool_id,
            Registration.person_id == person_id,
            Registration.state.in_(ACTIVE),
        )
    )
    if waits is None:
        person = session.get_one(Person, person_id, options=[joinedload(Person.organisation)])
        registration = new_registration(session, event, person, now, released=True)
        registration.state = RegistrationState.WALK_IN
        session.add(registration)
        note_change(session, registration, None, actor, reason="walked_in", now=now)
    else:
        registration = waits
        if waits.state is RegistrationState.OFFERED:
            places.free_elsewhere(event.id)
        to = RegistrationState.WALK_IN
        move(session, registration, to, actor, reason="walked_in", now=now)
    audit.record(session, actor, "walked_in", registration, now, event_id=event.id)
    post(
        session,
        registration,
        kind="registration_walked_in",
        now=now,
        mail=Mail(
            subject=f"Teilnahme nachgetragen: {event_subject(event)}",
            paragraphs=(
                "Sie waren ohne Anmeldung bei dieser Veranstaltung. Wir haben Ihre Teilnahme "
                "nachgetragen.",
                "Waren Sie nicht dort, dann geben Sie uns bitte Bescheid.",
            ),
            facts=event_facts(event),
            link=("Meine Anmeldungen", MY_REGISTRATIONS),
        ),
    )
    return registration
