"""Pages of the surveys of events."""

from __future__ import annotations

from flask import render_template

from trainings.core.permissions import Permission, requires
from trainings.feedback.surveys.blueprint import blueprint

__all__ = ["blueprint"]


@blueprint.get("/")
@requires(Permission.FEEDBACK)
def event_list() -> str:
    """Show the surveys of events."""
    return render_template("feedback/page.html", section="surveys.event_list")
