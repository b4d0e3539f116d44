"""What is counted, and the figures that come of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from trainings.events.models import EventKind
from trainings.organisations.models import OrganisationKind

# The last piece of the bar gathers what is smaller: its fillings tell seven pieces apart.
LARGEST_SHARES = 6

DEFINITIONS: tuple[tuple[str, str], ...] = (
    (
        "Veranstaltungen",
        "Gezählt sind durchgeführte Veranstaltungen, mit ihrem ersten Tag.",
    ),
    (
        "Teilnahmen",
        "Gezählt sind Anmeldungen mit mindestens einem besuchten Halbtag. Wer zweimal kommt, "
        "zählt zweimal, bei den Personen einmal.",
    ),
    (
        "Organisationen",
        "Gezählt sind die Behörden, von denen jemand teilgenommen hat, so wie sie bei der "
        "Anmeldung angegeben waren. Dienststellen zählen zu ihrer Behörde.",
    ),
    (
        "Genutzt",
        "Der Anteil der Teilnahmen an den Plätzen der durchgeführten Veranstaltungen.",
    ),
    (
        "Gefehlt",
        "Gezählt sind Zusagen, bei denen jemand ohne Entschuldigung keinen Halbtag besucht hat. "
        "Die Quote ist ihr Anteil an allen Zusagen mit erfasster Anwesenheit.",
    ),
    (
        "Entschuldigt",
        "Gezählt ist, wer den Platz nach der Frist zurückgegeben hat oder als entschuldigt erfasst "
        "ist und keinen Halbtag besucht hat.",
    ),
    (
        "Taschenkarten",
        "Gezählt sind Karten, die bei durchgeführten Veranstaltungen ausgegeben und nicht "
        "zurückgenommen wurden, als Summe oder je Person. „Je Teilnahme“ teilt sie durch die "
        "Teilnahmen.",
    ),
)


@dataclass(frozen=True)
class Selection:
    """What the figures are about.

    Attributes:
        kind: the kind of event, None for all.
        first: events that begin on this day or later; None for no limit.
        last: events that begin on this day or earlier; None for no limit.

    """

    kind: EventKind | None = EventKind.TRAINING
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True)
class Figures:
    """Sums over some of the events.

    Attributes:
        events: held.
        participations: registrations with at least one attended session.
        capacity: places of the events held.
        no_shows: placed, recorded as absent, never present and not excused.
        recorded: placed registrations for which any attendance was recorded.
        organisations: authorities with a participation.
        cancelled: events that were called off; they count nowhere else.
        excused: gave the place back after the deadline, or excused and never present.
        cards: pocket cards handed out at the events held.

    """

    events: int = 0
    participations: int = 0
    capacity: int = 0
    no_shows: int = 0
    recorded: int = 0
    organisations: int = 0
    cancelled: int = 0
    excused: int = 0
    cards: int = 0

    @property
    def cards_per_participation(self) -> float | None:
        """Cards handed out per participation; None where nobody took part."""
        return self.cards / self.participations if self.participations else None

    @property
    def capacity_used(self) -> float | None:
        """Participations per place; None where there were no places."""
        return self.participations / self.capacity if self.capacity else None

    @property
    def no_show_rate(self) -> float | None:
        """No-shows per recorded registration; None where nothing was recorded."""
        return self.no_shows / self.recorded if self.recorded else None


@dataclass(frozen=True)
class OrganisationFigures:
    """One authority: from how many events it had participations, and how many."""

    name: str
    kind: OrganisationKind
    events: int
    participations: int
    no_shows: int
    excused: int


@dataclass(frozen=True)
class OrganisationKindFigures:
    """One kind of organisation."""

    kind: OrganisationKind
    organisations: int
    participations: int
    no_shows: int
    excused: int


@dataclass(frozen=True)
class Statistics:
    """Everything that page, table and command line show."""

    total: Figures
    people: int
    by_year: dict[int, Figures]
    by_kind: dict[EventKind, Figures]
    by_organisation: tuple[OrganisationFigures, ...]
    by_organisation_kind: tuple[OrganisationKindFigures, ...]


def largest_shares(parts: list[tuple[str, int]], others: str = "Übrige") -> list[tuple[str, int]]:
    """Return the parts, largest first; what is too small for a piece of its own is summed up.

    Args:
        parts: word and value, in any order.
        others: the word for the sum of the small ones.

    """
    ordered = sorted((part for part in parts if part[1]), key=lambda part: -part[1])
    if len(ordered) <= LARGEST_SHARES + 1:
        return ordered
    rest = sum(value for _, value in ordered[LARGEST_SHARES:])
    return [*ordered[:LARGEST_SHARES], (others, rest)]
