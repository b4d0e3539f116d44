"""Form for registering somebody who asked the office to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import BooleanField
from wtforms.validators import Optional

from trainings.core.errors import DomainError
from trainings.core.forms import registered_name
from trainings.organisations.models import Organisation
from trainings.people.forms import PersonDetailsForm
from trainings.registrations.forms import RegistrationForm


class PersonForm(PersonDetailsForm):
    """Whom the office enters; who somebody is only where nobody knows them yet."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        # The address is enough for somebody who is known.
        for field in (self.given_name, self.family_name):
            field.validators = [Optional(), registered_name]
            field.flags.required = False

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
        return self.details()

    def suggest(self, likely: Sequence[Organisation]) -> None:
        """Choose the only organisation to which the address belongs, and say so.

        Args:
            likely: the organisations whose people may have the address.

        """
        if self.organisation_id.data is not None or len(likely) != 1:
            return
        self.organisation_id.data = likely[0].id
        sentence = (
            f"Nach der Adresse vorausgewählt: {likely[0].name}. Bitte prüfen Sie, ob das stimmt."
        )
        if self.organisation_id.errors:
            self.organisation_id.errors = [sentence]
        else:
            self.organisation_id.description = sentence


class RegisterPersonForm(PersonForm, RegistrationForm):
    """Whom the office registers for an event."""

    is_released = BooleanField("Die Freigabe der Organisation liegt vor")

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.needs.label.text = "Was braucht die Person?"
