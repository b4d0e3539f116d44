"""Contacts ask for a course for their organisation and see what the office answered."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.fields import options
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations import course_operations
from trainings.registrations.blueprint import blueprint
from trainings.registrations.demand_forms import CourseRequestForm
from trainings.registrations.demand_queries import (
    Format,
    course_requests_of,
    formats_on_offer,
    organisations_of_contact,
)
from trainings.registrations.statuses import COURSE_REQUEST_STATUS


@blueprint.route("/organisation/kurs-anfragen", methods=["GET", "POST"])
@requires(Permission.ORGANISATION)
def course_requests() -> ResponseReturnValue:
    """Ask for a course of one's own organisation; shows what was asked before."""
    actor, now = current_actor(), utc_now()
    theirs = organisations_of_contact(db.session(), actor)
    offered = [
        row
        for row in formats_on_offer(db.session(), actor, now)
        if row.kind in course_operations.COURSE_KINDS
    ]
    form = CourseRequestForm()
    form.organisation_id.choices = options([(row.id, row.name) for row in theirs])
    form.template_id.choices = options([(row.id, _words(row)) for row in offered])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        course_operations.request_course(
            session,
            actor,
            template_id=form.template_id.data,
            organisation_id=form.organisation_id.data,
            participants=form.participants.data,
            period=form.period.data,
            note=form.note.data or "",
            several=bool(form.several.data),
            now=now,
        )
        return Outcome(
            url_for(".course_requests"),
            "Ihre Anfrage ist bei der Geschäftsstelle. Die Antwort kommt per E-Mail.",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    page = render_template(
        "registrations/course_requests.html",
        form=form,
        is_too_many=_is_too_many(form, offered),
        may_ask=bool(theirs and offered),
        requests=course_requests_of(db.session(), actor),
        statuses=COURSE_REQUEST_STATUS,
    )
    return page, status


def _words(row: Format) -> str:
    return f"{row.title} ({formats.count(row.capacity, 'Platz', 'Plätze')} je Termin)"


def _is_too_many(form: CourseRequestForm, offered: list[Format]) -> bool:
    """Say whether more people were typed than one date of the format has places for."""
    chosen = next((row for row in offered if row.id == form.template_id.data), None)
    return chosen is not None and (form.participants.data or 0) > chosen.capacity
