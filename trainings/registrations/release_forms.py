"""Forms of those who decide for an organisation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from wtforms.validators import Optional

from trainings.core import formats
from trainings.core.fields import ManyField, NumberField
from trainings.core.forms import Form, LineField, TextField, required
from trainings.registrations.release_queries import EventRequests, RequestRow

LONGEST_REASON = 300
MOST_AT_ONCE = 200
HIGHEST_RANK = 999
_NONE_CHOSEN = "Bitte kreuzen Sie mindestens eine Anmeldung an."
_TOO_MANY = f"Bitte höchstens {MOST_AT_ONCE} Anmeldungen auf einmal."


class ReleaseForm(Form):
    """Requests that are ticked, and why they are declined."""

    # Not held against what the page would offer now: what a deputy decided meanwhile gets a
    # sentence that names who and when.
    requests = ManyField("Anmeldungen", choices=[], validate_choice=False)
    reason = TextField(
        "Begründung für eine Ablehnung",
        LONGEST_REASON,
        description="Die angemeldete Person liest sie. Bitte nichts über Gesundheit oder Familie.",
    )

    def chosen(self) -> list[int]:
        """Return the ids that are ticked, each once; say so in the form if there are none."""
        ids = list(dict.fromkeys(filter(None, self.requests.data or ())))
        if not ids:
            self.form_errors.append(_NONE_CHOSEN)
        if len(ids) > MOST_AT_ONCE:
            self.form_errors.append(_TOO_MANY)
            return []
        return ids


class MailboxReleaseForm(ReleaseForm):
    """The same for somebody who reads a functional mailbox: nobody knows yet who that is."""

    name = LineField("Ihr Name", 160, [required("Bitte geben Sie Ihren Namen an.")])
    function = LineField(
        "Ihre Funktion",
        120,
        [required("Bitte geben Sie Ihre Funktion an, zum Beispiel „Fortbildungsstelle“.")],
    )


class ReturnForm(Form):
    """How many held places are given back."""

    number = NumberField("Zahl der Plätze", [Optional()], least=1, most=10_000)


class OrderError(ValueError):
    """What somebody typed is no order; the text says so in German.

    Attributes:
        registrations: whose fields are wrong.

    """

    def __init__(self, sentence: str, registrations: Collection[int]) -> None:
        super().__init__(sentence)
        self.registrations = registrations


def typed_order(
    form_data: Any, events: list[EventRequests]
) -> dict[int, tuple[dict[int, int | None], set[int]]]:
    """Return the order that was typed, by event, where it differs from the stored one.

    Args:
        form_data: fields `rank-ID` and the boxes `priority`; rows that were not on the page
            when it was loaded are left out.
        events: the registrations as they are.

    Returns:
        The numbers by registration, and the registrations marked „vorrangig“.

    Raises:
        OrderError: not a whole number from 1 to 999, or the same one for two people of one
            authority, which has one order.

    """
    marked = {int(text) for text in form_data.getlist("priority") if _is_number(text)}
    changed = {}
    for event in events:
        rows = [row for row in event.rows if f"rank-{row.id}" in form_data]
        numbers = {row.id: _number(form_data[f"rank-{row.id}"], row) for row in rows}
        _refuse_equal(rows, numbers)
        if any(
            numbers[row.id] != row.organisation_rank or (row.id in marked) != row.is_priority
            for row in rows
        ):
            changed[event.event_id] = numbers, marked & set(numbers)
    return changed


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 10


def _number(text: str, row: RequestRow) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not _is_number(text) or not 1 <= int(text) <= HIGHEST_RANK:
        raise OrderError(
            f"In der Reihenfolge stehen ganze Zahlen von 1 bis {HIGHEST_RANK}. Bitte prüfen Sie "
            f"die Zahl bei {row.person}.",
            {row.id},
        )
    return int(text)


def _refuse_equal(rows: Iterable[RequestRow], numbers: Mapping[int, int | None]) -> None:
    together: dict[tuple[int, int], list[RequestRow]] = defaultdict(list)
    for row in rows:
        number = numbers[row.id]
        if number is not None:
            together[row.organisation_id, number].append(row)
    for (_, number), people in together.items():
        if len(people) > 1:
            names = formats.join_words([row.person for row in people])
            raise OrderError(
                f"Die {number} steht bei {names}. Bitte geben Sie jeder Person eine eigene Zahl.",
                {row.id for row in people},
            )
