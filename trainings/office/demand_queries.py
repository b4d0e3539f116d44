"""Who would come to dates that do not exist yet: by format, by region and organisation."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Row, case, false, func, select, union
from sqlalchemy.orm import Session, joinedload

from trainings.core.clock import berlin_day
from trainings.core.errors import not_found
from trainings.events.models import Event, EventState, EventTemplate
from trainings.organisations.models import Level, Organisation
from trainings.organisations.queries import organisation_tree
from trainings.organisations.regions import NO_REGION, known_places, region_of
from trainings.people.models import Person
from trainings.registrations.demand_queries import was_expressed
from trainings.registrations.models import (
    CourseRequest,
    CourseRequestState,
    Registration,
    RegistrationState,
    Wish,
)

WITHOUT_FORMAT = "Ohne Format"
ANSWERED_SHOWN = 20


@dataclass(frozen=True)
class WaitedDate:
    """A coming date on whose list people wait.

    Attributes:
        number: of the event.
        first_day: its first day.
        last_day: its last day.
        people: who wait or whose request is not released yet.
        may_be_doubled: somebody waits whom an extra date would take along.

    """

    number: str
    first_day: date
    last_day: date
    people: int
    may_be_doubled: bool


@dataclass(frozen=True)
class FormatDemand:
    """How many people wait or wish for a format.

    Attributes:
        id: of the format; None for events without one.
        title: of the format.
        people: distinct persons.
        any_date: those of them who take the next free date.
        dates: coming dates that are published.
        waited: those of them on whose list people wait, by day.

    """

    id: int | None
    title: str
    people: int
    any_date: int
    dates: int
    waited: list[WaitedDate]


@dataclass(frozen=True)
class RegionDemand:
    """How many people of a city or district wait or wish, and of which authorities."""

    name: str
    people: int
    authorities: list[tuple[str, int]]


@dataclass(frozen=True)
class Demand:
    """What the office's page shows.

    Attributes:
        people: all who wait or wish, nobody twice.
        formats: those with the most people first.
        chosen: the format to which regions are limited.
        regions: those with the most people first.
        open: requests of organisations that wait for an answer, the oldest first.
        answered: the last answered ones.

    """

    people: int
    formats: list[FormatDemand]
    chosen: FormatDemand | None
    regions: list[RegionDemand]
    open: list[CourseRequest]
    answered: list[CourseRequest]


def demand(session: Session, template_id: int, now: datetime) -> Demand:
    """Return the demand; at most seven statements.

    Args:
        session: for reading.
        template_id: regions count those who want this format only; of an unknown one, all.
        now: the present instant.

    """
    rows = _who_wants_what(session, now)
    formats = _by_format(session, rows, now)
    chosen = next((row for row in formats if row.id == template_id), None)
    counted = [row for row in rows if chosen is None or row.template_id == chosen.id]
    return Demand(
        people=len({row.person_id for row in rows}),
        formats=formats,
        chosen=chosen,
        regions=_by_region(session, counted),
        open=_requests(session, is_open=True),
        answered=_requests(session, is_open=False),
    )


_ASKING = (RegistrationState.WAITING, RegistrationState.AWAITING_RELEASE)


def _who_wants_what(
    session: Session, now: datetime
) -> list[Row[tuple[int | None, int, bool, int]]]:
    waiting = (
        select(Event.template_id, Registration.person_id, false().label("next_free"))
        .join(Event, Registration.event_id == Event.id)
        .where(Registration.state.in_(_ASKING), *_coming(now))
    )
    wishing = select(Wish.template_id, Wish.person_id, Wish.next_free).where(
        Wish.ended_at.is_(None), was_expressed()
    )
    wanted = union(waiting, wishing).subquery()
    return list(
        session.execute(
            select(
                wanted.c.template_id, wanted.c.person_id, wanted.c.next_free, Person.organisation_id
            ).join(Person, Person.id == wanted.c.person_id)
        )
    )


def _by_format(
    session: Session, rows: Iterable[Row[tuple[int | None, int, bool, int]]], now: datetime
) -> list[FormatDemand]:
    people: dict[int | None, set[int]] = defaultdict(set)
    any_date: dict[int | None, set[int]] = defaultdict(set)
    for row in rows:
        people[row.template_id].add(row.person_id)
        if row.next_free:
            any_date[row.template_id].add(row.person_id)
    coming = (
        select(func.count())
        .where(Event.template_id == EventTemplate.id, *_coming(now))
        .correlate(EventTemplate)
        .scalar_subquery()
    )
    titles = {
        row.id: (row.title, row.dates)
        for row in session.execute(
            select(EventTemplate.id, EventTemplate.title, coming.label("dates"))
        )
    }
    waited = _waited_dates(session, now)
    found = [
        FormatDemand(
            id=template_id,
            title=titles[template_id][0] if template_id else WITHOUT_FORMAT,
            people=len(persons),
            any_date=len(any_date[template_id]),
            dates=titles[template_id][1] if template_id else 0,
            waited=waited[template_id],
        )
        for template_id, persons in people.items()
    ]
    return sorted(found, key=lambda row: (-row.people, row.title))


def _coming(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return Event.state == EventState.PUBLISHED, Event.first_day >= berlin_day(now)


def _waited_dates(session: Session, now: datetime) -> dict[int | None, list[WaitedDate]]:
    """Load the coming dates on whose list people wait, by format; one statement."""
    waits = case((Registration.state == RegistrationState.WAITING, 1), else_=0)
    rows = session.execute(
        select(
            Event.template_id,
            Event.number,
            Event.first_day,
            Event.last_day,
            func.count().label("people"),
            func.sum(waits).label("waiting"),
        )
        .join(Registration, Registration.event_id == Event.id)
        .where(Registration.state.in_(_ASKING), *_coming(now))
        .group_by(Event.id, Event.template_id, Event.number, Event.first_day, Event.last_day)
        .order_by(Event.first_day, Event.number)
    )
    found: dict[int | None, list[WaitedDate]] = defaultdict(list)
    for row in rows:
        found[row.template_id].append(
            WaitedDate(
                number=row.number,
                first_day=row.first_day,
                last_day=row.last_day,
                people=row.people,
                may_be_doubled=row.template_id is not None and row.waiting > 0,
            )
        )
    return found


def _by_region(
    session: Session, rows: Iterable[Row[tuple[int | None, int, bool, int]]]
) -> list[RegionDemand]:
    tree = organisation_tree(session, with_inactive=True)
    organisations = {row.organisation.id: row.organisation for row in tree}
    places = known_places(organisations.values())
    # Each person has one organisation, so nobody counts in two of them.
    home = {row.person_id: row.organisation_id for row in rows}
    authorities: dict[str, Counter[str]] = defaultdict(Counter)
    for organisation_id, people in Counter(home.values()).items():
        own = organisations[organisation_id]
        authority = _authority(organisations, own)
        # A unit may sit elsewhere than its authority, as the inspections of a directorate do.
        region = region_of(own.name, places) or region_of(authority.name, places) or NO_REGION
        authorities[region][authority.name] += people
    found = [
        RegionDemand(
            name=name,
            people=counted.total(),
            authorities=sorted(counted.items(), key=lambda item: (-item[1], item[0])),
        )
        for name, counted in authorities.items()
    ]
    return sorted(found, key=lambda row: (-row.people, row.name))


def _authority(
    organisations: Mapping[int, Organisation], organisation: Organisation
) -> Organisation:
    while organisation.level is Level.UNIT and organisation.parent_id is not None:
        organisation = organisations[organisation.parent_id]
    return organisation


def _requests(session: Session, *, is_open: bool) -> list[CourseRequest]:
    statement = select(CourseRequest).options(
        joinedload(CourseRequest.template),
        joinedload(CourseRequest.organisation),
        joinedload(CourseRequest.person),
        joinedload(CourseRequest.event),
    )
    if is_open:
        statement = statement.where(CourseRequest.state == CourseRequestState.OPEN)
        return list(session.scalars(statement.order_by(CourseRequest.created_at, CourseRequest.id)))
    statement = statement.where(CourseRequest.state != CourseRequestState.OPEN)
    latest = statement.order_by(CourseRequest.answered_at.desc(), CourseRequest.id.desc())
    return list(session.scalars(latest.limit(ANSWERED_SHOWN)))


def find_request(session: Session, request_id: int) -> CourseRequest:
    """Return an organisation's request for a course with all that it names.

    Raises:
        DomainError: `not_found`.

    """
    request = session.scalar(
        select(CourseRequest)
        .where(CourseRequest.id == request_id)
        .options(
            joinedload(CourseRequest.template),
            joinedload(CourseRequest.organisation),
            joinedload(CourseRequest.person),
        )
    )
    if request is None:
        raise not_found()
    return request
