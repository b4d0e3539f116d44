"""Reads about demand: which formats and dates somebody may wish for, and what they wished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, joinedload

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.events.models import (
    Event,
    EventKind,
    EventState,
    EventTemplate,
    Pool,
    Venue,
    Visibility,
)
from trainings.organisations.models import Organisation
from trainings.people.models import OrganisationContact
from trainings.registrations.models import (
    ACTIVE,
    CourseRequest,
    Registration,
    RegistrationChange,
    Wish,
    WishedRegistration,
)
from trainings.registrations.place_queries import load_pools
from trainings.registrations.queries import MyPlace, my_places, visible_to

BY_WISH = ("placed_elsewhere", "wish_ended")
"""Why a wait ended that was one of several: codes of the history."""


@dataclass(frozen=True)
class OpenDate:
    """A date that somebody may wish for.

    Attributes:
        event_id: the event.
        number: its number.
        first_day: of the event.
        last_day: of the event.
        title: of the event, if it is not that of the format; else empty.
        town: where, or empty.
        free: places that the person could get.
        waiting: how many wait.
        mine: the person's own registration.
        needs_until: until when needs are asked.

    """

    event_id: int
    number: str
    first_day: date
    last_day: date
    title: str
    town: str
    free: int
    waiting: int
    mine: MyPlace | None
    needs_until: datetime


def _open(now: datetime) -> ColumnElement[bool]:
    return and_(Event.state == EventState.PUBLISHED, Event.opens_at <= now, Event.closes_at > now)


def open_dates(session: Session, actor: Actor, template_id: int, now: datetime) -> list[OpenDate]:
    """Load the dates of a format that are open and shown to the actor, in at most four statements.

    Args:
        session: for reading, or the open transaction.
        actor: the person.
        template_id: the format.
        now: the present instant.

    """
    rows = session.execute(
        select(
            Event.id,
            Event.number,
            Event.title,
            EventTemplate.title.label("format_title"),
            Event.first_day,
            Event.last_day,
            Event.needs_until,
            Event.pool_id,
            Pool.capacity,
            Pool.organisation_limit,
            Venue.town,
        )
        .join(Pool, Event.pool_id == Pool.id)
        .join(EventTemplate, Event.template_id == EventTemplate.id)
        .outerjoin(Venue, Event.venue_id == Venue.id)
        .where(Event.template_id == template_id, _open(now), visible_to(actor))
        .order_by(Event.first_day, Event.number)
    ).all()
    if not rows:
        return []
    pools = {row.pool_id: (row.capacity, row.organisation_limit) for row in rows}
    places, waiting = load_pools(session, pools, now)
    mine = my_places(session, actor, pools)
    return [
        OpenDate(
            event_id=row.id,
            number=row.number,
            first_day=row.first_day,
            last_day=row.last_day,
            title=row.title if row.title != row.format_title else "",
            town=row.town or "",
            free=places[row.pool_id].free_for(actor.counted_for),
            waiting=waiting[row.pool_id],
            mine=mine.get(row.pool_id),
            needs_until=row.needs_until,
        )
        for row in rows
    ]


def _offered() -> ColumnElement[bool]:
    # Formats for closed circles are not shown to everybody: only somebody who sees a date of one
    # knows that there is such a thing.
    shown_to_all = EventTemplate.visibility.in_([Visibility.PUBLIC, Visibility.PARTNERS])
    return and_(EventTemplate.retired_at.is_(None), shown_to_all)


def may_wish_for(session: Session, actor: Actor, template_id: int, now: datetime) -> bool:
    """Say whether somebody may wish for a date of a format, in one statement."""
    sees_a_date = exists().where(
        Event.template_id == EventTemplate.id, _open(now), visible_to(actor)
    )
    found = session.scalar(
        select(EventTemplate.id).where(
            EventTemplate.id == template_id, or_(_offered(), sees_a_date)
        )
    )
    return found is not None


@dataclass(frozen=True)
class Format:
    """A format that somebody may wish for, and how many dates are open for this person."""

    id: int
    title: str
    summary: str
    dates: int
    kind: EventKind
    capacity: int


def formats_on_offer(session: Session, actor: Actor, now: datetime) -> list[Format]:
    """Load the formats that somebody may wish for, by title, in one statement."""
    dates = (
        select(func.count())
        .where(Event.template_id == EventTemplate.id, _open(now), visible_to(actor))
        .correlate(EventTemplate)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            EventTemplate.id,
            EventTemplate.title,
            EventTemplate.summary,
            dates,
            EventTemplate.kind,
            EventTemplate.capacity,
        )
        .where(or_(_offered(), dates > 0))
        .order_by(EventTemplate.title, EventTemplate.id)
    )
    return [Format(*row) for row in rows]


def was_expressed() -> ColumnElement[bool]:
    """Return the condition that somebody said what a wish says.

    An extra date that takes a waiting list along ties both dates together by a wish as well, made
    in that moment: nobody asked for anything by it.
    """
    link, change = aliased(WishedRegistration), aliased(RegistrationChange)
    came_with_extra_date = exists().where(
        link.wish_id == Wish.id,
        change.registration_id == link.registration_id,
        change.reason == "extra_date",
        change.at == Wish.created_at,
    )
    return or_(Wish.next_free, ~came_with_extra_date)


@dataclass
class MyWish:
    """An open wish of a person, and the dates on which the person waits for it."""

    id: int
    title: str
    next_free: bool
    dates: list[tuple[date, date]] = field(default_factory=list)


def my_wishes(session: Session, actor: Actor) -> list[MyWish]:
    """Load what the actor wished for and has not got, the oldest first, in one statement."""
    rows = session.execute(
        select(Wish.id, EventTemplate.title, Wish.next_free, Event.first_day, Event.last_day)
        .join(EventTemplate, Wish.template_id == EventTemplate.id)
        .outerjoin(WishedRegistration, WishedRegistration.wish_id == Wish.id)
        .outerjoin(
            Registration,
            and_(
                Registration.id == WishedRegistration.registration_id,
                Registration.state.in_(ACTIVE),
            ),
        )
        .outerjoin(Event, Registration.event_id == Event.id)
        .where(Wish.person_id == actor.person_id, Wish.ended_at.is_(None), was_expressed())
        .order_by(Wish.id, Event.first_day)
    )
    wishes: dict[int, MyWish] = {}
    for wish_id, title, next_free, first_day, last_day in rows:
        wish = wishes.setdefault(wish_id, MyWish(wish_id, title, next_free))
        if first_day is not None:
            wish.dates.append((first_day, last_day))
    return list(wishes.values())


def my_wish(session: Session, actor: Actor, wish_id: int) -> MyWish:
    """Return one of the actor's own open wishes.

    Raises:
        DomainError: `not_found`, also for somebody else's and for one that has ended.

    """
    for wish in my_wishes(session, actor):
        if wish.id == wish_id:
            return wish
    raise not_found()


def ended_by_wish(session: Session, registration_ids: Iterable[int]) -> dict[int, str]:
    """Return why waits ended by a place elsewhere, a wish or a declined offer; one statement."""
    changes = session.execute(
        select(RegistrationChange.registration_id, RegistrationChange.reason).where(
            RegistrationChange.registration_id.in_(list(registration_ids)),
            RegistrationChange.reason.in_((*BY_WISH, "offer_declined")),
        )
    )
    return {change.registration_id: change.reason for change in changes}


def organisations_of_contact(session: Session, actor: Actor) -> list[Organisation]:
    """Load the organisations that somebody speaks for, by name, in one statement."""
    return list(
        session.scalars(
            select(Organisation)
            .join(OrganisationContact, OrganisationContact.organisation_id == Organisation.id)
            .where(
                OrganisationContact.person_id == actor.person_id,
                Organisation.retired_at.is_(None),
                Organisation.merged_into_id.is_(None),
            )
            .order_by(Organisation.sort_key, Organisation.id)
        )
    )


def course_requests_of(session: Session, actor: Actor) -> list[CourseRequest]:
    """Load what was asked for the organisations that somebody speaks for, the latest first."""
    theirs = select(OrganisationContact.organisation_id).where(
        OrganisationContact.person_id == actor.person_id
    )
    return list(
        session.scalars(
            select(CourseRequest)
            .where(CourseRequest.organisation_id.in_(theirs))
            .order_by(CourseRequest.created_at.desc(), CourseRequest.id.desc())
            .options(
                joinedload(CourseRequest.template),
                joinedload(CourseRequest.organisation),
                joinedload(CourseRequest.person),
                joinedload(CourseRequest.event),
            )
        )
    )
