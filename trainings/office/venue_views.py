"""Venues and their rooms."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events import venues
from trainings.events.queries import find_venue, venues_with_rooms
from trainings.office.blueprint import blueprint
from trainings.office.master_forms import MOST_ROOMS, VenueForm, venue_values, with_spares
from trainings.people.posting import attempt, press


@blueprint.get("/orte/")
@requires(Permission.OFFICE)
def venue_list() -> str:
    """Show the venues with their rooms."""
    everything = request.args.get("alle") == "1"
    rows = venues_with_rooms(db.session(), with_retired=everything)
    return render_template("office/venue_list.html", venues=rows, everything=everything)


@blueprint.route("/orte/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def venue_new() -> ResponseReturnValue:
    """Add a venue."""
    form = VenueForm(data={"rooms": with_spares([], MOST_ROOMS)})

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        venues.create_venue(session, actor, form.venue(), rooms=form.room_plans(), now=now)
        return _to_list(f"{form.name.data} ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("office/venue_form.html", form=form, name=""), status)


@blueprint.route("/orte/<id:venue_id>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def venue_edit(venue_id: int) -> ResponseReturnValue:
    """Change a venue and its rooms."""
    venue = find_venue(db.session(), venue_id)
    name, retired = venue.name, venue.retired_at is not None
    form = VenueForm(data=venue_values(venue))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        venues.update_venue(
            session, actor, venue_id, form.venue(), rooms=form.room_plans(), now=now
        )
        return _to_list("Die Änderungen sind gespeichert.")

    done, status = attempt(form, work)
    return done or (
        render_template(
            "office/venue_form.html",
            form=form,
            name=name,
            venue_id=venue_id,
            retired=retired,
            press_form=Form(formdata=None),
        ),
        status,
    )


@blueprint.post("/orte/<id:venue_id>/stilllegen")
@requires(Permission.OFFICE)
def venue_retire(venue_id: int) -> Response:
    """Offer a venue no longer for new events."""
    return _set_retired(venue_id, retired=True)


@blueprint.post("/orte/<id:venue_id>/aufnehmen")
@requires(Permission.OFFICE)
def venue_reactivate(venue_id: int) -> Response:
    """Offer a venue for new events again."""
    return _set_retired(venue_id, retired=False)


def _set_retired(venue_id: int, *, retired: bool) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        venues.set_venue_retired(session, actor, venue_id, retired=retired, now=now)
        return _to_list("Der Ort ist stillgelegt." if retired else "Der Ort steht wieder zur Wahl.")

    return press(work, url_for("office.venue_edit", venue_id=venue_id))


def _to_list(message: str) -> Outcome:
    return Outcome(url_for("office.venue_list"), message)
