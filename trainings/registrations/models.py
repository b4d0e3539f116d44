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
from trainings.events.models import Event, EventTemplate, Pool
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
    WALK_IN = "walk_in"
    """Came without a registration: takes part, holds no place; the office entered it afterwards."""


class NeedKind(StrEnum):
    """What somebody needs to take part."""

    STEP_FREE = "step_free"
    SIGN_LANGUAGE = "sign_language"
    CAPTIONS = "captions"
    DIET = "diet"
    OTHER = "other"


class LateReason(StrEnum):
    """Why a place is given back after the deadline; no free text, since reasons are health data."""

    OFFICIAL = "official"
    PERSONAL = "personal"
    UNSAID = "unsaid"


class ReleaseOutcome(StrEnum):
    """What the sending organisation decided."""

    RELEASED = "released"
    DECLINED = "declined"


class CourseRequestState(StrEnum):
    """Where an organisation's request for a course of its own is."""

    OPEN = "open"
    PLANNED = "planned"
    DECLINED = "declined"


LATE_REASON_NAMES = {
    LateReason.OFFICIAL: "dienstlich",
    LateReason.PERSONAL: "persönlich",
    LateReason.UNSAID: "keine Angabe",
}
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
    RegistrationState.WALK_IN: "Ohne Anmeldung dabei",
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
ATTENDING = (RegistrationState.PLACED, RegistrationState.WALK_IN)
"""States of those who take part, and whose attendance is recorded."""

_ACTIVE_SQL = text("state IN ('awaiting_release', 'waiting', 'offered', 'placed')")

LONGEST_UNIT = 120
LONGEST_DECIDER = 160
"""Of a name in full; shorter than what title, given and family name may be together."""


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
    """Place in the order of its pool: that of the requests, unless a rule or the office changed it,
    which its history says; given and changed under the lock, never by time."""
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
    spent_ticket: Mapped[str | None] = mapped_column(
        String(32), index=True, info=personal(Retention.PERSON)
    )
    """The ticket that somebody had until the place was given up: the door says why it is void."""
    offer_until: Mapped[datetime | None] = mapped_column(index=True)
    """Until when somebody may accept the place that is offered; only while it is."""
    missed_offers: Mapped[int] = mapped_column(default=0)
    organisation_rank: Mapped[int | None]
    """Place in the order of its own organisation, given by the contact; 1 comes first."""
    is_priority: Mapped[bool] = mapped_column(default=False)
    """Marked „vorrangig“ by the contact; why is neither asked nor stored."""
    release_asked_at: Mapped[datetime | None]
    """When contacts were last told of this request."""
    late_reason: Mapped[LateReason | None] = mapped_column(choice(LateReason))
    """Set when the place was given back after the deadline: the absence is excused."""
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
    note: Mapped[str] = mapped_column(String(300), default="")
    """Why the office acted against the order, in its words; or the rule that decided."""

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
    warned_at: Mapped[datetime | None]
    """When the contacts were told that unused places return soon."""

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


class Release(Base):
    """A decision of the sending organisation on one request: made once, by name and function."""

    __tablename__ = "releases"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    outcome: Mapped[ReleaseOutcome] = mapped_column(choice(ReleaseOutcome))
    reason: Mapped[str] = mapped_column(String(300), default="", info=personal(Retention.PERSON))
    """What the employee reads; only when it was declined."""
    at: Mapped[datetime]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"))
    """Who decided; None: somebody who reads the functional mailbox."""
    name: Mapped[str] = mapped_column(String(LONGEST_DECIDER), info=personal(Retention.PERSON))
    function: Mapped[str] = mapped_column(String(120), default="", info=personal(Retention.PERSON))

    registration: Mapped[Registration] = relationship()


class ReleaseDigest(Base):
    """A mail to somebody who releases, with all open requests; its link opens the list."""

    __tablename__ = "release_digests"
    __table_args__ = (Index(None, "recipient", "sent_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("persons.id"), index=True)
    """The contact; None: the functional mailbox of the organisation."""
    recipient: Mapped[str] = mapped_column(String(254), info=personal(Retention.PERSON))
    sent_at: Mapped[datetime]

    organisation: Mapped[Organisation] = relationship()
    person: Mapped[Person | None] = relationship()


class Wish(Base):
    """A person's demand for a course: several dates, or the next one that is free (Bedarf)."""

    __tablename__ = "wishes"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("event_templates.id"), index=True)
    next_free: Mapped[bool] = mapped_column(default=False)
    """Whether any new date will do."""
    created_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]

    person: Mapped[Person] = relationship()
    template: Mapped[EventTemplate] = relationship()


class WishedRegistration(Base):
    """A registration that serves a wish: a place on one ends the other waits."""

    __tablename__ = "wished_registrations"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    wish_id: Mapped[int] = mapped_column(ForeignKey("wishes.id"), index=True)

    registration: Mapped[Registration] = relationship()
    wish: Mapped[Wish] = relationship()


class CourseRequest(Base):
    """An organisation asks for a course of its own (in-house)."""

    __tablename__ = "course_requests"
    __table_args__ = (CheckConstraint("participants >= 1", name="participants_positive"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), index=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("event_templates.id"), index=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    participants: Mapped[int]
    period: Mapped[str] = mapped_column(String(200))
    """When it would suit, in words."""
    note: Mapped[str] = mapped_column(String(500), default="")
    state: Mapped[CourseRequestState] = mapped_column(
        choice(CourseRequestState), default=CourseRequestState.OPEN
    )
    answer: Mapped[str] = mapped_column(String(300), default="")
    event_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))
    created_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]

    organisation: Mapped[Organisation] = relationship()
    template: Mapped[EventTemplate] = relationship()
    person: Mapped[Person] = relationship()
    event: Mapped[Event | None] = relationship()


class Substitution(Base):
    """Who came in whose place."""

    __tablename__ = "substitutions"

    registration_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), primary_key=True)
    replaced_id: Mapped[int] = mapped_column(ForeignKey("registrations.id"), unique=True)
