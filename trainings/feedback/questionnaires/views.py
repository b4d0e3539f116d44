"""Pages of the questionnaires."""

from __future__ import annotations

from flask import render_template

from trainings.core.permissions import Permission, requires
from trainings.feedback.questionnaires.blueprint import blueprint

__all__ = ["blueprint"]


@blueprint.get("/")
@requires(Permission.OFFICE)
def questionnaire_list() -> str:
    """Show the questionnaires."""
    return render_template("feedback/page.html", section="questionnaires.questionnaire_list")
