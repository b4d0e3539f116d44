"""What somebody learns whose data came from others (General Data Protection Regulation, Art. 14).

Whoever joins reads the page on data protection. Whoever is entered by the office or by a colleague
learns with the first mail who holds which data, from whom, for what, and for how long.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core.audit import AuditEntry
from trainings.core.outbox import Mail, OutgoingMail, post
from trainings.core.permissions import Permission, permissions_of
from trainings.core.settings import Settings, current_settings
from trainings.people.models import Person

PRIVACY = "/datenschutz"


def post_to_person(
    session: Session, person: Person, *, kind: str, mail: Mail, now: datetime
) -> OutgoingMail:
    """Put a mail to somebody into the outbox; the first one says what is stored and why.

    Args:
        session: the open transaction.
        person: who gets it.
        kind: stable code of the mail.
        mail: what it says.
        now: the present instant.

    """
    if person.informed_at is None:
        words = information(current_settings(), _source(session, person))
        mail = replace(mail, information=words)
        person.informed_at = now
    return post(session, kind=kind, to=person.email, name=person.name, mail=mail, now=now)


def information(settings: Settings, source: str) -> tuple[str, ...]:
    """Return what Article 14 asks for, as paragraphs of a mail.

    Args:
        settings: who holds the data.
        source: from whom they came, as it follows „von“.

    """
    return (
        "Ihre Daten bei uns: Jemand anderes hat Sie eingetragen. Deshalb informieren wir Sie nach "
        "Artikel 14 der Datenschutz-Grundverordnung.",
        f"Verantwortlich: {', '.join(settings.office_address)}.",
        "Was wir speichern: Ihren Namen, Ihre dienstliche E-Mail-Adresse, Ihre Organisation, Ihre "
        "Dienststelle und Funktion, soweit sie angegeben sind, und Ihre Anmeldungen. "
        f"Die Angaben haben wir von {source}.",
        "Wofür: um Fortbildungen zu planen, Plätze zu vergeben und die Teilnahme festzuhalten. Das "
        "ist eine öffentliche Aufgabe (Artikel 6 Absatz 1 Buchstabe e der "
        "Datenschutz-Grundverordnung mit § 3 des Datenschutzgesetzes Nordrhein-Westfalen).",
        "Wer sie sieht: die Geschäftsstelle, die Ansprechpersonen Ihrer Organisation und die "
        "Trainerinnen und Trainer Ihrer Veranstaltungen.",
        "Wie lange: solange Sie der Geschäftsstelle bekannt sind. Danach bleiben nur Zahlen ohne "
        "Namen.",
        "Ihre Rechte: Sie können Auskunft, Berichtigung, Löschung oder Einschränkung verlangen und "
        "der Verarbeitung widersprechen; schreiben Sie dazu der Geschäftsstelle. Beschweren können "
        "Sie sich bei der Landesbeauftragten für Datenschutz und Informationsfreiheit "
        f"Nordrhein-Westfalen. Ausführlich steht alles hier: {settings.base_url}{PRIVACY}",
    )


def _source(session: Session, person: Person) -> str:
    """Say who entered somebody; whoever came by an import came from the office."""
    session.flush()
    entered_by = session.scalar(
        select(Person)
        .join(AuditEntry, AuditEntry.actor_person_id == Person.id)
        .where(
            AuditEntry.action == "person_created",
            AuditEntry.subject_type == Person.__tablename__,
            AuditEntry.subject_id == person.id,
        )
        .options(joinedload(Person.roles), joinedload(Person.organisation))
        .limit(1)
    )
    if entered_by is None:
        return "der Geschäftsstelle"
    roles = frozenset(row.role for row in entered_by.roles)
    if Permission.OFFICE in permissions_of(roles):
        return "der Geschäftsstelle"
    return f"{entered_by.name}, {entered_by.organisation.name}"
