"""A form that is sent twice acts once: the second submit gets the first one's result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, Text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from trainings.core.database import Base, db, transaction

KEY_LENGTH = 80


@dataclass(frozen=True)
class Outcome:
    """Where a person goes after a form was accepted, and what the page there says."""

    url: str
    message: str = ""


class SubmittedForm(Base):
    """The key of a form that was accepted, and what came of it."""

    __tablename__ = "submitted_forms"

    key: Mapped[str] = mapped_column(String(KEY_LENGTH), primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    url: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)


def once(key: str, now: datetime, work: Callable[[Session], Outcome]) -> Outcome:
    """Run `work` in a transaction, unless a form with this key was accepted before.

    The key is stored before the work begins, in the same transaction: of two submits at the same
    time one waits for the other, on both databases.

    Args:
        key: unique per form shown and person.
        now: the present instant.
        work: the operation; what it raises undoes everything, the key included.

    """
    try:
        with transaction() as session:
            row = SubmittedForm(key=key, at=now, url="", message="")
            session.add(row)
            try:
                session.flush()
            except IntegrityError as error:
                raise _SubmittedBeforeError from error
            outcome = work(session)
            row.url, row.message = outcome.url, outcome.message
        return outcome
    except _SubmittedBeforeError:
        first = db.session.get_one(SubmittedForm, key)
        return Outcome(first.url, first.message)


class _SubmittedBeforeError(Exception):
    pass
