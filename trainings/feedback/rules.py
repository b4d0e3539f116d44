"""Rules of the feedback: moves of a survey, when it is asked, what may be shown.

**What may be shown.** Sums are shown at three heights: an event's own, those of a format in a year
(and of the format over all years), and the total. Whoever knows all of them can compute more by
subtracting; and whoever looked yesterday can subtract yesterday's. Therefore answers flow into
sums in *bundles* of at least the smallest group, and a bundle never changes: an event with enough
answers is one, several events with too few are one together, and until they are enough they wait
and are in no sum at all. Every set of answers that can be computed from what was ever shown is a
union of bundles, so none is smaller than the smallest group. (Suppressing cells that would give
others away, the usual way, would hide results that are large enough and still leave the difference
between two days.) Events are bundled only with those that asked the same version, since each
question is a table of its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from trainings.core.errors import DomainError
from trainings.core.settings import SMALLEST_GROUP
from trainings.events.models import EventKind
from trainings.feedback.models import (
    SURVEY_STATE_NAMES,
    QuestionnaireUse,
    Release,
    SurveyKind,
    SurveyState,
)

ANSWER_DAYS = {SurveyKind.AFTER: 21, SurveyKind.FOLLOW_UP: 28}
"""So many days after the first one answers are taken."""
REMINDED_AFTER = timedelta(days=7)
FOLLOW_UP_MONTHS = 3
LATEST_OPENING = timedelta(days=14)
"""What was missed for longer (the worker stood still) is not asked any more."""
RIGHTS_KEPT_FOR = timedelta(days=90)
"""After the last day, so that a late answer is told why it comes too late."""
TEXTS_KEPT_FOR = timedelta(days=3 * 365)
YEAR_ENDS = (7, 1)
"""Month and day of the following year from which on a year's events wait for no further ones."""

SURVEY_MOVES: dict[SurveyState | None, frozenset[SurveyState]] = {
    None: frozenset({SurveyState.PLANNED, SurveyState.OMITTED, SurveyState.OPEN}),
    SurveyState.PLANNED: frozenset({SurveyState.OMITTED, SurveyState.OPEN}),
    SurveyState.OMITTED: frozenset({SurveyState.PLANNED}),
    SurveyState.OPEN: frozenset({SurveyState.CLOSED}),
    SurveyState.CLOSED: frozenset(),
}


@dataclass(frozen=True)
class Closing:
    """A survey that has closed.

    Attributes:
        survey_id: the survey.
        day: its last day.
        kind: what was asked when.
        version_id: the version that was asked.
        format: which sums of a format it belongs to (`None`: of events without a format).
        year: of the event's last day.
        answered: how many answered.

    """

    survey_id: int
    day: date
    kind: SurveyKind
    version_id: int
    format: int | None
    year: int
    answered: int


def check_survey_move(before: SurveyState | None, after: SurveyState) -> None:
    """Refuse a change of state that the table does not have.

    Raises:
        DomainError: `survey_moved_on`.

    """
    if after not in SURVEY_MOVES[before]:
        now = SURVEY_STATE_NAMES[before] if before else "Neu"
        raise DomainError(
            "survey_moved_on",
            f"Das geht nicht mehr: Der Stand dieser Rückmeldung ist „{now}“. Bitte laden Sie die "
            "Seite neu.",
        )


def usual_use(kind: EventKind) -> QuestionnaireUse | None:
    """Return what events of a kind ask unless their format says otherwise; None: nothing."""
    if kind is EventKind.TRAINING:
        return QuestionnaireUse.TRAINING
    if kind is EventKind.WORKING_GROUP:
        return None
    return QuestionnaireUse.CONFERENCE


def last_answer_day(kind: SurveyKind, opened_on: date) -> date:
    """Return the last day on which answers are taken."""
    return opened_on + timedelta(days=ANSWER_DAYS[kind])


def takes_answers(state: SurveyState, closes_on: date | None, today: date) -> bool:
    """Say whether an answer is taken; after the last day not, even if nothing closed it yet."""
    return state is SurveyState.OPEN and closes_on is not None and today <= closes_on


def follow_up_day(last_day: date) -> date:
    """Return the day three months after an event; the month's last if it is shorter."""
    month = last_day.month - 1 + FOLLOW_UP_MONTHS
    year, month = last_day.year + month // 12, month % 12 + 1
    for day in range(last_day.day, last_day.day - 4, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise AssertionError("Every month has 28 days.")


def group_size(setting: int, promised: int | None) -> int:
    """Return the smallest group that is shown: what was ever promised is kept.

    Args:
        setting: of the installation.
        promised: the largest that any survey promised, if there is one.

    """
    return max(SMALLEST_GROUP, setting, promised or 0)


def released(closings: Iterable[Closing], today: date, smallest: int) -> dict[int, Release]:
    """Return into which tables the answers of each closed survey flow.

    Decided in the order of their last days, so that what was shown on one day stays as it is:
    surveys that close later never change where earlier ones flow.

    Args:
        closings: all closed surveys, in any order.
        today: only what closed before is decided; a day's closings are decided together.
        smallest: the smallest group, at least 5.

    """
    found: dict[int, Release] = {}
    waiting: dict[Hashable, list[Closing]] = defaultdict(list)
    over: dict[Hashable, list[Closing]] = defaultdict(list)

    def bundle(place: list[Closing], release: Release) -> None:
        if sum(closing.answered for closing in place) >= smallest:
            found.update({closing.survey_id: release for closing in place})
            place.clear()

    def pass_on(until: date) -> None:
        """Let what is left of years that are over wait with the rest of their format."""
        for key in sorted(waiting, key=str):
            place = waiting[key]
            if place and date(place[0].year + 1, *YEAR_ENDS) <= until:
                for closing in place:
                    _add(over, (closing.kind, closing.version_id, closing.format), closing)
                place.clear()
        for place in over.values():
            bundle(place, Release.FORMAT)

    for closing in sorted(closings, key=lambda each: (each.day, each.survey_id)):
        if closing.day >= today:
            break
        pass_on(closing.day)
        if closing.answered >= smallest or not closing.answered:
            found[closing.survey_id] = Release.EVENT
            continue
        key = (closing.kind, closing.version_id, closing.format, closing.year)
        waiting[key].append(closing)
        bundle(waiting[key], Release.YEAR)
    pass_on(today)
    for place in (*waiting.values(), *over.values()):
        found.update({closing.survey_id: Release.WAITING for closing in place})
    return found


def _add(places: dict[Hashable, list[Closing]], key: Hashable, closing: Closing) -> None:
    places[key].append(closing)


def may_show(answered: int, smallest: int) -> bool:
    """Say whether a group is large enough to be shown."""
    return answered >= smallest


def mean(people: Mapping[int, int]) -> float | None:
    """Return the arithmetic mean of values by how many people chose them; None: nobody did."""
    total = sum(people.values())
    return sum(value * count for value, count in people.items()) / total if total else None


def median(people: Mapping[int, int]) -> float | None:
    """Return the median of values by how many people chose them; None: nobody did.

    Of an even number it is the middle between the two in the middle.
    """
    total = sum(people.values())
    if not total:
        return None
    ordered: Sequence[tuple[int, int]] = sorted(people.items())
    return (_at((total - 1) // 2, ordered) + _at(total // 2, ordered)) / 2


def _at(position: int, ordered: Sequence[tuple[int, int]]) -> int:
    for value, count in ordered:
        if position < count:
            return value
        position -= count
    raise AssertionError("The position lies behind the last value.")
