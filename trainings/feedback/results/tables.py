"""Which table is meant: an event's own, a format in a year, a format, or all together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import ColumnElement, select

from trainings.events.models import Event
from trainings.feedback.models import QuestionnaireVersion, Survey, SurveyKind, SurveyState
from trainings.feedback.results.rules import FLOWS, Height


@dataclass(frozen=True)
class Table:
    """One table of sums.

    Attributes:
        questionnaire_id: only what this questionnaire asked, in any version.
        kind: when it was asked.
        height: how much is taken together; never `Height.EVENT`.
        format: id of the format, None for events without one; means nothing in the total.
        year: of the events' last days; means nothing but in `Height.YEAR`.

    """

    questionnaire_id: int
    kind: SurveyKind
    height: Height
    format: int | None = None
    year: int | None = None

    @property
    def of_all(self) -> bool:
        """Whether events of all formats are in it."""
        return self.height is Height.TOTAL

    def closed(self) -> ColumnElement[bool]:
        """Return the condition that a survey may matter: closed, of the same format in any year."""
        found = (
            (Survey.state == SurveyState.CLOSED)
            & (Survey.kind == self.kind)
            & Survey.version_id.in_(
                select(QuestionnaireVersion.id).where(
                    QuestionnaireVersion.questionnaire_id == self.questionnaire_id
                )
            )
        )
        if not self.of_all:
            of_format = (
                Event.template_id.is_(None)
                if self.format is None
                else Event.template_id == self.format
            )
            found &= Survey.event_id.in_(select(Event.id).where(of_format))
        return found

    def holds(self) -> ColumnElement[bool]:
        """Return the condition that the answers of a survey were released into it."""
        found = self.closed() & Survey.release.in_(sorted(FLOWS[self.height]))
        if self.height is Height.YEAR:
            year = self.year or 0
            first, last = date(year, 1, 1), date(year, 12, 31)
            found &= Survey.event_id.in_(
                select(Event.id).where(Event.last_day.between(first, last))
            )
        return found
