"""Demand for dates that do not exist yet: what people want, in-house courses, extra dates."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.fields import DayField, given
from trainings.core.forms import Form, LineField, required
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.office import demand_queries
from trainings.office.blueprint import blueprint
from trainings.office.event_views import copy_page, to_event
from trainings.organisations.regions import NO_REGION
from trainings.people.posting import attempt
from trainings.registrations import course_operations, extra_date_operations
from trainings.registrations.statuses import COURSE_REQUEST_STATUS


class PlanCourseForm(Form):
    """When the course could begin."""

    first_day = DayField("Erster Tag", [given("Bitte wählen Sie den ersten Tag.")])


class DeclineCourseForm(Form):
    """Why there will be no course."""

    reason = LineField(
        "Grund",
        300,
        [required("Bitte geben Sie einen Grund an.")],
        description="Er steht in der E-Mail an die anfragende Person.",
    )


@blueprint.get("/bedarf/")
@requires(Permission.OFFICE)
def demand() -> str:
    """Show who waits and wishes, and which courses organisations ask for."""
    chosen = request.args.get("format", "")
    template_id = int(chosen) if chosen.isascii() and chosen.isdigit() and len(chosen) < 10 else 0
    return render_template(
        "office/demand.html",
        demand=demand_queries.demand(db.session(), template_id, utc_now()),
        statuses=COURSE_REQUEST_STATUS,
        no_region=NO_REGION,
    )


@blueprint.route("/bedarf/anfragen/<id:request_id>/planen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def course_plan(request_id: int) -> ResponseReturnValue:
    """Make the draft of a course that an organisation asked for."""
    found = demand_queries.find_request(db.session(), request_id)
    form = PlanCourseForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event = course_operations.plan_course(session, actor, request_id, form.first_day.data, now)
        return to_event(
            event.number,
            f"Der Entwurf {event.number} ist angelegt, die anfragende Person bekommt eine Mail.",
        )

    done, status = attempt(form, work, creates=True)
    page = {"form": form, "request_id": request_id, "course": found}
    return done or (render_template("office/course_plan.html", **page), status)


@blueprint.route("/bedarf/anfragen/<id:request_id>/ablehnen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def course_decline(request_id: int) -> ResponseReturnValue:
    """Decline a course that an organisation asked for."""
    found = demand_queries.find_request(db.session(), request_id)
    form = DeclineCourseForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        course_operations.decline_course(session, actor, request_id, form.reason.data, now)
        return Outcome(
            url_for("office.demand"),
            "Die Anfrage ist abgelehnt, die anfragende Person bekommt eine Mail.",
        )

    done, status = attempt(form, work, creates=True)
    page = {"form": form, "request_id": request_id, "course": found}
    return done or (render_template("office/course_decline.html", **page), status)


@blueprint.route("/veranstaltungen/<number:number>/zusatztermin", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_extra_date(number: str) -> ResponseReturnValue:
    """Make the draft of an extra date, which takes the waiting list along."""
    return copy_page(
        number,
        "office/event_extra_date.html",
        extra_date_operations.create_extra_date,
        lambda extra: (
            f"Der Entwurf {extra} ist angelegt. Sobald Sie ihn veröffentlichen, kommt die "
            f"Warteliste von {number} mit."
        ),
    )
