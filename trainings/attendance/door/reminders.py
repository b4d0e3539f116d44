"""The mail to trainers on the day before: get the phone ready, and the list on paper as plan B."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from trainings.attendance.models import DoorReminder
from trainings.core.clock import berlin_instant, to_berlin
from trainings.core.database import db, transaction
from trainings.core.formats import day_and_span
from trainings.core.outbox import Mail
from trainings.events.models import Event, EventState, EventTrainer
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.mail_parts import event_facts
from trainings.registrations.places import begins_at, lock_persons

REMINDED_AT = time(12)
"""Berlin time on the day before the first session."""


def ready_path(number: str) -> str:
    """Return the address of the page that gets a phone ready for an event."""
    return f"/einlass/{number}/bereit"


def print_path(number: str) -> str:
    """Return the address of the papers, with the list that is printed."""
    return f"/einlass/{number}/papiere"


def is_reminder_time(first_begin: datetime, now: datetime) -> bool:
    """Say whether the trainers of an event are to be reminded now.

    From noon on the day before until the first session begins: a mail that comes late, because
    nothing could be sent the day before or the event was published at short notice, still helps.

    Args:
        first_begin: of the first session.
        now: the present instant.

    """
    day_before: date = to_berlin(first_begin).date() - timedelta(days=1)
    return berlin_instant(day_before, REMINDED_AT) <= now < first_begin


def send_door_reminders(now: datetime) -> int:
    """Remind the trainers of the events of tomorrow, each once; return how many mails there are."""
    rows = db.session().execute(
        select(EventTrainer.event_id, EventTrainer.person_id)
        .join(Event, EventTrainer.event_id == Event.id)
        .where(
            Event.state == EventState.PUBLISHED,
            Event.first_day.between(
                to_berlin(now).date(), to_berlin(now).date() + timedelta(days=1)
            ),
            ~exists().where(
                DoorReminder.event_id == EventTrainer.event_id,
                DoorReminder.person_id == EventTrainer.person_id,
            ),
        )
        .order_by(EventTrainer.event_id, EventTrainer.person_id)
    )
    return sum(_remind(event_id, person_id, now) for event_id, person_id in rows.all())


def _remind(event_id: int, person_id: int, now: datetime) -> int:
    with transaction() as session:
        # Of two workers that have come this far, the second one sees the first one's mail.
        lock_persons(session, [person_id])
        event = _event_of(session, event_id, person_id)
        if event is None or not is_reminder_time(begins_at(event), now):
            return 0
        person = session.get_one(Person, person_id)
        post_to_person(session, person, kind="door_reminder", mail=_mail(event), now=now)
        session.add(DoorReminder(event_id=event_id, person_id=person_id, sent_at=now))
        return 1


def _event_of(session: Session, event_id: int, person_id: int) -> Event | None:
    """Return the event if this trainer is still to be reminded of it."""
    if session.get(DoorReminder, (event_id, person_id)) is not None:
        return None
    return session.scalar(
        select(Event)
        .join(EventTrainer, EventTrainer.event_id == Event.id)
        .where(
            Event.id == event_id,
            Event.state == EventState.PUBLISHED,
            EventTrainer.person_id == person_id,
        )
    )


def _mail(event: Event) -> Mail:
    first = min(event.sessions, key=lambda found: (found.day, found.begins))
    when = day_and_span(first.day, first.begins, first.ends)
    return Mail(
        subject=f"Bereit für den Einlass? {event.title}, {event.number}",
        paragraphs=(
            f"Ihre Veranstaltung beginnt am {when}.",
            "Öffnen Sie den folgenden Link auf dem Gerät, mit dem Sie die Anwesenheit erfassen. "
            "Die Seite lädt die Namen und sagt Ihnen, wenn alles auch ohne Netz bereit ist.",
        ),
        facts=event_facts(event),
        link=("Gerät vorbereiten", ready_path(event.number)),
        closing=(
            "Falls vor Ort nichts geht: Drucken Sie die Liste vorher aus, und tragen Sie die "
            "Anwesenheit später nach.",
        ),
        way_out=("Papiere zum Ausdrucken", print_path(event.number)),
    )
