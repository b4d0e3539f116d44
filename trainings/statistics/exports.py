"""The figures as a table and as JSON, for the page and for the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from trainings.core.tables import Cell
from trainings.events.models import KIND_NAMES as EVENT_KIND_NAMES
from trainings.organisations.models import KIND_NAMES as ORGANISATION_KIND_NAMES
from trainings.statistics.rules import Figures, Statistics

TABLE_HEADER = (
    "Gliederung",
    "Gruppe",
    "Veranstaltungen",
    "Abgesagt",
    "Teilnahmen",
    "Personen",
    "Organisationen",
    "Plätze",
    "Genutzt in %",
    "Gefehlt",
    "Gefehlt in %",
    "Entschuldigt",
    "Karten",
    "Karten je Teilnahme",
)
_SOFT_HYPHEN = "\u00ad"


def table_rows(statistics: Statistics) -> Iterator[tuple[Cell, ...]]:
    """Yield one row for each group of each breakdown; a cell is empty where nothing is counted."""
    yield _row("Gesamt", "", statistics.total, people=statistics.people)
    for year, figures in statistics.by_year.items():
        yield _row("Jahr", str(year), figures)
    for kind, figures in statistics.by_kind.items():
        name = EVENT_KIND_NAMES[kind].replace(_SOFT_HYPHEN, "")
        yield _row("Art der Veranstaltung", name, figures)
    for of_kind in statistics.by_organisation_kind:
        yield (
            "Art der Organisation",
            ORGANISATION_KIND_NAMES[of_kind.kind],
            *(None, None, of_kind.participations, None, of_kind.organisations),
            *(None, None, of_kind.no_shows, None, of_kind.excused, None, None),
        )
    for organisation in statistics.by_organisation:
        yield (
            "Organisation",
            organisation.name,
            *(organisation.events, None, organisation.participations, None, None),
            *(None, None, organisation.no_shows, None, organisation.excused, None, None),
        )


def _row(
    breakdown: str, group: str, figures: Figures, people: int | None = None
) -> tuple[Cell, ...]:
    return (
        breakdown,
        group,
        figures.events,
        figures.cancelled,
        figures.participations,
        people,
        figures.organisations,
        figures.capacity,
        _in_percent(figures.capacity_used),
        figures.no_shows,
        _in_percent(figures.no_show_rate),
        figures.excused,
        figures.cards,
        _rounded(figures.cards_per_participation),
    )


def _rounded(cards: float | None) -> float | None:
    return None if cards is None else round(cards, 2)


def _in_percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 1)


def as_json(statistics: Statistics) -> dict[str, Any]:
    """Return the figures under stable English names; shares lie between 0 and 1."""
    return {
        **_figures(statistics.total),
        "people": statistics.people,
        "by_year": {str(year): _figures(part) for year, part in statistics.by_year.items()},
        "by_kind": {kind.value: _figures(part) for kind, part in statistics.by_kind.items()},
        "by_organisation_kind": {
            part.kind.value: {
                "organisations": part.organisations,
                "participants": part.participations,
                "no_shows": part.no_shows,
                "excused": part.excused,
            }
            for part in statistics.by_organisation_kind
        },
        "by_organisation": [
            {
                "name": part.name,
                "kind": part.kind.value,
                "events": part.events,
                "participants": part.participations,
                "no_shows": part.no_shows,
                "excused": part.excused,
            }
            for part in statistics.by_organisation
        ],
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "events": figures.events,
        "cancelled": figures.cancelled,
        "participants": figures.participations,
        "organisations": figures.organisations,
        "capacity": figures.capacity,
        "capacity_used": _share(figures.capacity_used),
        "no_shows": figures.no_shows,
        "no_show_rate": _share(figures.no_show_rate),
        "excused": figures.excused,
        "cards": figures.cards,
        "cards_per_participation": _rounded(figures.cards_per_participation),
    }


def _share(share: float | None) -> float | None:
    return None if share is None else round(share, 4)
