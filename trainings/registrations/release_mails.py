"""Mails about releases and contingents: to employees, and to those who decide for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from trainings.core import formats, outbox, tokens
from trainings.core.clock import end_of_day
from trainings.core.outbox import Mail
from trainings.core.tokens import Purpose
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.registrations.deciders import Decider
from trainings.registrations.mail_parts import EVENTS, MY_REGISTRATIONS, event_facts, event_path
from trainings.registrations.models import Contingent, Registration, ReleaseDigest
from trainings.registrations.release_queries import EventRequests, RequestRow

ORGANISATION = "/organisation/"


@dataclass(frozen=True)
class Recipient:
    """A contact, or the functional mailbox of an organisation.

    Attributes:
        address: where mails go.
        name: for the salutation; that of the organisation for a mailbox.
        organisation_id: for which it is asked.
        person_id: None for a mailbox.

    """

    address: str
    name: str
    organisation_id: int
    person_id: int | None


def declined(
    session: Session, registration: Registration, decider: Decider, reason: str, now: datetime
) -> None:
    """Tell somebody that the request was declined, why, and who can be asked."""
    who = f"{decider.name} ({decider.function})" if decider.function else decider.name
    event = registration.event
    mail = Mail(
        subject=f"Nicht freigegeben: {_title(event.title, event.first_day, event.last_day)}",
        paragraphs=(
            "Ihre Organisation hat Ihre Anmeldung nicht freigegeben.",
            *([f"Begründung: {reason}"] if reason else []),
        ),
        facts=event_facts(event),
        link=("Andere Veranstaltungen", EVENTS),
        closing=(f"Entschieden hat {who}. Bitte wenden Sie sich mit Fragen dorthin.",),
    )
    post_to_person(session, registration.person, kind="release_declined", mail=mail, now=now)


def not_released(session: Session, registration: Registration, now: datetime) -> None:
    """Tell somebody that nobody decided on the request in time."""
    event = registration.event
    mail = Mail(
        subject=f"Nicht rechtzeitig freigegeben: "
        f"{_title(event.title, event.first_day, event.last_day)}",
        paragraphs=(
            "Ihre Organisation hat bis zum Ende der Frist nicht über Ihre Anmeldung entschieden. "
            "Die Anmeldung ist deshalb erloschen.",
            "Möchten Sie teilnehmen, sprechen Sie bitte Ihre Fortbildungsstelle an, und melden Sie "
            "sich zu einem anderen Termin an.",
        ),
        facts=event_facts(event),
        link=("Andere Veranstaltungen", EVENTS),
        way_out=("Meine Anmeldungen", MY_REGISTRATIONS),
    )
    post_to_person(session, registration.person, kind="release_expired", mail=mail, now=now)


def digest(
    session: Session, recipient: Recipient, events: Sequence[EventRequests], now: datetime
) -> None:
    """Tell somebody who releases of all open requests; the link opens the whole list.

    Args:
        session: the open transaction.
        recipient: who decides.
        events: the open requests, at least one.
        now: the present instant.

    """
    row = ReleaseDigest(
        organisation_id=recipient.organisation_id,
        person_id=recipient.person_id,
        recipient=recipient.address,
        sent_at=now,
    )
    session.add(row)
    session.flush()
    until = end_of_day(max(event.last_day for event in events))
    token = tokens.issue(session, Purpose.RELEASE, row.id, now, until)
    number = sum(len(event.rows) for event in events)
    waits = formats.count(number, "Anmeldung wartet", "Anmeldungen warten")
    mail = Mail(
        subject=f"Bitte entscheiden: {waits} auf die Freigabe",
        paragraphs=(
            f"{waits} auf die Freigabe Ihrer Organisation. Eine Anmeldung, über die niemand bis "
            "zum Ende der Frist entscheidet, erlischt.",
            "Der Link öffnet die ganze Liste, auch ohne Einloggen. Er gilt, bis alles entschieden "
            "ist.",
        ),
        facts=tuple((event.number, "\n".join(_lines(event))) for event in events),
        link=("Anmeldungen freigeben oder ablehnen", tokens.action_path(token)),
        way_out=("Meine Organisation (mit Einloggen)", ORGANISATION),
    )
    _post_to(session, recipient, "release_digest", mail, now)


def _lines(event: EventRequests) -> list[str]:
    return [
        _title(event.title, event.first_day, event.last_day),
        f"zu entscheiden bis {formats.deadline(event.deadline)}",
        *(_line(row) for row in event.rows),
    ]


def _line(row: RequestRow) -> str:
    again = "noch einmal vorgelegt" if row.asked_at is not None else ""
    return ", ".join(filter(None, (row.person, row.unit, again)))


def requests_expired(
    session: Session, recipient: Recipient, event: Event, names: Sequence[str], now: datetime
) -> None:
    """Tell somebody who releases that requests expired."""
    mail = Mail(
        subject=f"Nicht rechtzeitig freigegeben: "
        f"{_title(event.title, event.first_day, event.last_day)}",
        paragraphs=(
            "Über diese Anmeldungen Ihrer Organisation wurde bis zum Ende der Frist nicht "
            "entschieden. Sie sind erloschen, und die Personen haben eine Nachricht bekommen.",
        ),
        facts=(*event_facts(event), ("Personen", "\n".join(names))),
        link=("Zur Veranstaltung", event_path(event)),
        closing=("Soll jemand doch teilnehmen, wenden Sie sich bitte an die Geschäftsstelle.",),
    )
    _post_to(session, recipient, "release_expired", mail, now)


def contingent_ends(
    session: Session,
    recipient: Recipient,
    event: Event,
    contingent: Contingent,
    *,
    unused: int,
    now: datetime,
) -> None:
    """Tell an organisation that the unused places of its contingent return to everyone soon."""
    until = formats.deadline(contingent.until)
    are = formats.count(unused, "Platz ist", "Plätze sind")
    mail = Mail(
        subject=f"Ihr Kontingent endet bald: "
        f"{_title(event.title, event.first_day, event.last_day)}",
        paragraphs=(
            f"für {contingent.organisation.name} sind in dieser Veranstaltung "
            f"{formats.count(contingent.places, 'Platz', 'Plätze')} vorgehalten. {are} noch nicht "
            f"genutzt und {'steht' if unused == 1 else 'stehen'} ab dem Ende der Frist ({until}) "
            "allen offen.",
            "Möchten Sie die Plätze nutzen, melden Sie bitte bis dahin Personen an. Brauchen Sie "
            "sie nicht, geben Sie sie bitte schon vorher zurück.",
        ),
        facts=event_facts(event),
        link=("Meine Organisation", ORGANISATION),
    )
    _post_to(session, recipient, "contingent_ends", mail, now)


def _title(title: str, first_day: date, last_day: date) -> str:
    return f"{title}, {formats.day_span(first_day, last_day)}"


def _post_to(session: Session, recipient: Recipient, kind: str, mail: Mail, now: datetime) -> None:
    outbox.post(session, kind=kind, to=recipient.address, name=recipient.name, mail=mail, now=now)
