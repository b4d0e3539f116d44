"""Forms of certificates and of sessions that were made up."""

from __future__ import annotations

from trainings.core.fields import ChoiceField, optional_id
from trainings.core.forms import Form, LineField, TextField, required

LONGEST_REASON = 300


class BelowShareForm(Form):
    """Why the office issues a certificate below the share."""

    reason = TextField(
        "Begründung",
        LONGEST_REASON,
        [required("Bitte begründen Sie, warum die Bescheinigung trotzdem ausgestellt wird.")],
        description="Steht nicht auf der Bescheinigung. Bitte keine Angaben zur Gesundheit.",
    )


class WithdrawForm(Form):
    """Why the office takes a certificate back."""

    reason = TextField(
        "Grund",
        LONGEST_REASON,
        [required("Bitte nennen Sie den Grund, aus dem Sie die Bescheinigung zurückziehen.")],
        description="Die Person liest ihn in der E-Mail und unter „Meine Bescheinigungen“. Wer den "
        "Code prüft, liest ihn nicht.",
    )


class MadeUpForm(Form):
    """Which session of another event counts for one that was missed."""

    session_id = ChoiceField(
        "Versäumter Termin",
        [required("Bitte wählen Sie den Termin, den die Person versäumt hat.")],
        coerce=optional_id,
    )
    made_up_at = ChoiceField(
        "Nachgeholt am",
        [required("Bitte wählen Sie den Termin, an dem die Person ihn nachgeholt hat.")],
        coerce=optional_id,
    )


class VerifyForm(Form):
    """Number and code of a certificate, as they stand on the paper."""

    number = LineField(
        "Nummer",
        40,
        [required("Bitte geben Sie die Nummer ein, die auf der Bescheinigung steht.")],
        description="Beispiel: SIKO-2026-014-007",
    )
    code = LineField(
        "Code",
        60,
        [required("Bitte geben Sie den Code ein, der auf der Bescheinigung steht.")],
        description="20 Zeichen, groß oder klein, mit oder ohne Bindestriche.",
    )
