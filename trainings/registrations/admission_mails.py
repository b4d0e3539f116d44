"""What people are told when the office has decided who is admitted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.core.outbox import Mail
from trainings.registrations import mails
from trainings.registrations.mail_parts import (
    event_facts,
    event_path,
    event_subject,
    post,
    withdraw_path,
)
from trainings.registrations.models import Registration


def admitted(
    session: Session, registration: Registration, now: datetime, *, ended: mails.Ended
) -> None:
    """Tell somebody that the office has admitted them, with ticket and calendar entry."""
    mails.placed(
        session,
        registration,
        now,
        ended=ended,
        promoted=False,
        opening="die Geschäftsstelle hat Sie zugelassen: Sie haben einen Platz.",
    )


def not_admitted(
    session: Session, registration: Registration, position: int, now: datetime
) -> None:
    """Tell somebody that there is no place for now, and where they are on the waiting list.

    Args:
        session: the open transaction.
        registration: waiting.
        position: on the waiting list, from 1.
        now: the present instant.

    """
    event = registration.event
    post(
        session,
        registration,
        kind="registration_not_admitted",
        now=now,
        mail=Mail(
            subject=f"Noch kein Platz: {event_subject(event)}",
            paragraphs=(
                "die Geschäftsstelle hat über die Anmeldungen entschieden. Für Sie ist zurzeit "
                f"leider kein Platz frei. Sie stehen auf der Warteliste an {position}. Stelle.",
                "Sobald ein Platz frei wird und Sie an der Reihe sind, hören Sie von uns. Bis "
                "dahin ist nichts weiter zu tun.",
            ),
            facts=event_facts(event),
            link=("So wird zugelassen", f"{event_path(event)}#zulassung"),
            closing=("Sie möchten nicht mehr warten? Dann verlassen Sie bitte die Warteliste.",),
            way_out=("Warteliste verlassen", withdraw_path(session, registration, now)),
        ),
    )
