"""What the figures are about, chosen in the address."""

from __future__ import annotations

from datetime import date
from typing import Any

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField
from wtforms.validators import Optional

from trainings.events.models import EventKind
from trainings.statistics.rules import Selection

KIND_WORDS = {
    EventKind.TRAINING: "Trainings",
    EventKind.CONFERENCE: "Fachtagungen",
    EventKind.BRIEFING: "Informationsveranstaltungen",
    EventKind.ANNUAL_MEETING: "Jahrestagungen",
    EventKind.WORKING_GROUP: "Sitzungen der Facharbeitskreise",
}
ALL_KINDS = "alle"
ALL_WORD = "Veranstaltungen"
_BAD_DATE = "Das ist kein Datum. Beispiel: 23.10.2025"


class SelectionForm(FlaskForm):  # type: ignore[misc]
    """Kind and days; changes nothing, so it needs no token and stands in the address."""

    class Meta:
        """Settings of WTForms."""

        csrf = False

    art = SelectField(
        "Art",
        choices=[*((kind.value, word) for kind, word in KIND_WORDS.items()), (ALL_KINDS, "Alle")],
        default=EventKind.TRAINING.value,
    )
    von = DateField("Von", format=["%Y-%m-%d", "%d.%m.%Y"], validators=[Optional()])
    bis = DateField("Bis", format=["%Y-%m-%d", "%d.%m.%Y"], validators=[Optional()])

    def selection(self) -> Selection:
        """Return what was chosen; what makes no sense is not taken into account."""
        valid = self.validate()
        kind = self.art.data if valid or not self.art.errors else EventKind.TRAINING.value
        first, last = self._day(self.von), self._day(self.bis)
        if first and last and first > last:
            self.bis.errors = ["Das Ende liegt vor dem Anfang."]
            last = None
        return Selection(None if kind == ALL_KINDS else EventKind(kind), first, last)

    @staticmethod
    def _day(field: Any) -> date | None:
        if field.errors:
            field.errors = [_BAD_DATE]
            return None
        day: date | None = field.data
        return day
