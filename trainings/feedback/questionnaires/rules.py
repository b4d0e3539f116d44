"""Changing what a questionnaire asks: pure functions from one content to the next.

**Keys.** Answers are added up by the key of their question, over all versions. A question that was
released keeps its key as long as its kind, its options and its steps are the same, and gets a new
one as soon as one of them changes: answers that mean different things are never added up. Whether
a text still asks the same is left to whoever writes it; the page says so.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from trainings.core.errors import DomainError
from trainings.feedback.answers import NO_ANSWER
from trainings.feedback.content import (
    Content,
    Option,
    Question,
    QuestionKind,
    Section,
    new_key,
)

CHOICES = frozenset({QuestionKind.SINGLE, QuestionKind.MULTIPLE})

Shape = tuple[QuestionKind, frozenset[str], int]
"""What must stay for answers to be added up: kind, keys of the options, number of steps."""


@dataclass(frozen=True)
class Changed:
    """A changed questionnaire.

    Attributes:
        content: what it asks now.
        question: key of the question that was changed, as it is now; empty: none.
        section: place of the section that was changed, from 1; 0: none.

    """

    content: Content
    question: str = ""
    section: int = 0


Change = Callable[[Content, Mapping[str, Shape]], Changed]
"""Takes what a draft asks and the shapes that were released."""


def shape(question: Question) -> Shape:
    """Return what must stay the same for the answers of a question to be added up."""
    return question.kind, frozenset(each.key for each in question.options), len(question.labels)


def released_shapes(contents: Iterable[Content]) -> dict[str, Shape]:
    """Return the shapes of all questions that were ever released, by their keys."""
    return {question.key: shape(question) for each in contents for question in each.questions}


def fingerprint(content: Content) -> str:
    """Return a short text that changes with every change of a draft."""
    stored = json.dumps(content.to_json(), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(stored.encode()).hexdigest()[:24]


def fresh_key(taken: Collection[str]) -> str:
    """Return a random key that is not taken, and never the word for „keine Angabe“."""
    while (key := new_key()) in taken or key == NO_ANSWER:
        continue
    return key


def settled(question: Question, released: Mapping[str, Shape], taken: Collection[str]) -> Question:
    """Return a question under the key that it may have.

    Args:
        question: as it was written, under the key that it had before; empty: it is new.
        released: the shapes that were released, by key.
        taken: keys of the other questions of the draft.

    """
    unlike = question.key in released and released[question.key] != shape(question)
    if unlike or not question.key:
        return replace(question, key=fresh_key({*released, *taken}))
    return question


def written_options(
    before: Sequence[Option], typed: Iterable[tuple[str, str]]
) -> tuple[Option, ...]:
    """Return the options that somebody wrote: known ones keep their keys, all others get one.

    Args:
        before: the options of the question until now.
        typed: key (empty, or whatever a browser sent) and label, in order; without a label an
            option is left out.

    """
    known = {option.key for option in before} - {NO_ANSWER}
    found: dict[str, Option] = {}
    for sent, label in typed:
        if not label:
            continue
        key = sent if sent in known and sent not in found else fresh_key({*known, *found})
        found[key] = Option(key, label)
    return tuple(found.values())


def copied(content: Content) -> Content:
    """Return a copy for another questionnaire: its questions are questions of their own."""
    taken: set[str] = set()

    def renamed(question: Question) -> Question:
        key = fresh_key(taken)
        taken.add(key)
        return replace(question, key=key)

    return replace(
        content,
        sections=tuple(
            replace(section, questions=tuple(map(renamed, section.questions)))
            for section in content.sections
        ),
    )


def find_question(content: Content, key: str) -> Question | None:
    """Return the question with a key, if there is one."""
    return next((each for each in content.questions if each.key == key), None)


def section_at(content: Content, place: int) -> Section:
    """Return a section by its place, from 1.

    Raises:
        DomainError: `section_gone`.

    """
    if not 1 <= place <= len(content.sections):
        raise DomainError(
            "section_gone",
            "Diesen Abschnitt gibt es nicht mehr. Bitte laden Sie den Entwurf neu.",
        )
    return content.sections[place - 1]


def introduce(text: str) -> Change:
    """Set the introduction."""
    return lambda content, _: Changed(replace(content, introduction=text))


def add_section(title: str) -> Change:
    """Add a section at the end."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        sections = (*content.sections, Section(title, ()))
        return Changed(replace(content, sections=sections), section=len(sections))

    return change


def rename_section(place: int, title: str) -> Change:
    """Change a heading."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        renamed = replace(section_at(content, place), title=title)
        return _with_section(content, place, renamed)

    return change


def remove_section(place: int) -> Change:
    """Remove a section without questions; `section_not_empty` otherwise."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        if section_at(content, place).questions:
            raise DomainError(
                "section_not_empty",
                "In diesem Abschnitt stehen noch Fragen. Bitte verschieben oder entfernen Sie "
                "zuerst diese Fragen.",
            )
        sections = content.sections[: place - 1] + content.sections[place:]
        return Changed(replace(content, sections=sections), section=min(place, len(sections)))

    return change


def move_section(place: int, step: int) -> Change:
    """Move a section by one place, up (-1) or down (1); at the end it stays."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        section_at(content, place)
        target = place + step
        if not 1 <= target <= len(content.sections):
            return Changed(content, section=place)
        sections = list(content.sections)
        sections[place - 1], sections[target - 1] = sections[target - 1], sections[place - 1]
        return Changed(replace(content, sections=tuple(sections)), section=target)

    return change


def add_question(place: int, question: Question) -> Change:
    """Add a question at the end of a section; its key is made here."""

    def change(content: Content, released: Mapping[str, Shape]) -> Changed:
        section = section_at(content, place)
        taken = {each.key for each in content.questions}
        added = settled(replace(question, key=""), released, taken)
        changed = replace(section, questions=(*section.questions, added))
        return replace(_with_section(content, place, changed), question=added.key, section=0)

    return change


def write_question(key: str, question: Question) -> Change:
    """Change a question in its place; it gets a new key if answers could not be added up."""

    def change(content: Content, released: Mapping[str, Shape]) -> Changed:
        place, index = _position(content, key)
        taken = {each.key for each in content.questions} - {key}
        written = settled(replace(question, key=key), released, taken)
        section = content.sections[place - 1]
        questions = (*section.questions[:index], written, *section.questions[index + 1 :])
        changed = _with_section(content, place, replace(section, questions=questions))
        return replace(changed, question=written.key, section=0)

    return change


def remove_question(key: str) -> Change:
    """Remove a question."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        place, index = _position(content, key)
        section = content.sections[place - 1]
        questions = section.questions[:index] + section.questions[index + 1 :]
        return _with_section(content, place, replace(section, questions=questions))

    return change


def move_question(key: str, step: int) -> Change:
    """Move a question by one place, up (-1) or down (1), also into the section beside its own."""

    def change(content: Content, _: Mapping[str, Shape]) -> Changed:
        place, index = _position(content, key)
        rows = [list(section.questions) for section in content.sections]
        moved = rows[place - 1].pop(index)
        target = index + step
        if 0 <= target <= len(rows[place - 1]):
            rows[place - 1].insert(target, moved)
        elif 1 <= place + step <= len(rows):
            beside = rows[place - 1 + step]
            beside.insert(len(beside) if step < 0 else 0, moved)
        else:
            return Changed(content, question=key)
        sections = tuple(
            replace(section, questions=tuple(row))
            for section, row in zip(content.sections, rows, strict=True)
        )
        return Changed(replace(content, sections=sections), question=key)

    return change


def move_option(key: str, option: str, step: int) -> Change:
    """Move an answer to choose by one place, up (-1) or down (1); at the end it stays."""

    def change(content: Content, released: Mapping[str, Shape]) -> Changed:
        place, index = _position(content, key)
        question = content.sections[place - 1].questions[index]
        options = list(question.options)
        here = next((at for at, each in enumerate(options) if each.key == option), None)
        if here is None:
            raise _question_gone()
        if 0 <= here + step < len(options):
            options.insert(here + step, options.pop(here))
        return write_question(key, replace(question, options=tuple(options)))(content, released)

    return change


def _with_section(content: Content, place: int, section: Section) -> Changed:
    sections = (*content.sections[: place - 1], section, *content.sections[place:])
    return Changed(replace(content, sections=sections), section=place)


def _position(content: Content, key: str) -> tuple[int, int]:
    for place, section in enumerate(content.sections, 1):
        for index, question in enumerate(section.questions):
            if question.key == key:
                return place, index
    raise _question_gone()


def _question_gone() -> DomainError:
    return DomainError(
        "question_gone",
        "Diese Frage gibt es im Entwurf nicht mehr. Wenn Sie sie behalten möchten, kopieren Sie "
        "Ihren Text und fügen Sie eine neue Frage hinzu.",
    )
