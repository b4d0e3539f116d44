"""What all forms share: cleaned text, a key against double submits, refusals shown in place."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length, StopValidation, ValidationError

from trainings.core.errors import DomainError
from trainings.core.text import clean, is_registered_name, normalise_email

LONGEST_EMAIL = 254
_STALE_PAGE = (
    "Die Seite war zu lange offen. Ihre Angaben sind noch da: Bitte senden Sie sie noch einmal ab."
)

STALE_BUTTON = "Die Seite war zu lange offen. Bitte versuchen Sie es noch einmal."
"""What a button says whose page was too old; nothing was typed that could be kept."""

# WTForms' own messages, loaded once: Flask-Babel would read them again for each request.
GERMAN = ("de",)


class QueryForm(FlaskForm):  # type: ignore[misc]
    """Base class of forms that change nothing: they stand in the address and need no token."""

    class Meta:
        csrf = False
        locales = GERMAN


class Form(FlaskForm):  # type: ignore[misc]
    """Base class of all forms that change something.

    The hidden `form_key` makes a second submit of the same form find the first one's result.
    """

    class Meta:
        locales = GERMAN

    form_key = HiddenField(default=lambda: secrets.token_urlsafe(16))

    def validate(self, extra_validators: Any = None) -> bool:
        """Check all fields; a stale page keeps what was typed and asks to send it again."""
        valid = bool(super().validate(extra_validators))
        if "csrf_token" in self._fields and self.csrf_token.errors:
            self.csrf_token.errors = ()
            self.form_errors.append(_STALE_PAGE if self.takes_typing else STALE_BUTTON)
            valid = False
        return valid

    @property
    def takes_typing(self) -> bool:
        """Whether there is something to fill in, besides a button to press."""
        return any(not isinstance(field, HiddenField) for field in self)

    def key(self, person_id: int | None, *about: object) -> str:
        """Return the key for `idempotency.once`, bound to the person who submits.

        Args:
            person_id: who submits.
            about: what the form is about, where going back in the browser and sending it again
                may mean something new.

        """
        # Hashed, because what a browser sends may be of any length and hold signs that a database
        # refuses (NUL in PostgreSQL).
        raw = self.form_key.data or secrets.token_urlsafe(16)
        raw = " ".join(map(str, (raw, *about)))
        hashed = hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()
        return f"{person_id or 0}:{hashed}"

    def refuse(self, refusal: DomainError) -> None:
        """Show the sentence of a refusal at its field, or above the form."""
        field = self._fields.get(refusal.field) if refusal.field else None
        if field is None:
            self.form_errors.append(refusal.sentence)
        else:
            field.errors = [*field.errors, refusal.sentence]


def _clean_line(value: str | None) -> str:
    # None: a browser sends every field, a robot may leave some out.
    return clean(value or "")


def _clean_text(value: str | None) -> str:
    return clean(value or "", multiline=True)


def required(sentence: str) -> InputRequired:
    """Return a validator that asks for a value with a sentence of its own."""
    return _Required(message=sentence)


class _Required(InputRequired):  # type: ignore[misc]
    def __call__(self, form: Any, field: Any) -> None:
        super().__call__(form, field)
        if isinstance(field.data, str) and not field.data:
            raise StopValidation(self.message)


def at_most(length: int) -> Length:
    """Return a validator for the longest text."""
    return Length(max=length, message=f"Bitte höchstens {length} Zeichen.")


class LineField(StringField):  # type: ignore[misc]
    """One line of text, cleaned of invisible and reordering characters."""

    def __init__(self, label: str, length: int, validators: Any = (), **kwargs: Any) -> None:
        super().__init__(label, [*validators, at_most(length)], filters=[_clean_line], **kwargs)


class TextField(TextAreaField):  # type: ignore[misc]
    """Several lines of text, cleaned."""

    def __init__(self, label: str, length: int, validators: Any = (), **kwargs: Any) -> None:
        super().__init__(label, [*validators, at_most(length)], filters=[_clean_text], **kwargs)


def registered_name(_form: Any, field: Any) -> None:
    """Refuse names with signs that German registers cannot write (DIN SPEC 91379)."""
    if field.data and not is_registered_name(field.data):
        raise ValidationError(
            "Der Name darf nur Buchstaben, Leerzeichen, Bindestrich und Apostroph enthalten."
        )


def email_address(_form: Any, field: Any) -> None:
    """Refuse what is not an address; store it normalised."""
    address = normalise_email(field.data or "")
    if not is_email_address(address):
        raise ValidationError("Das ist keine E-Mail-Adresse. Beispiel: name@stadt-essen.example")
    field.data = address


def is_email_address(address: str) -> bool:
    """Say whether a normalised text has the shape of an address.

    Only shape is checked (one @, a dot in the domain, ASCII): whether it exists shows when the mail
    arrives. RFC 5321 allows more, no authority's mail server uses it.
    """
    local, _, domain = address.rpartition("@")
    labels = domain.split(".")
    plain = address.isascii() and not any(
        sign.isspace() or sign in '<>()[],;:"\\' for sign in address
    )
    return (
        plain
        and bool(local)
        and "@" not in local
        and len(address) <= LONGEST_EMAIL
        and len(labels) >= 2
        and all(labels)
        and not local.startswith(".")
        and not local.endswith(".")
    )
