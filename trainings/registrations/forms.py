"""Forms of the registrations."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from wtforms import (
    BooleanField,
    FormField,
    RadioField,
    SelectField,
    SelectMultipleField,
    TextAreaField,
)
from wtforms import Form as PlainForm
from wtforms.fields import SelectChoice
from wtforms.validators import ValidationError
from wtforms.widgets import CheckboxInput, ListWidget

from trainings.core.fields import ChoiceField, RowsField, optional_id
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
from trainings.people.forms import NewPersonForm, SomebodyForm
from trainings.registrations.collective_rules import MOST_PEOPLE, Column, ListedPerson
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


class SubstituteForm(SomebodyForm):
    """Who comes instead."""

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


class PersonRow(PlainForm):  # type: ignore[misc]
    """Somebody in a list; an empty row is left out."""

    take = BooleanField("Anmelden")
    given_name = LineField(
        "Vorname", 80, [required("Bitte den Vornamen eingeben."), registered_name]
    )
    family_name = LineField(
        "Nachname", 80, [required("Bitte den Nachnamen eingeben."), registered_name]
    )
    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte die E-Mail-Adresse eingeben."), email_address],
    )
    unit = LineField("Dienststelle", 120)
    function = LineField("Funktion", 120)

    @property
    def is_left_out(self) -> bool:
        """Whether nothing was typed."""
        return not any(self[column].data for column in Column)

    def validate(self, extra_validators: Any = None) -> bool:
        """Check a row in which something stands."""
        return self.is_left_out or bool(super().validate(extra_validators))

    def person(self) -> ListedPerson:
        """Return what was typed."""
        return ListedPerson(**{column.value: self[column].data or "" for column in Column})


class CollectiveForm(Form):
    """Several people at once: pasted from a spreadsheet, or typed."""

    organisation_id = ChoiceField("Organisation der neuen Personen", coerce=optional_id)
    pasted = TextAreaField(
        "Liste einfügen",
        description="Aus einer Tabelle kopiert: Vorname, Nachname, E-Mail, Dienststelle, Funktion, "
        "eine Person je Zeile.",
    )
    people = RowsField(FormField(PersonRow), "Personen", most=MOST_PEOPLE)

    def validate_organisation_id(self, field: ChoiceField) -> None:
        """Ask for a choice."""
        if field.data is None:
            raise ValidationError("Bitte wählen Sie eine Organisation.")

    def rows(self) -> list[PersonRow]:
        """Return the rows in which something stands, in order."""
        return [entry.form for entry in self.people if not entry.form.is_left_out]
