"""The form by which the office confirms who is admitted."""

from __future__ import annotations

from collections.abc import Sequence

from wtforms import HiddenField

from trainings.core.fields import ManyField
from trainings.core.forms import Form, LineField
from trainings.registrations.admission_operations import (
    LONGEST_REASON,
    reason_field,
    reason_question,
)
from trainings.registrations.admission_queries import AdmissionList
from trainings.registrations.admission_rules import Proposal

Line = tuple[Proposal, bool]
"""A line of the proposal, and whether its box is ticked."""


class AdmissionForm(Form):
    """Who is chosen; `admission_form` adds a field for the reason of each line.

    Who was chosen is checked by the operation: somebody may have withdrawn since the page was
    shown, and then there is a new proposal to look at.
    """

    expected = HiddenField()
    chosen = ManyField("Zulassen", validate_choice=False)

    def reasons(self) -> dict[int, str]:
        """Return what was typed, by registration."""
        return {
            int(name.removeprefix(reason_field(""))): field.data
            for name, field in self._fields.items()
            if name.startswith(reason_field("")) and field.data
        }

    def ask_for_reasons(self, lines: Sequence[Line], found: AdmissionList) -> None:
        """Mark all lines that differ without a reason; a refusal names the first one only."""
        for line, ticked in lines:
            field = self._fields[reason_field(line.candidate.id)]
            if line.admitted is not ticked and not field.data and not field.errors:
                name = found.registrations[line.candidate.id].person.name
                field.errors = [reason_question(name)]


def admission_form(found: AdmissionList) -> AdmissionForm:
    """Return the form for a proposal, filled in with what was sent."""
    fields = {
        reason_field(registration_id): LineField("Grund", LONGEST_REASON)
        for registration_id in found.registrations
    }
    form: AdmissionForm = type("AdmissionForm", (AdmissionForm,), fields)()
    return form


def ticked_lines(form: AdmissionForm, found: AdmissionList, *, changed: bool) -> list[Line]:
    """Return the lines with their boxes as they are to be shown.

    At first and after something has changed they follow the proposal; what the office decided
    otherwise, with a reason, stays as it is.

    Args:
        form: as it was sent, or empty.
        found: the proposal as it is now.
        changed: whether the form was sent for another proposal.

    """
    chosen, reasons = set(form.chosen.data or ()), form.reasons()
    lines = []
    for line in found.proposals:
        sent = form.is_submitted() and (not changed or line.candidate.id in reasons)
        lines.append((line, line.candidate.id in chosen if sent else line.admitted))
    return lines
