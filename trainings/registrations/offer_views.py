"""Answering an offer on one's own page: accepting at once, declining after one question."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.forms import STALE_BUTTON, Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Permission, requires
from trainings.events.calendar import calendar_days
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations.blueprint import blueprint
from trainings.registrations.offer_operations import (
    accept_offer,
    answer_sentence,
    decline_offer,
    offer_refusal,
)
from trainings.registrations.places import begins_at
from trainings.registrations.queries import my_registration


@blueprint.post("/meine/anmeldungen/<id:registration_id>/angebot", endpoint="accept_offer")
@requires(Permission.REGISTER)
def accept(registration_id: int) -> ResponseReturnValue:
    """Accept the place that is offered."""
    actor, now = current_actor(), utc_now()
    my_registration(db.session(), actor, registration_id)
    form = Form()
    back = url_for(".my_registrations")
    if not form.validate():
        flash(STALE_BUTTON, "danger")
        return redirect(back, code=303)

    def work(session: Session) -> Outcome:
        return Outcome(back, answer_sentence(accept_offer(session, actor, registration_id, now)))

    try:
        return follow(once(form.key(actor.person_id, registration_id), now, work))
    except DomainError as refusal:
        flash(refusal.sentence, "danger")
        return redirect(back, code=303)


@blueprint.route(
    "/meine/anmeldungen/<id:registration_id>/angebot/ablehnen",
    methods=["GET", "POST"],
    endpoint="decline_offer",
)
@requires(Permission.REGISTER)
def decline(registration_id: int) -> ResponseReturnValue:
    """Decline the place that is offered, after one question."""
    my_registration(db.session(), current_actor(), registration_id)
    form, back = Form(), url_for(".my_registrations")

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        return Outcome(back, answer_sentence(decline_offer(session, actor, registration_id, now)))

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    registration = my_registration(db.session(), current_actor(), registration_id)
    event = registration.event
    page = render_template(
        "registrations/offer_decline.html",
        form=form,
        registration=registration,
        event=event,
        days=calendar_days(event),
        refusal=offer_refusal(registration, begins_at(event), utc_now()),
    )
    return page, status
