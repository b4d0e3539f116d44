"""The blueprint of the room, and what its pages share."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, request

from trainings.attendance.forms import SearchForm
from trainings.attendance.sheet_rules import Choice, Only
from trainings.core.errors import DomainError
from trainings.core.fields import parse_id
from trainings.core.forms import Form
from trainings.core.permissions import Permission
from trainings.people.sessions import current_actor

blueprint = Blueprint("attendance", __name__)
ALL_PAGES = "alle"


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


def asked_for() -> Choice:
    """Return what the address says of who is shown; what makes no sense there is ignored."""
    search = SearchForm(request.args)
    only, page = request.args.get("zeigen"), request.args.get("seite")
    return Choice(
        name=search.name.data or "" if search.validate() else "",
        only=Only(only) if only in {each.value for each in Only} else None,
        page=None if page == ALL_PAGES else parse_id(page) or 1,
    )


def address_of(choice: Choice) -> dict[str, Any]:
    """Return what the address of a page says of who is shown on it; nothing for the usual."""
    said = {
        "name": choice.name,
        "zeigen": choice.only.value if choice.only else "",
        "seite": ALL_PAGES if choice.page is None else str(choice.page),
    }
    return {key: value for key, value in said.items() if value and (key, value) != ("seite", "1")}
