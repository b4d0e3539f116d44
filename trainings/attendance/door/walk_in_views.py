"""The page for people who came without a registration; it works without a script."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.attendance import wording
from trainings.attendance.door import walk_in_operations as operations
from trainings.attendance.door.walk_in_queries import guest_book
from trainings.attendance.forms import WalkInForm
from trainings.attendance.models import WalkIn
from trainings.attendance.rules import SessionTime
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options, parse_id
from trainings.core.formats import NO_BREAK_SPACE, clock_time, day_and_span, weekday
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

blueprint = Blueprint("walk_ins", __name__)
Operation = Callable[[Session, Actor, int, int, datetime], WalkIn]


@blueprint.route("/einlass/<number:number>/ohne-anmeldung", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def guest_page(number: str) -> ResponseReturnValue:
    """Show who came without a registration, and note somebody else."""
    actor, now = current_actor(), utc_now()
    chosen_id = parse_id(request.args.get("termin"))
    page = guest_book(db.session(), actor, number, chosen_id, now)
    names = {found.id: _name(found) for found in page.sessions}
    form = WalkInForm(session_id=page.current.id if page.current else None)
    form.session_id.choices = options(
        [("", "Bitte wählen"), *((found.id, _choice(found)) for found in page.sessions)]
    )
    event_id = page.event.id

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        walk_in = operations.record_walk_in(
            session,
            actor,
            event_id,
            form.session_id.data,
            name=form.name.data,
            organisation=form.organisation.data or "",
            now=now,
        )
        there = url_for(".guest_page", number=number, termin=form.session_id.data)
        return Outcome(there, f"{walk_in.name} ist ohne Anmeldung erfasst.")

    done, status = attempt(form, work, creates=True)
    word, obstacle = wording.refusal_words(page.answer, page.current.day if page.current else None)
    return done or (
        render_template(
            "attendance/walk_ins.html",
            page=page,
            form=form,
            names=names,
            obstacle_word=word,
            obstacle=obstacle,
            press_form=Form(),
            by_office=actor.may(Permission.OFFICE),
        ),
        status,
    )


@blueprint.post("/einlass/<number:number>/ohne-anmeldung/<id:walk_in_id>/<id:session_id>/da")
@requires(Permission.ATTENDANCE)
def mark(number: str, walk_in_id: int, session_id: int) -> Response:
    """Note that somebody without a registration is there in this session, too."""
    return _press(operations.mark_walk_in, number, walk_in_id, session_id)


@blueprint.post("/einlass/<number:number>/ohne-anmeldung/<id:walk_in_id>/<id:session_id>/zurueck")
@requires(Permission.ATTENDANCE)
def undo(number: str, walk_in_id: int, session_id: int) -> Response:
    """Take back that somebody without a registration was there."""
    return _press(operations.undo_walk_in, number, walk_in_id, session_id)


def _press(operation: Operation, number: str, walk_in_id: int, session_id: int) -> Response:
    there = url_for(".guest_page", number=number, termin=session_id)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        walk_in = operation(session, actor, walk_in_id, session_id, now)
        if walk_in.event.number != number:
            raise not_found()
        return Outcome(there)

    return press(work, there)


def _name(found: SessionTime) -> str:
    return f"{day_and_span(found.day, found.begins, found.ends)} {found.label}".strip()


def _choice(found: SessionTime) -> str:
    """Return „Sa., 21.11., 09:00 Vormittag“: short enough for the width of a phone."""
    day = f"{weekday(found.day)},{NO_BREAK_SPACE}{found.day:%d.%m.}"
    return f"{day}, {clock_time(found.begins)} {found.label}".strip()
