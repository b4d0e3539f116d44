"""From what a browser sends to what is counted: pure rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trainings.core.text import clean
from trainings.feedback.content import LONGEST_TEXT, STEPS, Content, Question, QuestionKind

NO_ANSWER = "none"
"""The value of a question that somebody saw and did not answer, by choice or by leaving it out."""
STEP_VALUES = tuple(str(step) for step in range(1, STEPS + 1))
_LONGEST_NUMBER = 10


@dataclass(frozen=True)
class Sheet:
    """What one person answered.

    Attributes:
        values: by the key of each question but the free texts; at least one value each.
        texts: free texts that are not empty, by the key of their question.

    """

    values: Mapping[str, tuple[str, ...]]
    texts: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        """Return what `PendingAnswer.content` stores."""
        return {"values": {key: list(chosen) for key, chosen in self.values.items()}} | {
            "texts": dict(self.texts)
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Sheet:
        """Return what was stored."""
        return cls(
            {key: tuple(chosen) for key, chosen in stored["values"].items()}, dict(stored["texts"])
        )


class RefusedSheetError(Exception):
    """Answers that are not taken.

    Attributes:
        errors: one German sentence for each question that is wrong, by its key.

    """

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("refused")
        self.errors = errors


def read_sheet(content: Content, sent: Callable[[str], Sequence[str]]) -> Sheet:
    """Return what somebody answered; what does not belong to the questionnaire is ignored.

    Args:
        content: what was asked.
        sent: returns the values that a browser sent for the key of a question, raw.

    Raises:
        RefusedSheetError: something is missing, no answer to its question, or too long.

    """
    values: dict[str, tuple[str, ...]] = {}
    texts: dict[str, str] = {}
    errors: dict[str, str] = {}
    for question in content.questions:
        given = [value for value in sent(question.key) if value.strip()]
        error = ""
        if question.kind is QuestionKind.TEXT:
            text = clean("\n".join(given), multiline=True)
            error = _text_error(text)
            if text:
                texts[question.key] = text
        else:
            chosen, error = _READERS[question.kind](question, given)
            values[question.key] = chosen or (NO_ANSWER,)
        if error:
            errors[question.key] = error
        elif question.required and not given and question.kind is not QuestionKind.TEXT:
            errors[question.key] = _MISSING[question.kind]
    if errors:
        raise RefusedSheetError(errors)
    return Sheet(values, texts)


def check_something(content: Content, sent: Callable[[str], Sequence[str]]) -> None:
    """Refuse a sheet on which nothing stands: it would use up the right, and count as an answer.

    Five sheets of which four are blank would show the fifth alone. „keine Angabe“ is an answer.

    Args:
        content: what was asked.
        sent: as for `read_sheet`.

    Raises:
        RefusedSheetError: at the first question.

    """
    questions = list(content.questions)
    if questions and not any(value.strip() for each in questions for value in sent(each.key)):
        raise RefusedSheetError({questions[0].key: _BLANK})


def tally(sheets: Iterable[Sheet]) -> Counter[tuple[str, str]]:
    """Count how many people chose each value, by the keys of question and value."""
    return Counter(
        (question, value)
        for sheet in sheets
        for question, chosen in sheet.values.items()
        for value in chosen
    )


_Read = tuple[tuple[str, ...], str]

_MISSING = {
    QuestionKind.SCALE: "Bitte wählen Sie eine Stufe oder „keine Angabe“.",
    QuestionKind.SINGLE: "Bitte wählen Sie eine Antwort.",
    QuestionKind.MULTIPLE: "Bitte wählen Sie mindestens eine Antwort.",
    QuestionKind.NUMBER: "Bitte geben Sie eine Zahl ein.",
}
_UNKNOWN = "Diese Antwort steht nicht zur Wahl. Bitte wählen Sie eine der angezeigten."


_BLANK = (
    "Bisher ist nichts ausgefüllt. Bitte beantworten Sie mindestens eine Frage. Möchten Sie nicht "
    "antworten, schließen Sie einfach die Seite."
)


def _text_error(text: str) -> str:
    if len(text) <= LONGEST_TEXT:
        return ""
    return (
        f"Bitte höchstens {LONGEST_TEXT:,} Zeichen; es sind {len(text):,}. Ihr Text steht noch da."
    ).replace(",", ".")


def _read_scale(_question: Question, given: Sequence[str]) -> _Read:
    return _one_of((*STEP_VALUES, NO_ANSWER), given)


def _read_single(question: Question, given: Sequence[str]) -> _Read:
    return _one_of((*(option.key for option in question.options), NO_ANSWER), given)


def _one_of(allowed: Sequence[str], given: Sequence[str]) -> _Read:
    if not given:
        return (), ""
    if len(given) > 1 or given[0] not in allowed:
        return (), _UNKNOWN
    return (given[0],), ""


def _read_multiple(question: Question, given: Sequence[str]) -> _Read:
    chosen = tuple(dict.fromkeys(given))
    if not set(chosen) <= {option.key for option in question.options}:
        return (), _UNKNOWN
    return chosen, ""


def _read_number(question: Question, given: Sequence[str]) -> _Read:
    if not given:
        return (), ""
    typed = clean(given[0])
    # Digits of other scripts are digits to Python, and a long row of them takes long to read.
    if typed.isascii() and typed.isdigit() and len(typed) <= _LONGEST_NUMBER:
        number = int(typed)
        if question.least <= number <= question.most:
            return (str(number),), ""
    return (), f"Bitte geben Sie eine ganze Zahl von {question.least} bis {question.most} ein."


_READERS: dict[QuestionKind, Callable[[Question, Sequence[str]], _Read]] = {
    QuestionKind.SCALE: _read_scale,
    QuestionKind.SINGLE: _read_single,
    QuestionKind.MULTIPLE: _read_multiple,
    QuestionKind.NUMBER: _read_number,
}
