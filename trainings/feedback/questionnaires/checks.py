"""What keeps a draft from being stored or released: pure rules, with a sentence for each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from trainings.core.errors import DomainError
from trainings.feedback.answers import NO_ANSWER
from trainings.feedback.content import STEPS, Content, Question, QuestionKind
from trainings.feedback.questionnaires.rules import CHOICES

MOST_SECTIONS = 8
MOST_QUESTIONS = 30
"""A questionnaire is answered on a phone in two minutes; this is far beyond."""
MOST_OPTIONS = 12
FEWEST_OPTIONS = 2
LONGEST_INTRODUCTION = 1_000
LONGEST_HEADING = 120
LONGEST_QUESTION = 300
LONGEST_LABEL = 60
LONGEST_OPTION = 120
_QUOTED = 60


def check_limits(content: Content) -> None:
    """Refuse a draft that is too long.

    Raises:
        DomainError: `too_many_sections`, `too_many_questions`, `too_many_options` or
            `text_too_long`, status 422.

    """
    questions = list(content.questions)
    if len(content.sections) > MOST_SECTIONS:
        raise _refusal(
            "too_many_sections",
            f"Mehr als {MOST_SECTIONS} Abschnitte sind nicht möglich. Bitte nutzen Sie einen, den "
            "es schon gibt.",
        )
    if len(questions) > MOST_QUESTIONS:
        raise _refusal(
            "too_many_questions",
            f"Mehr als {MOST_QUESTIONS} Fragen sind nicht möglich. Bitte entfernen Sie zuerst eine "
            "andere.",
        )
    for question in questions:
        if len(question.options) > MOST_OPTIONS:
            raise _refusal(
                "too_many_options",
                f"Eine Frage hat höchstens {MOST_OPTIONS} Antworten zur Wahl.",
                "options",
            )
    for text, longest in _lengths(content):
        if len(text) > longest:
            raise _refusal(
                "text_too_long",
                f"Bitte höchstens {longest} Zeichen: „{text[:_QUOTED]} …“",
            )


def _lengths(content: Content) -> Iterator[tuple[str, int]]:
    yield content.introduction, LONGEST_INTRODUCTION
    for section in content.sections:
        yield section.title, LONGEST_HEADING
    for question in content.questions:
        yield question.text, LONGEST_QUESTION
        yield question.hint, LONGEST_QUESTION
        yield from ((label, LONGEST_LABEL) for label in question.labels)
        yield from ((option.label, LONGEST_OPTION) for option in question.options)


def obstacles(content: Content) -> list[str]:
    """Return what keeps a draft from being released, a sentence each; none: it may be."""
    found = []
    questions = list(content.questions)
    if not questions:
        found.append("Es gibt noch keine Frage. Bitte fügen Sie mindestens eine hinzu.")
    for place, section in enumerate(content.sections, 1):
        name = f"Abschnitt {place}" + (f" („{section.title}“)" if section.title else "")
        if not section.title:
            found.append(f"{name} hat keine Überschrift.")
        if not section.questions and questions:
            found.append(f"{name} hat keine Frage. Bitte ergänzen oder entfernen Sie ihn.")
    for number, question in enumerate(questions, 1):
        name = f"Frage {number}" + (f" („{_short(question.text)}“)" if question.text else "")
        found += (f"{name}: {sentence}" for sentence in _question_obstacles(question))
    if _repeated([question.key for question in questions]):
        found.append(
            "Zwei Fragen haben denselben Schlüssel. Bitte entfernen Sie eine davon und fügen Sie "
            "sie neu hinzu."
        )
    return found


def _question_obstacles(question: Question) -> Iterator[str]:
    if not question.text:
        yield "Der Text fehlt."
    if question.key in {"", NO_ANSWER}:
        yield "Sie hat keinen Schlüssel. Bitte entfernen Sie sie und fügen Sie sie neu hinzu."
    if question.kind is QuestionKind.SCALE and (
        len(question.labels) != STEPS or not all(question.labels)
    ):
        yield "Jede der fünf Stufen braucht eine Beschriftung."
    if question.kind in CHOICES:
        yield from _choice_obstacles(question)
    if question.kind is QuestionKind.NUMBER and question.least > question.most:
        yield "Die kleinste Zahl ist größer als die größte."


def _choice_obstacles(question: Question) -> Iterator[str]:
    keys = [option.key for option in question.options]
    labels = [option.label for option in question.options]
    if len(keys) < FEWEST_OPTIONS:
        yield f"Es braucht mindestens {FEWEST_OPTIONS} Antworten zur Wahl."
    if not all(labels):
        yield "Eine Antwort hat keinen Text."
    if _repeated([label.casefold() for label in labels if label]):
        yield "Zwei Antworten haben denselben Text."
    if _repeated(keys) or not {"", NO_ANSWER}.isdisjoint(keys):
        yield "Eine Antwort hat keinen eigenen Schlüssel. Bitte schreiben Sie sie neu."


def _repeated(values: Sequence[str]) -> Collection[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def _short(text: str) -> str:
    return text if len(text) <= _QUOTED else f"{text[:_QUOTED]} …"


def _refusal(code: str, sentence: str, field: str | None = None) -> DomainError:
    return DomainError(code, sentence, field=field, status=422)
