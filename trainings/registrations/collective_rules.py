"""Reading a list of people that somebody pasted from a spreadsheet. Pure functions.

What comes is hostile or at least careless: it is cut into rows and cells here and nothing else.
Whether a cell is a name or an address says the form, so that a wrong one can be corrected in place.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from trainings.core.errors import DomainError
from trainings.core.text import clean, normalise_email

MOST_PEOPLE = 20
LONGEST_LIST = 20_000
"""Signs of a pasted list: twenty people need far fewer."""
LONGEST_CELL = 500
"""What is longer is no name; the form shows its beginning and says so."""


class Column(StrEnum):
    """What a column of the list holds, in the order in which a list without header has them."""

    GIVEN_NAME = "given_name"
    FAMILY_NAME = "family_name"
    EMAIL = "email"
    UNIT = "unit"
    FUNCTION = "function"


# Compared without case, spaces and hyphens.
_HEADERS: Mapping[str, Column] = {
    "vorname": Column.GIVEN_NAME,
    "rufname": Column.GIVEN_NAME,
    "nachname": Column.FAMILY_NAME,
    "familienname": Column.FAMILY_NAME,
    "name": Column.FAMILY_NAME,
    "email": Column.EMAIL,
    "emailadresse": Column.EMAIL,
    "mail": Column.EMAIL,
    "mailadresse": Column.EMAIL,
    "dienstlicheemail": Column.EMAIL,
    "dienstlicheemailadresse": Column.EMAIL,
    "dienststelle": Column.UNIT,
    "abteilung": Column.UNIT,
    "amt": Column.UNIT,
    "dienststelleoderabteilung": Column.UNIT,
    "funktion": Column.FUNCTION,
    "dienstbezeichnung": Column.FUNCTION,
}
_SEPARATORS = ("\t", ";", ",")


@dataclass(frozen=True)
class ListedPerson:
    """One row of a list, as it was typed; any cell may be empty or nonsense."""

    given_name: str = ""
    family_name: str = ""
    email: str = ""
    unit: str = ""
    function: str = ""


def read_list(text: str) -> list[ListedPerson]:
    """Return the people of a pasted list, in order; empty rows are left out.

    Cells are separated by tabs (as from a spreadsheet), else by semicolons, else by commas. A first
    row that names its columns decides what they hold; without one they stand in the order of
    `Column`.

    Args:
        text: as it came from the browser.

    Raises:
        DomainError: `list_too_long`, `too_many_people`.

    """
    if len(text) > LONGEST_LIST:
        raise DomainError(
            "list_too_long",
            "Dieser Text ist zu lang für eine Liste von Personen. Bitte fügen Sie nur die Zeilen "
            "ein, die Sie anmelden möchten.",
            field="pasted",
            status=422,
        )
    rows = [row for row in _cells(text) if any(row)]
    columns: Sequence[Column | None] = tuple(Column)
    if rows and (named := _named_columns(rows[0])):
        columns, rows = named, rows[1:]
    if len(rows) > MOST_PEOPLE:
        raise too_many(len(rows))
    return [_person(columns, row) for row in rows]


def too_many(number: int) -> DomainError:
    """Return the refusal of a list with more people than are registered at once."""
    return DomainError(
        "too_many_people",
        f"Das sind {number} Personen; auf einmal gehen höchstens {MOST_PEOPLE}. Bitte teilen Sie "
        "die Liste auf.",
        field="pasted",
        status=422,
    )


def repeated(emails: Sequence[str]) -> frozenset[int]:
    """Return the positions of addresses that stood further up already; empty ones do not count."""
    seen: Counter[str] = Counter()
    again = set()
    for position, email in enumerate(map(normalise_email, emails)):
        if email and seen[email]:
            again.add(position)
        seen[email] += 1
    return frozenset(again)


def _cells(text: str) -> list[list[str]]:
    # NUL ends a text in some databases, a lone carriage return a line in some spreadsheets.
    lines = text.replace("\x00", "").replace("\r\n", "\n").replace("\r", "\n")
    separator = next((sign for sign in _SEPARATORS if sign in lines), ";")
    # A quotation mark that is never closed would swallow the rows after it.
    if lines.count('"') % 2:
        lines = lines.replace('"', "")
    reader = csv.reader(lines.split("\n"), delimiter=separator)
    return [[clean(cell)[:LONGEST_CELL] for cell in row] for row in reader]


def _named_columns(row: Sequence[str]) -> list[Column | None]:
    """Return what the columns hold if a row names them, else nothing."""
    names = ["".join(filter(str.isalpha, cell.casefold())) for cell in row]
    columns = [_HEADERS.get(name) for name in names]
    return columns if Column.EMAIL in columns else []


def _person(columns: Sequence[Column | None], row: Sequence[str]) -> ListedPerson:
    values: dict[str, str] = {}
    for column, cell in zip(columns, row, strict=False):
        if column is not None and cell and not values.get(column.value):
            values[column.value] = cell
    return ListedPerson(**values)
