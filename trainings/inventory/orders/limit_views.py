"""The page of the limits per organisation and year."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.inventory.orders import limits
from trainings.inventory.orders.blueprint import blueprint
from trainings.inventory.orders.forms import LimitForm
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import attempt, press


@blueprint.route("/taschenkarten/grenzen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def limit_list() -> ResponseReturnValue:
    """Show the limits, and set one."""
    form = LimitForm()
    form.organisation_id.choices = options(
        [("", "Für alle Behörden (Regel)"), *organisation_choices(db.session())]
    )

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        limits.set_limit(session, actor, form.organisation_id.data, form.per_year.data, now)
        return Outcome(url_for(".limit_list"), "Die Grenze ist gespeichert.")

    done, status = attempt(form, work)
    page = render_template(
        "inventory/limits.html",
        form=form,
        rows=limits.limit_rows(db.session()),
        press_form=Form(formdata=None),
    )
    return done or (page, status)


@blueprint.post("/taschenkarten/grenzen/<id:limit_id>/entfernen")
@requires(Permission.OFFICE)
def limit_remove(limit_id: int) -> ResponseReturnValue:
    """Remove a limit."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        limits.remove_limit(session, actor, limit_id, now)
        return Outcome(url_for(".limit_list"), "Die Grenze ist entfernt.")

    return press(work, url_for(".limit_list"))
