"""The one kind of error by which an operation refuses."""

from __future__ import annotations


class DomainError(Exception):
    """A refusal with a stable code for programs and a German sentence for the person.

    Attributes:
        code: stable, lower case with underscores, for logs, tests and audit rows.
        sentence: says what happened and what to do next, in polite German.
        field: name of the form field it belongs to, or None for the whole request.
        status: HTTP status with which a page shows it.

    """

    def __init__(
        self, code: str, sentence: str, *, field: str | None = None, status: int = 409
    ) -> None:
        super().__init__(code)
        self.code = code
        self.sentence = sentence
        self.field = field
        self.status = status


def not_found() -> DomainError:
    """Return the refusal for what does not exist or is not shown to this person."""
    return DomainError(
        "not_found",
        "Das gibt es nicht, oder es ist Ihnen nicht zugänglich.",
        status=404,
    )
