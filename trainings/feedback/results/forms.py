"""Which results are meant, chosen in the address."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from trainings.core.fields import ChoiceField, enum_field, optional_id, options
from trainings.core.forms import QueryForm
from trainings.feedback.models import SURVEY_KIND_NAMES, SurveyKind


class KindWord(StrEnum):
    """When something was asked, as it stands in addresses."""

    AFTER = "rueckmeldung"
    FOLLOW_UP = "nachbefragung"


KINDS = {KindWord.AFTER: SurveyKind.AFTER, KindWord.FOLLOW_UP: SurveyKind.FOLLOW_UP}
WORDS = {kind: word for word, kind in KINDS.items()}


class KindForm(QueryForm):
    """When it was asked."""

    art = enum_field(
        "Wann gefragt",
        {word: SURVEY_KIND_NAMES[kind] for word, kind in KINDS.items()},
        default=KindWord.AFTER,
    )

    def __init__(self, arguments: Any) -> None:
        super().__init__(arguments)
        self.validate()

    @property
    def kind(self) -> SurveyKind:
        """When it was asked; what makes no sense is named at its field and ignored."""
        return SurveyKind.AFTER if self.art.errors else KINDS[KindWord(self.art.data)]


class ResultsForm(KindForm):
    """Questionnaire and time, and on the pages of a format the year."""

    fragebogen = ChoiceField("Fragebogen", coerce=optional_id, choices=[])
    jahr = ChoiceField("Jahr", coerce=optional_id, choices=[])

    def __init__(
        self,
        arguments: Any,
        asked: Sequence[tuple[int, str, SurveyKind]],
        years: Sequence[int] = (),
    ) -> None:
        super().__init__(arguments)
        self._asked = asked
        titles = {questionnaire_id: title for questionnaire_id, title, _ in asked}
        self.fragebogen.choices = options(titles.items())
        self.jahr.choices = options([("", "Alle Jahre"), *((year, str(year)) for year in years)])
        self.validate()
        if not arguments.get("fragebogen"):
            self.fragebogen.errors = ()
            self.fragebogen.data = self._first()

    def _first(self) -> int | None:
        return next((each for each, _, kind in self._asked if kind is self.kind), None)

    @property
    def questionnaire_id(self) -> int | None:
        """What was asked; unless it is chosen the first that was asked then, if there is one."""
        return self._first() if self.fragebogen.errors else self.fragebogen.data

    @property
    def questionnaire(self) -> str:
        """The title of what was asked."""
        return next((title for each, title, _ in self._asked if each == self.questionnaire_id), "")

    @property
    def year(self) -> int | None:
        """The year; None: all."""
        return None if self.jahr.errors else self.jahr.data

    @property
    def arguments(self) -> dict[str, str]:
        """The part of an address that leads to the same questionnaire and time, not year."""
        found = {"art": WORDS[self.kind].value}
        if self.questionnaire_id is not None:
            found["fragebogen"] = str(self.questionnaire_id)
        return found
