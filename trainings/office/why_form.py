"""The form that asks for whom „Warum (nicht)?“ is to be answered."""

from __future__ import annotations

from trainings.core.forms import LONGEST_EMAIL, Form, LineField, email_address, required


class WhyForm(Form):
    """A person, by address. It is posted, so that no address stands in a log of the web server."""

    email = LineField(
        "E-Mail-Adresse der Person",
        LONGEST_EMAIL,
        [required("Bitte geben Sie die E-Mail-Adresse ein."), email_address],
    )
