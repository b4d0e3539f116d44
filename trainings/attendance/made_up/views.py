"""Pages by which the office lets a session of another event count."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.attendance.certificates.forms import MadeUpForm
from trainings.attendance.certificates.queries import (
    Elsewhere,
    attended_elsewhere,
    made_up_sessions,
)
from trainings.attendance.certificates.rules import hours_words
from trainings.attendance.made_up import operations
from trainings.attendance.person_queries import PersonSheet, person_sheet
from trainings.attendance.rules import SessionTime
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.formats import day_and_span
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

blueprint = Blueprint("made_up", __name__)
_UNCHOSEN = ("", "Bitte wählen")
_PERSON = "/einlass/<number:number>/person/<id:registration_id>"


@blueprint.route(f"{_PERSON}/nachholen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def decide(number: str, registration_id: int) -> ResponseReturnValue:
    """Choose the session that was missed, and the one that counts for it."""
    page = _person(number, registration_id)
    form = MadeUpForm()
    # What was decided before stays valid for a second submit, which finds the first one's answer.
    decided = [] if form.is_submitted() else made_up_sessions(db.session(), registration_id)
    settled, used = ({row.missed.id for row in decided}, {row.at.id for row in decided})
    missed = [
        (found.id, ", ".join(filter(None, (found.label, _span(found)))))
        for found, entry in zip(page.sessions, page.person.entries, strict=True)
        if (entry.mark != "present" or entry.late or entry.early) and found.id not in settled
    ]
    elsewhere = [
        (each.session.id, _words(each))
        for each in attended_elsewhere(db.session(), registration_id)
        if each.session.id not in used
    ]
    form.session_id.choices = options([_UNCHOSEN, *missed])
    form.made_up_at.choices = options([_UNCHOSEN, *elsewhere])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.decide_made_up(
            session,
            actor,
            registration_id,
            form.session_id.data,
            made_up_at_id=form.made_up_at.data,
            now=now,
        )
        return Outcome(_back(number, registration_id), "Der Termin zählt jetzt als besucht.")

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    return render_template(
        "attendance/made_up_form.html",
        page=page,
        form=form,
        missed=missed,
        elsewhere=elsewhere,
        back=_back(number, registration_id),
    ), status


@blueprint.post(f"{_PERSON}/nachholen/<id:decision_id>/aufheben")
@requires(Permission.OFFICE)
def revoke(number: str, registration_id: int, decision_id: int) -> ResponseReturnValue:
    """Take such a decision back."""
    _person(number, registration_id)
    if decision_id not in {found.id for found in made_up_sessions(db.session(), registration_id)}:
        raise not_found()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.revoke_made_up(session, actor, decision_id, now)
        return Outcome(_back(number, registration_id), "Der Nachholtermin zählt nicht mehr.")

    return press(work, _back(number, registration_id))


def _words(each: Elsewhere) -> str:
    at = each.session
    other = "" if each.same_template else ", anderes Format"
    return f"{each.number}{other}: {_span(at)}, {hours_words(each.minutes)}"


def _span(found: SessionTime) -> str:
    return day_and_span(found.day, found.begins, found.ends)


def _person(number: str, registration_id: int) -> PersonSheet:
    return person_sheet(db.session(), current_actor(), number, registration_id, utc_now())


def _back(number: str, registration_id: int) -> str:
    return url_for(
        "attendance.person_page",
        number=number,
        registration_id=registration_id,
        _anchor="nachgeholt",
    )
