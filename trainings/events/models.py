"""Tables of the events."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import TypedDict

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.numbering import YearSeries
from trainings.organisations.models import Organisation
from trainings.people.models import Person


class EventKind(StrEnum):
    """What an event is."""

    TRAINING = "training"
    CONFERENCE = "conference"
    BRIEFING = "briefing"
    ANNUAL_MEETING = "annual_meeting"
    WORKING_GROUP = "working_group"


class EventState(StrEnum):
    """Where an event is in its life; the moves are in `rules.EVENT_MOVES`."""

    DRAFT = "draft"
    PUBLISHED = "published"
    HELD = "held"
    CANCELLED = "cancelled"


class Visibility(StrEnum):
    """Who may see and book an event."""

    PUBLIC = "public"
    PARTNERS = "partners"
    IN_HOUSE = "in_house"
    INVITATION = "invitation"


class Admission(StrEnum):
    """How the places of an event are given."""

    IN_ORDER = "in_order"
    BY_OFFICE = "by_office"


class ShortNotice(StrEnum):
    """What becomes of a free place when there is no time left to offer it."""

    AUTOMATIC = "automatic"
    OFFICE = "office"


class MissedOffer(StrEnum):
    """What becomes of somebody who lets an offer pass."""

    TO_THE_END = "to_the_end"
    LEAVES = "leaves"


KIND_NAMES = {
    EventKind.TRAINING: "Training",
    EventKind.CONFERENCE: "Fachtagung",
    EventKind.BRIEFING: "Informations\u00adveranstaltung",
    EventKind.ANNUAL_MEETING: "Jahrestagung",
    EventKind.WORKING_GROUP: "Facharbeitskreis",
}
STATE_NAMES = {
    EventState.DRAFT: "Entwurf",
    EventState.PUBLISHED: "Veröffentlicht",
    EventState.HELD: "Durchgeführt",
    EventState.CANCELLED: "Abgesagt",
}
VISIBILITY_NAMES = {
    Visibility.PUBLIC: "öffentlich",
    Visibility.PARTNERS: "nach dem Einloggen",
    Visibility.IN_HOUSE: "nur für bestimmte Organisationen",
    Visibility.INVITATION: "auf Einladung",
}


ADMISSION_NAMES = {
    Admission.IN_ORDER: "sofort, in der Reihenfolge der Anmeldungen",
    Admission.BY_OFFICE: "Zulassung durch die Geschäftsstelle nach Anmeldeschluss",
}
SHORT_NOTICE_NAMES = {
    ShortNotice.AUTOMATIC: "Die nächste Person rückt ohne Rückfrage nach",
    ShortNotice.OFFICE: "Die Geschäftsstelle entscheidet",
}
MISSED_OFFER_NAMES = {
    MissedOffer.TO_THE_END: "ans Ende der Warteliste",
    MissedOffer.LEAVES: "von der Warteliste",
}


class AgendaItem(TypedDict):
    """One line of a programme: „09:00–10:30 Ankommen“."""

    day: int
    begins: str
    ends: str
    title: str
    is_break: bool


class PlacePolicy:
    """How places are given: columns that a format and an event have in common."""

    needs_release: Mapped[bool] = mapped_column(default=False)
    """Whether the sending organisation has to release the request (Dienstweg)."""
    admission: Mapped[Admission] = mapped_column(choice(Admission), default=Admission.IN_ORDER)
    offer_days: Mapped[int] = mapped_column(default=2)
    """Working days that somebody on the waiting list has to answer an offer; 0: no offers, the next
    one moves up at once."""
    short_notice: Mapped[ShortNotice] = mapped_column(
        choice(ShortNotice), default=ShortNotice.AUTOMATIC
    )
    missed_offer: Mapped[MissedOffer] = mapped_column(
        choice(MissedOffer), default=MissedOffer.TO_THE_END
    )


class AttendancePolicy:
    """How attendance is taken and certified: columns that a format and an event have in common."""

    certificate_share: Mapped[int] = mapped_column(default=80)
    """Percent of the planned time from which on a certificate is issued."""
    offline_roster: Mapped[bool] = mapped_column(default=True)
    """Whether a trainer's phone may keep names and ticket hashes, to work without a network."""


_SHARE_CHECK = "certificate_share >= 1 AND certificate_share <= 100"


class EventTemplate(PlacePolicy, AttendancePolicy, Base):
    """A format (Veranstaltungsformat) from which events are made."""

    __tablename__ = "event_templates"
    __table_args__ = (
        CheckConstraint(_SHARE_CHECK, name="certificate_share_percent"),
        CheckConstraint("capacity >= 1", name="capacity_positive"),
        CheckConstraint("minimum >= 0 AND minimum <= capacity", name="minimum_within_capacity"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[EventKind] = mapped_column(choice(EventKind))
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="")
    contents: Mapped[str] = mapped_column(Text, default="")
    aim: Mapped[str] = mapped_column(Text, default="")
    agenda: Mapped[list[AgendaItem]] = mapped_column(JSON, default=list)
    capacity: Mapped[int]
    minimum: Mapped[int]
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility))
    registration_deadline_days: Mapped[int]
    withdrawal_deadline_days: Mapped[int]
    needs_deadline_days: Mapped[int]
    retired_at: Mapped[datetime | None]

    sessions: Mapped[list[TemplateSession]] = relationship(
        order_by="TemplateSession.position", cascade="all, delete-orphan"
    )


class TemplateSession(Base):
    """A session as events of a template have it by default."""

    __tablename__ = "template_sessions"
    __table_args__ = (
        UniqueConstraint("template_id", "position"),
        CheckConstraint("ends > begins", name="ends_after_begin"),
        CheckConstraint("day >= 1", name="day_positive"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    template_id: Mapped[int] = mapped_column(ForeignKey("event_templates.id"))
    position: Mapped[int]
    day: Mapped[int]
    begins: Mapped[time]
    ends: Mapped[time]
    label: Mapped[str] = mapped_column(String(60))


class Venue(Base):
    """A place where events happen (Veranstaltungsort)."""

    __tablename__ = "venues"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    street: Mapped[str] = mapped_column(String(120))
    postcode: Mapped[str] = mapped_column(String(10))
    town: Mapped[str] = mapped_column(String(80), index=True)
    step_free: Mapped[str] = mapped_column(String(300), default="")
    hearing_loop: Mapped[str] = mapped_column(String(300), default="")
    parking: Mapped[str] = mapped_column(String(300), default="")
    public_transport: Mapped[str] = mapped_column(String(300), default="")
    retired_at: Mapped[datetime | None]

    rooms: Mapped[list[Room]] = relationship(back_populates="venue", order_by="Room.name")


class Room(Base):
    """A room of a venue."""

    __tablename__ = "rooms"
    __table_args__ = (UniqueConstraint("venue_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    venue_id: Mapped[int] = mapped_column(ForeignKey("venues.id"))
    name: Mapped[str] = mapped_column(String(80))
    seats: Mapped[int | None]

    venue: Mapped[Venue] = relationship(back_populates="rooms")


class Pool(Base):
    """Places that are distributed together: those of an event (later also of a workshop).

    Its row is what is locked by everything that can change who sits where.
    """

    __tablename__ = "pools"
    __table_args__ = (CheckConstraint("capacity >= 0", name="capacity_not_negative"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    capacity: Mapped[int]
    organisation_limit: Mapped[int | None]
    """The most places that one organisation may take; None: no limit."""


class NumberSeries(YearSeries, Base):
    """The last event number given in a year; locked while the next one is taken."""

    __tablename__ = "number_series"


class Event(PlacePolicy, AttendancePolicy, Base):
    """A training, a conference, a sitting: what is scheduled."""

    __tablename__ = "events"
    __table_args__ = (
        CheckConstraint(_SHARE_CHECK, name="certificate_share_percent"),
        CheckConstraint("last_day >= first_day", name="days_in_order"),
        CheckConstraint("minimum >= 0", name="minimum_not_negative"),
        Index(None, "state", "first_day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(12), unique=True)
    uid: Mapped[str] = mapped_column(String(40), unique=True)
    template_id: Mapped[int | None] = mapped_column(ForeignKey("event_templates.id"))
    kind: Mapped[EventKind] = mapped_column(choice(EventKind))
    title: Mapped[str] = mapped_column(String(160))
    summary: Mapped[str] = mapped_column(Text, default="")
    contents: Mapped[str] = mapped_column(Text, default="")
    agenda: Mapped[list[AgendaItem]] = mapped_column(JSON, default=list)
    state: Mapped[EventState] = mapped_column(choice(EventState), default=EventState.DRAFT)
    visibility: Mapped[Visibility] = mapped_column(choice(Visibility))
    pool_id: Mapped[int] = mapped_column(ForeignKey("pools.id"), unique=True)
    minimum: Mapped[int]
    venue_id: Mapped[int | None] = mapped_column(ForeignKey("venues.id"), index=True)
    room_id: Mapped[int | None] = mapped_column(ForeignKey("rooms.id"), index=True)
    first_day: Mapped[date]
    last_day: Mapped[date]
    """Derived from the sessions in the same transaction, so that lists can sort and filter."""
    opens_at: Mapped[datetime]
    closes_at: Mapped[datetime]
    withdraw_until: Mapped[datetime]
    needs_until: Mapped[datetime]
    series_id: Mapped[int | None]
    group_id: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)
    sequence: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    published_at: Mapped[datetime | None]
    admitted_at: Mapped[datetime | None]
    """When the office confirmed who is admitted; until then such an event gives no places."""
    cancelled_at: Mapped[datetime | None]
    cancellation_reason: Mapped[str] = mapped_column(String(300), default="")
    replaced_by_id: Mapped[int | None] = mapped_column(ForeignKey("events.id"))

    template: Mapped[EventTemplate | None] = relationship()
    pool: Mapped[Pool] = relationship()
    venue: Mapped[Venue | None] = relationship()
    room: Mapped[Room | None] = relationship()
    replaced_by: Mapped[Event | None] = relationship(remote_side="Event.id")
    sessions: Mapped[list[EventSession]] = relationship(
        back_populates="event", order_by="EventSession.position", cascade="all, delete-orphan"
    )
    trainers: Mapped[list[EventTrainer]] = relationship(
        back_populates="event", order_by="EventTrainer.position", cascade="all, delete-orphan"
    )
    hosts: Mapped[list[EventHost]] = relationship(
        back_populates="event", cascade="all, delete-orphan"
    )
    invitations: Mapped[list[EventInvitation]] = relationship(
        back_populates="event", cascade="all, delete-orphan"
    )


class EventSession(Base):
    """The smallest part of an event for which attendance is taken, normally half a day.

    Wall-clock times in Europe/Berlin.
    """

    __tablename__ = "event_sessions"
    __table_args__ = (
        UniqueConstraint("event_id", "position"),
        CheckConstraint("ends > begins", name="ends_after_begin"),
        Index(None, "day"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    position: Mapped[int]
    day: Mapped[date]
    begins: Mapped[time]
    ends: Mapped[time]
    label: Mapped[str] = mapped_column(String(60))

    event: Mapped[Event] = relationship(back_populates="sessions")


class EventTrainer(Base):
    """A trainer of an event."""

    __tablename__ = "event_trainers"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)
    position: Mapped[int] = mapped_column(default=0)

    event: Mapped[Event] = relationship(back_populates="trainers")
    person: Mapped[Person] = relationship()


class EventHost(Base):
    """An organisation for which an in-house event is held."""

    __tablename__ = "event_hosts"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisations.id"), primary_key=True)

    event: Mapped[Event] = relationship(back_populates="hosts")
    organisation: Mapped[Organisation] = relationship()


class EventInvitation(Base):
    """A person who may see and book an event by invitation."""

    __tablename__ = "event_invitations"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"), primary_key=True, index=True)

    event: Mapped[Event] = relationship(back_populates="invitations")
    person: Mapped[Person] = relationship()


class ExtraDate(Base):
    """An event that was added because another one's waiting list was long (Zusatztermin)."""

    __tablename__ = "extra_dates"

    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"), primary_key=True)
    waiting_from_id: Mapped[int] = mapped_column(ForeignKey("events.id"), index=True)
    """The event whose waiting list is taken along, in order, when this one is published."""
