"""What people are told of their certificates: issued, replaced, no longer valid."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from trainings.attendance.models import CERTIFICATE_NAMES, Certificate
from trainings.core import outbox
from trainings.core.outbox import DocumentPart, Mail
from trainings.events.models import Event
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.mail_parts import event_facts, event_subject

MY_CERTIFICATES = "/meine/bescheinigungen"
DOCUMENTS = "certificate"
"""The source of the PDF in `core.outbox`."""


def issued(
    session: Session,
    certificate: Certificate,
    event: Event,
    person: Person,
    now: datetime,
    *,
    replaces: str = "",
) -> None:
    """Send somebody a certificate.

    Args:
        session: the open transaction.
        certificate: stored and valid.
        event: of the certificate.
        person: who took part.
        now: the present instant.
        replaces: number of the one that is no longer valid.

    """
    name = CERTIFICATE_NAMES[certificate.kind]
    paragraphs = [
        f"Sie haben teilgenommen; dafür stellen wir Ihnen eine {name} aus. Sie liegt dieser "
        "E-Mail als PDF bei und steht auch unter „Meine Bescheinigungen“."
    ]
    if replaces:
        paragraphs.append(
            f"Sie ersetzt die Bescheinigung {replaces}. Diese gilt nicht mehr; bitte verwenden Sie "
            "nur noch die neue."
        )
    _post(
        session,
        event,
        person,
        now,
        kind="certificate_issued",
        subject=f"{name}: {event_subject(event)}",
        paragraphs=tuple(paragraphs),
        number=certificate.number,
        documents=(DocumentPart(DOCUMENTS, certificate.id, f"{certificate.number}.pdf"),),
    )


def voided(
    session: Session, certificate: Certificate, event: Event, person: Person, now: datetime
) -> None:
    """Tell somebody that a certificate is no longer valid and that no other one replaces it."""
    note = certificate.void_note
    why = (f"Die Geschäftsstelle nennt dafür diesen Grund: {note}",) if note else ()
    _post(
        session,
        event,
        person,
        now,
        kind="certificate_void",
        subject=f"Bescheinigung {certificate.number} gilt nicht mehr",
        paragraphs=(
            f"die Bescheinigung {certificate.number} gilt nicht mehr; bitte verwenden Sie sie "
            "nicht weiter. Wer ihren Code prüft, liest, dass sie ungültig ist.",
            *why,
            "Wenn Sie das für einen Irrtum halten, schreiben Sie bitte der Geschäftsstelle.",
        ),
        number=certificate.number,
    )


def _post(
    session: Session,
    event: Event,
    person: Person,
    now: datetime,
    *,
    kind: str,
    subject: str,
    paragraphs: tuple[str, ...],
    number: str,
    documents: tuple[DocumentPart, ...] = (),
) -> None:
    if person.anonymised_at is not None:
        return  # nobody is left who could be told
    mail = Mail(
        subject=subject,
        paragraphs=paragraphs,
        facts=(*event_facts(event), *outbox.facts(("Nummer der Bescheinigung", number))),
        link=("Meine Bescheinigungen", MY_CERTIFICATES),
        documents=documents,
    )
    post_to_person(session, person, kind=kind, mail=mail, now=now)
