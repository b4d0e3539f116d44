"""Who did what, when: rows with ids and codes, never names, that are only ever added."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from trainings.core.actors import Actor
from trainings.core.database import Base

AuditValue = int | str | bool | None


class AuditEntry(Base):
    """One change by one actor, written in the transaction of the change."""

    __tablename__ = "audit_entries"
    __table_args__ = (Index(None, "subject_type", "subject_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    actor_person_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(64))
    subject_type: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[int]
    details: Mapped[dict[str, AuditValue]] = mapped_column(JSON)


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: Base,
    now: datetime,
    **details: AuditValue,
) -> None:
    """Add an audit row.

    Args:
        session: the open transaction.
        actor: who acts; the system itself has no person.
        action: stable code, such as `event_published`.
        subject: the stored row that changed; it is flushed if it has no id yet.
        now: the instant of the change.
        details: ids, codes and numbers only, never names or free text.

    """
    subject_id = getattr(subject, "id", None)
    if subject_id is None:
        session.flush()
        subject_id = subject.id  # type: ignore[attr-defined]
    session.add(
        AuditEntry(
            at=now,
            actor_person_id=actor.person_id,
            action=action,
            subject_type=subject.__tablename__,
            subject_id=subject_id,
            details=details,
        )
    )
