"""Pages of whoever holds a right to answer."""

from __future__ import annotations

from flask import render_template

from trainings.core.permissions import Permission, requires
from trainings.feedback.answering.blueprint import blueprint

__all__ = ["blueprint"]


@blueprint.get("/<token:code>")
@requires(Permission.PUBLIC)
def questionnaire(code: str) -> str:
    """Show the questions to the holder of a code."""
    return render_template("feedback/page.html", code=code)
