"""Random tokens, stored as a hash only, bound to one purpose.

A link with a token is no permission by itself: it does the one thing it was made for, until it runs
out or is revoked.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import LargeBinary, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from trainings.core.database import Base, choice

TOKEN_BYTES = 24
# So long a link that has run out still says so, instead of being unknown.
REMEMBERED_FOR = timedelta(days=30)


class Purpose(StrEnum):
    """What a link in a mail does."""

    LOG_IN = "log_in"
    WITHDRAW = "withdraw"
    OFFER = "offer"
    RELEASE = "release"
    CARD_ORDER = "card_order"
    """Confirms an order by somebody without a login."""
    CARD_RECEIPT = "card_receipt"
    """Says that the cards have arrived."""


class ActionToken(Base):
    """A link that acts, at `/aktion/TOKEN`."""

    __tablename__ = "action_tokens"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    purpose: Mapped[Purpose] = mapped_column(choice(Purpose))
    subject_id: Mapped[int]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)


def new_token() -> str:
    """Return a random token of 192 bits, safe in addresses."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def digest(token: str) -> bytes:
    """Return what is stored of a token.

    A plain SHA-256 suffices: tokens are random, so there is nothing to guess (unlike passwords).
    """
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def issue(
    session: Session, purpose: Purpose, subject_id: int, now: datetime, expires_at: datetime
) -> str:
    """Store a new token and return it; it cannot be read again later."""
    token = new_token()
    session.add(
        ActionToken(
            token_hash=digest(token),
            purpose=purpose,
            subject_id=subject_id,
            created_at=now,
            expires_at=expires_at,
        )
    )
    return token


def action_path(token: str) -> str:
    """Return the address of a link that acts, as a path of this application."""
    return f"/aktion/{token}"


def recall(session: Session, token: str) -> ActionToken | None:
    """Return the token whether or not it has run out, or None if it is unknown."""
    return session.scalar(select(ActionToken).where(ActionToken.token_hash == digest(token)))


def find(session: Session, token: str, now: datetime) -> ActionToken | None:
    """Return the living token, or None if it is unknown or has run out."""
    row = recall(session, token)
    return row if row is not None and now < row.expires_at else None


def forget_tokens(session: Session, now: datetime) -> int:
    """Delete tokens that ran out 30 days ago; return how many."""
    result = session.execute(
        delete(ActionToken).where(ActionToken.expires_at < now - REMEMBERED_FOR)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]
