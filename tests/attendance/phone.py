"""A trainer's phone: makes recordings as its page does, and sends them."""

from __future__ import annotations

import random
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import select

from trainings.attendance.door.sync_operations import Result, sync_recordings
from trainings.attendance.door.sync_rules import parse_request, salt_of, ticket_hash
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.settings import current_settings
from trainings.registrations.models import Registration


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def new_key(source: random.Random | None = None) -> str:
    return str(uuid.UUID(int=source.getrandbits(128), version=4) if source else uuid.uuid4())


def recording(kind: str, session_id: int | None, at: datetime, **values: Any) -> dict[str, Any]:
    return {"key": new_key(), "kind": kind, "session": session_id, "at": iso(at), **values}


def hashed(number: str, ticket: str) -> str:
    return ticket_hash(salt_of(current_settings().secret_key, number), ticket)


def ticket_of(registration_id: int) -> str:
    ticket = db.session.scalar(
        select(Registration.ticket).where(Registration.id == registration_id)
    )
    db.session.rollback()
    return str(ticket)


def send(
    actor: Actor,
    number: str,
    recordings: list[Any],
    now: datetime,
    *,
    sent_at: datetime | None = None,
) -> list[Result]:
    """Send a queue and return what came of it."""
    clock, read = parse_request({"sent_at": iso(sent_at or now), "recordings": recordings})
    with transaction() as session:
        return sync_recordings(session, actor, number, read, sent_at=clock, now=now)


def outcomes(*arguments: Any, **named: Any) -> list[str]:
    return [result.outcome for result in send(*arguments, **named)]
