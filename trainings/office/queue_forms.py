"""Forms with which the office acts against the order of a waiting list."""

from __future__ import annotations

from trainings.core.fields import NumberField, given
from trainings.core.forms import Form, LineField, required

LONGEST_REASON = 300
MOST_POSITIONS = 10_000


class ReasonForm(Form):
    """Why somebody gets a place out of turn."""

    reason = LineField(
        "Grund",
        LONGEST_REASON,
        [required("Bitte geben Sie einen Grund an.")],
        description="Er bleibt im Verlauf stehen; die Person selbst liest ihn nicht.",
    )


class PositionForm(ReasonForm):
    """Where somebody goes on the list, and why."""

    position = NumberField(
        "Neue Stelle", [given("Bitte geben Sie die Stelle ein.")], least=1, most=MOST_POSITIONS
    )
