"""What a phone's queue is compared with: tickets, people, known keys; one statement each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.access import EventAccess, access_columns, closed_event
from trainings.attendance.door.sync_rules import Recording, ticket_hash
from trainings.attendance.models import AttendanceChange, DoorReminder, RefusedRecording, WalkIn
from trainings.attendance.reads import organisation_of
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.errors import not_found
from trainings.events.models import Event, EventSession
from trainings.people.models import Person
from trainings.registrations.models import Registration, RegistrationState


@dataclass(frozen=True)
class Holder:
    """Whose ticket it is, or was."""

    registration_id: int
    event_id: int


@dataclass(frozen=True)
class Seat:
    """Somebody's registration for the event, locked."""

    state: RegistrationState
    name: str
    organisation: str


@dataclass
class Known:
    """What has arrived before, by its key.

    Attributes:
        changes: cells of recordings.
        undoes: cells of what took a recording back, by the key that it took back.
        refused: recordings that were refused; also the sender's others at this event.
        walk_ins: people without a registration.

    """

    changes: dict[str, tuple[int, int]] = field(default_factory=dict)
    undoes: dict[str, tuple[int, int]] = field(default_factory=dict)
    refused: dict[str, RefusedRecording] = field(default_factory=dict)
    walk_ins: dict[str, WalkIn] = field(default_factory=dict)


def queue_access(session: Session, actor: Actor, number: str) -> EventAccess:
    """Return what the sender of a queue may do at an event.

    Whoever was a trainer there and no longer is may still deliver, and is refused recording by
    recording; to anybody else the event does not exist.

    Raises:
        DomainError: `not_found`.

    """
    row = session.execute(
        select(*access_columns(actor)).where(Event.number == number)
    ).one_or_none()
    if row is None:
        raise not_found()
    access = EventAccess(actor, *row)
    if not access.allowed and not (access.is_trainer or _was_trainer(session, actor, access)):
        raise not_found()
    return access


def _was_trainer(session: Session, actor: Actor, access: EventAccess) -> bool:
    person_id = actor.person_id
    recorded = (
        select(AttendanceChange.id)
        .join(EventSession, AttendanceChange.session_id == EventSession.id)
        .where(
            EventSession.event_id == access.event_id,
            AttendanceChange.actor_person_id == person_id,
        )
    )
    reminded = select(DoorReminder.event_id).where(
        DoorReminder.event_id == access.event_id, DoorReminder.person_id == person_id
    )
    if session.scalar(select(or_(recorded.exists(), reminded.exists()))):
        return True
    removals = session.scalars(
        select(AuditEntry.details).where(
            AuditEntry.subject_type == Event.__tablename__,
            AuditEntry.subject_id == access.event_id,
            AuditEntry.action == "event_trainers_set",
        )
    )
    return any(str(person_id) in str(row.get("removed", "")).split(",") for row in removals)


def with_closing(session: Session, access: EventAccess) -> EventAccess:
    """Return the access as it is now under the locks, which whoever closes takes as well."""
    closed = session.scalar(select(closed_event()).where(Event.id == access.event_id))
    return replace(access, closed=bool(closed))


def holders_of(
    session: Session, event_id: int, salt: str, recordings: Iterable[Recording]
) -> dict[str, Holder]:
    """Return whose tickets were read, by their hashes.

    A ticket that was sent along is looked up anywhere; a hash says something only among the tickets
    of this event, which are hashed for it.
    """
    scanned = [recording for recording in recordings if recording.hash]
    tickets = {
        recording.ticket: recording.hash
        for recording in scanned
        if recording.ticket and ticket_hash(salt, recording.ticket) == recording.hash
    }
    found: dict[str, Holder] = {}
    columns = select(
        Registration.id, Registration.event_id, Registration.ticket, Registration.spent_ticket
    )
    if tickets:
        rows = session.execute(
            columns.where(
                or_(Registration.ticket.in_(tickets), Registration.spent_ticket.in_(tickets))
            )
        )
        for registration_id, own_event, *codes in rows:
            for code in codes:
                if code in tickets:
                    found[tickets[code]] = Holder(registration_id, own_event)
    looked_up = set(tickets.values())
    if any(recording.hash not in looked_up for recording in scanned):
        for registration_id, own_event, *codes in session.execute(
            columns.where(Registration.event_id == event_id)
        ):
            for code in filter(None, codes):
                found[ticket_hash(salt, code)] = Holder(registration_id, own_event)
    return found


def lock_seats(
    session: Session, event_id: int, registration_ids: Collection[int]
) -> dict[int, Seat]:
    """Lock registrations of an event by ascending id and return what they are."""
    rows = session.execute(
        select(Registration, Person)
        .join(Person, Registration.person_id == Person.id)
        .where(Registration.event_id == event_id, Registration.id.in_(registration_ids))
        .order_by(Registration.id)
        .with_for_update(key_share=True, of=Registration)
        .execution_options(populate_existing=True)
    )
    return {row.id: Seat(row.state, person.list_name, organisation_of(row)) for row, person in rows}


def known_keys(
    session: Session, event_id: int, sender_id: int, recordings: Collection[Recording]
) -> Known:
    """Return what has arrived before of these recordings and of those that they take back.

    Of what the sender was refused at this event it returns everything.
    """
    known = Known()
    keys = {recording.key for recording in recordings}
    undone = {recording.undoes for recording in recordings if recording.undoes}
    every = keys | undone
    for key, registration_id, session_id, undoes in session.execute(
        select(
            AttendanceChange.key,
            AttendanceChange.registration_id,
            AttendanceChange.session_id,
            AttendanceChange.undoes_key,
        ).where(or_(AttendanceChange.key.in_(every), AttendanceChange.undoes_key.in_(every)))
    ):
        known.changes[key] = registration_id, session_id
        if undoes:
            known.undoes[undoes] = registration_id, session_id
    # Locked, since the office may settle them at the same moment.
    for row in session.scalars(
        select(RefusedRecording)
        .where(
            or_(
                RefusedRecording.key.in_(every),
                and_(
                    RefusedRecording.event_id == event_id,
                    RefusedRecording.actor_person_id == sender_id,
                ),
            )
        )
        .order_by(RefusedRecording.id)
        .with_for_update(key_share=True)
    ):
        known.refused[row.key] = row
    for walk_in in session.scalars(
        select(WalkIn)
        .where(WalkIn.key.in_(every))
        .order_by(WalkIn.id)
        .with_for_update(key_share=True)
    ):
        known.walk_ins[walk_in.key] = walk_in
    return known


def arrivals(session: Session, cells: Collection[tuple[int, int]]) -> dict[str, int]:
    """Return the order in which the recordings of these cells arrived, by key."""
    rows = session.execute(
        select(AttendanceChange.key, AttendanceChange.id).where(
            AttendanceChange.registration_id.in_({cell[0] for cell in cells}),
            AttendanceChange.session_id.in_({cell[1] for cell in cells}),
        )
    )
    return {row[0]: row[1] for row in rows}


def last_move(session: Session, event_id: int) -> datetime | None:
    """Return when an event was moved last."""
    return session.scalar(
        select(AuditEntry.at)
        .where(
            AuditEntry.subject_type == Event.__tablename__,
            AuditEntry.subject_id == event_id,
            AuditEntry.action == "event_moved",
        )
        .order_by(AuditEntry.at.desc())
        .limit(1)
    )
