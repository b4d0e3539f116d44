"""Pages of the papers: what there is for an event, and each as PDF."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from trainings.attendance.papers.documents import CANCELLED, PAPERS, load_folder, print_paper
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.documents import MEDIA_TYPE, STAND_IN
from trainings.core.http import document_response
from trainings.core.permissions import Permission, requires
from trainings.events.models import EventState
from trainings.people.sessions import current_actor

blueprint = Blueprint("papers", __name__)


@blueprint.get("/einlass/<number:number>/papiere")
@requires(Permission.ATTENDANCE)
def overview(number: str) -> str:
    """List the papers of an event with a sentence each."""
    actor = current_actor()
    folder = load_folder(db.session(), actor, number)
    return render_template(
        "attendance/papers.html",
        folder=folder,
        papers=PAPERS,
        unprintable=folder.unprintable,
        cancelled=CANCELLED if folder.event.access.state is EventState.CANCELLED else "",
        stand_in=STAND_IN,
        by_office=actor.may(Permission.OFFICE),
    )


@blueprint.get("/einlass/<number:number>/papiere/<paper>.pdf")
@requires(Permission.ATTENDANCE)
def pdf(number: str, paper: str) -> Response:
    """Show a paper as PDF."""
    folder = load_folder(db.session(), current_actor(), number)
    document = print_paper(folder, paper, utc_now())
    return document_response(document.pdf, MEDIA_TYPE, f"{paper}-{number}.pdf", "inline")
