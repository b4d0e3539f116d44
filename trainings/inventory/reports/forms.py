"""What the reports are about, chosen in the address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from wtforms import BooleanField

from trainings.core.fields import ChoiceField, DayField, enum_field, optional_id, options
from trainings.core.forms import QueryForm
from trainings.inventory.reports.flows import Selection
from trainings.inventory.reports.queries import Breakdown

BREAKDOWN_NAMES = {
    Breakdown.ORGANISATION: "Organisation",
    Breakdown.KIND: "Art der Organisation",
    Breakdown.YEAR: "Jahr",
    Breakdown.MONTH: "Monat",
    Breakdown.EDITION: "Auflage",
    Breakdown.EVENT: "Veranstaltung",
}


class ReportForm(QueryForm):
    """Breakdown, card and days."""

    nach = enum_field("Gliederung", BREAKDOWN_NAMES, default=Breakdown.ORGANISATION)
    karte = ChoiceField("Karte", coerce=optional_id)
    von = DayField("Von")
    bis = DayField("Bis")
    einzeln = BooleanField("Dienststellen einzeln")

    def __init__(self, arguments: Any, cards: Sequence[tuple[int, str]]) -> None:
        super().__init__(arguments)
        self.karte.choices = options([("", "Alle"), *cards])
        self.validate()
        if self.von.data and self.bis.data and self.von.data > self.bis.data:
            self.bis.errors = ["Das Ende liegt vor dem Anfang."]
            self.bis.data = None

    @property
    def breakdown(self) -> Breakdown:
        """By what the report adds up; what makes no sense is named at its field."""
        return Breakdown.ORGANISATION if self.nach.errors else Breakdown(self.nach.data)

    @property
    def selection(self) -> Selection:
        """What counts; what makes no sense is named at its field and not taken into account."""
        card = None if self.karte.errors else self.karte.data
        return Selection(self.von.data, self.bis.data, card)

    @property
    def arguments(self) -> dict[str, str]:
        """The part of an address that leads to the same report."""
        chosen = self.selection
        found = {"nach": self.breakdown.value}
        if chosen.card_id is not None:
            found["karte"] = str(chosen.card_id)
        for name, day in (("von", chosen.first), ("bis", chosen.last)):
            if day:
                found[name] = day.isoformat()
        if self.einzeln.data:
            found["einzeln"] = "1"
        return found


class DayForm(QueryForm):
    """A day that is over, or today."""

    tag = DayField("Tag")

    def __init__(self, arguments: Any, today: date) -> None:
        super().__init__(arguments)
        self.validate()
        if not arguments.get("tag"):
            self.tag.data = today
        elif self.tag.data and self.tag.data > today:
            self.tag.errors = [
                "Dieser Tag liegt in der Zukunft. Bitte wählen Sie heute oder einen früheren Tag."
            ]

    @property
    def day(self) -> date | None:
        """The day; None if what was typed is none that is over."""
        return None if self.tag.errors else self.tag.data
