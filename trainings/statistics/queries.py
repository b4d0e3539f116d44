"""Loads the figures: three statements, whatever the selection and however long the history."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    cast,
    distinct,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session, aliased

from trainings.attendance.models import Attendance, AttendanceMark
from trainings.events.models import Event, EventKind, EventState, Pool
from trainings.inventory.handouts.reads import cards_by_event
from trainings.organisations.models import Level, Organisation, OrganisationKind
from trainings.registrations.models import Registration, RegistrationState
from trainings.statistics.rules import (
    Figures,
    OrganisationFigures,
    OrganisationKindFigures,
    Selection,
    Statistics,
)

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True)
class _Events:
    """Events of one year, kind and state."""

    year: int
    kind: EventKind
    state: EventState
    events: int
    capacity: int
    cards: int


@dataclass(frozen=True)
class _Registrations:
    """Registrations of one year, kind of event, authority and kind of organisation."""

    year: int
    kind: EventKind
    authority_id: int
    authority: str
    sort_key: str
    organisation_kind: OrganisationKind
    events: int
    participations: int
    no_shows: int
    excused: int
    recorded: int


def load_statistics(session: Session, selection: Selection) -> Statistics:
    """Return the figures of the selected events.

    Args:
        session: for reading.
        selection: kind and days; an event counts on its first day.

    """
    marks = _marks_by_registration(selection)
    events = [_Events(*row) for row in session.execute(_event_groups(selection))]
    registrations = [
        _Registrations(*row) for row in session.execute(_registration_groups(selection, marks))
    ]
    attended = marks.c.present > 0
    people = session.scalar(
        select(func.count(distinct(Registration.person_id)))
        .join(marks, marks.c.registration_id == Registration.id)
        .where(attended)
    )
    total = _sums(events, registrations, lambda _: None)
    by_year = _sums(events, registrations, lambda row: row.year)
    by_kind = _sums(events, registrations, lambda row: row.kind)
    return Statistics(
        total=total.get(None, Figures()),
        people=people or 0,
        by_year={year: by_year[year] for year in sorted(by_year) if by_year[year].events},
        by_kind={kind: by_kind[kind] for kind in EventKind if kind in by_kind},
        by_organisation=_by_organisation(registrations),
        by_organisation_kind=_by_organisation_kind(registrations),
    )


def _limits(selection: Selection) -> Iterable[ColumnElement[bool]]:
    if selection.kind:
        yield Event.kind == selection.kind
    if selection.first:
        yield Event.first_day >= selection.first
    if selection.last:
        yield Event.first_day <= selection.last


def _year() -> ColumnElement[int]:
    """Return the year of the first day; PostgreSQL extracts a decimal number."""
    return cast(extract("year", Event.first_day), Integer)


def _event_groups(selection: Selection) -> Select[*tuple[Any, ...]]:
    year = _year()
    counted = Event.state.in_([EventState.HELD, EventState.CANCELLED])
    handed_out = cards_by_event()
    cards = cast(func.coalesce(func.sum(handed_out.c.cards), 0), Integer)
    return (
        select(year, Event.kind, Event.state, func.count(), func.sum(Pool.capacity), cards)
        .join(Pool, Event.pool_id == Pool.id)
        .outerjoin(handed_out, handed_out.c.event_id == Event.id)
        .where(counted, *_limits(selection))
        .group_by(year, Event.kind, Event.state)
    )


def _marks_by_registration(selection: Selection) -> Subquery:
    def how_often(mark: AttendanceMark) -> ColumnElement[int]:
        return func.sum(case((Attendance.mark == mark, 1), else_=0))

    return (
        select(
            Attendance.registration_id,
            how_often(AttendanceMark.PRESENT).label("present"),
            how_often(AttendanceMark.ABSENT).label("absent"),
            how_often(AttendanceMark.EXCUSED).label("excused"),
        )
        .join(Registration, Attendance.registration_id == Registration.id)
        .join(Event, Registration.event_id == Event.id)
        .where(Event.state == EventState.HELD, *_limits(selection))
        .group_by(Attendance.registration_id)
        .subquery()
    )


def _registration_groups(selection: Selection, marks: Subquery) -> Select[*tuple[Any, ...]]:
    year = _year()
    authority = aliased(Organisation)
    authority_id = case(
        (Organisation.level == Level.UNIT, func.coalesce(Organisation.parent_id, Organisation.id)),
        else_=Organisation.id,
    )
    attended = marks.c.present > 0
    placed = Registration.state == RegistrationState.PLACED
    missing = and_(placed, marks.c.present == 0, marks.c.absent > 0, marks.c.excused == 0)
    gave_back_late = Registration.late_reason.is_not(None)
    excused = or_(gave_back_late, and_(placed, marks.c.present == 0, marks.c.excused > 0))

    def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
        return func.sum(case((condition, 1), else_=0))

    groups = (
        year,
        Event.kind,
        authority.id,
        authority.name,
        authority.sort_key,
        Registration.organisation_kind,
    )
    return (
        select(
            *groups,
            func.count(distinct(case((attended, Event.id)))),
            how_many(attended),
            how_many(missing),
            how_many(excused),
            how_many(placed),
        )
        .select_from(Registration)
        .outerjoin(marks, marks.c.registration_id == Registration.id)
        .join(Event, Registration.event_id == Event.id)
        .join(Organisation, Registration.organisation_id == Organisation.id)
        .join(authority, authority.id == authority_id)
        .where(
            or_(marks.c.registration_id.is_not(None), gave_back_late),
            Event.state == EventState.HELD,
            *_limits(selection),
        )
        .group_by(*groups)
    )


def _sums(
    events: list[_Events],
    registrations: list[_Registrations],
    key: Callable[[_Events | _Registrations], Key],
) -> dict[Key, Figures]:
    """Add up both kinds of rows by a key that both have."""
    found = {key(event) for event in events} | {key(row) for row in registrations}
    return {
        value: _figures(
            [event for event in events if key(event) == value],
            [row for row in registrations if key(row) == value],
        )
        for value in found
    }


def _figures(events: list[_Events], registrations: list[_Registrations]) -> Figures:
    held = [row for row in events if row.state is EventState.HELD]
    return Figures(
        events=sum(row.events for row in held),
        participations=sum(row.participations for row in registrations),
        capacity=sum(row.capacity for row in held),
        cards=sum(row.cards for row in held),
        no_shows=sum(row.no_shows for row in registrations),
        excused=sum(row.excused for row in registrations),
        recorded=sum(row.recorded for row in registrations),
        organisations=len({row.authority_id for row in registrations if row.participations}),
        cancelled=sum(row.events for row in events if row.state is EventState.CANCELLED),
    )


def _grouped(
    rows: list[_Registrations], key: Callable[[_Registrations], Key]
) -> list[list[_Registrations]]:
    groups: dict[Key, list[_Registrations]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return list(groups.values())


def _by_organisation(rows: list[_Registrations]) -> tuple[OrganisationFigures, ...]:
    """Return the authorities, those with most participations first.

    An authority whose kind was changed in between stands once for each kind: the registrations keep
    what it was then.
    """
    groups = _grouped(
        sorted(rows, key=lambda row: row.sort_key),
        lambda row: (row.authority_id, row.organisation_kind),
    )
    found = [
        OrganisationFigures(
            name=group[0].authority,
            kind=group[0].organisation_kind,
            events=sum(row.events for row in group),
            participations=sum(row.participations for row in group),
            no_shows=sum(row.no_shows for row in group),
            excused=sum(row.excused for row in group),
        )
        for group in groups
    ]
    return tuple(sorted(found, key=lambda figures: -figures.participations))


def _by_organisation_kind(rows: list[_Registrations]) -> tuple[OrganisationKindFigures, ...]:
    found = [
        OrganisationKindFigures(
            kind=group[0].organisation_kind,
            organisations=len({row.authority_id for row in group if row.participations}),
            participations=sum(row.participations for row in group),
            no_shows=sum(row.no_shows for row in group),
            excused=sum(row.excused for row in group),
        )
        for group in _grouped(rows, lambda row: row.organisation_kind)
    ]
    return tuple(sorted(found, key=lambda figures: -figures.participations))
