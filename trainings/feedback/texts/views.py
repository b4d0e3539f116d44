"""Pages of the free texts."""

from __future__ import annotations

from flask import render_template

from trainings.core.permissions import Permission, requires
from trainings.feedback.texts.blueprint import blueprint

__all__ = ["blueprint"]


@blueprint.get("/")
@requires(Permission.OFFICE)
def review() -> str:
    """Show the free texts."""
    return render_template("feedback/page.html", section="feedback_texts.review")
