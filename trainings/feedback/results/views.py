"""Pages of what was answered."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from trainings.core.permissions import Permission, requires
from trainings.feedback.results.blueprint import blueprint
from trainings.people.sessions import current_actor

__all__ = ["blueprint"]


@blueprint.get("/auswertung")
@requires(Permission.OFFICE)
def overview() -> str:
    """Show what was answered."""
    return render_template("feedback/page.html", section="feedback_results.overview")


@blueprint.get("/")
@requires(Permission.FEEDBACK)
def home() -> Response:
    """Lead the office to the sums, trainers to their events."""
    by_office = current_actor().may(Permission.OFFICE)
    return redirect(url_for(".overview" if by_office else "surveys.event_list"))
