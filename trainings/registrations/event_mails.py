"""What people are told by mail when an event that they take part in or lead changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.outbox import Mail
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.mail_parts import (
    EVENTS,
    calendar_parts,
    event_facts,
    event_path,
    event_subject,
    invitation_parts,
    post,
    withdraw_path,
)
from trainings.registrations.models import Registration, RegistrationState


def lost_by_move(
    session: Session,
    registration: Registration,
    other: str,
    now: datetime,
    dropped_days: Sequence[int],
) -> None:
    """Tell somebody that the place went because the event was moved onto another of theirs."""
    event = registration.event
    registration.calendar_sequence += 1
    post(
        session,
        registration,
        kind="registration_lost_by_move",
        now=now,
        mail=Mail(
            subject=f"Verlegt, Ihr Platz ist frei gegeben: {event_subject(event)}",
            paragraphs=(
                "die Veranstaltung wurde verlegt. Zu der neuen Zeit haben Sie schon einen Platz "
                f"in {other}. Deshalb haben wir Ihren Platz in dieser Veranstaltung frei gegeben.",
                "Möchten Sie lieber hier teilnehmen, dann geben Sie bitte den anderen Platz "
                "zurück und melden sich wieder an.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            calendar=invitation_parts(registration, cancelled=True, dropped_days=dropped_days),
        ),
    )


def offer_gave_way(
    session: Session, registration: Registration, moved: Event, now: datetime
) -> None:
    """Tell somebody that an offer ended because an event of theirs was moved onto its time."""
    event = registration.event
    post(
        session,
        registration,
        kind="offer_gave_way",
        now=now,
        mail=Mail(
            subject=f"Das Platzangebot gilt nicht mehr: {event_subject(event)}",
            paragraphs=(
                f"„{moved.title}“ ({moved.number}), wo Sie einen Platz haben, wurde auf dieselbe "
                "Zeit verlegt. Deshalb gilt unser Platzangebot nicht mehr, und wir bieten den "
                "Platz der nächsten Person an.",
                "Ihre Stelle auf der Warteliste bleibt Ihnen erhalten. Möchten Sie lieber hier "
                "teilnehmen, dann geben Sie bitte den anderen Platz zurück.",
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            closing=("Sie möchten nicht mehr warten? Dann verlassen Sie bitte die Warteliste.",),
            way_out=("Warteliste verlassen", withdraw_path(session, registration, now)),
        ),
    )


_STAYS = {
    RegistrationState.PLACED: "Ihr Platz bleibt Ihnen erhalten, die Eintrittskarte gilt weiter.",
    RegistrationState.WAITING: "Ihre Stelle auf der Warteliste bleibt Ihnen erhalten.",
}


def _what_stays(registration: Registration) -> str:
    if registration.offer_until is not None:
        until = formats.instant(registration.offer_until)
        return f"Der Platz, den wir Ihnen anbieten, bleibt für Sie frei bis {until}."
    return _STAYS.get(registration.state, "Ihre Anmeldung bleibt bestehen.")


def moved(
    session: Session,
    registration: Registration,
    now: datetime,
    *,
    before: str,
    dropped_days: Sequence[int],
) -> None:
    """Tell somebody with a place, or on the list, that the event was moved.

    Args:
        session: the open transaction.
        registration: placed or waiting.
        now: the present instant.
        before: dates and place as they were, in one line.
        dropped_days: indexes of days that the event no longer has.

    """
    event = registration.event
    has_place = registration.ticket is not None
    post(
        session,
        registration,
        kind="event_moved",
        now=now,
        mail=Mail(
            subject=f"Verlegt: {event_subject(event)}",
            paragraphs=(
                f"die Veranstaltung wurde verlegt. Bisher: {before}.",
                _what_stays(registration),
            ),
            facts=event_facts(event),
            link=("Zur Veranstaltung", event_path(event)),
            closing=("Der neue Termin passt Ihnen nicht? Dann melden Sie sich bitte ab.",),
            way_out=("Abmelden", withdraw_path(session, registration, now)),
            calendar=(
                invitation_parts(registration, cancelled=False, dropped_days=dropped_days)
                if has_place
                else ()
            ),
        ),
    )


def cancelled(
    session: Session, registration: Registration, now: datetime, *, had_place: bool
) -> None:
    """Tell somebody that the event is off."""
    event = registration.event
    post(
        session,
        registration,
        kind="event_cancelled",
        now=now,
        mail=Mail(
            subject=f"Abgesagt: {event_subject(event)}",
            paragraphs=_cancellation_paragraphs(event),
            facts=event_facts(event),
            link=(
                ("Zum Ersatztermin", event_path(event.replaced_by))
                if event.replaced_by
                else ("Andere Veranstaltungen", EVENTS)
            ),
            calendar=invitation_parts(registration, cancelled=True) if had_place else (),
        ),
    )


def trainer_moved(
    session: Session, person: Person, event: Event, now: datetime, dropped_days: Sequence[int]
) -> None:
    """Tell a trainer that the event was moved."""
    mail = Mail(
        subject=f"Verlegt: {event_subject(event)}",
        paragraphs=("eine Veranstaltung, die Sie leiten, wurde verlegt.",),
        facts=event_facts(event),
        link=("Zur Veranstaltung", event_path(event)),
        calendar=calendar_parts(
            event,
            person,
            _sequence_of_trainer(session, person, event),
            cancelled=False,
            dropped_days=dropped_days,
        ),
    )
    post_to_person(session, person, kind="event_moved", mail=mail, now=now)


def trainer_cancelled(session: Session, person: Person, event: Event, now: datetime) -> None:
    """Tell a trainer that the event is off."""
    sequence = _sequence_of_trainer(session, person, event)
    mail = Mail(
        subject=f"Abgesagt: {event_subject(event)}",
        paragraphs=_cancellation_paragraphs(event),
        facts=event_facts(event),
        calendar=calendar_parts(event, person, sequence, cancelled=True),
    )
    post_to_person(session, person, kind="event_cancelled", mail=mail, now=now)


def _sequence_of_trainer(session: Session, person: Person, event: Event) -> int:
    """Return a sequence above those of the time when the trainer was registered for the event."""
    last = session.scalar(
        select(func.max(Registration.calendar_sequence)).where(
            Registration.event_id == event.id, Registration.person_id == person.id
        )
    )
    return 0 if last is None else last + 1


def _cancellation_paragraphs(event: Event) -> tuple[str, ...]:
    opening = "die Veranstaltung findet leider nicht statt."
    reason = f"Grund: {event.cancellation_reason}" if event.cancellation_reason else ""
    instead = ""
    if event.replaced_by:
        days = formats.day_span(event.replaced_by.first_day, event.replaced_by.last_day)
        instead = f"Es gibt einen Ersatztermin am {days}. Bitte melden Sie sich dort neu an."
    return tuple(filter(None, (opening, reason, instead)))
