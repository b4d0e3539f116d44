"""Pages on which the attendance of an event is closed, and opened again."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.attendance import wording
from trainings.attendance.closing.operations import close_attendance, reopen_attendance
from trainings.attendance.closing.queries import closing_page
from trainings.attendance.forms import ReopenForm
from trainings.attendance.reads import event_head
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor

blueprint = Blueprint("closing", __name__)


@blueprint.route("/einlass/<number:number>/abschluss", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def close(number: str) -> ResponseReturnValue:
    """Say what is not recorded yet, and close the attendance."""
    form = Form()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event = event_head(session, actor, number)
        done = close_attendance(session, actor, event.id, now)
        message = "Sie war schon abgeschlossen."
        if done:
            papers = "Bescheinigungen gehen per E-Mail hinaus" if event.certified else ""
            message = ", ".join(filter(None, ("Die Anwesenheit ist abgeschlossen", papers))) + "."
        return Outcome(url_for(".close", number=number), message)

    answer, status = attempt(form, work, creates=True)
    return answer or (_page(number, form, ReopenForm(formdata=None)), status)


@blueprint.post("/einlass/<number:number>/abschluss/oeffnen")
@requires(Permission.OFFICE)
def reopen(number: str) -> ResponseReturnValue:
    """Open the attendance again, for a reason."""
    form = ReopenForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event = event_head(session, actor, number)
        reopen_attendance(session, actor, event.id, form.reason.data, now)
        return Outcome(
            url_for("attendance.event_page", number=number),
            "Die Anwesenheit ist wieder offen. Bitte schließen Sie sie nach der Korrektur ab.",
        )

    answer, status = attempt(form, work, creates=True)
    return answer or (_page(number, Form(formdata=None), form), status)


def _page(number: str, form: Form, reopen_form: ReopenForm) -> str:
    actor = current_actor()
    page = closing_page(db.session(), actor, number, utc_now())
    names = [", ".join(lines) for lines in wording.session_names(page.sessions)]
    return render_template(
        "attendance/closing.html",
        page=page,
        open_cells=[
            (session, name, missing)
            for session, name, missing in zip(page.sessions, names, page.unrecorded, strict=True)
            if missing
        ],
        form=form,
        reopen_form=reopen_form,
        by_office=actor.may(Permission.OFFICE),
        wording=wording,
    )
