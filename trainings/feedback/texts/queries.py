"""What the pages of the free texts load, and what results show of them.

A text is shown without its event, day and scales. It stands under format and year only as far as
the answers of its survey flow there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from trainings.attendance.reads import TAKES_PART
from trainings.core.errors import not_found
from trainings.core.paging import PAGE_SIZE
from trainings.events.models import Event, EventTemplate, EventTrainer
from trainings.feedback.content import Content, QuestionKind
from trainings.feedback.models import (
    FeedbackText,
    Questionnaire,
    QuestionnaireVersion,
    Release,
    Survey,
    TextState,
)
from trainings.feedback.texts.reads import READABLE
from trainings.feedback.texts.rules import Piece, fingerprint, name_parts, pieces
from trainings.people.models import Person
from trainings.registrations.models import Registration


@dataclass(frozen=True)
class Place:
    """Under what a text stands.

    Attributes:
        questionnaire: its title.
        question: what was asked.
        format: title of the format; None: of events without one.
        year: of the events; None: the results show this format over all years only.

    """

    questionnaire: str
    question: str
    format: str | None
    year: int | None


@dataclass(frozen=True)
class Entry:
    """A text as the office reads it.

    Attributes:
        key: its random key.
        state: what was made of it.
        place: under what it stands.
        pieces: its parts, some with hints.
        seen: `rules.fingerprint`.

    """

    key: bytes
    state: TextState
    place: Place
    pieces: tuple[Piece, ...]
    seen: str


_Questions = dict[tuple[int, str], tuple[int, str]]
"""Position and words of each free question, by questionnaire and key."""
_ALL_YEARS = 0
_year = case(
    (Survey.release == Release.FORMAT, _ALL_YEARS),
    else_=cast(extract("year", Event.last_day), Integer),
)


def shown_texts(session: Session, which: ColumnElement[bool]) -> dict[str, list[str]]:
    """Return the released texts of some surveys by question, in random order; one statement.

    Args:
        session: the open session.
        which: a condition on `Survey` and its `Event`; who calls this has made sure that the
            answers of these surveys may be shown together.

    """
    found: dict[str, list[str]] = defaultdict(list)
    rows = session.execute(
        _of_surveys(which, TextState.SHOWN)
        .with_only_columns(FeedbackText.question, FeedbackText.text)
        .order_by(FeedbackText.key)
    )
    for question, text in rows:
        found[question].append(text)
    return dict(found)


def removed_texts(session: Session, which: ColumnElement[bool]) -> dict[str, int]:
    """Return how many texts of some surveys were taken out, by question; one statement.

    Args:
        session: the open session.
        which: as for `shown_texts`.

    """
    rows = session.execute(
        _of_surveys(which, TextState.REMOVED)
        .with_only_columns(FeedbackText.question, func.count())
        .group_by(FeedbackText.question)
    )
    return dict(rows.all())


def _of_surveys(which: ColumnElement[bool], state: TextState) -> Select[Any]:
    return (
        select(FeedbackText)
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .join(Event, Survey.event_id == Event.id)
        .where(READABLE, which, FeedbackText.state == state)
    )


def count_texts(session: Session) -> dict[TextState, int]:
    """Return how many texts that may be read are in each state; one statement."""
    rows = session.execute(
        select(FeedbackText.state, func.count())
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .where(READABLE)
        .group_by(FeedbackText.state)
    )
    return dict.fromkeys(TextState, 0) | dict(rows.all())


def list_texts(
    session: Session, state: TextState, offset: int
) -> list[tuple[Place, Sequence[Entry]]]:
    """Return a page of the texts in a state, under their places; three statements.

    Args:
        session: the open session.
        state: `UNREAD` or `SHOWN`.
        offset: texts before this page.

    """
    questions = _questions(session)
    rows = session.execute(
        _entries()
        .where(FeedbackText.state == state)
        .order_by(
            Questionnaire.title,
            Questionnaire.id,
            *_in_the_order_of(questions),
            func.coalesce(EventTemplate.title, ""),
            func.coalesce(EventTemplate.id, 0),
            _year.desc(),
            FeedbackText.key,
        )
        .limit(PAGE_SIZE)
        .offset(offset)
    ).all()
    names = _names(session, {row.template_id for row in rows}) if rows else frozenset()
    entries = [_entry(row, questions, names) for row in rows]
    return [(place, list(group)) for place, group in groupby(entries, lambda each: each.place)]


def find_text(session: Session, key: bytes) -> Entry:
    """Return a text; three statements.

    Raises:
        DomainError: `not_found`, also for a text that nobody may read yet.

    """
    row = session.execute(_entries().where(FeedbackText.key == key)).one_or_none()
    if row is None:
        raise not_found()
    return _entry(row, _questions(session), _names(session, {row.template_id}))


def _entries() -> Select[Any]:
    return (
        select(
            FeedbackText.key,
            FeedbackText.state,
            FeedbackText.question,
            FeedbackText.text,
            Questionnaire.id.label("questionnaire_id"),
            Questionnaire.title.label("questionnaire"),
            Event.template_id,
            EventTemplate.title.label("format"),
            _year.label("year"),
        )
        .join(Survey, FeedbackText.survey_id == Survey.id)
        .join(QuestionnaireVersion, Survey.version_id == QuestionnaireVersion.id)
        .join(Questionnaire, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .join(Event, Survey.event_id == Event.id)
        .outerjoin(EventTemplate, Event.template_id == EventTemplate.id)
        .where(READABLE)
    )


def _entry(row: Row[Any], questions: _Questions, names: frozenset[str]) -> Entry:
    _, words = questions[row.questionnaire_id, row.question]
    return Entry(
        row.key,
        row.state,
        Place(row.questionnaire, words, row.format, row.year or None),
        tuple(pieces(row.text, names)),
        fingerprint(row.state, row.text),
    )


def _questions(session: Session) -> _Questions:
    """Return the free questions that were asked; the words of the latest version count."""
    found: _Questions = {}
    rows = session.execute(
        select(QuestionnaireVersion.questionnaire_id, QuestionnaireVersion.content)
        .where(exists().where(Survey.version_id == QuestionnaireVersion.id))
        .order_by(QuestionnaireVersion.number)
    )
    for questionnaire_id, content in rows:
        for position, question in enumerate(Content.from_json(content).questions):
            if question.kind is QuestionKind.TEXT:
                found[questionnaire_id, question.key] = (position, question.text)
    return found


def _in_the_order_of(questions: _Questions) -> list[ColumnElement[Any]]:
    positions = [
        (
            and_(Questionnaire.id == questionnaire_id, FeedbackText.question == key),
            position,
        )
        for (questionnaire_id, key), (position, _) in questions.items()
    ]
    # Two versions may ask two questions at one position.
    return [*([case(*positions, else_=0)] if positions else []), FeedbackText.question.expression]


def _names(session: Session, formats: Collection[int | None]) -> frozenset[str]:
    """Return the parts of the family names of those who taught or took part in some formats.

    Of the formats, not of the event of each text: a hint must not tell where somebody was.
    """
    of_formats = or_(
        Event.template_id.in_([each for each in formats if each is not None]),
        *([Event.template_id.is_(None)] if None in formats else []),
    )
    taught = exists().where(
        EventTrainer.person_id == Person.id, EventTrainer.event_id == Event.id, of_formats
    )
    took_part = exists().where(
        Registration.person_id == Person.id,
        Registration.event_id == Event.id,
        TAKES_PART,
        of_formats,
    )
    names = session.scalars(select(Person.family_name).where(or_(taught, took_part)).distinct())
    return name_parts(names.all())
