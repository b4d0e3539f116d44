"""The waiting list of an event as the office sees it: order, offers, what was done and why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.models import KIND_NAMES, MISSED_OFFER_NAMES
from trainings.events.queries import event_by_number
from trainings.office.blueprint import blueprint
from trainings.office.queue_forms import PositionForm, ReasonForm
from trainings.office.wording import REGISTRATION_STATUS
from trainings.people.posting import attempt
from trainings.registrations import offer_operations, offer_queries
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.offer_rules import Passing, passing_on
from trainings.registrations.place_queries import load_places
from trainings.registrations.places import begins_at
from trainings.registrations.rules import awaits_admission
from trainings.registrations.wording import reason_name


@blueprint.get("/veranstaltungen/<number:number>/warteliste")
@requires(Permission.OFFICE)
def event_queue(number: str) -> str:
    """Show who waits, in order, and each step that was taken on the list."""
    now = utc_now()
    event = event_by_number(db.session(), number)
    places = load_places(db.session(), event.pool, now)
    rows = offer_queries.queue(db.session(), event.pool_id)
    pending = awaits_admission(event.admission, event.admitted_at)
    way = passing_on(event.offer_days, event.short_notice, begins_at(event), now)
    return render_template(
        "office/event_queue.html",
        event=event,
        number=number,
        rows=_with_positions(rows),
        log=offer_queries.queue_log(db.session(), event.pool_id),
        free=max(places.free, 0),
        empty=places.capacity > places.taken and not pending,
        pending=pending,
        office_decides=way.how is Passing.OFFICE and not pending,
        missed_offers=MISSED_OFFER_NAMES,
        kinds=KIND_NAMES,
        registration_status=REGISTRATION_STATUS,
        reason_name=reason_name,
    )


def _with_positions(rows: list[Registration]) -> list[tuple[int | None, Registration]]:
    position = 0
    numbered: list[tuple[int | None, Registration]] = []
    for row in rows:
        waits = row.state is RegistrationState.WAITING
        position += waits
        numbered.append((position if waits else None, row))
    return numbered


@blueprint.route(
    "/veranstaltungen/<number:number>/warteliste/<id:registration_id>/stelle",
    methods=["GET", "POST"],
)
@requires(Permission.OFFICE)
def queue_move(number: str, registration_id: int) -> ResponseReturnValue:
    """Put somebody at another place on the list."""
    form = PositionForm()

    def work(session: Session, actor: Actor, now: datetime) -> str:
        offer_operations.move_in_queue(
            session,
            actor,
            registration_id,
            position=form.position.data,
            reason=form.reason.data,
            now=now,
        )
        return "Die Reihenfolge ist geändert."

    return _act(number, registration_id, form, work, "Andere Stelle auf der Warteliste")


@blueprint.route(
    "/veranstaltungen/<number:number>/warteliste/<id:registration_id>/platz",
    methods=["GET", "POST"],
)
@requires(Permission.OFFICE)
def queue_place(number: str, registration_id: int) -> ResponseReturnValue:
    """Give somebody a free place out of turn."""
    form = ReasonForm()

    def work(session: Session, actor: Actor, now: datetime) -> str:
        registration = offer_operations.place_by_office(
            session, actor, registration_id, reason=form.reason.data, now=now
        )
        return f"{registration.person.name} hat einen Platz und bekommt eine Mail."

    return _act(number, registration_id, form, work, "Platz geben")


def _act(
    number: str,
    registration_id: int,
    form: ReasonForm,
    change: Callable[[Session, Actor, datetime], str],
    heading: str,
) -> ResponseReturnValue:
    rows = offer_queries.queue(db.session(), event_by_number(db.session(), number).pool_id)
    name = next((row.person.list_name for row in rows if row.id == registration_id), None)
    if name is None and not form.is_submitted():
        raise not_found()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event = event_by_number(session, number)
        registration = session.get(Registration, registration_id)
        if registration is None or registration.pool_id != event.pool_id:
            raise not_found()
        message = change(session, actor, now)
        return Outcome(url_for("office.event_queue", number=number), message)

    done, status = attempt(form, work, creates=True)
    page = {"form": form, "number": number, "name": name or "", "title": heading}
    return done or (render_template("office/event_queue_change.html", **page), status)
