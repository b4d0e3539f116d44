"""Pages of the room."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.permissions import Permission, requires

blueprint = Blueprint("attendance", __name__)


@blueprint.get("/einlass/")
@requires(Permission.ATTENDANCE)
def my_events() -> str:
    """Show the page."""
    return ""
