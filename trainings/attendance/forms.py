"""The forms of the room."""

from __future__ import annotations

from typing import Any

from wtforms import RadioField, StringField
from wtforms.validators import ValidationError

from trainings.attendance.door.sync_rules import LONGEST_NAME
from trainings.attendance.models import LONGEST_MINUTES, MARK_NAMES, AttendanceMark
from trainings.attendance.rules import Mark
from trainings.core.fields import (
    ChoiceField,
    NumberField,
    given,
    optional_id,
    options,
    parse_id,
)
from trainings.core.forms import Form, LineField, QueryForm, required

_OPEN = "open"
_MARKS: dict[str, Mark] = {**{mark.value: mark for mark in AttendanceMark}, _OPEN: None}
_SWITCHED = (AttendanceMark.PRESENT.value, AttendanceMark.ABSENT.value)
"""The marks that have a button beside each name."""


def mark_value(mark: Mark) -> str:
    """Return what a form sends for a mark."""
    return mark.value if mark else _OPEN


class RecordForm(Form):
    """The buttons of the attendance pages; each sends one field.

    It has no key against double submits: all buttons of a page share one form, and the key would
    swallow the second of two names that are pressed quickly one after the other. The operations
    are harmless when they are repeated.
    """

    form_key = None
    takes_typing = False
    mark = StringField()
    """An id and a mark: „12-present“."""
    everyone = StringField()
    undo = StringField()
    extra = StringField()
    """A button of another room, see `extras`."""

    @property
    def marked(self) -> tuple[int, Mark] | None:
        """The id and the mark of the button that was pressed; None if it was none of ours."""
        id_text, _, mark = (self.mark.data or "").partition("-")
        row_id = parse_id(id_text)
        return (row_id, _MARKS[mark]) if row_id is not None and mark in _MARKS else None

    def anchor(self, row: str) -> str:
        """Return the id of what has the focus on the page that follows.

        It is the button that was pressed if it is still there, else the row: without it everybody
        who works with the keyboard would begin at the top of the page after each name.

        Args:
            row: how the ids of the rows begin.

        """
        row_id, _, mark = (self.mark.data or "").partition("-")
        return f"m-{self.mark.data}" if mark in _SWITCHED else f"{row}-{row_id}"


class CellForm(Form):
    """What is recorded of one person at one session."""

    form_key = None
    mark = RadioField(
        "Anwesenheit",
        choices=options([*MARK_NAMES.items(), (_OPEN, "nicht erfasst")]),
        validate_choice=False,
    )
    late = NumberField(
        "Minuten später gekommen", most=LONGEST_MINUTES, description="Zählt nur bei „da“."
    )
    early = NumberField(
        "Minuten früher gegangen",
        most=LONGEST_MINUTES,
        description="Vor dem Ende des Termins, zählt nur bei „da“.",
    )

    def validate_mark(self, field: Any) -> None:
        """Refuse what was not offered."""
        if field.data not in _MARKS:
            raise ValidationError("Bitte wählen Sie, was erfasst werden soll.")

    @property
    def chosen(self) -> Mark:
        """The mark that was chosen."""
        return _MARKS[self.mark.data]


class CodeForm(QueryForm):
    """Looks up a ticket by the letters of its code."""

    code = LineField(
        "Code der Eintrittskarte",
        40,
        [required("Bitte geben Sie den Code ein, der unter dem QR-Code steht.")],
        description="12 Zeichen, groß oder klein, mit oder ohne Leerzeichen und Bindestriche.",
    )


class ReopenForm(Form):
    """Why a closed attendance is opened again."""

    reason = LineField(
        "Grund",
        300,
        [required("Bitte nennen Sie einen Grund: Er bleibt beim Abschluss stehen.")],
        description="Bitte ohne Namen, zum Beispiel „Termin 2 war vertauscht“.",
    )


class SearchForm(QueryForm):
    """Finds people by name."""

    name = LineField("Name suchen", 80)


class WalkInForm(Form):
    """Somebody who came without a registration: what is known of them at the door."""

    name = LineField(
        "Name",
        LONGEST_NAME,
        [required("Bitte geben Sie den Namen ein.")],
        render_kw={"autocomplete": "off"},
    )
    organisation = LineField("Organisation", LONGEST_NAME, render_kw={"autocomplete": "off"})
    session_id = ChoiceField(
        "Termin", [given("Bitte wählen Sie einen Termin.")], coerce=optional_id
    )
