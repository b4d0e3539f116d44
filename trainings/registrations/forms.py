"""Forms of the registrations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from wtforms import BooleanField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from trainings.core.forms import Form, QueryForm, TextField
from trainings.events.models import KIND_NAMES, EventKind
from trainings.people.forms import NewPersonForm
from trainings.registrations.event_queries import EventFilter, EventList
from trainings.registrations.models import NEED_NAMES, NeedKind

LONGEST_NOTE = 500


class RegistrationForm(Form):
    """What somebody needs to take part; all of it is voluntary."""

    needs = SelectMultipleField(
        "Was brauchen Sie?",
        choices=[
            SelectChoice(kind.value, NEED_NAMES[kind])
            for kind in NeedKind
            if kind != NeedKind.OTHER
        ],
        widget=ListWidget(prefix_label=False),
        option_widget=CheckboxInput(),
    )
    note = TextField(
        "Hinweis an die Geschäftsstelle",
        LONGEST_NOTE,
        description="Wir löschen die Angaben 30 Tage nach der Veranstaltung.",
    )

    def chosen_needs(self) -> dict[NeedKind, str]:
        """Return what was chosen, with the note as a need of its own."""
        needs = {NeedKind(value): "" for value in self.needs.data or ()}
        if self.note.data:
            needs[NeedKind.OTHER] = self.note.data
        return needs


class FirstRegistrationForm(NewPersonForm, RegistrationForm):
    """Who somebody is and what they need: the one form of a first registration."""


class ConfirmForm(Form):
    """A button that acts, and nothing to fill in."""


class EventFilterForm(QueryForm):
    """The filter above the list; it lies in the address, so that it can be sent to somebody."""

    art = SelectField("Art")
    monat = SelectField("Monat")
    ort = SelectField("Ort")
    frei = BooleanField("Nur mit freien Plätzen")

    def offer(self, found: EventList, month_label: dict[date, str]) -> None:
        """Fill the choices with what there is to choose."""
        self.art.choices = _choices(
            "Alle Arten", [(kind.value, KIND_NAMES[kind]) for kind in EventKind]
        )
        self.monat.choices = _choices(
            "Alle Monate", [(f"{month:%Y-%m}", month_label[month]) for month in found.months]
        )
        self.ort.choices = _choices("Alle Orte", [(town, town) for town in found.towns])

    def wanted(self) -> EventFilter:
        """Return the filter; what makes no sense is ignored."""
        return EventFilter(
            kind=EventKind(self.art.data) if self.art.data in set(EventKind) else None,
            month=_month(self.monat.data),
            town=(self.ort.data or "").replace("\x00", ""),
            only_free=bool(self.frei.data),
        )


def _choices(everything: str, values: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice("", everything), *(SelectChoice(*value) for value in values)]


def _month(text: str | None) -> date | None:
    try:
        return date.fromisoformat(f"{text}-01") if text and len(text) == 7 else None
    except ValueError:
        return None
