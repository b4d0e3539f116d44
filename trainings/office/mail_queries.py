"""The outgoing mails, as the office reads them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core.errors import not_found
from trainings.core.outbox import MailState, OutgoingMail
from trainings.core.paging import PAGE_SIZE, Paging, paging


@dataclass(frozen=True)
class MailList:
    """A page of mails and where it is in the list."""

    rows: Sequence[OutgoingMail]
    paging: Paging


def list_mails(session: Session, state: MailState | None) -> MailList:
    """Return a page of mails, the latest first; two statements."""
    conditions = [] if state is None else [OutgoingMail.state == state]
    total = session.scalar(select(func.count()).select_from(OutgoingMail).where(*conditions)) or 0
    place = paging(total)
    rows = session.scalars(
        select(OutgoingMail)
        .where(*conditions)
        .order_by(OutgoingMail.id.desc())
        .limit(PAGE_SIZE)
        .offset(place.offset)
    ).all()
    return MailList(rows, place)


def find_mail(session: Session, mail_id: int) -> OutgoingMail:
    """Return a mail.

    Raises:
        DomainError: `not_found`.

    """
    mail = session.get(OutgoingMail, mail_id)
    if mail is None:
        raise not_found()
    return mail
