"""Pages of the room."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.permissions import Permission, requires

blueprint = Blueprint("registrations", __name__)


@blueprint.get("/veranstaltungen/")
@requires(Permission.PUBLIC)
def event_list() -> str:
    """Show the page."""
    return ""


@blueprint.get("/meine/anmeldungen")
@requires(Permission.REGISTER)
def my_registrations() -> str:
    """Show the page."""
    return ""
