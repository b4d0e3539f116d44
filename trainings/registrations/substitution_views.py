"""The page on which somebody names a colleague who comes in their place."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events import calendar
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations import substitution
from trainings.registrations.blueprint import blueprint
from trainings.registrations.forms import SubstituteForm
from trainings.registrations.places import begins_at
from trainings.registrations.queries import my_registration
from trainings.registrations.rules import substitution_refusal


@blueprint.route("/meine/anmeldungen/<id:registration_id>/ersatz", methods=["GET", "POST"])
@requires(Permission.REGISTER)
def substitute(registration_id: int) -> ResponseReturnValue:
    """Name a colleague who takes one's own place."""
    form = SubstituteForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        new = substitution.substitute(session, actor, registration_id, **form.colleague(), now=now)
        return Outcome(url_for(".my_registrations"), substitution.handed_over_to(new))

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    registration = my_registration(db.session(), current_actor(), registration_id)
    event, now = registration.event, utc_now()
    return (
        render_template(
            "registrations/substitute.html",
            form=form,
            registration=registration,
            event=event,
            days=calendar.calendar_days(event),
            refusal=substitution_refusal(registration.state, event.state, begins_at(event), now),
        ),
        status,
    )
