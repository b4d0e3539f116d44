"""What the office makes of a free text: release it, make parts of it unreadable, take it out.

Only texts of surveys that are closed and flow into some table are touched: all others nobody may
read yet. Nothing brings back what was made unreadable.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.feedback.models import FeedbackText, Survey, TextState
from trainings.feedback.texts.reads import READABLE
from trainings.feedback.texts.rules import fingerprint, redact

REDACTED, REMOVED = "feedback_text_redacted", "feedback_text_removed"
"""Actions in the audit."""


def release_texts(session: Session, actor: Actor, keys: Collection[bytes], now: datetime) -> int:
    """Show texts that were read as they are; what somebody else has dealt with stays as it is.

    Args:
        session: the open transaction.
        actor: who read them.
        keys: of the texts.
        now: the present instant.

    Returns:
        How many were released.

    Raises:
        DomainError: `not_found`; `nothing_chosen`; `text_moved_on` if none was left to release.

    """
    if not keys:
        raise DomainError("nothing_chosen", "Bitte kreuzen Sie zuerst an, was Sie freigeben.")
    texts = [text for text in _lock(session, keys) if text.state is TextState.UNREAD]
    if not texts:
        raise _moved_on(len(keys))
    for text in texts:
        text.state = TextState.SHOWN
    session.flush()
    _note(session, actor, "feedback_texts_released", texts, now)
    return len(texts)


def redact_text(
    session: Session,
    actor: Actor,
    key: bytes,
    passages: Sequence[str],
    *,
    seen: str,
    now: datetime,
) -> FeedbackText:
    """Overwrite passages of a text with marks, and show what is left of it.

    Args:
        session: the open transaction.
        actor: who read it.
        key: of the text.
        passages: what shall go; see `rules.redact`.
        seen: `rules.fingerprint` of the text that was looked at.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `text_moved_on`, or what `rules.redact` refuses.

    """
    text = _lock_seen(session, key, seen)
    text.text = redact(text.text, passages)
    text.state = TextState.SHOWN
    session.flush()
    _note(session, actor, REDACTED, [text], now)
    return text


def remove_text(
    session: Session, actor: Actor, key: bytes, *, seen: str, now: datetime
) -> FeedbackText:
    """Overwrite a whole text with nothing; that there was one stays known.

    Args:
        session: the open transaction.
        actor: who read it.
        key: of the text.
        seen: `rules.fingerprint` of the text that was looked at.
        now: the present instant.

    Raises:
        DomainError: `not_found` or `text_moved_on`.

    """
    text = _lock_seen(session, key, seen)
    text.text, text.state = "", TextState.REMOVED
    session.flush()
    _note(session, actor, REMOVED, [text], now)
    return text


def _lock_seen(session: Session, key: bytes, seen: str) -> FeedbackText:
    (text,) = _lock(session, [key])
    if text.state is TextState.REMOVED or fingerprint(text.state, text.text) != seen:
        raise _moved_on()
    return text


def _lock(session: Session, keys: Collection[bytes]) -> list[FeedbackText]:
    """Lock texts that the office may read, by ascending key.

    Their surveys are closed, which is their last state: they need no lock.
    """
    texts = session.scalars(
        select(FeedbackText)
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .where(FeedbackText.key.in_(keys), READABLE)
        .order_by(FeedbackText.key)
        .with_for_update(key_share=True, of=FeedbackText)
        .execution_options(populate_existing=True)
    ).all()
    if len(texts) != len(set(keys)):
        raise not_found()
    return list(texts)


def _moved_on(texts: int = 1) -> DomainError:
    which = "Diesen Text" if texts == 1 else "Diese Texte"
    return DomainError(
        "text_moved_on",
        f"{which} hat inzwischen jemand anders bearbeitet. Bitte sehen Sie nach, was jetzt dort "
        "steht.",
    )


def _note(
    session: Session, actor: Actor, action: str, texts: Sequence[FeedbackText], now: datetime
) -> None:
    """Record how many texts of which question: neither the text nor its key."""
    asked = Counter((text.survey_id, text.question) for text in texts)
    for (survey_id, question), number in sorted(asked.items()):
        survey = session.get_one(Survey, survey_id)
        record(session, actor, action, survey, now, question=question, texts=number)
