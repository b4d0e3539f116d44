"""Operations that belong to the office alone."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.outbox import MailState, OutgoingMail
from trainings.events.models import Event
from trainings.events.rules import LIVE_STATES
from trainings.organisations import operations
from trainings.organisations.models import Organisation
from trainings.registrations.models import Contingent


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


def update_organisation(
    session: Session,
    actor: Actor,
    organisation_id: int,
    data: operations.OrganisationData,
    now: datetime,
) -> None:
    """Change an organisation; it leaves a group only while no places are held for that.

    Its people sit on places of the group's contingent: without them more would be held than there
    are places.

    Raises:
        DomainError: `contingent_open`, or as `organisations.operations.update_organisation`.

    """
    organisation = session.get(Organisation, organisation_id)
    above = organisation.parent if organisation else None
    if above is not None and above.id != data.parent_id:
        check_nothing_held(session, above, now, field="parent_id")
    operations.update_organisation(session, actor, organisation_id, data, now)


def check_nothing_held(
    session: Session, organisation: Organisation, now: datetime, field: str | None = None
) -> None:
    """Refuse while places are held: whose they are decides who may use them until when.

    Raises:
        DomainError: `contingent_open` at the given field, naming the event.

    """
    number = session.scalar(
        select(Event.number)
        .join(Contingent, Contingent.pool_id == Event.pool_id)
        .where(
            Contingent.organisation_id == organisation.id,
            Contingent.until > now,
            Event.state.in_(LIVE_STATES),
        )
        .order_by(Event.number)
    )
    if number is not None:
        raise DomainError(
            "contingent_open",
            f"Für {organisation.name} werden in {number} noch Plätze vorgehalten. Bitte heben Sie "
            "dieses Kontingent zuerst auf.",
            field=field,
        )
