"""What is open after events: recordings that were refused, people without a registration."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.attendance.door.refused_operations import dismiss_refused, take_over
from trainings.attendance.door.walk_in_operations import complete_walk_in, dismiss_walk_in
from trainings.attendance.door.walk_in_queries import Guest, guest, open_entries, unsettled
from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.office.blueprint import blueprint
from trainings.office.registration_forms import EnteredPersonForm
from trainings.office.registration_views import find_or_add, suggest_organisation
from trainings.organisations.queries import organisation_choices, organisation_named
from trainings.people.posting import attempt, press
from trainings.people.rules import split_name

Operation = Callable[[Session, Actor, int, datetime], object]
MESSAGE = "meldung"
"""Where a page says what was done; in templates/layout/base.html."""


@blueprint.get("/anwesenheit")
@requires(Permission.OFFICE)
def attendance() -> str:
    """Show what the office has to settle."""
    page = unsettled(db.session())
    return render_template("office/attendance.html", page=page, press_form=Form())


@blueprint.post("/anwesenheit/erfassungen/<id:refused_id>/uebernehmen")
@requires(Permission.OFFICE)
def refused_take_over(refused_id: int) -> Response:
    """Let a refused recording count after all."""
    return _press(take_over, refused_id, f"e-{refused_id}", "Die Erfassung zählt jetzt.")


@blueprint.post("/anwesenheit/erfassungen/<id:refused_id>/verwerfen")
@requires(Permission.OFFICE)
def refused_dismiss(refused_id: int) -> Response:
    """Let a refused recording go."""
    return _press(dismiss_refused, refused_id, f"e-{refused_id}", "Die Erfassung ist verworfen.")


@blueprint.route("/anwesenheit/ohne-anmeldung/<id:walk_in_id>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def walk_in(walk_in_id: int) -> ResponseReturnValue:
    """Say who somebody was that came without a registration."""
    noted = guest(db.session(), walk_in_id)
    if noted.settled and request.method == "GET":
        raise not_found()
    form = EnteredPersonForm()
    choices = organisation_choices(db.session())
    form.organisation_id.choices = options([("", "Bitte wählen"), *choices])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        entries = open_entries(session)
        person = find_or_add(session, actor, form, now)
        complete_walk_in(session, actor, walk_in_id, person.id, now)
        return Outcome(_after(entries, f"g-{walk_in_id}"), f"{person.name} ist nachgetragen.")

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if form.is_submitted():
        suggest_organisation(form)
    else:
        _fill_in(form, noted)
    return render_template("office/walk_in.html", form=form, guest=noted), status


@blueprint.post("/anwesenheit/ohne-anmeldung/<id:walk_in_id>/verwerfen")
@requires(Permission.OFFICE)
def walk_in_dismiss(walk_in_id: int) -> Response:
    """Settle that somebody without a registration does not count."""
    return _press(dismiss_walk_in, walk_in_id, f"g-{walk_in_id}", "Die Erfassung ist verworfen.")


def _fill_in(form: EnteredPersonForm, noted: Guest) -> None:
    """Begin with what was noted at the door, as far as it can be read."""
    names = split_name(noted.name)
    form.title.data, form.given_name.data, form.family_name.data = names
    form.organisation_id.data = organisation_named(db.session(), noted.organisation)


def _press(operation: Operation, row_id: int, entry: str, message: str) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        entries = open_entries(session)
        operation(session, actor, row_id, now)
        return Outcome(_after(entries, entry), message)

    return press(work, url_for(".attendance", _anchor=MESSAGE))


def _after(entries: list[str], settled: str) -> str:
    """Return the address of the entry that takes the place of one, else of the message."""
    left = [entry for entry in entries if entry != settled]
    place = entries.index(settled)
    anchor = left[min(place, len(left) - 1)] if left else MESSAGE
    return url_for(".attendance", _anchor=anchor)
