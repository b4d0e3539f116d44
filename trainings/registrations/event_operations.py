"""What the office changes in an event that people have registered for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.details import (
    EventDetails,
)
from trainings.events.models import Event, EventState
from trainings.events.planning import set_trainers, update_event
from trainings.registrations import mails
from trainings.registrations.models import (
    RegistrationState,
)
from trainings.registrations.moves import move
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.queries import people_concerned


def change_details(
    session: Session, actor: Actor, event_id: int, details: EventDetails, now: datetime
) -> None:
    """Change what an event says about itself, and what follows for those who asked.

    Where no release is needed any more, requests that wait for one go on as if it were there.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        details: all of them, as they are to be.
        now: the present instant.

    Raises:
        DomainError: as `events.planning.update_event`; `changed_meanwhile`.

    """
    event = session.get(Event, event_id)
    if event is None:
        raise not_found()
    persons = {registration.person_id for registration in people_concerned(session, event_id)}
    persons |= {trainer.person_id for trainer in event.trainers}
    rooms = {event.room_id} - {None}

    def work(places: LockedPlaces) -> None:
        event = places.event
        trainers = {trainer.person_id for trainer in event.trainers}
        if not trainers <= persons or event.room_id not in {*rooms, None}:
            raise changed_meanwhile()
        update_event(session, actor, event_id, details, now)
        if event.state is EventState.PUBLISHED and not event.needs_release:
            _go_on_without_release(places, actor)

    # As in `publish_and_take_along`: locked in one go before the pool, since the change locks
    # trainers and room itself.
    with_places(session, event_id, persons, now, work, room_ids=filter(None, rooms))


def _go_on_without_release(places: LockedPlaces, actor: Actor) -> None:
    session, now = places.session, places.now
    freed = [
        registration
        for registration in people_concerned(session, places.event.id)
        if registration.state is RegistrationState.AWAITING_RELEASE
    ]
    if not freed:
        return
    places.hold(registration.person_id for registration in freed)
    for registration in freed:
        to = RegistrationState.WAITING
        move(session, registration, to, actor, reason="release_not_needed", now=now)
    session.flush()
    asked = [registration.id for registration in freed]
    served = places.fill(actor, "placed_in_order", asked=asked)
    for registration in served:
        mails.served(
            session,
            [registration],
            now,
            ended=places.ended,
            asked=registration if registration in freed else None,
        )
    for registration in freed:
        if registration not in served:
            mails.waiting(session, registration, now)


def change_capacity(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    capacity: int,
    organisation_limit: int | None,
    now: datetime,
) -> None:
    """Change how many places a published event has; new ones go to the waiting list at once.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        capacity: all places, at least those that are taken or held.
        organisation_limit: most places for one authority, at least those that one has; None: no
            limit.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `finished`, `capacity_too_small`, `limit_too_small`,
            `minimum_above_capacity`.

    """

    def work(places: LockedPlaces) -> None:
        event = places.event
        refuse_finished(event, now)
        current = places.places()
        needed = current.taken + current.held
        if capacity < needed:
            raise DomainError(
                "capacity_too_small",
                f"Es sind schon {current.taken} Plätze vergeben und {current.held} vorgehalten: "
                f"Weniger als {needed} Plätze sind nicht möglich.",
                field="capacity",
            )
        # After two organisations were merged one may have more: what is there may stay.
        allowed = min(current.most_of_one, event.pool.organisation_limit or current.most_of_one)
        if organisation_limit is not None and organisation_limit < allowed:
            raise DomainError(
                "limit_too_small",
                f"Eine Organisation hat schon {current.most_of_one} Plätze. Eine kleinere Grenze "
                "ist nicht möglich.",
                field="organisation_limit",
            )
        if capacity < event.minimum:
            raise DomainError(
                "minimum_above_capacity",
                f"Die Mindestzahl ist {event.minimum}. Weniger Plätze sind nicht möglich.",
                field="capacity",
            )
        event.pool.capacity = capacity
        event.pool.organisation_limit = organisation_limit
        raise_version(event, now, significant=False)
        audit.record(session, actor, "capacity_changed", event, now, capacity=capacity)
        fill_and_tell(places, actor, "capacity_raised")

    with_places(session, event_id, [], now, work)


def assign_trainers(
    session: Session, actor: Actor, event_id: int, trainer_ids: Sequence[int], now: datetime
) -> None:
    """Set who leads an event: nobody who is registered for it.

    Raises:
        DomainError: `trainer_registered`, or as `events.planning.set_trainers`.

    """
    # It locks trainers and pool, so none of them can register between this and the commit.
    set_trainers(session, actor, event_id, trainer_ids, now)
    name = next(
        (
            registration.person.name
            for registration in people_concerned(session, event_id)
            if registration.person_id in set(trainer_ids)
        ),
        None,
    )
    if name is not None:
        raise DomainError(
            "trainer_registered",
            f"{name} ist für diese Veranstaltung angemeldet und kann sie nicht zugleich leiten.",
            field="trainers",
        )


def fill_and_tell(places: LockedPlaces, actor: Actor, reason: str) -> None:
    """Pass on every free place, and tell those who got or were offered one."""
    served = places.fill(actor, reason)
    mails.served(places.session, served, places.now, ended=places.ended)


def refuse_finished(event: Event, now: datetime) -> None:
    """Refuse what only a published event allows that has not begun.

    Raises:
        DomainError: `finished`.

    """
    if event.state is not EventState.PUBLISHED or begins_at(event) <= now:
        raise DomainError(
            "finished",
            "Das geht nur bei einer veröffentlichten Veranstaltung, die noch nicht begonnen hat.",
        )


def changed_meanwhile() -> DomainError:
    """Return the refusal where somebody else was quicker."""
    return DomainError(
        "changed_meanwhile",
        "Jemand hat gleichzeitig mit Ihnen etwas an dieser Veranstaltung geändert. Bitte laden Sie "
        "die Seite neu und prüfen Sie, was jetzt gilt.",
    )


def raise_version(event: Event, now: datetime, *, significant: bool) -> None:
    """Note that what is shown has changed; `significant` as in RFC 5546, section 2.1.4."""
    event.version += 1
    event.sequence += significant
    event.changed_at = now
