"""Forms of stocktakes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from wtforms import HiddenField

from trainings.core.clock import berlin_instant
from trainings.core.fields import (
    ChoiceField,
    ClockField,
    DayField,
    ManyField,
    NumberField,
    ask_for,
    given,
    optional_id,
    options,
)
from trainings.core.formats import instant, number
from trainings.core.forms import Form, TextField, required
from trainings.inventory.models import LARGEST_QUANTITY, LONGEST_REASON, Store
from trainings.inventory.stocktakes.queries import Line, Sheet

_PREFIX = "auflage-"


class OpenForm(Form):
    """Which store is counted."""

    store_id = ChoiceField("Lager", [given("Bitte wählen Sie ein Lager.")], coerce=optional_id)

    def offer(self, stores: Sequence[Store]) -> None:
        """Set the choices."""
        pairs = [(store.id, store.name) for store in stores]
        self.store_id.choices = options(
            [("", "– bitte wählen –"), *pairs] if len(pairs) > 1 else pairs
        )


class CountForm(Form):
    """One field for each edition; what is left empty stays as it is."""

    day = DayField("Gezählt am")
    clock = ClockField("um")

    def counts(self) -> dict[int, int]:
        """Return what was typed, by edition."""
        return {
            int(field.name.removeprefix(_PREFIX)): field.data
            for field in self.fields_of_editions()
            if field.data is not None
        }

    def fields_of_editions(self) -> Iterator[Any]:
        """Yield the fields in the order of the lines."""
        return (field for field in self if field.name.startswith(_PREFIX))

    def field_of(self, edition_id: int) -> Any:
        """Return the field of an edition."""
        return self[f"{_PREFIX}{edition_id}"]

    def moment(self) -> datetime | None:
        """Return when a list on paper was counted; None: it is counted now."""
        if self.day.data is None or self.clock.data is None:
            return None
        return berlin_instant(self.day.data, self.clock.data)

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for both parts of the moment, and for at least one number."""
        valid = super().validate(extra_validators)
        if (self.day.data is None) != (self.clock.data is None):
            valid = ask_for(self.day, self.clock) and valid
        if valid and not self.counts():
            self.form_errors.append("Bitte geben Sie bei mindestens einer Auflage eine Zahl ein.")
            return False
        return valid

    def key(self, person_id: int | None, *about: object) -> str:
        """Return a key that counts for these numbers: going back and typing others saves them."""
        return super().key(person_id, *about, sorted(self.counts().items()), self.moment())


def count_form(sheet: Sheet, **kwargs: Any) -> CountForm:
    """Return the form of a stocktake, with a field for each of its editions."""
    fields = {f"{_PREFIX}{line.edition_id}": _field_of(line) for line in sheet.lines}
    return type("SheetForm", (CountForm,), fields)(**kwargs)  # type: ignore[no-any-return]


def _field_of(line: Line) -> NumberField:
    hint = "Diese Auflage ist zurückgezogen. " if line.withdrawn else ""
    if line.counted is not None and line.counted_at is not None:
        by = f" von {line.counted_by}" if line.counted_by else ""
        hint += (
            f"Gezählt: {number(line.counted)} ({instant(line.counted_at)}{by}). "
            "Eine neue Zahl ersetzt diese."
        )
    else:
        hint += "Noch nicht gezählt."
    return NumberField(line.name, least=0, most=LARGEST_QUANTITY, description=hint)


class AddForm(Form):
    """An edition that was found and is not listed."""

    edition_id = ChoiceField(
        "Auflage", [given("Bitte wählen Sie eine Auflage.")], coerce=optional_id
    )

    def offer(self, editions: Sequence[tuple[int, str]]) -> None:
        """Set the choices."""
        self.edition_id.choices = options([("", "– bitte wählen –"), *editions])


class PostForm(Form):
    """The last look before the differences are booked."""

    seen = HiddenField()
    reason = TextField(
        "Woran liegt der Unterschied?",
        LONGEST_REASON,
        description="Steht im Protokoll und bei jeder Bewegung. Nötig, wenn etwas abweicht.",
    )
    left_out = ManyField(
        "Ungezählt lassen",
        description="Diese Auflagen stehen im Protokoll als „nicht gezählt“; im Buch bleibt es "
        "bei dem, was dort steht.",
    )

    def offer(self, sheet: Sheet) -> None:
        """Set the choices."""
        self.left_out.choices = options((line.edition_id, line.name) for line in sheet.uncounted)


class AbandonForm(Form):
    """Why a stocktake is given up."""

    reason = TextField(
        "Warum brechen Sie ab?",
        LONGEST_REASON,
        [required("Bitte schreiben Sie, warum die Inventur abgebrochen wird.")],
    )
