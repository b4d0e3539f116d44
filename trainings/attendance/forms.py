"""The forms of the room."""

from __future__ import annotations

from wtforms import StringField

from trainings.attendance.models import AttendanceMark
from trainings.attendance.rules import Mark
from trainings.attendance.sync_rules import LONGEST_NAME
from trainings.core.fields import LARGEST_ID, ChoiceField, given, optional_id
from trainings.core.forms import Form, LineField, QueryForm, required

_MARKS: dict[str, Mark] = {**{mark.value: mark for mark in AttendanceMark}, "open": None}


def parse_id(text: str | None) -> int | None:
    """Return the id of a row from what a browser sent; None if it cannot be one."""
    if text and len(text) <= 10 and text.isascii() and text.isdigit():
        value = int(text)
        return value if value <= LARGEST_ID else None
    return None


class RecordForm(Form):
    """The buttons of the attendance pages; each sends one field.

    It has no key against double submits: all buttons of a page share one form, and the key would
    swallow the second of two names that are pressed quickly one after the other. The operations
    are harmless when they are repeated.
    """

    form_key = None
    mark = StringField()
    """An id and a mark: „12-present“."""
    everyone = StringField()
    undo = StringField()

    @property
    def marked(self) -> tuple[int, Mark] | None:
        """The id and the mark of the button that was pressed; None if it was none of ours."""
        id_text, _, mark = (self.mark.data or "").partition("-")
        row_id = parse_id(id_text)
        return (row_id, _MARKS[mark]) if row_id is not None and mark in _MARKS else None


class CodeForm(QueryForm):
    """Looks up a ticket by the letters of its code."""

    code = LineField(
        "Code der Eintrittskarte",
        40,
        [required("Bitte geben Sie den Code ein, der unter dem QR-Code steht.")],
        description="12 Zeichen, groß oder klein, mit oder ohne Leerzeichen und Bindestriche.",
    )


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
