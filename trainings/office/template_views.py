"""Formats (Veranstaltungsformate) from which events are made."""

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
from trainings.events import venues as operations
from trainings.events.models import KIND_NAMES
from trainings.events.queries import find_template, templates
from trainings.office.blueprint import blueprint
from trainings.office.event_forms import agenda_values
from trainings.office.master_forms import (
    MOST_TEMPLATE_SESSIONS,
    TemplateForm,
    template_values,
    with_spares,
)
from trainings.people.posting import attempt, press


@blueprint.get("/formate/")
@requires(Permission.OFFICE)
def template_list() -> str:
    """Show the formats."""
    everything = request.args.get("alle") == "1"
    return render_template(
        "office/template_list.html",
        templates=templates(db.session(), with_retired=everything),
        kinds=KIND_NAMES,
        everything=everything,
    )


@blueprint.route("/formate/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def template_new() -> ResponseReturnValue:
    """Add a format."""
    form = TemplateForm(
        data={"sessions": with_spares([], MOST_TEMPLATE_SESSIONS), "agenda": agenda_values([])}
    )

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.create_template(
            session,
            actor,
            form.template(),
            sessions=form.session_plans(),
            agenda=form.agenda_items(),
            now=now,
        )
        return _to_list(f"Das Format „{form.title.data}“ ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("office/template_form.html", form=form, name=""), status)


@blueprint.route("/formate/<id:template_id>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def template_edit(template_id: int) -> ResponseReturnValue:
    """Change a format; events that were made from it stay as they are."""
    template = find_template(db.session(), template_id)
    name, retired = template.title, template.retired_at is not None
    form = TemplateForm(data=template_values(template))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.update_template(
            session,
            actor,
            template_id,
            form.template(),
            sessions=form.session_plans(),
            agenda=form.agenda_items(),
            now=now,
        )
        return _to_list("Die Änderungen sind gespeichert.")

    done, status = attempt(form, work)
    return done or (
        render_template(
            "office/template_form.html",
            form=form,
            name=name,
            template_id=template_id,
            retired=retired,
            press_form=Form(formdata=None),
        ),
        status,
    )


@blueprint.post("/formate/<id:template_id>/stilllegen")
@requires(Permission.OFFICE)
def template_retire(template_id: int) -> Response:
    """Offer a format no longer for new events."""
    return _set_retired(template_id, retired=True)


@blueprint.post("/formate/<id:template_id>/aufnehmen")
@requires(Permission.OFFICE)
def template_reactivate(template_id: int) -> Response:
    """Offer a format for new events again."""
    return _set_retired(template_id, retired=False)


def _set_retired(template_id: int, *, retired: bool) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.set_template_retired(session, actor, template_id, retired=retired, now=now)
        return _to_list(
            "Das Format ist stillgelegt." if retired else "Das Format steht wieder zur Wahl."
        )

    return press(work, url_for("office.template_edit", template_id=template_id))


def _to_list(message: str) -> Outcome:
    return Outcome(url_for("office.template_list"), message)
