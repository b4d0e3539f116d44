"""Fields of forms for days, times, numbers and choices: what makes no sense is an error in German.

Browsers send days as `2026-03-12`; where they offer no calendar, people type „12.03.2026“.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from enum import StrEnum
from typing import Any, TypeVar

from wtforms import (
    DateField,
    FieldList,
    IntegerField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    TimeField,
)
from wtforms.validators import StopValidation
from wtforms.widgets import CheckboxInput, ListWidget

from trainings.core.formats import number
from trainings.core.text import clean

FIRST_YEAR = 2000
LAST_YEAR = 2100
LARGEST_NUMBER = 100_000
LARGEST_ID = 2**31 - 1
"""More a row's id cannot be; PostgreSQL refuses to compare it with anything greater."""
_WHOLE_NUMBER = re.compile(r"-?[0-9]{1,20}")
"""What is longer is nobody's number, and not even converted."""
_DAY_FORMATS = ("%Y-%m-%d", "%d.%m.%Y")
_TIME_FORMATS = ("%H:%M", "%H.%M", "%H:%M:%S")
_NO_DAY = "Das ist kein Tag im Kalender. Beispiel: 12.03.2026"
_NO_TIME = "Das ist keine Uhrzeit. Beispiel: 09:00"
_NO_CHOICE = "Bitte wählen Sie einen Eintrag aus der Liste."

Choice = TypeVar("Choice", bound=StrEnum)


def _parse(text: str, formats: Iterable[str], refusal: str) -> datetime:
    for form in formats:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 - only its day or time is used
        except ValueError:
            continue
    raise ValueError(refusal)


def parse_day(text: str) -> date:
    """Return the day that somebody typed, in one of both forms.

    Raises:
        ValueError: no day of the calendar, or outside of the years 2000 to 2100; a German sentence.

    """
    day = _parse(clean(text), _DAY_FORMATS, _NO_DAY).date()
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise ValueError(f"Bitte ein Jahr von {FIRST_YEAR} bis {LAST_YEAR}.")
    return day


class DayField(DateField):  # type: ignore[misc]
    """A day of the calendar, from 2000 to 2100."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse what the browser sent."""
        self.data: Any = None
        text = " ".join(valuelist).strip()
        if text:
            self.data = parse_day(text)


class ClockField(TimeField):  # type: ignore[misc]
    """A wall-clock time."""

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse what the browser sent."""
        self.data: Any = None
        text = clean(" ".join(valuelist))
        if text:
            self.data = _parse(text, _TIME_FORMATS, _NO_TIME).time()


class NumberField(IntegerField):  # type: ignore[misc]
    """A whole number within bounds."""

    def __init__(
        self,
        label: str,
        validators: Any = (),
        *,
        least: int = 0,
        most: int = LARGEST_NUMBER,
        **kwargs: Any,
    ) -> None:
        super().__init__(label, validators, **kwargs)
        self.least = least
        self.most = most

    def process_formdata(self, valuelist: list[str]) -> None:
        """Parse what the browser sent."""
        self.data: Any = None
        text = clean(" ".join(valuelist))
        if not text:
            return
        if not _WHOLE_NUMBER.fullmatch(text):
            raise ValueError("Bitte geben Sie eine ganze Zahl ein.")
        value = int(text)
        if not self.least <= value <= self.most:
            raise ValueError(f"Bitte eine Zahl von {number(self.least)} bis {number(self.most)}.")
        self.data = value


class given:  # noqa: N801 - used like the validators of WTForms
    """A validator that asks for a value; unlike `required` it also serves parsed fields."""

    field_flags = {"required": True}  # noqa: RUF012 - read by WTForms as it is

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence

    def __call__(self, _form: Any, field: Any) -> None:
        """Refuse a field without a value; an error of its parsing stands as it is."""
        if field.data is None and not field.process_errors:
            raise StopValidation(self.sentence)


class ChoiceField(SelectField):  # type: ignore[misc]
    """A choice by text or number; what was not offered is refused with a sentence."""

    def __init__(self, label: str, validators: Any = (), **kwargs: Any) -> None:
        messages = {"invalid_value_message": _NO_CHOICE, "invalid_choice_message": _NO_CHOICE}
        super().__init__(label, validators, **messages, **kwargs)


class ManyField(SelectMultipleField):  # type: ignore[misc]
    """Boxes to tick, each the id of a row unless `coerce` says otherwise."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()

    def __init__(self, label: str, validators: Any = (), **kwargs: Any) -> None:
        messages = {"invalid_value_message": _NO_CHOICE, "invalid_choice_message": _NO_CHOICE}
        kwargs.setdefault("coerce", optional_id)
        super().__init__(label, validators, **messages, **kwargs)


def enum_field(label: str, names: dict[Choice, str], **kwargs: Any) -> Any:
    """Return a field to choose one of the values of an enumeration, by its German names."""
    values = type(next(iter(names)))
    return ChoiceField(label, choices=options(names.items()), coerce=values, **kwargs)


def options(pairs: Iterable[tuple[object, str]], group: str | None = None) -> list[SelectChoice]:
    """Return what a field offers: pairs of a value and words, under a heading if there is one."""
    return [SelectChoice(value=str(value), label=words, optgroup=group) for value, words in pairs]


def optional_id(value: Any) -> int | None:
    """Coerce the value of a choice of rows; an empty one means none."""
    if value in (None, "", "None"):
        return None
    text = str(value)
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise ValueError(_NO_CHOICE)
    number = int(text)
    if number > LARGEST_ID:
        raise ValueError(_NO_CHOICE)
    return number


def parse_id(text: str | None) -> int | None:
    """Return the id of a row from what a browser sent; None if it cannot be one."""
    if text and len(text) <= 10 and text.isascii() and text.isdigit():
        value = int(text)
        return value if value <= LARGEST_ID else None
    return None


def ask_for(*fields: Any) -> bool:
    """Refuse fields without a value, in a row of which some are filled in."""
    complete = True
    for field in fields:
        if field.data is None and not field.errors:
            field.errors = ["Bitte ausfüllen."]
            complete = False
    return complete


class RowsField(FieldList):  # type: ignore[misc]
    """Rows of a table of fields; hostile names of rows are ignored, and one row is always there."""

    def __init__(self, row: Any, label: str, *, most: int, **kwargs: Any) -> None:
        super().__init__(row, label, min_entries=1, max_entries=most, **kwargs)

    def validate(self, form: Any, extra_validators: Any = ()) -> bool:
        """Check all rows; their errors stand in the rows, the field itself says where to look."""
        wrong = [row for row in self.entries if not row.validate(form)]
        self.errors = ["Bitte prüfen Sie die markierten Zeilen."] if wrong else []
        if not wrong:
            self._run_validation_chain(form, [*self.validators, *extra_validators])
        return not self.errors

    def _extract_indices(self, prefix: str, formdata: Any) -> Iterator[int]:
        start = f"{prefix}-"
        for name in formdata:
            if name.startswith(start):
                index = name.removeprefix(start).partition("-")[0]
                if index.isascii() and index.isdigit() and len(index) <= 3:
                    yield int(index)
