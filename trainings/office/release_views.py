"""Releases that are open: the office sees who was asked, and decides where nobody else can."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.permissions import Permission, requires
from trainings.office.blueprint import blueprint
from trainings.people.sessions import current_actor
from trainings.registrations.release_forms import ReleaseForm
from trainings.registrations.release_operations import Speaker, office_speaker
from trainings.registrations.release_pages import (
    decide_chosen,
    is_anything_to_decide,
    pressed,
)
from trainings.registrations.release_queries import load_desks, load_tree, open_requests


@blueprint.route("/freigaben", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def release_list() -> ResponseReturnValue:
    """Show all open requests, first those about which nobody can be asked; decide them."""
    now = utc_now()
    form, status = ReleaseForm(), 200
    outcome = pressed()
    if form.is_submitted():
        status = 422
        if form.validate() and outcome and decide_chosen(form, outcome, _speaker, now):
            return redirect(request.path, code=303)
    return _page(form, now), status


def _speaker(session: Session) -> Speaker:
    return office_speaker(session, current_actor())


def _page(form: ReleaseForm, now: datetime) -> str:
    session, me = db.session(), current_actor().person_id
    events = open_requests(session, None, now)
    tree, desks = load_tree(session), load_desks(session)
    unreachable = {
        row.id
        for event in events
        for row in event.rows
        if desks.reachable(
            tree.deciding(row.organisation_id, row.person_organisation_id), row.person_id
        )
        is None
    }
    return render_template(
        "office/release_list.html",
        form=form,
        events=events,
        unreachable=unreachable,
        me=me,
        decidable=is_anything_to_decide(events, me),
        chosen=set(form.requests.data or ()),
    )
