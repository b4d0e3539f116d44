"""Results as XLSX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import IO

from trainings.core.spreadsheets import Sheet, write_workbook
from trainings.core.tables import Cell
from trainings.feedback.content import QUESTION_KIND_NAMES, QuestionKind
from trainings.feedback.results.papers import TOO_FEW, Report, lines_of
from trainings.feedback.results.queries import Overview
from trainings.feedback.results.rules import Asked, Figures

NO_ANSWER_WORDS = "keine Angabe"
ALL_YEARS = "Alle Jahre"
ALL_FORMATS = "Alle Formate"


def overview_book(title: str, overview: Overview, smallest: int, now: datetime) -> IO[bytes]:
    """Return all sums of a questionnaire as a workbook.

    Args:
        title: what was asked and when.
        overview: the sums.
        smallest: fewer answers are not shown.
        now: the present instant.

    """
    header = ("Format", "Jahr", "Veranstaltungen", "Eingeladen", "Geantwortet", "Rücklauf in %",
              "Mittelwert", "Hinweis")  # fmt: skip
    rows: list[Sequence[Cell]] = [
        (each.title, ALL_YEARS if line.year is None else line.year, *_cells(line.figures))
        for each in overview.formats
        for line in (each.total, *each.years)
    ]
    rows.append((ALL_FORMATS, ALL_YEARS, *_cells(overview.total)))
    about: list[tuple[str, Cell]] = [
        ("Auswertung", title),
        ("Kleinste Gruppe", smallest),
        ("Veranstaltungen, deren Antworten noch warten", overview.waiting),
        ("Erstellt", now),
    ]
    return write_workbook([Sheet("Auswertung", header, rows)], about)


def _cells(figures: Figures | None) -> Sequence[Cell]:
    if figures is None:
        return (None, None, None, None, None, TOO_FEW)
    rate = 100 * figures.answered / figures.invited if figures.invited else None
    return (figures.events, figures.invited, figures.answered, rate, figures.mean, None)


def results_book(report: Report, now: datetime) -> IO[bytes]:
    """Return what was answered as a workbook: figures, distribution, all free texts.

    Args:
        report: with results.
        now: the present instant.

    """
    assert report.results is not None  # noqa: S101 – whoever calls has looked
    results = report.results
    header = ["Frage", "Art", "In Veranstaltungen", "Gefragt", "Geantwortet", "Keine Angabe",
              "Mittelwert", "Median"]  # fmt: skip
    if report.of_format:
        header.append("Mittelwert des Formats")
    sheets = [
        Sheet("Zahlen", header, [_row(asked, report) for asked in results.questions]),
        Sheet("Verteilung", ("Frage", "Antwort", "Personen", "Anteil in %"),
              [row for asked in results.questions for row in _distribution(asked)]),
        Sheet("Freie Texte", ("Frage", "Text"),
              [(texts.question, text) for texts in results.texts for text in texts.texts]),
    ]  # fmt: skip
    about: list[tuple[str, Cell]] = [
        ("Rückmeldungen zu", report.title),
        ("Fragebogen", report.asked),
        ("Veranstaltungen", results.figures.events),
        ("Eingeladen", results.figures.invited),
        ("Geantwortet", results.figures.answered),
        ("Freie Texte ohne Wiedergabe", sum(texts.removed for texts in results.texts)),
        ("Erstellt", now),
    ]
    return write_workbook(sheets, about)


def _row(asked: Asked, report: Report) -> Sequence[Cell]:
    question = asked.question
    cells: list[Cell] = [
        question.text, QUESTION_KIND_NAMES[question.kind], asked.events, asked.population,
        asked.answered, asked.no_answer, asked.mean, asked.median,
    ]  # fmt: skip
    if report.of_format:
        cells.append(report.of_format.get(question.key))
    return cells


def _distribution(asked: Asked) -> Iterator[Sequence[Cell]]:
    # Single numbers are never listed.
    if asked.question.kind is QuestionKind.NUMBER:
        return
    for words, people in lines_of(asked):
        share = 100 * people / asked.answered if asked.answered else None
        yield asked.question.text, words, people, share
    yield asked.question.text, NO_ANSWER_WORDS, asked.no_answer, None
