"""Reads the mails that wait in the outbox."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from trainings.core.database import db
from trainings.core.outbox import OutgoingMail


@dataclass(frozen=True)
class Letter:
    """A mail as its recipient sees it."""

    to: str
    name: str
    subject: str
    link: str
    code: str


def letters() -> list[Letter]:
    """Return all mails, the oldest first."""
    found = []
    for row in db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)):
        link = row.mail.link
        found.append(
            Letter(
                row.recipient,
                row.recipient_name,
                row.subject,
                link[1] if link else "",
                row.mail.code,
            )
        )
    return found
