"""What a questionnaire asks, as typed values; a version stores them as JSON."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

STEPS = 5
"""Of a scale."""
LONGEST_TEXT = 2_000
"""Signs of a free text that are taken."""
LARGEST_NUMBER = 9_999


class QuestionKind(StrEnum):
    """How a question is answered."""

    SCALE = "scale"
    SINGLE = "single"
    MULTIPLE = "multiple"
    NUMBER = "number"
    TEXT = "text"


QUESTION_KIND_NAMES = {
    QuestionKind.SCALE: "Skala mit fünf Stufen",
    QuestionKind.SINGLE: "Auswahl, eine Antwort",
    QuestionKind.MULTIPLE: "Auswahl, mehrere Antworten",
    QuestionKind.NUMBER: "Zahl",
    QuestionKind.TEXT: "Freier Text",
}


@dataclass(frozen=True)
class Option:
    """One answer to choose.

    Attributes:
        key: stands in the stored answers; never changes.
        label: what people read.

    """

    key: str
    label: str


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: stands in the stored answers. Through all versions one key means one question, so that
            their answers may be added up; who changes kind, steps or options gets a new key.
        kind: how it is answered.
        text: the question.
        hint: a line below it, may be empty.
        required: whether it must be answered; a scale always has „keine Angabe“ to choose. Free
            texts never are.
        labels: words for the five steps of a scale, from the first to the fifth; 5 is the best.
        options: of a choice.
        least: of a number.
        most: of a number.

    """

    key: str
    kind: QuestionKind
    text: str
    hint: str = ""
    required: bool = False
    labels: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    least: int = 0
    most: int = LARGEST_NUMBER


@dataclass(frozen=True)
class Section:
    """Questions under one heading.

    Attributes:
        title: heading.
        questions: in order.

    """

    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Content:
    """A whole questionnaire.

    Attributes:
        introduction: paragraphs above the questions; that answering is voluntary stands on the page
            in any case.
        sections: in order.

    """

    introduction: str
    sections: tuple[Section, ...]

    @property
    def questions(self) -> Iterator[Question]:
        """All questions in order."""
        return (question for section in self.sections for question in section.questions)

    def to_json(self) -> dict[str, Any]:
        """Return what `QuestionnaireVersion.content` stores."""
        return asdict(self)

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Content:
        """Return what was stored."""
        return cls(
            stored["introduction"],
            tuple(
                Section(
                    section["title"],
                    tuple(
                        Question(
                            **{
                                **question,
                                "kind": QuestionKind(question["kind"]),
                                "labels": tuple(question["labels"]),
                                "options": tuple(Option(**each) for each in question["options"]),
                            }
                        )
                        for question in section["questions"]
                    ),
                )
                for section in stored["sections"]
            ),
        )


def new_key() -> str:
    """Return a random key for a new question or option."""
    return secrets.token_hex(4)
