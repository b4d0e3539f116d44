"""Pages of the room."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.permissions import Permission, requires

blueprint = Blueprint("statistics", __name__)


@blueprint.get("/statistik/")
@requires(Permission.STATISTICS)
def overview() -> str:
    """Show the page."""
    return ""
