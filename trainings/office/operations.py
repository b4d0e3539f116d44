"""Operations that belong to the office alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.outbox import MailState, OutgoingMail


def send_again(session: Session, actor: Actor, mail_id: int, now: datetime) -> None:
    """Put a mail that was given up back into the outbox.

    Raises:
        DomainError: `not_found` or `not_failed`.

    """
    mail = session.scalar(
        select(OutgoingMail).where(OutgoingMail.id == mail_id).with_for_update(key_share=True)
    )
    if mail is None:
        raise not_found()
    if mail.state is not MailState.FAILED:
        raise DomainError("not_failed", "Diese Mail ist schon zugestellt oder noch unterwegs.")
    mail.state = MailState.DUE
    mail.due_at = now
    mail.attempts = 0
    mail.claimed_until = None
    record(session, actor, "mail_sent_again", mail, now)
