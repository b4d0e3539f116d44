"""What the pages of the questionnaires show."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from trainings.core.errors import not_found
from trainings.feedback.content import Content
from trainings.feedback.models import (
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    Survey,
    SurveyState,
    VersionState,
)
from trainings.feedback.questionnaires.rules import fingerprint

_ASKED = (SurveyState.OPEN, SurveyState.CLOSED)


@dataclass(frozen=True)
class VersionRow:
    """A version without what it asks.

    Attributes:
        number: of the version.
        state: draft or released.
        released_at: when; None: it is a draft.
        surveys: how many surveys asked it, the open ones among them.

    """

    number: int
    state: VersionState
    released_at: datetime | None
    surveys: int


@dataclass(frozen=True)
class QuestionnaireRow:
    """A questionnaire with its versions, the latest first."""

    id: int
    title: str
    use: QuestionnaireUse
    retired_at: datetime | None
    versions: tuple[VersionRow, ...]

    @property
    def released(self) -> list[VersionRow]:
        """What may be or was asked."""
        return [each for each in self.versions if each.state is VersionState.RELEASED]

    @property
    def current(self) -> VersionRow | None:
        """What is asked now; None: it was never released."""
        return self.released[0] if self.released else None

    @property
    def draft(self) -> VersionRow | None:
        """What is being written."""
        return next((each for each in self.versions if each.state is VersionState.DRAFT), None)

    @property
    def surveys(self) -> int:
        """How many surveys asked any of its versions."""
        return sum(each.surveys for each in self.versions)


@dataclass(frozen=True)
class Draft:
    """What a questionnaire asks next.

    Attributes:
        questionnaire: whose.
        content: what is written; of the latest version if there is no draft.
        number: of the version.
        is_open: whether there is a draft.
        released_keys: keys of the questions that were ever released.

    """

    questionnaire: QuestionnaireRow
    content: Content
    number: int
    is_open: bool
    released_keys: frozenset[str]

    @property
    def id(self) -> int:
        """The questionnaire."""
        return self.questionnaire.id

    @property
    def seen(self) -> str:
        """What changes with every change of the draft."""
        return fingerprint(self.content)


def list_questionnaires(session: Session, only: int | None = None) -> list[QuestionnaireRow]:
    """Return the questionnaires, those in use first, by title; two statements.

    Args:
        session: for reading.
        only: this one.

    """
    surveys = (
        select(Survey.version_id, func.count().label("surveys"))
        .where(Survey.state.in_(_ASKED))
        .group_by(Survey.version_id)
        .subquery()
    )
    versions = (
        select(
            QuestionnaireVersion.questionnaire_id,
            QuestionnaireVersion.number,
            QuestionnaireVersion.state,
            QuestionnaireVersion.released_at,
            func.coalesce(surveys.c.surveys, 0),
        )
        .outerjoin(surveys, surveys.c.version_id == QuestionnaireVersion.id)
        .order_by(QuestionnaireVersion.number.desc())
    )
    questionnaires = select(Questionnaire)
    if only is not None:
        versions = versions.where(QuestionnaireVersion.questionnaire_id == only)
        questionnaires = questionnaires.where(Questionnaire.id == only)
    found: dict[int, list[VersionRow]] = {}
    for questionnaire_id, *row in session.execute(versions):
        found.setdefault(questionnaire_id, []).append(VersionRow(*row))
    rows = [
        QuestionnaireRow(
            each.id, each.title, each.use, each.retired_at, tuple(found.get(each.id, ()))
        )
        for each in session.scalars(questionnaires)
    ]
    return sorted(rows, key=lambda row: (row.retired_at is not None, row.title.casefold(), row.id))


def load_questionnaire(session: Session, questionnaire_id: int) -> QuestionnaireRow:
    """Return one questionnaire; two statements.

    Raises:
        DomainError: `not_found`.

    """
    rows = list_questionnaires(session, questionnaire_id)
    if not rows:
        raise not_found()
    return rows[0]


def load_draft(session: Session, questionnaire_id: int) -> Draft:
    """Return what a questionnaire asks next; three statements.

    Raises:
        DomainError: `not_found`.

    """
    questionnaire = load_questionnaire(session, questionnaire_id)
    versions = session.execute(
        select(
            QuestionnaireVersion.number, QuestionnaireVersion.state, QuestionnaireVersion.content
        )
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .order_by(QuestionnaireVersion.number)
    )
    number, is_open, content = 0, False, Content("", ())
    released: set[str] = set()
    for number, state, stored in versions:  # noqa: B007 – the last one counts
        content, is_open = Content.from_json(stored), state is VersionState.DRAFT
        if not is_open:
            released |= {question.key for question in content.questions}
    return Draft(questionnaire, content, number, is_open, frozenset(released))


def load_content(session: Session, questionnaire_id: int, number: int) -> Content:
    """Return what a version asks; one statement.

    Raises:
        DomainError: `not_found`.

    """
    stored = session.scalar(
        select(QuestionnaireVersion.content).where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.number == number,
        )
    )
    if stored is None:
        raise not_found()
    return Content.from_json(stored)
