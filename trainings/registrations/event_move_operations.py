"""Moving a published event to another date or place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.bookings import check_bookings
from trainings.events.calendar import calendar_days, place_line
from trainings.events.details import (
    apply_deadlines,
    deadlines_of,
    plans_of,
    replace_sessions,
    shifted,
)
from trainings.events.models import Event
from trainings.events.planning import check_place
from trainings.events.rules import SessionPlan, check_session_plans
from trainings.registrations import event_mails
from trainings.registrations.event_operations import (
    changed_meanwhile,
    fill_and_tell,
    raise_version,
    refuse_finished,
)
from trainings.registrations.models import (
    SEATED,
    Registration,
    RegistrationState,
)
from trainings.registrations.moves import move
from trainings.registrations.offer_rules import latest_answer
from trainings.registrations.place_queries import offers_at_the_time, seats_elsewhere
from trainings.registrations.places import LockedPlaces, begins_at, with_places
from trainings.registrations.queries import people_concerned


def move_event(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    sessions: Sequence[SessionPlan],
    venue_id: int | None,
    room_id: int | None,
    now: datetime,
) -> int:
    """Give a published event other dates or another place; registrations stay, all are told.

    Deadlines keep their distance to the first day. Whoever has a place in another event at the new
    time cannot sit in both: the place in this one is freed, the person is told and may choose. A
    place that is only offered elsewhere at that time gives way to the one here.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        sessions: all sessions as they are to be.
        venue_id: the venue.
        room_id: a room of that venue.
        now: the present instant.

    Returns:
        How many people were told, trainers included.

    Raises:
        DomainError: `not_found`, `finished`, `unmoved`, `into_the_past`, `room_elsewhere`,
            `trainer_booked`, `room_booked`, or what `check_session_plans` refuses.

    """
    ordered = check_session_plans(sessions)
    event = session.get(Event, event_id)
    if event is None:
        raise not_found()
    known = {trainer.person_id for trainer in event.trainers}
    known |= {registration.person_id for registration in people_concerned(session, event_id)}
    rooms = {room for room in (event.room_id, room_id) if room is not None}

    def work(places: LockedPlaces) -> int:
        if not _concerned(places) <= known:
            raise changed_meanwhile()
        before = _when_and_where(places.event)
        dropped = _rebook(places, actor, ordered, venue_id, room_id)
        told = _tell_moved(places, actor, before=before, dropped=dropped)
        for trainer in places.event.trainers:
            event_mails.trainer_moved(session, trainer.person, places.event, now, dropped)
        session.flush()
        fill_and_tell(places, actor, "promoted")
        return told + len(places.event.trainers)

    return with_places(session, event_id, known, now, work, room_ids=rooms)


def _concerned(places: LockedPlaces) -> set[int]:
    registered = people_concerned(places.session, places.event.id)
    return {trainer.person_id for trainer in places.event.trainers} | {
        registration.person_id for registration in registered
    }


def _rebook(
    places: LockedPlaces,
    actor: Actor,
    ordered: Sequence[SessionPlan],
    venue_id: int | None,
    room_id: int | None,
) -> range:
    """Give the event its new dates and place; return the indexes of days that it lost."""
    session, event, now = places.session, places.event, places.now
    refuse_finished(event, now)
    check_place(session, venue_id, room_id)
    if (ordered, venue_id, room_id) == (plans_of(event), event.venue_id, event.room_id):
        raise DomainError(
            "unmoved",
            "Termine und Ort sind noch die alten. Bitte ändern Sie, was sich ändern soll.",
            field="sessions",
        )
    trainers = {trainer.person_id for trainer in event.trainers}
    check_bookings(
        session, event_id=event.id, trainer_ids=trainers, room_id=room_id, sessions=ordered
    )
    old_days = len(calendar_days(event))
    apply_deadlines(event, shifted(deadlines_of(event), (ordered[0].day - event.first_day).days))
    replace_sessions(event, ordered)
    event.venue_id, event.room_id = venue_id, room_id
    if begins_at(event) <= now:
        raise DomainError(
            "into_the_past",
            "Der erste Termin liegt in der Vergangenheit. Bitte wählen Sie einen späteren Tag.",
            field="sessions",
        )
    raise_version(event, now, significant=True)
    audit.record(session, actor, "event_moved", event, now)
    session.flush()
    session.refresh(event, ["venue", "room"])
    return range(len(calendar_days(event)), old_days)


def _tell_moved(places: LockedPlaces, actor: Actor, *, before: str, dropped: Sequence[int]) -> int:
    session, event, now = places.session, places.event, places.now
    concerned = people_concerned(session, event.id)
    elsewhere = _settle_elsewhere(places, concerned, actor)
    for registration in concerned:
        if registration.state in SEATED and registration.person_id in elsewhere:
            move(
                session, registration, RegistrationState.WITHDRAWN, actor,
                reason="moved_onto_other_event", now=now,
            )  # fmt: skip
            other = elsewhere[registration.person_id]
            event_mails.lost_by_move(session, registration, other, now, dropped)
        else:
            if registration.offer_until is not None:
                latest = latest_answer(begins_at(event))
                registration.offer_until = min(registration.offer_until, latest)
            event_mails.moved(session, registration, now, before=before, dropped_days=dropped)
    return len(concerned)


def _settle_elsewhere(
    places: LockedPlaces, concerned: Sequence[Registration], actor: Actor
) -> dict[int, str]:
    """Return who cannot sit here because of another event at the new time, and of which (number).

    A place that the person has goes before one that is offered: an offer elsewhere gives way, its
    seat goes to the next one, and the person stays on that waiting list.
    """
    session, event, now = places.session, places.event, places.now
    placed = [row.person_id for row in concerned if row.state is RegistrationState.PLACED]
    offered = [row.person_id for row in concerned if row.state is RegistrationState.OFFERED]
    by_place = [RegistrationState.PLACED]
    elsewhere = seats_elsewhere(session, event.id, placed, states=by_place)
    stay = [person_id for person_id in placed if person_id not in elsewhere]
    for offer in offers_at_the_time(session, event.id, stay):
        places.free_elsewhere(offer.event_id)
        to = RegistrationState.WAITING
        move(session, offer, to, actor, reason="offer_gave_way", now=now, note=event.number)
        event_mails.offer_gave_way(session, offer, event, now)
    return elsewhere | seats_elsewhere(session, event.id, offered)


def _when_and_where(event: Event) -> str:
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in calendar_days(event)]
    return "; ".join(filter(None, (formats.join_words(dates), place_line(event))))
