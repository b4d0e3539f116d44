"""Pages of the room."""

from __future__ import annotations

from flask import Blueprint

from trainings.core.permissions import Permission, requires

blueprint = Blueprint("people", __name__)


@blueprint.get("/konto/anmelden")
@requires(Permission.PUBLIC)
def log_in() -> str:
    """Show the page."""
    return ""


@blueprint.get("/konto/")
@requires(Permission.LOGGED_IN)
def my_account() -> str:
    """Show the page."""
    return ""
