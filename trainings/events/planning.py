"""Changing what is planned, as long as nobody must be told: texts, people, dates of drafts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import AuditValue, record
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Role
from trainings.events.bookings import check_bookings, lock_event
from trainings.events.details import (
    EventDetails,
    apply_deadlines,
    apply_details,
    check_details,
    check_minimum,
    deadlines_of,
    plans_of,
    replace_sessions,
    shifted,
)
from trainings.events.models import (
    AgendaItem,
    Event,
    EventHost,
    EventInvitation,
    EventState,
    EventTrainer,
    Room,
    Venue,
)
from trainings.events.rules import LIVE_STATES, SessionPlan, check_session_plans
from trainings.organisations.models import Organisation
from trainings.people.models import Person, PersonRole


def update_event(
    session: Session, actor: Actor, event_id: int, details: EventDetails, now: datetime
) -> None:
    """Change what needs no mail: texts, visibility, minimum, deadlines.

    Raises:
        DomainError: `not_found`, `finished`, `wrong_deadlines` or `minimum_above_capacity`.

    """
    event = _lock_unfinished(session, event_id)
    check_details(details, plans_of(event), event.pool.capacity)
    apply_details(event, details)
    note_change(session, actor, event, "event_changed", now)


def set_agenda(
    session: Session, actor: Actor, event_id: int, agenda: Sequence[AgendaItem], now: datetime
) -> None:
    """Set the programme.

    Raises:
        DomainError: `not_found` or `finished`.

    """
    event = _lock_unfinished(session, event_id)
    event.agenda = list(agenda)
    note_change(session, actor, event, "event_agenda_set", now, lines=len(agenda))


def set_dates_and_place(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    sessions: Sequence[SessionPlan],
    venue_id: int | None,
    room_id: int | None,
    now: datetime,
) -> None:
    """Set sessions, venue and room of a draft; its deadlines keep their distance to the first day.

    Raises:
        DomainError: `not_found`, `not_a_draft`, `room_elsewhere`, `trainer_booked`, `room_booked`,
            or what `check_session_plans` refuses.

    """
    ordered = check_session_plans(sessions)
    event = lock_draft(session, event_id, room_id=room_id)
    check_place(session, venue_id, room_id)
    check_bookings(
        session,
        event_id=event.id,
        trainer_ids=[row.person_id for row in event.trainers],
        room_id=room_id,
        sessions=ordered,
    )
    shift = (ordered[0].day - event.first_day).days
    moved = shifted(deadlines_of(event), shift)
    apply_deadlines(event, moved)
    event.venue_id = venue_id
    event.room_id = room_id
    replace_sessions(event, ordered)
    note_change(session, actor, event, "event_dates_set", now)


def set_draft_capacity(
    session: Session,
    actor: Actor,
    event_id: int,
    *,
    capacity: int,
    organisation_limit: int | None,
    now: datetime,
) -> None:
    """Set the number of places of a draft.

    Raises:
        DomainError: `not_found`, `not_a_draft` or `minimum_above_capacity`.

    """
    event = lock_draft(session, event_id)
    check_minimum(event.minimum, capacity, field="capacity")
    event.pool.capacity = capacity
    event.pool.organisation_limit = organisation_limit
    note_change(session, actor, event, "event_capacity_set", now, capacity=capacity)


def set_trainers(
    session: Session, actor: Actor, event_id: int, trainer_ids: Sequence[int], now: datetime
) -> None:
    """Set who leads an event, in this order.

    Raises:
        DomainError: `not_found`, `finished`, `not_a_trainer` or `trainer_booked`.

    """
    wanted = list(dict.fromkeys(trainer_ids))
    event = _lock_unfinished(session, event_id, trainer_ids=wanted)
    known = set(
        session.scalars(
            select(PersonRole.person_id)
            .join(Person, Person.id == PersonRole.person_id)
            .where(
                PersonRole.person_id.in_(wanted),
                PersonRole.role == Role.TRAINER,
                Person.anonymised_at.is_(None),
            )
        )
    )
    if not set(wanted) <= known:
        raise DomainError(
            "not_a_trainer",
            "Eine der gewählten Personen hat nicht die Rolle „Training“.",
            field="trainers",
            status=422,
        )
    check_bookings(
        session,
        event_id=event.id,
        trainer_ids=wanted,
        room_id=None,
        sessions=plans_of(event),
    )
    present = {row.person_id: row for row in event.trainers}
    # A queue of their phones may arrive later: the audit tells who was a trainer here.
    removed = sorted(present.keys() - set(wanted))
    event.trainers = [
        present.get(person_id) or EventTrainer(person_id=person_id) for person_id in wanted
    ]
    for position, row in enumerate(event.trainers):
        row.position = position
    note_change(
        session,
        actor,
        event,
        "event_trainers_set",
        now,
        count=len(wanted),
        removed=",".join(map(str, removed)),
    )


def set_hosts(
    session: Session, actor: Actor, event_id: int, organisation_ids: Iterable[int], now: datetime
) -> None:
    """Set for which organisations an in-house event is held.

    Raises:
        DomainError: `not_found` or `finished`.

    """
    event = _lock_unfinished(session, event_id)
    wanted = set(organisation_ids)
    known = set(session.scalars(select(Organisation.id).where(Organisation.id.in_(wanted))))
    if known != wanted:
        raise not_found()
    present = {row.organisation_id: row for row in event.hosts}
    event.hosts = [
        present.get(organisation_id) or EventHost(organisation_id=organisation_id)
        for organisation_id in sorted(wanted)
    ]
    note_change(session, actor, event, "event_hosts_set", now, count=len(wanted))


def set_invitations(
    session: Session, actor: Actor, event_id: int, emails: Iterable[str], now: datetime
) -> None:
    """Set who may see and book an event by invitation.

    Args:
        session: the open transaction.
        actor: who plans.
        event_id: the event.
        emails: normalised addresses of people whom the office knows.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `finished` or `unknown_people`, naming the addresses.

    """
    event = _lock_unfinished(session, event_id)
    wanted = set(emails)
    rows = session.execute(
        select(Person.email, Person.id).where(
            Person.email.in_(wanted), Person.anonymised_at.is_(None)
        )
    ).all()
    unknown = sorted(wanted - {row.email for row in rows})
    if unknown:
        shown = ", ".join(unknown[:5]) + (" …" if len(unknown) > 5 else "")
        raise DomainError(
            "unknown_people",
            f"Diese Adressen kennen wir nicht: {shown}. Bitte legen Sie die Personen zuerst an.",
            field="emails",
            status=422,
        )
    present = {row.person_id: row for row in event.invitations}
    event.invitations = [
        present.get(row.id) or EventInvitation(person_id=row.id)
        for row in sorted(rows, key=lambda row: int(row.id))
    ]
    note_change(session, actor, event, "event_invitations_set", now, count=len(rows))


def lock_draft(session: Session, event_id: int, *, room_id: int | None = None) -> Event:
    """Lock a draft.

    Raises:
        DomainError: `not_found` or `not_a_draft`.

    """
    event = lock_event(session, event_id, room_id=room_id)
    if event.state is not EventState.DRAFT:
        raise DomainError(
            "not_a_draft",
            "Das geht nur bei einem Entwurf. Diese Veranstaltung ist schon veröffentlicht.",
        )
    return event


def note_change(
    session: Session,
    actor: Actor,
    event: Event,
    action: str,
    now: datetime,
    **details: AuditValue,
) -> None:
    """Write down a change of an event; one that is shown to people gets a new version."""
    if event.state is not EventState.DRAFT:
        event.version += 1
    event.changed_at = now
    record(session, actor, action, event, now, **details)


def check_place(session: Session, venue_id: int | None, room_id: int | None) -> None:
    """Refuse a venue or room that does not exist, or a room of another venue.

    Raises:
        DomainError: `not_found` or `room_elsewhere`.

    """
    venue = None if venue_id is None else session.get(Venue, venue_id)
    room = None if room_id is None else session.get(Room, room_id)
    if (venue_id is not None and venue is None) or (room_id is not None and room is None):
        raise not_found()
    if room is not None and room.venue_id != venue_id:
        raise DomainError(
            "room_elsewhere",
            "Dieser Raum gehört zu einem anderen Veranstaltungsort.",
            field="place",
            status=422,
        )


def _lock_unfinished(session: Session, event_id: int, *, trainer_ids: Iterable[int] = ()) -> Event:
    event = lock_event(session, event_id, trainer_ids=trainer_ids)
    if event.state not in LIVE_STATES:
        raise finished()
    return event


def finished() -> DomainError:
    """Return the refusal for an event that was held or cancelled."""
    return DomainError(
        "finished",
        "Diese Veranstaltung ist durchgeführt oder abgesagt und lässt sich nicht mehr ändern.",
    )
