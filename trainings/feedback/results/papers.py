"""Results as PDF."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from trainings.core.clock import berlin_day
from trainings.core.documents import Document, render
from trainings.core.formats import count, long_date, number, percent
from trainings.feedback.answers import STEP_VALUES
from trainings.feedback.content import QuestionKind
from trainings.feedback.results.queries import Overview, Results
from trainings.feedback.results.rules import Asked, Block, Figures, blocks

TOO_FEW = "zu wenige Antworten"
NONE = "–"


@dataclass(frozen=True)
class Report:
    """What a page, a PDF or an XLSX is about.

    Attributes:
        title: the events.
        asked: questionnaire and when it was asked.
        results: None if there are too few answers.
        smallest: the smallest group.
        of_format: the mean of the format by question, for comparison.

    """

    title: str
    asked: str
    results: Results | None
    smallest: int
    of_format: Mapping[str, float] = field(default_factory=dict)


def lines_of(asked: Asked) -> list[tuple[str, int]]:
    """Return the words of each answer to choose, and how many chose it."""
    if asked.question.kind is QuestionKind.SCALE:
        return list(zip(asked.question.labels or STEP_VALUES, asked.steps, strict=False))
    return [(option.label, asked.people.get(option.key, 0)) for option in asked.question.options]


def middle(value: float | None) -> str:
    """Return a median: „4“, „3,5“; „–“ where there is none."""
    if value is None:
        return NONE
    return number(value, 0 if value == int(value) else 1)


def average(value: float | None) -> str:
    """Return a mean with one decimal; „–“ where there is none."""
    return NONE if value is None else number(value, 1)


def overview_paper(title: str, overview: Overview, smallest: int, now: datetime) -> Document:
    """Make a PDF of all sums of a questionnaire.

    Args:
        title: what was asked and when.
        overview: the sums.
        smallest: fewer answers are not shown.
        now: the present instant.

    """
    rows = [
        {"format": each.title, "year": str(line.year or ""), "cells": _cells(line.figures)}
        for each in overview.formats
        for line in (each.total, *each.years)
    ]
    return render(
        "feedback_overview",
        {
            "title": title,
            "rows": [*rows, {"format": "", "year": "", "cells": _cells(overview.total)}],
            "smallest": str(smallest),
            "waiting": waiting_words(overview.waiting),
            "made": long_date(berlin_day(now)),
        },
        title=f"Auswertung der Rückmeldungen: {title}",
        at=now,
    )


def waiting_words(events: int) -> str:
    """Say at how many events answers wait; how many answers those are would tell too much."""
    if not events:
        return ""
    lead = count(events, "Veranstaltung hat", "Veranstaltungen haben")
    return (
        f"{lead} zu wenige Antworten; sie warten und zählen mit, sobald es mit denen anderer "
        "Veranstaltungen genug sind."
    )


def _cells(figures: Figures | None) -> list[str]:
    if figures is None:
        return []
    return [
        number(figures.events),
        number(figures.invited),
        number(figures.answered),
        percent(figures.answered, figures.invited),
        average(figures.mean),
    ]


def results_paper(report: Report, most_texts: int, now: datetime) -> Document:
    """Make a PDF of what was answered.

    Args:
        report: with results.
        most_texts: so many free texts stand there on each question.
        now: the present instant.

    """
    assert report.results is not None  # noqa: S101 – whoever calls has looked
    results = report.results
    figures = results.figures
    return render(
        "feedback_results",
        {
            "title": report.title,
            "asked": report.asked,
            "events": number(figures.events),
            "invited": number(figures.invited),
            "answered": f"{number(figures.answered)} "
            f"({percent(figures.answered, figures.invited)})",
            "mean": average(figures.mean),
            "made": long_date(berlin_day(now)),
            "compared": bool(report.of_format),
            "blocks": [_block(block, report) for block in blocks(results.questions)],
            "texts": [
                {
                    "question": texts.question,
                    "texts": list(texts.texts[:most_texts]),
                    "more": max(0, len(texts.texts) - most_texts),
                    "removed": texts.removed,
                }
                for texts in results.texts
            ],
        },
        title=f"Rückmeldungen: {report.title}",
        at=now,
    )


def _block(block: Block, report: Report) -> dict[str, object]:
    return {
        "section": block.section,
        "kind": block.kind.value,
        "labels": list(block.labels),
        "reach": block.reach,
        "questions": [
            {
                "text": asked.question.text,
                "seldom": asked.events if _seldom(asked, report) else 0,
                "steps": list(asked.steps),
                "lines": [
                    [words, number(people), percent(people, asked.answered)]
                    for words, people in lines_of(asked)
                ],
                "shares": [people / (asked.answered or 1) for _, people in lines_of(asked)],
                "none": number(asked.no_answer),
                "answered": number(asked.answered),
                "mean": average(asked.mean),
                "median": middle(asked.median),
                "of_format": average(report.of_format.get(asked.question.key)),
            }
            for asked in block.questions
        ],
    }


def _seldom(asked: Asked, report: Report) -> bool:
    return report.results is not None and asked.events < report.results.figures.events
