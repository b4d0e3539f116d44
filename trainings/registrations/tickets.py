"""Tickets: the code in letters, and links that show one ticket and nothing else."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from itsdangerous import Signer
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core.clock import berlin_day
from trainings.core.settings import current_settings
from trainings.events.models import Event
from trainings.registrations.models import Registration

LINK_LIVES_AFTER_EVENT = timedelta(days=1)


def in_groups(code: str) -> str:
    """Return a code as people read and type it: „7F3K-2Q9M-XW4T“."""
    return "-".join(code[start : start + 4] for start in range(0, len(code), 4))


def signed_path(ticket: str) -> str:
    """Return an address that shows the ticket without login, until a day after the event.

    It is bound to this purpose by its signature and dies with the ticket: after a withdrawal or a
    substitution the code no longer exists. The code alone opens nothing.
    """
    return f"/eintrittskarte/{ticket}/{_signature(ticket)}"


def by_signed_link(
    session: Session, ticket: str, signature: str, now: datetime
) -> Registration | None:
    """Load the registration of a signed link; None if the link is wrong or no longer valid."""
    if not _signer().verify_signature(ticket.encode(), signature):
        return None
    registration = session.scalar(
        select(Registration)
        .where(Registration.ticket == ticket)
        .options(
            joinedload(Registration.person),
            joinedload(Registration.event).joinedload(Event.venue),
            joinedload(Registration.event).joinedload(Event.room),
            joinedload(Registration.event).selectinload(Event.sessions),
        )
    )
    if registration is None:
        return None
    last = registration.event.last_day + LINK_LIVES_AFTER_EVENT
    return registration if berlin_day(now) <= last else None


def _signature(ticket: str) -> str:
    return _signer().get_signature(ticket.encode()).decode("ascii")


def _signer() -> Signer:
    return Signer(current_settings().secret_key, salt="show-ticket", digest_method=hashlib.sha256)
