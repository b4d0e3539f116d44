"""Changing an event that people have registered for: capacity, contingents, moving, cancelling."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.events.bookings import check_bookings, lock_people_and_rooms
from trainings.events.calendar import calendar_days, place_line
from trainings.events.details import (
    EventDetails,
    apply_deadlines,
    deadlines_of,
    plans_of,
    replace_sessions,
    shifted,
)
from trainings.events.models import Event, EventState
from trainings.events.planning import check_place, set_trainers, update_event
from trainings.events.rules import SessionPlan, check_move, check_session_plans
from trainings.organisations.models import Level, Organisation
from trainings.registrations import event_mails, mails
from trainings.registrations.models import (
    SEATED,
    Contingent,
    RegistrationState,
)
from trainings.registrations.moves import move
from trainings.registrations.offer_rules import latest_answer
from trainings.registrations.place_queries import seats_elsewhere
from trainings.registrations.places import LockedPlaces, begins_at, lock_pool, with_places
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
    # As in `publish_and_take_along`: locked in one go before the pool, since the change locks
    # trainers and room itself.
    lock_people_and_rooms(session, person_ids=persons, room_ids=filter(None, rooms))

    def work(places: LockedPlaces) -> None:
        event = places.event
        trainers = {trainer.person_id for trainer in event.trainers}
        if not trainers <= persons or event.room_id not in {*rooms, None}:
            raise _changed_meanwhile()
        update_event(session, actor, event_id, details, now)
        if event.state is EventState.PUBLISHED and not event.needs_release:
            _go_on_without_release(places, actor)

    with_places(session, event_id, persons, now, work)


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
            session, [registration], now, asked=registration if registration in freed else None
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
        _refuse_finished(event, now)
        current = places.places()
        needed = current.taken + current.held
        if capacity < needed:
            raise DomainError(
                "capacity_too_small",
                f"Es sind schon {current.taken} Plätze vergeben und {current.held} vorgehalten: "
                f"Weniger als {needed} Plätze sind nicht möglich.",
                field="capacity",
            )
        if organisation_limit is not None and organisation_limit < current.most_of_one:
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
        _raise_version(event, now, significant=False)
        audit.record(session, actor, "capacity_changed", event, now, capacity=capacity)
        _fill(places, actor, "capacity_raised")

    with_places(session, event_id, [], now, work)


def set_contingent(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    organisation_id: int,
    places: int,
    until: datetime,
    now: datetime,
) -> None:
    """Hold places for an organisation until an instant; replaces what was held for it before.

    Args:
        session: the open transaction.
        actor: of the office.
        event_id: the event.
        organisation_id: an authority or a group; units count to their authority.
        places: how many altogether, those that its people already have included; at least 1.
        until: from then on unused places are free for everyone.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `finished`, `contingent_for_unit`, `contingent_too_late`,
            `contingent_too_large`.

    """
    organisation = session.get(Organisation, organisation_id)
    if organisation is None or not organisation.is_active:
        raise not_found()
    if organisation.level is Level.UNIT:
        raise DomainError(
            "contingent_for_unit",
            "Ein Kontingent gilt für eine ganze Behörde oder einen Verbund. Bitte wählen Sie die "
            "Behörde, zu der diese Dienststelle gehört.",
            field="organisation_id",
        )

    def work(locked: LockedPlaces) -> None:
        event = locked.event
        _refuse_finished(event, now)
        if not now < until <= begins_at(event):
            raise DomainError(
                "contingent_too_late",
                "Bitte wählen Sie einen Tag zwischen heute und dem Beginn der Veranstaltung.",
                field="until",
            )
        row = session.scalar(
            select(Contingent).where(
                Contingent.pool_id == event.pool_id,
                Contingent.organisation_id == organisation_id,
            )
        )
        if row is None:
            row = Contingent(pool_id=event.pool_id, organisation_id=organisation_id)
            session.add(row)
        if row.until != until:
            row.warned_at = None  # of the new date nobody was told
        row.places, row.until = places, until
        session.flush()
        after = locked.places()
        if after.free < 0:
            possible = max(places + after.free, 0)
            raise DomainError(
                "contingent_too_large",
                f"Dafür sind nicht genug Plätze frei. Möglich sind höchstens {possible}.",
                field="places",
            )
        audit.record(
            session, actor, "contingent_set", event, now,
            organisation_id=organisation_id, places=places,
        )  # fmt: skip
        _fill(locked, actor, "contingent_changed")

    with_places(session, event_id, [], now, work)


def remove_contingent(session: Session, actor: Actor, contingent_id: int, now: datetime) -> None:
    """Stop holding places for an organisation; unused ones go to the waiting list at once.

    Raises:
        DomainError: `not_found`.

    """
    event_id = session.scalar(
        select(Event.id)
        .join(Contingent, Contingent.pool_id == Event.pool_id)
        .where(Contingent.id == contingent_id)
    )
    if event_id is None:
        raise not_found()

    def work(places: LockedPlaces) -> None:
        row = session.get(Contingent, contingent_id, populate_existing=True)
        if row is None:
            raise not_found()
        organisation_id = row.organisation_id
        session.delete(row)
        session.flush()
        audit.record(
            session, actor, "contingent_removed", places.event, now,
            organisation_id=organisation_id,
        )  # fmt: skip
        _fill(places, actor, "contingent_returned")

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
    time cannot sit in both: that place is freed, the person is told and may choose.

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
    trainers = {trainer.person_id for trainer in event.trainers}
    people = {registration.person_id for registration in people_concerned(session, event_id)}
    rooms = {room for room in (event.room_id, room_id) if room is not None}
    lock_people_and_rooms(session, person_ids=trainers | people, room_ids=rooms)
    event = lock_pool(session, event_id)
    _refuse_finished(event, now)
    check_place(session, venue_id, room_id)
    if (ordered, venue_id, room_id) == (plans_of(event), event.venue_id, event.room_id):
        raise DomainError(
            "unmoved",
            "Termine und Ort sind noch die alten. Bitte ändern Sie, was sich ändern soll.",
            field="sessions",
        )
    if not trainers >= {trainer.person_id for trainer in event.trainers}:
        raise _changed_meanwhile()
    check_bookings(
        session, event_id=event_id, trainer_ids=trainers, room_id=room_id, sessions=ordered
    )
    before = _when_and_where(event)
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
    _raise_version(event, now, significant=True)
    audit.record(session, actor, "event_moved", event, now)
    session.flush()
    session.refresh(event, ["venue", "room"])
    dropped = range(len(calendar_days(event)), old_days)
    places = LockedPlaces(session, event, frozenset(people), now)
    told = _tell_moved(places, actor, before=before, dropped=dropped)
    for trainer in event.trainers:
        event_mails.trainer_moved(session, trainer.person, event, now, dropped)
    session.flush()
    _fill(places, actor, "promoted")
    return told + len(event.trainers)


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
    _raise_version(event, now, significant=True)
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


def _tell_moved(places: LockedPlaces, actor: Actor, *, before: str, dropped: Sequence[int]) -> int:
    session, event, now = places.session, places.event, places.now
    concerned = people_concerned(session, event.id)
    if not places.persons >= {registration.person_id for registration in concerned}:
        raise _changed_meanwhile()
    seated = [row for row in concerned if row.state in SEATED]
    elsewhere = seats_elsewhere(session, event.id, [row.person_id for row in seated])
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


def _fill(places: LockedPlaces, actor: Actor, reason: str) -> None:
    mails.served(places.session, places.fill(actor, reason), places.now)


def _refuse_finished(event: Event, now: datetime) -> None:
    if event.state is not EventState.PUBLISHED or begins_at(event) <= now:
        raise DomainError(
            "finished",
            "Das geht nur bei einer veröffentlichten Veranstaltung, die noch nicht begonnen hat.",
        )


def _changed_meanwhile() -> DomainError:
    return DomainError(
        "changed_meanwhile",
        "Jemand hat gleichzeitig mit Ihnen etwas an dieser Veranstaltung geändert. Bitte laden Sie "
        "die Seite neu und prüfen Sie, was jetzt gilt.",
    )


def _raise_version(event: Event, now: datetime, *, significant: bool) -> None:
    """Note that what is shown has changed; `significant` as in RFC 5546, section 2.1.4."""
    event.version += 1
    event.sequence += significant
    event.changed_at = now


def _when_and_where(event: Event) -> str:
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in calendar_days(event)]
    return "; ".join(filter(None, (formats.join_words(dates), place_line(event))))
