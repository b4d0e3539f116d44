"""Limits on guessing, counted in the database: they hold across processes and machines."""

from __future__ import annotations

import hashlib
import ipaddress
from datetime import datetime, timedelta

from sqlalchemy import LargeBinary, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from trainings.core.database import Base
from trainings.core.errors import DomainError


class Attempt(Base):
    """One attempt; what it was about is kept as a hash only."""

    __tablename__ = "attempts"

    id: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[bytes] = mapped_column(LargeBinary(32), index=True)
    at: Mapped[datetime] = mapped_column(index=True)


def count_attempt(
    session: Session, bucket: str, now: datetime, *, limit: int, window: timedelta
) -> None:
    """Count an attempt and refuse it if there were too many.

    Args:
        session: the open transaction.
        bucket: what is limited, such as `login:` and an address.
        now: the present instant.
        limit: attempts allowed within the window.
        window: how far back attempts count.

    Raises:
        DomainError: `too_many_attempts`, status 429.

    """
    refuse_if_exhausted(session, bucket, now, limit=limit, window=window)
    session.add(Attempt(bucket=_key(bucket), at=now))


def refuse_if_exhausted(
    session: Session, bucket: str, now: datetime, *, limit: int, window: timedelta
) -> None:
    """Refuse an attempt if there were too many, without counting it.

    For what only counts when it fails: then reading writes nothing.

    Raises:
        DomainError: `too_many_attempts`, status 429.

    """
    key = _key(bucket)
    recent = session.scalar(
        select(func.count()).where(Attempt.bucket == key, Attempt.at > now - window)
    )
    if (recent or 0) >= limit:
        raise DomainError(
            "too_many_attempts",
            f"Das waren zu viele Versuche. Bitte warten Sie {_in_words(window)} und "
            "versuchen Sie es dann noch einmal.",
            status=429,
        )


def network_of(client: str) -> str:
    """Return what counts as one client: IPv6 clients change their addresses within a /64 at will.

    Args:
        client: the address of a request, or whatever stands in its place.

    """
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return client
    width = 64 if address.version == 6 else 32
    return str(ipaddress.ip_network((address, width), strict=False))


def _key(bucket: str) -> bytes:
    return hashlib.sha256(bucket.encode("utf-8", "surrogatepass")).digest()


def _in_words(window: timedelta) -> str:
    minutes = max(1, round(window.total_seconds() / 60))
    return f"{minutes} Minuten" if minutes < 120 else f"{round(minutes / 60)} Stunden"


def forget_attempts(session: Session, now: datetime) -> int:
    """Delete attempts of more than a day ago; return how many."""
    result = session.execute(delete(Attempt).where(Attempt.at < now - timedelta(days=1)))
    return int(result.rowcount)  # type: ignore[attr-defined]
