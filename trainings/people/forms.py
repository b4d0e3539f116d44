"""Forms of the room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wtforms import HiddenField, PasswordField, SelectField
from wtforms.fields import SelectChoice
from wtforms.validators import Length, ValidationError

from trainings.core.fields import ChoiceField, optional_id
from trainings.core.forms import (
    LONGEST_EMAIL,
    Form,
    LineField,
    email_address,
    registered_name,
    required,
)
from trainings.organisations.models import KIND_NAMES, Organisation
from trainings.people.rules import LONGEST_PASSWORD, password_weakness

_TOO_LONG = f"Bitte höchstens {LONGEST_PASSWORD} Zeichen."


class EmailForm(Form):
    """A work address for a link and a code; other pages post it to `people.register` too."""

    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte geben Sie Ihre dienstliche E-Mail-Adresse ein."), email_address],
        render_kw={"type": "email", "autocomplete": "username", "inputmode": "email"},
    )
    next_url = HiddenField()


class LogInForm(EmailForm):
    """A work address, and a password of those who have one."""

    password = PasswordField(
        "Passwort",
        [Length(max=LONGEST_PASSWORD, message=_TOO_LONG)],
        render_kw={"autocomplete": "current-password"},
    )


class CodeForm(Form):
    """The six-digit code of a request that this browser made."""

    request_key = HiddenField()
    code = LineField(
        "Sechsstelliger Code",
        20,
        [required("Bitte geben Sie den Code aus der E-Mail ein.")],
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class OrganisationField(SelectField):  # type: ignore[misc]
    """Choice of an organisation, grouped by kind."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(
            label,
            [required("Bitte wählen Sie Ihre Organisation.")],
            coerce=_optional_id,
            invalid_choice_message="Diese Organisation steht nicht zur Wahl.",
            invalid_value_message="Diese Organisation steht nicht zur Wahl.",
            **kwargs,
        )

    def offer(self, organisations: Sequence[Organisation]) -> None:
        """Set the organisations to choose from."""
        ordered = sorted(organisations, key=lambda one: (KIND_NAMES[one.kind], one.sort_key))
        self.choices = [
            SelectChoice("", "Bitte wählen"),
            *(SelectChoice(one.id, one.name, optgroup=KIND_NAMES[one.kind]) for one in ordered),
        ]


def _optional_id(value: Any) -> int | None:
    return int(value) if value else None


class NewPersonForm(Form):
    """Who somebody is; other rooms may combine it with a form of their own.

    Call `offer` before anything else.
    """

    title = LineField("Titel", 40, render_kw={"autocomplete": "honorific-prefix"})
    given_name = LineField(
        "Vorname",
        80,
        [required("Bitte geben Sie Ihren Vornamen ein."), registered_name],
        render_kw={"autocomplete": "given-name"},
    )
    family_name = LineField(
        "Nachname",
        80,
        [required("Bitte geben Sie Ihren Nachnamen ein."), registered_name],
        render_kw={"autocomplete": "family-name"},
    )
    organisation_id = OrganisationField("Organisation")
    unit = LineField(
        "Dienststelle oder Abteilung", 120, description="Zum Beispiel: Ordnungsamt, Wache Mitte"
    )
    function = LineField("Funktion", 120, render_kw={"autocomplete": "organization-title"})

    only_organisation: Organisation | None = None

    def offer(self, organisations: Sequence[Organisation]) -> None:
        """Set the organisations to choose from; a single one leaves no choice and no field."""
        if len(organisations) == 1:
            self.only_organisation = organisations[0]
            del self.organisation_id
        else:
            self.organisation_id.offer(organisations)

    def details(self) -> dict[str, Any]:
        """Return what was typed, as arguments of the operations on persons."""
        only = self.only_organisation
        return {
            "title": self.title.data or "",
            "given_name": self.given_name.data,
            "family_name": self.family_name.data,
            "organisation_id": only.id if only else self.organisation_id.data,
            "unit": self.unit.data or "",
            "function": self.function.data or "",
        }


class SomebodyForm(Form):
    """Name and address of somebody else; other rooms combine it with a form of their own."""

    given_name = LineField(
        "Vorname", 80, [required("Bitte geben Sie den Vornamen ein."), registered_name]
    )
    family_name = LineField(
        "Nachname", 80, [required("Bitte geben Sie den Nachnamen ein."), registered_name]
    )
    email = LineField(
        "Dienstliche E-Mail",
        LONGEST_EMAIL,
        [required("Bitte geben Sie die dienstliche E-Mail-Adresse ein."), email_address],
        render_kw={"type": "email", "inputmode": "email", "autocomplete": "off"},
    )


class PersonDetailsForm(SomebodyForm):
    """Who somebody else is, with organisation and function."""

    title = LineField("Titel", 40)
    organisation_id = ChoiceField("Organisation", coerce=optional_id)
    unit = LineField("Dienststelle", 120)
    function = LineField("Funktion", 120)

    def details(self) -> dict[str, Any]:
        """Return what was typed without the address, by the names that the operations take."""
        return {
            "title": self.title.data or "",
            "given_name": self.given_name.data,
            "family_name": self.family_name.data,
            "organisation_id": self.organisation_id.data,
            "unit": self.unit.data or "",
            "function": self.function.data or "",
        }


class PasswordForm(Form):
    """A new password, typed twice."""

    password = PasswordField(
        "Neues Passwort",
        [required("Bitte geben Sie ein Passwort ein.")],
        description="Mindestens 12 Zeichen. Ein ganzer Satz ist leicht zu merken und schwer zu "
        "erraten.",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "Neues Passwort, noch einmal",
        [required("Bitte geben Sie das Passwort zweimal ein.")],
        render_kw={"autocomplete": "new-password"},
    )

    def __init__(self, email: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._email = email

    def validate_password(self, field: PasswordField) -> None:
        """Refuse what is quickly guessed."""
        weakness = password_weakness(field.data, self._email)
        if weakness:
            raise ValidationError(weakness)

    def validate_again(self, field: PasswordField) -> None:
        """Refuse two different passwords."""
        if field.data != self.password.data:
            raise ValidationError("Die beiden Passwörter sind verschieden.")
