"""The page on which the office confirms who is admitted to an event."""

from __future__ import annotations

from datetime import datetime

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.attendance.experience import participations_before
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.formats import count
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.models import Event
from trainings.events.queries import event_by_number
from trainings.office.admission_form import AdmissionForm, admission_form, ticked_lines
from trainings.office.blueprint import blueprint
from trainings.office.event_views import to_event
from trainings.people.posting import attempt
from trainings.registrations.admission_operations import confirm_admission, window_of
from trainings.registrations.admission_queries import AdmissionList, load_admission
from trainings.registrations.admission_rules import RULES, admission_refusal


@blueprint.route("/veranstaltungen/<number:number>/zulassung", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_admission(number: str) -> ResponseReturnValue:
    """Show the proposal, and confirm it with the changes that the office made."""
    event, found = _load(number)
    event_id = event.id
    form = admission_form(found)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        done = confirm_admission(
            session,
            actor,
            event_id,
            chosen=[id_ for id_ in form.chosen.data or () if id_ is not None],
            reasons=form.reasons(),
            expected=form.expected.data or "",
            experience=participations_before,
            now=now,
        )
        placed = count(done.placed, "Person hat", "Personen haben")
        waiting = count(done.waiting, "steht", "stehen")
        return to_event(
            number,
            f"Die Zulassung ist bestätigt: {placed} einen Platz, {waiting} auf der Warteliste. "
            "Alle bekommen eine Mail.",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if form.is_submitted():
        event, found = _load(number)
    return _page(event, found, form), status


def _load(number: str) -> tuple[Event, AdmissionList]:
    session = db.session()
    event = event_by_number(session, number)
    attended = participations_before(session, event)
    return event, load_admission(session, event, attended, utc_now())


def _page(event: Event, found: AdmissionList, form: AdmissionForm) -> str:
    changed = form.expected.data != found.fingerprint
    lines = ticked_lines(form, found, changed=changed)
    if form.is_submitted() and not changed:
        form.ask_for_reasons(lines, found)
    form.expected.data = found.fingerprint
    return render_template(
        "office/event_admission.html",
        form=form,
        number=event.number,
        event=event,
        found=found,
        lines=lines,
        refusal=admission_refusal(window_of(event), utc_now()),
        rules=RULES,
        proposed=sum(line.admitted for line in found.proposals),
    )
