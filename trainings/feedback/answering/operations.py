"""Taking an answer: the one moment in which a right and an answer are known together.

Nothing here writes an audit row, a key of a form, a count of attempts or a line in the log: each of
them would hold a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.clock import berlin_day
from trainings.core.errors import DomainError
from trainings.core.formats import long_date
from trainings.core.tokens import digest
from trainings.feedback.answering.pending import add_pending
from trainings.feedback.answers import Sheet
from trainings.feedback.content import Content
from trainings.feedback.models import (
    FeedbackRight,
    Survey,
    SurveyKind,
)
from trainings.feedback.rules import takes_answers
from trainings.feedback.surveys.rights import is_used, normalise_code
from trainings.feedback.surveys.steps import lock_survey


@dataclass(frozen=True)
class Asked:
    """What the holder of a right is asked.

    Attributes:
        survey: the survey.
        content: the version that it asks, whatever came out since.

    """

    survey: Survey
    content: Content

    @property
    def is_follow_up(self) -> bool:
        """Whether it is asked months later."""
        return self.survey.kind is SurveyKind.FOLLOW_UP


def asked(session: Session, code: str, now: datetime) -> Asked:
    """Return what the holder of a code is asked; it changes nothing.

    Args:
        session: for reading.
        code: as it stands in the address, or as somebody typed it.
        now: the present instant.

    Raises:
        DomainError: `unknown_right` (404), `right_used` (409) or `survey_over` (410).

    """
    token_hash = digest(normalise_code(code))
    survey = session.scalars(
        select(Survey)
        .where(Survey.id == _find_right(session, token_hash))
        .options(joinedload(Survey.event), joinedload(Survey.version))
    ).one()
    _check_open(survey, now)
    assert survey.version is not None  # noqa: S101 – a check of the table holds it
    return Asked(survey, Content.from_json(survey.version.content))


def submit(session: Session, code: str, sheet: Sheet, now: datetime) -> None:
    """Take an answer: the right is used, and both wait for the next batch.

    Of two submits with one code one deletes the right, and the other finds it used.

    Args:
        session: the open transaction.
        code: the right.
        sheet: read from the content that `asked` returned.
        now: the present instant.

    Raises:
        DomainError: as `asked`; nothing is stored then.

    """
    token_hash = digest(normalise_code(code))
    survey = lock_survey(session, _find_right(session, token_hash))
    _check_open(survey, now)
    gone = session.execute(delete(FeedbackRight).where(FeedbackRight.token_hash == token_hash))
    if not gone.rowcount:  # type: ignore[attr-defined]
        # Somebody used it meanwhile, or it was taken back.
        raise _refusal(session, token_hash)
    add_pending(session, survey.id, token_hash, sheet)


def _find_right(session: Session, token_hash: bytes) -> int:
    """Return the survey of a right that was not used."""
    survey_id = session.scalar(
        select(FeedbackRight.survey_id).where(FeedbackRight.token_hash == token_hash)
    )
    if survey_id is None:
        raise _refusal(session, token_hash)
    return survey_id


def _check_open(survey: Survey, now: datetime) -> None:
    if takes_answers(survey.state, survey.closes_on, berlin_day(now)):
        return
    until = f" am {long_date(survey.closes_on)}" if survey.closes_on else ""
    raise DomainError(
        "survey_over",
        f"Die Rückmeldung zu dieser Veranstaltung endete{until}. Antworten werden nicht mehr "
        "angenommen; es ist nichts weiter zu tun.",
        status=410,
    )


def _refusal(session: Session, token_hash: bytes) -> DomainError:
    """Return why a right that is not there cannot be used."""
    if is_used(session, token_hash):
        return DomainError(
            "right_used",
            "Mit diesem Code ist schon geantwortet worden. Die Antworten sind angekommen, und es "
            "ist nichts weiter zu tun.",
        )
    return DomainError(
        "unknown_right",
        "Dieser Code gilt nicht. Bitte prüfen Sie, ob der Link oder der Code vollständig ist; "
        "Codes von Zetteln, die neu gedruckt wurden, gelten nicht mehr.",
        status=404,
    )
