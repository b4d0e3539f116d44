"""Forms of the surveys: the filter of the list, how an event asks, the last day."""

from __future__ import annotations

from typing import Any

from wtforms import RadioField
from wtforms.validators import ValidationError

from trainings.core.fields import ChoiceField, DayField, given, options
from trainings.core.forms import Form, QueryForm
from trainings.feedback.models import SurveyKind
from trainings.feedback.surveys.timing import Phase
from trainings.feedback.surveys.wording import FILTER_NAMES, WAY_NAMES, Way


class ListFilter(QueryForm):
    """Filter of the list; it stands in the address."""

    stand = ChoiceField("Stand", choices=options([("", "alle"), *FILTER_NAMES.items()]))

    @property
    def phase(self) -> Phase | None:
        """What was chosen; what makes no sense is nothing."""
        chosen = self.stand.data
        return next((phase for phase in FILTER_NAMES if phase.value == chosen), None)


class WayForm(Form):
    """How an event asks, or that it does not."""

    way = RadioField("Wie wird gefragt?", validate_choice=False)

    def __init__(self, kind: SurveyKind, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        ways = [way for way in Way if kind is SurveyKind.AFTER or way is not Way.SLIPS]
        self.way.choices = options((way, WAY_NAMES[way]) for way in ways)

    def validate_way(self, field: Any) -> None:
        """Refuse what was not offered."""
        if field.data not in set(Way):
            raise ValidationError("Bitte wählen Sie, wie gefragt wird.")

    @property
    def chosen(self) -> Way:
        """What was chosen."""
        return Way(self.way.data)


class LastDayForm(Form):
    """The last day of an open survey."""

    last_day = DayField("Letzter Tag für Antworten", [given("Bitte wählen Sie den letzten Tag.")])
