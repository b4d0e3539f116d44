"""Attendance that nobody has closed: the mail to the trainers, and what the office reads of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.access import closed_event
from trainings.attendance.certificates.rules import CERTIFIED_KINDS
from trainings.attendance.models import AttendanceClosing, ClosingReminder
from trainings.attendance.reads import TAKES_PART
from trainings.attendance.rules import TRAINERS_CORRECT_FOR
from trainings.core.clock import berlin_day, to_berlin
from trainings.core.database import db, transaction
from trainings.core.formats import long_date
from trainings.core.outbox import Mail
from trainings.events.models import Event, EventSession, EventState, EventTrainer
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.mail_parts import event_facts
from trainings.registrations.models import Registration
from trainings.registrations.places import lock_persons

CLOSED_WITHIN = timedelta(days=3)
"""After the last session, or after the office opened the attendance again."""


@dataclass(frozen=True)
class Unclosed:
    """Events whose attendance is still open days after they ended.

    Attributes:
        events: number, title and last day of the latest ones.
        total: of all.

    """

    events: Sequence[tuple[str, str, date]]
    total: int


def closing_path(number: str) -> str:
    """Return the address of the page that closes the attendance of an event."""
    return f"/einlass/{number}/abschluss"


def unclosed(session: Session, now: datetime, most: int) -> Unclosed:
    """Return the events whose attendance should be closed by now; one statement.

    Args:
        session: for reading.
        now: the present instant.
        most: how many are named.

    """
    rows = session.execute(
        select(Event.number, Event.title, Event.last_day, func.count().over())
        .where(is_overdue(now))
        .order_by(Event.last_day.desc(), Event.number.desc())
        .limit(most)
    ).all()
    events = [(number, title, last_day) for number, title, last_day, _ in rows]
    return Unclosed(events, rows[0][3] if rows else 0)


def is_overdue(now: datetime) -> ColumnElement[bool]:
    """Return whether the attendance of the event of the statement around it should be closed.

    That is so three days after its last session, to the minute in Berlin. Where nobody takes part
    there is nothing to close.
    """
    then = to_berlin(now) - CLOSED_WITHIN
    ends = (
        select(func.max(EventSession.ends))
        .where(EventSession.event_id == Event.id, EventSession.day == Event.last_day)
        .scalar_subquery()
    )
    return and_(
        Event.state.in_([EventState.PUBLISHED, EventState.HELD]),
        or_(
            Event.last_day < then.date(),
            and_(Event.last_day == then.date(), ends <= then.time()),
        ),
        not_(closed_event()),
        exists().where(Registration.event_id == Event.id, TAKES_PART),
        ~exists().where(
            AttendanceClosing.event_id == Event.id, AttendanceClosing.at > now - CLOSED_WITHIN
        ),
    )


def send_closing_reminders(now: datetime) -> int:
    """Remind the trainers of events that are over, each once; return how many mails there are."""
    rows = db.session().execute(
        select(EventTrainer.event_id, EventTrainer.person_id)
        .join(Event, EventTrainer.event_id == Event.id)
        .where(_to_remind(now))
        .order_by(EventTrainer.event_id, EventTrainer.person_id)
    )
    return sum(_remind(event_id, person_id, now) for event_id, person_id in rows.all())


def _to_remind(now: datetime) -> ColumnElement[bool]:
    """Return whether a trainer is still to be reminded of an event, as long as they may correct."""
    return and_(
        is_overdue(now),
        Event.last_day >= berlin_day(now) - TRAINERS_CORRECT_FOR,
        ~exists().where(
            ClosingReminder.event_id == EventTrainer.event_id,
            ClosingReminder.person_id == EventTrainer.person_id,
        ),
    )


def _remind(event_id: int, person_id: int, now: datetime) -> int:
    with transaction() as session:
        # Of two workers that have come this far, the second one sees the first one's mail.
        lock_persons(session, [person_id])
        event = session.scalar(
            select(Event)
            .join(EventTrainer, EventTrainer.event_id == Event.id)
            .where(Event.id == event_id, EventTrainer.person_id == person_id, _to_remind(now))
        )
        if event is None:
            return 0
        person = session.get_one(Person, person_id)
        post_to_person(session, person, kind="closing_reminder", mail=_mail(event), now=now)
        session.add(ClosingReminder(event_id=event_id, person_id=person_id, sent_at=now))
        return 1


def _mail(event: Event) -> Mail:
    until = long_date(event.last_day + TRAINERS_CORRECT_FOR)
    if event.kind in CERTIFIED_KINDS:
        follows = "Wer da war, bekommt erst danach eine Bescheinigung."
    else:
        follows = "Erst danach steht fest, wer da war."
    return Mail(
        subject=f"Bitte schließen Sie die Anwesenheit ab: {event.title}, {event.number}",
        paragraphs=(
            f"Ihre Veranstaltung endete am {long_date(event.last_day)}; ihre Anwesenheit ist noch "
            f"nicht abgeschlossen. {follows}",
        ),
        facts=event_facts(event),
        link=("Anwesenheit abschließen", closing_path(event.number)),
        closing=(
            f"Fehlt noch etwas? Nachtragen und berichtigen können Sie bis {until}, solange nicht "
            "abgeschlossen ist.",
        ),
    )
