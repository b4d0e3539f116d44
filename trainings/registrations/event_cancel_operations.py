"""Calling a published event off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import audit
from trainings.core.actors import Actor
from trainings.core.errors import DomainError
from trainings.events.models import Event, EventState
from trainings.events.rules import check_move
from trainings.registrations import event_mails
from trainings.registrations.event_operations import (
    raise_version,
)
from trainings.registrations.models import (
    RegistrationState,
)
from trainings.registrations.moves import move
from trainings.registrations.places import LockedPlaces, with_places
from trainings.registrations.queries import people_concerned


def cancel_event(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    reason: str,
    replaced_by_id: int | None,
    now: datetime,
) -> int:
    """Call a published event off; everybody with a place or on the list is told.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        reason: one sentence that everybody concerned reads; may be empty.
        replaced_by_id: a published event instead, or None.
        now: the present instant.

    Returns:
        How many people were told, trainers included.

    Raises:
        DomainError: `not_found`, `illegal_move`, `wrong_replacement`.

    """
    return with_places(
        session, event_id, [], now,
        lambda places: _cancel(places, actor, reason=reason, replaced_by_id=replaced_by_id),
    )  # fmt: skip


def _cancel(places: LockedPlaces, actor: Actor, *, reason: str, replaced_by_id: int | None) -> int:
    session, event, now = places.session, places.event, places.now
    check_move(event.state, EventState.CANCELLED)
    if replaced_by_id is not None:
        replacement = session.get(Event, replaced_by_id)
        if (
            replacement is None
            or replacement.id == event.id
            or replacement.state is not EventState.PUBLISHED
        ):
            raise DomainError(
                "wrong_replacement",
                "Der Ersatztermin muss eine andere, veröffentlichte Veranstaltung sein.",
                field="replaced_by",
            )
    concerned = people_concerned(session, event.id)
    places.hold(registration.person_id for registration in concerned)
    event.state = EventState.CANCELLED
    event.cancelled_at = now
    event.cancellation_reason = reason
    event.replaced_by_id = replaced_by_id
    raise_version(event, now, significant=True)
    audit.record(session, actor, "event_cancelled", event, now, replaced_by_id=replaced_by_id)
    session.flush()
    session.refresh(event, ["replaced_by"])
    for registration in concerned:
        had_place = registration.state is RegistrationState.PLACED
        move(
            session, registration, RegistrationState.CANCELLED, actor,
            reason="event_cancelled", now=now,
        )  # fmt: skip
        event_mails.cancelled(session, registration, now, had_place=had_place)
    for trainer in event.trainers:
        event_mails.trainer_cancelled(session, trainer.person, event, now)
    return len(concerned) + len(event.trainers)
