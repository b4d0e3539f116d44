"""Which answers stand in which table, and what is computed of them: pure rules.

`feedback.rules.released` says how answers flow into sums, in bundles that never change. If the
smallest group was raised since, bundles of before may be too small now. A page then shows them only
together (`flows_now`): several as one, where that is enough, and otherwise not at all.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from trainings.feedback import rules
from trainings.feedback.answers import NO_ANSWER, STEP_VALUES
from trainings.feedback.content import Content, Question, QuestionKind
from trainings.feedback.models import Release
from trainings.feedback.rules import Closing, may_show


class Height(StrEnum):
    """How much a table of sums takes together."""

    EVENT = "event"
    YEAR = "year"
    """A format in a year."""
    FORMAT = "format"
    TOTAL = "total"


FLOWS: dict[Height, frozenset[Release]] = {
    Height.EVENT: frozenset({Release.EVENT}),
    Height.YEAR: frozenset({Release.EVENT, Release.YEAR}),
    Height.FORMAT: frozenset({Release.EVENT, Release.YEAR, Release.FORMAT}),
    Height.TOTAL: frozenset({Release.EVENT, Release.YEAR, Release.FORMAT}),
}
"""What flows into a table of each height."""


def flows_now(
    closings: Iterable[Closing], stored: Mapping[int, Release], smallest: int
) -> dict[int, Release]:
    """Return into which tables surveys flow on a page: as stored, unless that is too few by now.

    Each set of answers that can be computed from all tables of one day has none or at least the
    smallest group: events with enough answers by themselves, and of each version what is left of
    a format in a year, and of a format, if it is enough together.

    Args:
        closings: all closed surveys of a questionnaire and kind, or those of one of its formats.
        stored: what was decided; what is missing waits.
        smallest: the smallest group now.

    """
    found: dict[int, Release] = {}
    years: dict[Hashable, list[Closing]] = defaultdict(list)
    formats: dict[Hashable, list[Closing]] = defaultdict(list)
    for closing in closings:
        release = stored.get(closing.survey_id, Release.WAITING)
        found[closing.survey_id] = release
        if release is Release.EVENT and closing.answered and closing.answered < smallest:
            release = Release.YEAR
        if release is Release.YEAR:
            years[_format_of(closing), closing.year].append(closing)
        elif release is Release.FORMAT:
            formats[_format_of(closing)].append(closing)
    for place in years.values():
        if _enough(place, smallest):
            found.update({each.survey_id: Release.YEAR for each in place})
        else:
            formats[_format_of(place[0])] += place
    for place in formats.values():
        release = Release.FORMAT if _enough(place, smallest) else Release.WAITING
        found.update({each.survey_id: release for each in place})
    return found


def _format_of(closing: Closing) -> Hashable:
    return closing.kind, closing.version_id, closing.format


def _enough(closings: Iterable[Closing], smallest: int) -> bool:
    return may_show(sum(closing.answered for closing in closings), smallest)


@dataclass(frozen=True)
class Figures:
    """What a table is about, in numbers.

    Attributes:
        events: how many asked.
        invited: how many people were asked.
        answered: how many answered.
        mean: of all answers on scales; None if nobody chose a step.

    """

    events: int
    invited: int
    answered: int
    mean: float | None = None


@dataclass(frozen=True)
class Asked:
    """A question in a table.

    Attributes:
        question: as the latest version asks it.
        section: the heading above it there; empty if the latest version does not ask it any more.
        events: in how many events it was asked.
        population: how many people answered a questionnaire with it.
        people: how many of them chose each value.

    """

    question: Question
    section: str
    events: int
    population: int
    people: Mapping[str, int]

    @property
    def no_answer(self) -> int:
        """How many saw it and did not answer."""
        return self.people.get(NO_ANSWER, 0)

    @property
    def answered(self) -> int:
        """How many answered it."""
        return self.population - self.no_answer

    @property
    def values(self) -> dict[int, int]:
        """How many people chose each step or number."""
        return {int(value): people for value, people in self.people.items() if value.isdigit()}

    @property
    def steps(self) -> tuple[int, ...]:
        """How many people chose each step of a scale, from the first to the fifth."""
        return tuple(self.people.get(step, 0) for step in STEP_VALUES)

    @property
    def mean(self) -> float | None:
        """The mean of steps or numbers."""
        return rules.mean(self.values)

    @property
    def median(self) -> float | None:
        """The median of steps or numbers."""
        return rules.median(self.values)


def shown_questions(
    versions: Mapping[int, Content],
    members: Iterable[Closing],
    counts: Mapping[str, Mapping[str, int]],
    smallest: int,
) -> list[Asked]:
    """Return the questions of a table but for the free texts, in the order of the latest version.

    What only earlier versions asked follows. A question that too few people were asked is left out.

    Args:
        versions: what was asked, by the id of the version, earliest first.
        members: the surveys of the table.
        counts: how many people chose each value, by question.
        smallest: the smallest group now.

    """
    by_version: dict[int, list[Closing]] = defaultdict(list)
    for closing in members:
        by_version[closing.version_id].append(closing)
    used = [(content, by_version[each]) for each, content in versions.items() if each in by_version]
    events: dict[str, int] = defaultdict(int)
    population: dict[str, int] = defaultdict(int)
    for content, closings in used:
        answered = sum(closing.answered for closing in closings)
        for question in content.questions:
            events[question.key] += len(closings)
            population[question.key] += answered
    return [
        Asked(question, section, events[question.key], population[question.key],
              _kept(question, counts.get(question.key, {}), smallest))
        for section, question in merged([content for content, _ in used])
        if question.kind is not QuestionKind.TEXT and may_show(population[question.key], smallest)
    ]  # fmt: skip


def _kept(question: Question, people: Mapping[str, int], smallest: int) -> Mapping[str, int]:
    """Leave out numbers that few gave: of one alone the mean would be that number."""
    if question.kind is not QuestionKind.NUMBER:
        return people
    silent = people.get(NO_ANSWER, 0)
    return people if may_show(sum(people.values()) - silent, smallest) else {NO_ANSWER: silent}


def merged(contents: Sequence[Content]) -> list[tuple[str, Question]]:
    """Return the questions of some versions, each once and as the latest words it.

    Args:
        contents: the earliest first.

    Returns:
        Pairs of a heading and a question; without a heading if only earlier versions ask it.

    """
    found: dict[str, tuple[str, Question]] = {}
    for number, content in enumerate(reversed(contents)):
        for section in content.sections:
            for question in section.questions:
                found.setdefault(question.key, ("" if number else section.title, question))
    return list(found.values())


def mean_of_scales(asked: Iterable[Asked]) -> float | None:
    """Return the mean of all answers on scales; None if nobody chose a step."""
    people: dict[int, int] = defaultdict(int)
    for each in asked:
        if each.question.kind is QuestionKind.SCALE:
            for value, count in each.values.items():
                people[value] += count
    return rules.mean(people)


@dataclass(frozen=True)
class Block:
    """Questions that are shown together: scales with the same words, or one other question.

    Attributes:
        section: the heading above them.
        kind: of all of them.
        questions: at least one.

    """

    section: str
    kind: QuestionKind
    questions: tuple[Asked, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The words of the steps."""
        return self.questions[0].question.labels

    @property
    def label_columns(self) -> list[tuple[str, str]]:
        """The words of the steps as columns of figures."""
        return [(label, "n") for label in self.labels]

    @property
    def reach(self) -> float:
        """How far the longest bar reaches from the middle step, as a share of all answers."""
        return max([0.1, *(max(_sides(asked.steps)) for asked in self.questions)])


def _sides(steps: Sequence[int]) -> tuple[float, float]:
    """Return the shares on both sides of the middle of the middle step."""
    total = sum(steps) or 1
    middle = len(steps) // 2
    half = steps[middle] / 2
    return (sum(steps[:middle]) + half) / total, (sum(steps[middle + 1 :]) + half) / total


def blocks(questions: Iterable[Asked]) -> list[Block]:
    """Return questions in order, those with the same scale together."""

    def together(asked: Asked) -> Hashable:
        question = asked.question
        words = question.labels if question.kind is QuestionKind.SCALE else question.key
        return asked.section, question.kind, words

    found = []
    for _, group in groupby(questions, together):
        same = tuple(group)
        found.append(Block(same[0].section, same[0].question.kind, same))
    return found
