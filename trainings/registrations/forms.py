"""Forms of the registrations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from wtforms import BooleanField, RadioField, SelectField, SelectMultipleField
from wtforms.fields import SelectChoice
from wtforms.widgets import CheckboxInput, ListWidget

from trainings.core.forms import (
    LONGEST_EMAIL,
    Form,
    LineField,
    QueryForm,
    TextField,
    email_address,
    registered_name,
    required,
)
from trainings.events.models import KIND_NAMES, EventKind
from trainings.people.forms import NewPersonForm
from trainings.registrations.event_queries import EventFilter, EventList
from trainings.registrations.models import LATE_REASON_NAMES, NEED_NAMES, LateReason, NeedKind

LONGEST_NOTE = 500
LATE_QUESTION = "Warum geben Sie den Platz erst jetzt zurück?"


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


class GiveBackForm(Form):
    """Giving a place back; after the deadline with a choice, never with a text."""

    late_reason = RadioField(
        LATE_QUESTION,
        default="",
        choices=[SelectChoice(reason.value, words) for reason, words in LATE_REASON_NAMES.items()],
        validate_choice=False,
    )

    def reason(self) -> LateReason | None:
        """Return what was chosen; anything else is no choice."""
        chosen = self.late_reason.data
        return LateReason(chosen) if chosen in set(LateReason) else None


class SubstituteForm(Form):
    """Who comes instead."""

    given_name = LineField(
        "Vorname", 80, [required("Bitte geben Sie den Vornamen ein."), registered_name]
    )
    family_name = LineField(
        "Nachname", 80, [required("Bitte geben Sie den Nachnamen ein."), registered_name]
    )
    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte geben Sie die dienstliche E-Mail-Adresse ein."), email_address],
        render_kw={"type": "email", "inputmode": "email"},
    )

    def colleague(self) -> dict[str, str]:
        """Return what was typed, by the names that `substitute` takes."""
        return {
            "given_name": self.given_name.data,
            "family_name": self.family_name.data,
            "email": self.email.data,
        }


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
