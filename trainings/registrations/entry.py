"""Entering somebody into the queue of an event: who may, and what the request starts with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache

from sqlalchemy import Select, and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.models import Event, EventTrainer
from trainings.people.models import Person
from trainings.registrations.affiliation import authority_and_unit
from trainings.registrations.deciders import Decider, note_release
from trainings.registrations.models import (
    ACTIVE,
    SEATED,
    Need,
    NeedKind,
    Registration,
    RegistrationState,
    Wish,
    WishedRegistration,
)
from trainings.registrations.moves import note_change
from trainings.registrations.place_queries import overlapping_events
from trainings.registrations.places import LockedPlaces, begins_at
from trainings.registrations.queries import visible_to
from trainings.registrations.release_rules import release_deadline
from trainings.registrations.rules import Window, window_refusal


def enter(
    places: LockedPlaces,
    actor: Actor,
    person_id: int,
    *,
    needs: Mapping[NeedKind, str],
    released_by: Decider | None = None,
    in_window: bool,
    reason: str = "requested",
) -> Registration:
    """Put somebody at the end of an event's queue; places are given and people told by the caller.

    Whoever has an open wish for the event's format waits here for that wish as well: a place on
    one of its dates ends the others.

    Args:
        places: of the event; the person is locked too.
        actor: who registers; must be able to see the event.
        person_id: whom.
        needs: as for `register`.
        released_by: as for `register`.
        in_window: whether registration must be open.
        reason: code for the history.

    Returns:
        The registration, waiting or awaiting its release.

    Raises:
        DomainError: as `register`.

    """
    session, event, now = places.session, places.event, places.now
    values = {"event_id": event.id, "whom": person_id}
    shown = session.execute(_shown(actor), values).one_or_none()
    if shown is None:
        raise not_found()
    refusal = window_refusal(window_of(event), now) if in_window else None
    if refusal is not None:
        raise refusal
    if in_window and event.needs_release and released_by is None:
        _refuse_late_request(event, now)
    by_self = person_id == actor.person_id
    _refuse_second_seat(session, event, person_id, leads=shown.leads, by_self=by_self)
    person = session.get_one(Person, person_id, options=[joinedload(Person.organisation)])
    registration = new_registration(session, event, person, now, released=released_by is not None)
    for kind, note in needs.items():
        registration.needs.append(Need(kind=kind, note=note))
    session.add(registration)
    note_change(session, registration, None, actor, reason=reason, now=now)
    session.flush()
    if event.needs_release and released_by is not None:
        note_release(session, registration, released_by, now)
    if shown.wish_id is not None:
        session.add(WishedRegistration(registration_id=registration.id, wish_id=shown.wish_id))
    audit.record(session, actor, "registered", registration, now, event_id=event.id)
    return registration


def window_of(event: Event) -> Window:
    """Return what decides whether somebody can register for an event at all."""
    return Window(event.state, event.opens_at, event.closes_at, begins_at(event))


_LEADS = exists().where(
    EventTrainer.event_id == Event.id, EventTrainer.person_id == bindparam("whom")
)


_OPEN_WISH = (
    select(func.min(Wish.id))
    .where(
        Wish.person_id == bindparam("whom"),
        Wish.template_id == Event.template_id,
        Wish.ended_at.is_(None),
    )
    .correlate(Event)
    .scalar_subquery()
)


@lru_cache(maxsize=256)
def _shown(actor: Actor) -> Select[bool, int | None]:
    """Return the statement whether the actor sees an event, and what `whom` has to do with it."""
    return select(_LEADS.label("leads"), _OPEN_WISH.label("wish_id")).where(
        Event.id == bindparam("event_id"), visible_to(actor)
    )


# Statements of the rush are built once, since that takes longer than to run them.
_OTHER_SEATS = (
    select(Registration.pool_id, Event.number, Event.title, Event.first_day)
    .join(Event, Registration.event_id == Event.id)
    .where(
        Registration.person_id == bindparam("whom"),
        or_(
            and_(
                Registration.pool_id == bindparam("pool_id"),
                # Whoever was there without a registration takes part already.
                Registration.state.in_((*ACTIVE, RegistrationState.WALK_IN)),
            ),
            and_(
                Registration.event_id.in_(overlapping_events(bindparam("event_id"))),
                Registration.state.in_(SEATED),
            ),
        ),
    )
)


_LAST_NUMBERS = select(
    func.max(Registration.rank),
    func.max(Registration.calendar_sequence).filter(Registration.person_id == bindparam("whom")),
).where(Registration.pool_id == bindparam("pool_id"))


def _refuse_late_request(event: Event, now: datetime) -> None:
    deadline = release_deadline(event.closes_at, event.first_day)
    if now >= deadline:
        raise DomainError(
            "too_late_to_release",
            "Für diese Veranstaltung ist eine Freigabe nötig, und dafür ist es zu spät: Die Frist "
            f"endete am {formats.deadline(deadline)}. Bitte wählen Sie einen anderen Termin oder "
            "wenden Sie sich an die Geschäftsstelle.",
        )


def _refuse_second_seat(
    session: Session, event: Event, person_id: int, *, leads: bool, by_self: bool
) -> None:
    others = session.execute(
        _OTHER_SEATS, {"whom": person_id, "pool_id": event.pool_id, "event_id": event.id}
    ).all()
    if any(other.pool_id == event.pool_id for other in others):
        raise DomainError(
            "already_registered",
            "Sie sind für diese Veranstaltung schon angemeldet. Den Stand sehen Sie unter "
            "„Meine Anmeldungen“."
            if by_self
            else "Diese Person ist für diese Veranstaltung schon angemeldet.",
        )
    if leads:
        raise DomainError(
            "trains_this_event",
            "Sie leiten diese Veranstaltung selbst."
            if by_self
            else "Diese Person leitet die Veranstaltung.",
        )
    if others:
        overlap = others[0]
        raise DomainError(
            "overlap",
            f"{'Sie haben' if by_self else 'Diese Person hat'} zu dieser Zeit schon einen Platz: "
            f"„{overlap.title}“ ({overlap.number}) am {formats.long_date(overlap.first_day)}. "
            "Bitte geben Sie ihn zuerst zurück, oder wählen Sie einen anderen Termin.",
        )


def new_registration(
    session: Session, event: Event, person: Person, now: datetime, *, released: bool
) -> Registration:
    """Return a registration at the end of the order, with the organisation as it is today."""
    highest_rank, last_sequence = session.execute(
        _LAST_NUMBERS, {"whom": person.id, "pool_id": event.pool_id}
    ).one()
    authority, unit = authority_and_unit(person)
    return Registration(
        pool_id=event.pool_id,
        event=event,
        person=person,
        state=(
            RegistrationState.AWAITING_RELEASE
            if event.needs_release and not released
            else RegistrationState.WAITING
        ),
        rank=(highest_rank or 0) + 1,
        requested_at=now,
        state_since=now,
        organisation_id=authority.id,
        organisation_name=authority.name,
        organisation_kind=authority.kind,
        unit=unit,
        # A calendar takes an invitation after a cancellation only with a higher SEQUENCE.
        calendar_sequence=0 if last_sequence is None else last_sequence + 1,
    )
