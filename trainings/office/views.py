"""Pages of the room."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.permissions import Permission, requires

blueprint = Blueprint("office", __name__)


@blueprint.get("/koordination/")
@requires(Permission.OFFICE)
def desk() -> str:
    """Show the page."""
    return ""


@blueprint.get("/koordination/veranstaltungen/")
@requires(Permission.OFFICE)
def event_list() -> str:
    """Show the page."""
    return ""


@blueprint.get("/koordination/organisationen/")
@requires(Permission.OFFICE)
def organisation_list() -> str:
    """Show the page."""
    return ""


@blueprint.get("/koordination/personen/")
@requires(Permission.OFFICE)
def person_list() -> str:
    """Show the page."""
    return ""
