"""Who of an organisation took part: what its contacts see, and no more than that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, Integer, and_, cast, exists, extract, or_, select
from sqlalchemy.orm import Session

from trainings.attendance.models import Attendance, AttendanceMark
from trainings.events.models import KIND_NAMES, Event, EventKind, EventState
from trainings.people.models import Person, full_name
from trainings.registrations.models import ATTENDING, Registration
from trainings.registrations.release_queries import seen_by
from trainings.registrations.release_rules import Overseen

TABLE_HEADER = (
    "Familienname",
    "Vorname",
    "Organisation",
    "Dienststelle",
    "Veranstaltung",
    "Nummer",
    "Art",
    "Von",
    "Bis",
    "Teilnahme",
)
_SOFT_HYPHEN = "\u00ad"


@dataclass(frozen=True)
class Participation:
    """Somebody's place in an event that is over.

    Attributes:
        attended: whether they took part; None if nothing was recorded. Why somebody was absent is
            not for the organisation to know.

    """

    person: str
    family_name: str
    given_name: str
    organisation: str
    unit: str
    number: str
    title: str
    kind: EventKind
    first_day: date
    last_day: date
    attended: bool | None

    @property
    def word(self) -> str:
        """What is said of it."""
        if self.attended is None:
            return "nicht erfasst"
        return "teilgenommen" if self.attended else "nicht teilgenommen"


_first_year = cast(extract("year", Event.first_day), Integer)


def _past_places(overseen: Overseen, today: date) -> ColumnElement[bool]:
    over = or_(
        Event.state == EventState.HELD,
        and_(Event.state == EventState.PUBLISHED, Event.last_day < today),
    )
    took_part = Registration.state.in_(ATTENDING)
    return and_(took_part, over, Person.anonymised_at.is_(None), seen_by(overseen))


def participation_years(session: Session, overseen: Overseen, today: date) -> list[int]:
    """Load the years in which people of these organisations had places, the latest first."""
    return list(
        session.scalars(
            select(_first_year)
            .select_from(Registration)
            .join(Person, Registration.person_id == Person.id)
            .join(Event, Registration.event_id == Event.id)
            .where(_past_places(overseen, today))
            .distinct()
            .order_by(_first_year.desc())
        )
    )


def participations(
    session: Session, overseen: Overseen, today: date, year: int | None
) -> list[Participation]:
    """Load who took part in events that are over, and whether they came, in one statement.

    Args:
        session: for reading.
        overseen: by the contact who asks.
        today: the present day in Berlin.
        year: of the events' first days; None: all.

    """
    recorded = exists().where(Attendance.registration_id == Registration.id)
    present = recorded.where(Attendance.mark == AttendanceMark.PRESENT)
    statement = (
        select(
            Person.title.label("person_title"),
            Person.family_name,
            Person.given_name,
            Registration.organisation_name,
            Registration.unit,
            Event.number,
            Event.title,
            Event.kind,
            Event.first_day,
            Event.last_day,
            recorded.label("recorded"),
            present.label("present"),
        )
        .select_from(Registration)
        .join(Person, Registration.person_id == Person.id)
        .join(Event, Registration.event_id == Event.id)
        .where(_past_places(overseen, today))
        .order_by(Event.first_day.desc(), Event.number, Person.sort_key, Person.id)
    )
    if year is not None:
        statement = statement.where(_first_year == year)
    return [
        Participation(
            person=full_name(row.person_title, row.given_name, row.family_name),
            family_name=row.family_name,
            given_name=row.given_name,
            organisation=row.organisation_name,
            unit=row.unit,
            number=row.number,
            title=row.title,
            kind=row.kind,
            first_day=row.first_day,
            last_day=row.last_day,
            attended=bool(row.present) if row.recorded else None,
        )
        for row in session.execute(statement)
    ]


def table_rows(found: list[Participation]) -> Iterator[tuple[str | date, ...]]:
    """Yield the rows of the export, in the order of `TABLE_HEADER`."""
    for row in found:
        yield (
            row.family_name,
            row.given_name,
            row.organisation,
            row.unit,
            row.title,
            row.number,
            KIND_NAMES[row.kind].replace(_SOFT_HYPHEN, ""),
            row.first_day,
            row.last_day,
            row.word,
        )
