"""Tables of the registrations."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.retention import Retention, personal
from trainings.events.models import Event, Pool
from trainings.organisations.models import Organisation, OrganisationKind
from trainings.people.models import Person


class RegistrationState(StrEnum):
    """Where a registration is; the moves are in `rules.REGISTRATION_MOVES`."""

    AWAITING_RELEASE = "awaiting_release"
    WAITING = "waiting"
    OFFERED = "offered"
    PLACED = "placed"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    CANCELLED = "cancelled"
    SUBSTITUTED = "substituted"


class NeedKind(StrEnum):
    """What somebody needs to take part."""

    STEP_FREE = "step_free"
    SIGN_LANGUAGE = "sign_language"
    CAPTIONS = "captions"
    DIET = "diet"
    OTHER = "other"


STATE_NAMES = {
    RegistrationState.AWAITING_RELEASE: "Freigabe steht aus",
    RegistrationState.WAITING: "Warteliste",
    RegistrationState.OFFERED: "Platz angeboten",
    RegistrationState.PLACED: "Zugesagt",
    RegistrationState.DECLINED: "Nicht freigegeben",
    RegistrationState.EXPIRED: "Kein Platz frei geworden",
    RegistrationState.WITHDRAWN: "Platz zurückgegeben",
    RegistrationState.CANCELLED: "Abgesagt",
    RegistrationState.SUBSTITUTED: "Ersatzperson benannt",
}
NEED_NAMES = {
    NeedKind.STEP_FREE: "Stufenfreier Zugang",
    NeedKind.SIGN_LANGUAGE: "Gebärdensprache oder Schriftdolmetschen",
    NeedKind.CAPTIONS: "Höranlage",
    NeedKind.DIET: "Vegetarisches oder veganes Essen",
    NeedKind.OTHER: "Hinweis an die Geschäftsstelle",
}
ACTIVE = (
    RegistrationState.AWAITING_RELEASE,
    RegistrationState.WAITING,
    RegistrationState.OFFERED,
    RegistrationState.PLACED,
)
"""States in which somebody is registered: one such registration for each person and pool."""
SEATED = (RegistrationState.OFFERED, RegistrationState.PLACED)
"""States that take a place."""

_ACTIVE_SQL = text("state IN ('awaiting_release', 'waiting', 'offered', 'placed')")

LONGEST_UNIT = 120


class Registration(Base):
    """A person's registration for an event, with the organisation as it was at that time."""

    __tablename__ = "registrations"
    __table_args__ = (
        Index(
            "uq_registrations_active",
            "pool_id",
            "person_id",
            unique=True,
            sqlite_where=_ACTIVE_SQL,
            postgresql_where=_ACTIVE_SQL,
        ),
        Index(None, "pool_id", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    state: Mapped[RegistrationState] = mapped_column(choice(RegistrationState))
    rank: Mapped[int]
    """Place in the order of requests of its pool; given under the lock, never changed by time."""
    requested_at: Mapped[datetime]
    state_since: Mapped[datetime]
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    organisation_name: Mapped[str] = mapped_column(String(160))
    organisation_kind: Mapped[OrganisationKind] = mapped_column(choice(OrganisationKind))
    unit: Mapped[str] = mapped_column(String(LONGEST_UNIT), info=personal(Retention.PERSON))
    ticket: Mapped[str | None] = mapped_column(
        String(32), unique=True, info=personal(Retention.PERSON)
    )
    """What the QR code holds; only somebody with a place has one."""
    calendar_sequence: Mapped[int] = mapped_column(default=0)
    """Rises with every calendar object sent to this person for this event (RFC 5546, 2.1.4)."""

    pool: Mapped[Pool] = relationship()
    event: Mapped[Event] = relationship()
    person: Mapped[Person] = relationship()
    organisation: Mapped[Organisation] = relationship()
    history: Mapped[list[RegistrationChange]] = relationship(
        back_populates="registration", order_by="RegistrationChange.id"
    )
    needs: Mapped[list[Need]] = relationship(
        back_populates="registration", cascade="all, delete-orphan", order_by="Need.id"
    )

    @property
    def is_active(self) -> bool:
        """Whether the person is registered: asking, waiting, offered or placed."""
        return self.state in ACTIVE


class RegistrationChange(Base):
    """One step in the life of a registration: who, when, from where, to where, why."""

    __tablename__ = "registration_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    at: Mapped[datetime]
    actor_person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    from_state: Mapped[RegistrationState | None] = mapped_column(
        choice(RegistrationState, "from_state")
    )
    to_state: Mapped[RegistrationState] = mapped_column(choice(RegistrationState, "to_state"))
    reason: Mapped[str] = mapped_column(String(48))
    """Stable code, such as `requested`, `promoted`, `event_cancelled`."""

    registration: Mapped[Registration] = relationship(back_populates="history")


class Contingent(Base):
    """Places held for one organisation (and those below it) until a date."""

    __tablename__ = "contingents"
    __table_args__ = (
        UniqueConstraint("pool_id", "organisation_id"),
        CheckConstraint("places >= 1", name="places_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"))
    places: Mapped[int]
    until: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()


class Need(Base):
    """What somebody needs to take part: a task for the office, deleted 30 days after the event."""

    __tablename__ = "needs"

    id: Mapped[int] = mapped_column(primary_key=True)
    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), index=True)
    kind: Mapped[NeedKind] = mapped_column(choice(NeedKind), info=personal(Retention.NEEDS))
    note: Mapped[str] = mapped_column(String(500), default="", info=personal(Retention.NEEDS))
    done_at: Mapped[datetime | None]

    registration: Mapped[Registration] = relationship(back_populates="needs")
