"""The blueprint of the room, and what its pages share."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.errors import DomainError
from trainings.core.forms import Form
from trainings.core.permissions import Permission
from trainings.people.sessions import current_actor

blueprint = Blueprint("attendance", __name__)


def show_refusal(form: Form, refusal: DomainError) -> int:
    """Put a refusal into a form and return the status of its page.

    Raises:
        DomainError: the refusal itself, if what was asked for does not exist.

    """
    if refusal.status == 404:
        raise refusal
    form.refuse(refusal)
    return refusal.status


def by_office() -> bool:
    """Say whether whoever asks belongs to the office."""
    return current_actor().may(Permission.OFFICE)
