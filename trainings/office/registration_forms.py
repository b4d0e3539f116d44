"""Form for registering somebody who asked the office to."""

from __future__ import annotations

from typing import Any

from wtforms import BooleanField

from trainings.core.errors import DomainError
from trainings.core.fields import ChoiceField, optional_id
from trainings.core.forms import (
    LONGEST_EMAIL,
    Form,
    LineField,
    email_address,
    registered_name,
    required,
)
from trainings.registrations.forms import RegistrationForm


class PersonForm(Form):
    """Whom the office enters; who somebody is only where nobody knows them yet."""

    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte geben Sie die Adresse der Person ein."), email_address],
        render_kw={"type": "email", "inputmode": "email", "autocomplete": "off"},
    )
    title = LineField("Titel", 40)
    given_name = LineField("Vorname", 80, [registered_name])
    family_name = LineField("Nachname", 80, [registered_name])
    organisation_id = ChoiceField("Organisation", coerce=optional_id)
    unit = LineField("Dienststelle", 120)
    function = LineField("Funktion", 120)

    def new_person(self) -> dict[str, Any]:
        """Return who somebody is whom nobody knows yet.

        Raises:
            DomainError: `unknown_people`, while name or organisation is missing.

        """
        wanted = (self.given_name, self.family_name, self.organisation_id)
        if any(field.data for field in wanted):
            for field in wanted:
                if not field.data:
                    raise DomainError(
                        "unknown_people",
                        "Diese Person kennen wir noch nicht. Bitte ergänzen Sie diese Angabe.",
                        field=field.name,
                        status=422,
                    )
        if not (self.given_name.data and self.family_name.data and self.organisation_id.data):
            raise DomainError(
                "unknown_people",
                "Diese Adresse kennen wir nicht. Bitte prüfen Sie sie, oder ergänzen Sie unten "
                "Vorname, Nachname und Organisation.",
                field="email",
                status=422,
            )
        return {
            "title": self.title.data or "",
            "given_name": self.given_name.data,
            "family_name": self.family_name.data,
            "organisation_id": self.organisation_id.data,
            "unit": self.unit.data or "",
            "function": self.function.data or "",
        }


class RegisterPersonForm(PersonForm, RegistrationForm):
    """Whom the office registers for an event."""

    is_released = BooleanField("Die Freigabe der Organisation liegt vor")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.needs.label.text = "Was braucht die Person?"
