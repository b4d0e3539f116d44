"""What the figures are about, chosen in the address."""

from __future__ import annotations

from wtforms.fields.choices import SelectChoice

from trainings.core.fields import ChoiceField, DayField
from trainings.core.forms import QueryForm
from trainings.events.models import EventKind
from trainings.statistics.rules import Selection

KIND_WORDS = {
    EventKind.TRAINING: "Trainings",
    EventKind.CONFERENCE: "Fachtagungen",
    EventKind.BRIEFING: "Informations\u00adveranstaltungen",
    EventKind.ANNUAL_MEETING: "Jahrestagungen",
    EventKind.WORKING_GROUP: "Facharbeitskreise",
}
ALL_KINDS = "alle"
ALL_WORD = "Veranstaltungen"


class SelectionForm(QueryForm):
    """Kind and days."""

    art = ChoiceField(
        "Art",
        choices=[
            *(SelectChoice(kind.value, word) for kind, word in KIND_WORDS.items()),
            SelectChoice(ALL_KINDS, "Alle"),
        ],
        default=EventKind.TRAINING.value,
    )
    von = DayField("Von")
    bis = DayField("Bis")

    def selection(self) -> Selection:
        """Return what was chosen; what makes no sense is named and not taken into account."""
        self.validate()
        kind = EventKind.TRAINING.value if self.art.errors else self.art.data
        first, last = self.von.data, self.bis.data
        if first and last and first > last:
            self.bis.errors = ["Das Ende liegt vor dem Anfang."]
            last = None
        return Selection(None if kind == ALL_KINDS else EventKind(kind), first, last)
