"""Pages of one person: all sessions with the history, and one field of the matrix."""

from __future__ import annotations

from datetime import datetime

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.attendance import operations, wording
from trainings.attendance.blueprint import address_of, asked_for, blueprint, by_office, show_refusal
from trainings.attendance.certificates.queries import made_up_sessions
from trainings.attendance.forms import CellForm, RecordForm, mark_value
from trainings.attendance.person_queries import PersonSheet, person_sheet
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor


@blueprint.route("/einlass/<number:number>/person/<id:registration_id>", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def person_page(number: str, registration_id: int) -> ResponseReturnValue:
    """Show one person in all sessions, correct any of them, and show who recorded what."""
    actor, now = current_actor(), utc_now()
    form = RecordForm()
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            session_id, mark = form.marked or abort(400)
            try:
                with transaction() as session:
                    operations.record_attendance(
                        session, actor, registration_id, session_id, mark, now=now
                    )
                return redirect(f"{request.path}#{form.anchor('t')}", 303)
            except DomainError as refusal:
                status = show_refusal(form, refusal)
    page = person_sheet(db.session(), actor, number, registration_id, now)
    made_up = made_up_sessions(db.session(), registration_id) if by_office() else []
    return _render("attendance/person.html", page, form=form, made_up=made_up), status


@blueprint.route(
    "/einlass/<number:number>/person/<id:registration_id>/<id:session_id>", methods=["GET", "POST"]
)
@requires(Permission.ATTENDANCE)
def cell_page(number: str, registration_id: int, session_id: int) -> ResponseReturnValue:
    """Show one field of the matrix and record it, with minutes; then back to the same field."""
    back = _way_back(number, registration_id, session_id)
    page = person_sheet(db.session(), current_actor(), number, registration_id, utc_now())
    column = page.column(session_id)
    entry = page.person.entries[column]
    form = CellForm(mark=mark_value(entry.mark), late=entry.late or None, early=entry.early or None)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.record_attendance(
            session,
            actor,
            registration_id,
            session_id,
            form.chosen,
            now=now,
            late=form.late.data or 0,
            early=form.early.data or 0,
        )
        return Outcome(back)

    answer, status = attempt(form, work)
    if answer is not None:
        return answer
    found = page.sessions[column]
    return _render(
        "attendance/cell.html",
        page,
        form=form,
        session=found,
        entry=entry,
        back=back,
        obstacle=wording.refusal_words(page.answers[column], found.day),
        history_lines=[line for line in page.history if line.session == found],
    ), status


def _way_back(number: str, registration_id: int, session_id: int) -> str:
    """Return the address of the page that led here: list, overview or person."""
    came_from = request.args.get("von")
    if came_from == "person":
        return url_for(
            ".person_page",
            number=number,
            registration_id=registration_id,
            _anchor=f"t-{session_id}",
        )
    cell = f"c-{registration_id}-{session_id}"
    endpoint = ".overview" if came_from == "uebersicht" else ".event_page"
    anchor = f"p-{registration_id}" if came_from == "liste" else cell
    kept = address_of(asked_for())
    return url_for(endpoint, number=number, termin=session_id, **kept, _anchor=anchor)


def _render(template: str, page: PersonSheet, **values: object) -> str:
    names = dict(zip(page.sessions, wording.session_names(page.sessions), strict=True))
    return render_template(
        template,
        page=page,
        names={found: ", ".join(lines) for found, lines in names.items()},
        wording=wording,
        by_office=by_office(),
        **values,
    )
