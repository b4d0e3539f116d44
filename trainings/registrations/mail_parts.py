"""What the mails of the room have in common: subject, facts, links, calendar objects."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core import formats, outbox, tokens
from trainings.core.clock import end_of_day
from trainings.core.outbox import CalendarPart, Mail
from trainings.core.tokens import Purpose
from trainings.events import calendar
from trainings.events.calendar import Invited, calendar_days, place_line
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations import tickets
from trainings.registrations.models import Registration

# Written out and not built by Flask: mails are also written where there is no request. The
# addresses are fixed (they stand on paper), and a test compares them with the routes.
EVENTS = "/veranstaltungen/"
MY_REGISTRATIONS = "/meine/anmeldungen"


def event_facts(event: Event) -> tuple[tuple[str, str], ...]:
    """Return what a mail says of an event: title, dates, place, number."""
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in calendar_days(event)]
    return outbox.facts(
        ("Veranstaltung", event.title),
        ("Termin" if len(dates) == 1 else "Termine", dates),
        ("Ort", place_line(event)),
        ("Nummer", event.number),
    )


def event_path(event: Event) -> str:
    """Return the address of an event's page."""
    return f"{EVENTS}{event.number}"


def ticket_path(registration: Registration) -> str:
    """Return the address that shows somebody's ticket without login."""
    return tickets.signed_path(registration.ticket or "")


def invitation_parts(
    registration: Registration, *, cancelled: bool, dropped_days: Sequence[int] = ()
) -> tuple[CalendarPart, ...]:
    """Return the calendar objects for somebody's registration."""
    return calendar_parts(
        registration.event,
        registration.person,
        registration.calendar_sequence,
        cancelled=cancelled,
        dropped_days=dropped_days,
    )


def calendar_parts(
    event: Event,
    person: Person,
    sequence: int,
    *,
    cancelled: bool,
    dropped_days: Sequence[int] = (),
) -> tuple[CalendarPart, ...]:
    """Return the calendar objects for somebody who takes part or leads.

    Args:
        event: the event.
        person: whose calendar it is.
        sequence: as `Registration.calendar_sequence`.
        cancelled: the entries are to go.
        dropped_days: indexes of days that the event no longer has.

    """
    invited = Invited(person.name, person.email, sequence)
    parts = calendar.invitations(event, invited, cancelled=cancelled, dropped_days=dropped_days)
    return tuple(CalendarPart(name, method, content) for name, method, content in parts)


def event_subject(event: Event) -> str:
    """Return title and dates, for the subject of a mail."""
    return f"{event.title}, {formats.day_span(event.first_day, event.last_day)}"


def withdraw_path(session: Session, registration: Registration, now: datetime) -> str:
    """Return the address of a new link that gives the registration back."""
    # Registration may close long before the deadline to give a place back, and whoever waits can
    # leave until the event begins: what is still possible the page says, not the life of the link.
    until = end_of_day(registration.event.last_day)
    token = tokens.issue(session, Purpose.WITHDRAW, registration.id, now, until)
    return f"/aktion/{token}"


def post(
    session: Session, registration: Registration, *, kind: str, now: datetime, mail: Mail
) -> None:
    """Put a mail to the person of a registration into the outbox."""
    post_to_person(session, registration.person, kind=kind, mail=mail, now=now)
