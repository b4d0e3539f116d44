"""Loads the reports: by whom, when, of which edition and where cards were consumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.attendance.reads import has_attended
from trainings.core.formats import day_span, month_name
from trainings.events.models import Event
from trainings.inventory.models import CardType, Edition, Movement
from trainings.inventory.reports.flows import Selection, booked_days, grouped_flows
from trainings.inventory.reports.rules import (
    Flow,
    Month,
    month_of,
    months_between,
    rolled_up,
    summed,
)
from trainings.organisations.models import KIND_NAMES, Level, Organisation, OrganisationKind
from trainings.registrations.models import Registration

WITHOUT_ORGANISATION = "Ohne Organisation im Verzeichnis"
WITHOUT_EVENT = "Nicht bei einer Veranstaltung"


class Breakdown(StrEnum):
    """By what a report adds up; the values stand in addresses."""

    ORGANISATION = "organisation"
    KIND = "art"
    YEAR = "jahr"
    MONTH = "monat"
    EDITION = "auflage"
    EVENT = "veranstaltung"


@dataclass(frozen=True)
class Line:
    """One line of a report.

    Attributes:
        words: what it is about.
        small: what else is to be known of it.
        flow: the cards.
        participations: at an event, None elsewhere.
        event_number: of the event, empty elsewhere.

    """

    words: str
    flow: Flow
    small: str = ""
    participations: int | None = None
    event_number: str = ""

    @property
    def per_participation(self) -> float | None:
        """Cards consumed for each participation; None where there is nothing to divide by."""
        if not self.participations:
            return None
        return self.flow.consumed / self.participations


@dataclass(frozen=True)
class Report:
    """A report with its total, which is the sum of its lines."""

    breakdown: Breakdown
    lines: tuple[Line, ...]

    @property
    def total(self) -> Flow:
        """The sum of all lines."""
        return sum((line.flow for line in self.lines), Flow())


def load_report(
    session: Session, selection: Selection, breakdown: Breakdown, *, units_apart: bool = False
) -> Report:
    """Return a report.

    Args:
        session: for reading; it costs at most four statements.
        selection: what counts.
        breakdown: by what it adds up.
        units_apart: show units of an authority by themselves, not with their authority.

    """
    match breakdown:
        case Breakdown.ORGANISATION:
            lines = _by_organisation(session, selection, units_apart)
        case Breakdown.KIND:
            lines = _by_kind(session, selection)
        case Breakdown.EDITION:
            lines = _by_edition(session, selection)
        case Breakdown.EVENT:
            lines = _by_event(session, selection)
        case Breakdown.YEAR | Breakdown.MONTH:
            lines = _by_time(session, selection, breakdown)
    return Report(breakdown, tuple(lines))


def _by(session: Session, selection: Selection, column: Any) -> dict[Any, Flow]:
    return summed((key, flow) for (key,), flow in grouped_flows(session, selection, [column]))


def _by_id(session: Session, selection: Selection, column: Any) -> dict[int | None, Flow]:
    """Add up by the id of a row, None where there is none.

    By an expression: SQLite would follow the index on the column through the whole journal, which
    takes twice as long as to sort it.
    """
    by_number = _by(session, selection, func.coalesce(column, 0))
    return {key or None: flow for key, flow in by_number.items()}


def _most_first(
    flows: Mapping[Any, Flow], line: Callable[[Any, Flow], Line], nobody: str
) -> list[Line]:
    """Return lines, those with most cards first, and last what belongs to none."""
    known = [line(key, flow) for key, flow in flows.items() if key is not None]
    known.sort(key=lambda each: (-each.flow.consumed, each.words))
    return [*known, Line(nobody, flows[None])] if None in flows else known


def _by_organisation(session: Session, selection: Selection, units_apart: bool) -> list[Line]:
    flows = _by_id(session, selection, Movement.organisation_id)
    if not flows:
        return []
    tree = load_tree(session)
    counts_for = tree.living if units_apart else tree.authority

    def line(organisation_id: int, flow: Flow) -> Line:
        found = tree.rows[organisation_id]
        authority = tree.rows[tree.authority(organisation_id)]
        small = authority.name if authority is not found else KIND_NAMES[found.kind]
        return Line(found.name, flow, small)

    return _most_first(rolled_up(flows, counts_for), line, WITHOUT_ORGANISATION)


def _by_kind(session: Session, selection: Selection) -> list[Line]:
    def line(kind: OrganisationKind, flow: Flow) -> Line:
        return Line(KIND_NAMES[kind], flow)

    flows = _by(session, selection, Movement.organisation_kind)
    return _most_first(flows, line, WITHOUT_ORGANISATION)


def _by_edition(session: Session, selection: Selection) -> list[Line]:
    flows = _by_id(session, selection, Movement.edition_id)
    rows = session.execute(
        select(Edition.id, CardType.title, Edition.running)
        .join(CardType, Edition.card_type_id == CardType.id)
        .order_by(CardType.sort_key, CardType.id, Edition.running)
    )
    return [
        Line(title, flows[edition_id], f"Auflage {running}")
        for edition_id, title, running in rows
        if edition_id in flows
    ]


def _by_event(session: Session, selection: Selection) -> list[Line]:
    flows = _by_id(session, selection, Movement.event_id)
    ids = [event_id for event_id in flows if event_id is not None]
    events = {
        row.id: row
        for row in session.execute(
            select(Event.id, Event.number, Event.title, Event.first_day, Event.last_day).where(
                Event.id.in_(ids)
            )
        )
    }
    participations = load_participations(session, ids)

    def line(event_id: int, flow: Flow) -> Line:
        row = events[event_id]
        small = f"{row.number} · {day_span(row.first_day, row.last_day)}"
        return Line(row.title, flow, small, participations.get(event_id, 0), row.number)

    found = _most_first(flows, line, WITHOUT_EVENT)
    # The latest event first: that is where somebody looks.
    return sorted(found, key=lambda each: (not each.event_number, _backwards(each.event_number)))


def _backwards(event_number: str) -> tuple[int, ...]:
    return tuple(-int(part) for part in event_number.split("-") if part.isdigit())


def load_participations(session: Session, event_ids: Iterable[int]) -> dict[int, int]:
    """Return how many registrations of events have at least one attended session."""
    rows = session.execute(
        select(Registration.event_id, func.count().label("number"))
        .where(Registration.event_id.in_(list(event_ids)), has_attended())
        .group_by(Registration.event_id)
    )
    return {row.event_id: row.number for row in rows}


def _by_time(session: Session, selection: Selection, breakdown: Breakdown) -> list[Line]:
    days = booked_days(session)
    if days is None:
        return []
    first = max(days[0], selection.first or days[0])
    last = min(days[1], selection.last or days[1])
    months = months_between(month_of(first), month_of(last))
    if breakdown is Breakdown.YEAR:
        spans = [
            (year, Month(year, 1).begins_at, Month(year + 1, 1).begins_at)
            for year in sorted({month.year for month in months})
        ]
        names = {year: str(year) for year, *_ in spans}
    else:
        spans = [(_key(month), month.begins_at, month.after.begins_at) for month in months]
        names = {_key(month): f"{month_name(month.first)} {month.year}" for month in months}
    if not spans:
        return []
    flows = summed(
        (key, flow) for (key,), flow in grouped_flows(session, selection, [], spans=spans)
    )
    # A month without any card is a line too: a gap would look like a mistake.
    return [Line(names[key], flows.get(key, Flow())) for key, *_ in spans] if flows else []


def _key(month: Month) -> int:
    return month.year * 100 + month.number


@dataclass(frozen=True)
class _Tree:
    """All organisations by id, for counting the merged and the units where they belong."""

    rows: Mapping[int, Any]

    def living(self, organisation_id: int) -> int:
        """Return the organisation into which one was merged in the end, or itself."""
        while (into := self.rows[organisation_id].merged_into_id) is not None:
            organisation_id = into
        return organisation_id

    def authority(self, organisation_id: int) -> int:
        """Return the living authority of a unit; what is no unit counts for itself."""
        row = self.rows[self.living(organisation_id)]
        if row.level is Level.UNIT and row.parent_id is not None:
            return self.living(row.parent_id)
        return int(row.id)


def load_tree(session: Session) -> _Tree:
    """Load where each organisation counts."""
    rows = session.execute(
        select(
            Organisation.id,
            Organisation.parent_id,
            Organisation.merged_into_id,
            Organisation.level,
            Organisation.kind,
            Organisation.name,
        )
    )
    return _Tree({row.id: row for row in rows})


def load_cards(session: Session) -> list[tuple[int, str]]:
    """Return id and title of all cards, for a choice."""
    rows = session.execute(
        select(CardType.id, CardType.title).order_by(CardType.sort_key, CardType.id)
    )
    return [(card_id, title) for card_id, title in rows]
