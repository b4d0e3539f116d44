"""What the office's day consists of, in a fixed number of statements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.closing.reminders import Unclosed, unclosed
from trainings.attendance.door.walk_in_queries import count_unsettled
from trainings.core.clock import berlin_instant
from trainings.core.outbox import MailState, OutgoingMail
from trainings.events.models import (
    Event,
    EventKind,
    EventSession,
    EventState,
    EventTrainer,
    Pool,
    Venue,
)
from trainings.inventory.orders.queries import ToDo, count_to_do
from trainings.inventory.reports.outlook import LowCard, load_low_cards
from trainings.office.occupancy import Occupancy, occupancies
from trainings.office.rules import Planned, Step, is_due, next_step
from trainings.people.models import Person
from trainings.registrations.models import ACTIVE, Need, NeedKind, Registration
from trainings.registrations.rules import awaits_admission

MOST_ITEMS = 8


@dataclass(frozen=True)
class DeskEvent:
    """A published event as the desk shows it."""

    number: str
    title: str
    kind: EventKind
    first_day: date
    last_day: date
    venue: str
    town: str
    has_room: bool
    lacks_trainers: bool
    capacity: int
    minimum: int
    decide_by: datetime
    occupancy: Occupancy
    expected: int
    awaits_admission: bool
    open_needs: int
    due: bool
    step: Step


@dataclass(frozen=True)
class OpenNeed:
    """Something that somebody needs and nobody has settled."""

    id: int
    kind: NeedKind
    note: str
    person: str
    number: str
    first_day: date


@dataclass(frozen=True)
class Desk:
    """The office's day.

    Attributes:
        events: published events, the next first.
        needs: open needs, the nearest event first, at most `MOST_ITEMS`.
        needs_total: all open needs.
        mails: mails that were given up or failed at least once, at most `MOST_ITEMS`.
        mails_total: all of them.
        unclosed: events whose attendance should be closed by now, at most `MOST_ITEMS` named.
        open_recordings: refused recordings, and people without a registration, to be settled.
        card_orders: orders of pocket cards that wait for the office.
        low_cards: pocket cards of which a reprint is due.

    """

    events: list[DeskEvent]
    needs: list[OpenNeed]
    needs_total: int
    mails: Sequence[OutgoingMail]
    mails_total: int
    unclosed: Unclosed
    open_recordings: int
    card_orders: ToDo
    low_cards: list[LowCard]


def desk(session: Session, now: datetime) -> Desk:
    """Return the office's day; eleven statements."""
    rows = session.execute(
        select(
            Event.id,
            Event.number,
            Event.title,
            Event.kind,
            Event.first_day,
            Event.last_day,
            Event.pool_id,
            Event.room_id,
            Event.minimum,
            Event.closes_at,
            Event.admission,
            Event.admitted_at,
            Pool.capacity,
            Venue.name.label("venue"),
            Venue.town,
            select(func.count())
            .where(EventTrainer.event_id == Event.id)
            .scalar_subquery()
            .label("trainers"),
            select(func.max(EventSession.ends))
            .where(EventSession.event_id == Event.id, EventSession.day == Event.last_day)
            .scalar_subquery()
            .label("ends"),
        )
        .join(Pool, Event.pool_id == Pool.id)
        .outerjoin(Venue, Event.venue_id == Venue.id)
        .where(Event.state == EventState.PUBLISHED)
        .order_by(Event.first_day, Event.number)
    ).all()
    full = occupancies(session, [row.pool_id for row in rows], now)
    needs = _needs_by_event(session)
    events = []
    for row in rows:
        occupancy = full[row.pool_id]
        pending = awaits_admission(row.admission, row.admitted_at)
        expected = occupancy.taken
        if pending:
            expected += min(occupancy.waiting, row.capacity - occupancy.taken)
        needs_trainers = row.kind is EventKind.TRAINING
        planned = Planned(
            ends_at=berlin_instant(row.last_day, row.ends),
            decide_by=row.closes_at,
            has_room=row.room_id is not None,
            trainers=row.trainers,
            needs_trainers=needs_trainers,
            open_needs=needs.get(row.id, 0),
            taken=expected,
            minimum=row.minimum,
            awaits_admission=pending,
        )
        events.append(
            DeskEvent(
                number=row.number,
                title=row.title,
                kind=row.kind,
                first_day=row.first_day,
                last_day=row.last_day,
                venue=row.venue or "",
                town=row.town or "",
                has_room=planned.has_room,
                lacks_trainers=needs_trainers and not row.trainers,
                capacity=row.capacity,
                minimum=row.minimum,
                decide_by=row.closes_at,
                occupancy=occupancy,
                expected=expected,
                awaits_admission=pending,
                open_needs=planned.open_needs,
                due=is_due(planned, now),
                step=next_step(planned, now),
            )
        )
    mails, mails_total = _stuck_mails(session)
    open_recordings = count_unsettled(session)
    needs_total = sum(needs.values())
    return Desk(
        events,
        _open_needs(session),
        needs_total,
        mails,
        mails_total,
        unclosed(session, now, MOST_ITEMS),
        open_recordings,
        count_to_do(session),
        load_low_cards(session, now),
    )


def _needs_by_event(session: Session) -> dict[int, int]:
    rows = session.execute(
        select(Registration.event_id, func.count())
        .join(Need, Need.registration_id == Registration.id)
        .join(Event, Registration.event_id == Event.id)
        .where(
            Need.done_at.is_(None),
            Registration.state.in_(ACTIVE),
            Event.state == EventState.PUBLISHED,
        )
        .group_by(Registration.event_id)
    )
    return {row[0]: row[1] for row in rows}


def _open_needs(session: Session) -> list[OpenNeed]:
    rows = session.execute(
        select(Need, Person, Event.number, Event.first_day)
        .join(Registration, Need.registration_id == Registration.id)
        .join(Person, Registration.person_id == Person.id)
        .join(Event, Registration.event_id == Event.id)
        .where(
            Need.done_at.is_(None),
            Registration.state.in_(ACTIVE),
            Event.state == EventState.PUBLISHED,
        )
        .order_by(Event.first_day, Event.number, Person.sort_key, Need.id)
        .limit(MOST_ITEMS)
    )
    return [
        OpenNeed(need.id, need.kind, need.note, person.list_name, number, first_day)
        for need, person, number, first_day in rows
    ]


def _stuck_mails(session: Session) -> tuple[Sequence[OutgoingMail], int]:
    stuck = OutgoingMail.state.in_([MailState.DUE, MailState.FAILED]) & (OutgoingMail.attempts > 0)
    total = session.scalar(select(func.count()).select_from(OutgoingMail).where(stuck)) or 0
    rows = session.scalars(
        select(OutgoingMail).where(stuck).order_by(OutgoingMail.id.desc()).limit(MOST_ITEMS)
    ).all()
    return rows, total
