"""Changes of a published event that people are told of: moving, cancelling, places."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, end_of_day, utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.formats import count
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.details import plans_of
from trainings.events.models import Event, EventState
from trainings.events.planning import finished, set_draft_capacity
from trainings.events.queries import event_by_number, find_place
from trainings.events.rules import SessionPlan
from trainings.office import event_queries
from trainings.office.blueprint import blueprint
from trainings.office.event_edit_views import SAVED, dates_form, open_event
from trainings.office.event_forms import CancelForm, ContingentForm, PlacesForm
from trainings.office.event_views import to_event
from trainings.office.occupancy import occupancies
from trainings.office.wording import REGISTRATION_STATUS
from trainings.organisations.models import Level
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import CONFIRM, attempt, carried_fields, press, rehearse
from trainings.registrations import event_operations
from trainings.registrations.contingent_operations import remove_contingent, set_contingent
from trainings.registrations.event_cancel_operations import cancel_event
from trainings.registrations.event_move_operations import move_event
from trainings.registrations.queries import people_concerned


def _published(number: str) -> Event:
    event = event_by_number(db.session(), number)
    if event.state is not EventState.PUBLISHED:
        raise finished()
    return event


def _told(number: int) -> str:
    return f"{count(number, 'Person bekommt', 'Personen bekommen')} eine Mail."


@blueprint.route("/veranstaltungen/<number:number>/verlegen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_move(number: str) -> ResponseReturnValue:
    """Give a published event other dates or another place, after a preview."""
    event = _published(number)
    event_id = event.id
    form = dates_form(event)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        venue_id, room_id = form.chosen_place()
        told = move_event(
            session,
            actor,
            event_id,
            sessions=form.plans(),
            venue_id=venue_id,
            room_id=room_id,
            now=now,
        )
        return to_event(number, f"Die Veranstaltung ist verlegt. {_told(told)}")

    if form.is_submitted() and CONFIRM not in request.form:
        status = rehearse(form, work)
        if status == 200:
            return _move_preview(number, form.plans(), *form.chosen_place())
    else:
        done, status = attempt(form, work, creates=True)
        if done:
            return done
    return render_template("office/event_move.html", form=form, number=number), status


def _move_preview(
    number: str, plans: list[SessionPlan], venue_id: int | None, room_id: int | None
) -> str:
    event = event_by_number(db.session(), number)
    return render_template(
        "office/event_move_preview.html",
        event=event,
        number=number,
        before=plans_of(event),
        after=plans,
        place=find_place(db.session(), venue_id, room_id),
        people=people_concerned(db.session(), event.id),
        registration_status=REGISTRATION_STATUS,
        carried_fields=carried_fields(),
        form=Form(formdata=None),
    )


@blueprint.route("/veranstaltungen/<number:number>/absagen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_cancel(number: str) -> ResponseReturnValue:
    """Call a published event off, after a preview."""
    # Of two presses of the button the second one finds the first one's result, not a refusal.
    confirmed = CONFIRM in request.form
    event = event_by_number(db.session(), number) if confirmed else _published(number)
    event_id, title = event.id, event.title
    form = CancelForm()
    others = event_queries.events_to_come(db.session(), number, berlin_day(utc_now()))
    form.replaced_by.choices = options([("", "Kein Ersatztermin"), *others])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        told = cancel_event(
            session,
            actor,
            event_id,
            reason=form.reason.data,
            replaced_by_id=form.replaced_by.data,
            now=now,
        )
        return to_event(number, f"Die Veranstaltung ist abgesagt. {_told(told)}")

    if form.is_submitted() and not confirmed:
        status = rehearse(form, work)
        if status == 200:
            event = event_by_number(db.session(), number)
            return render_template(
                "office/event_cancel_preview.html",
                event=event,
                number=number,
                reason=form.reason.data,
                replacement=dict(others).get(form.replaced_by.data),
                people=people_concerned(db.session(), event_id),
                registration_status=REGISTRATION_STATUS,
                carried_fields=carried_fields(),
                form=Form(formdata=None),
            )
    else:
        done, status = attempt(form, work, creates=True)
        if done:
            return done
    page = {"form": form, "number": number, "event_title": title}
    return render_template("office/event_cancel.html", **page), status


@blueprint.route("/veranstaltungen/<number:number>/plaetze", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_places(number: str) -> ResponseReturnValue:
    """Change the number of places; shows the contingents of a published event."""
    event = open_event(number)
    event_id, is_draft = event.id, event.state is EventState.DRAFT
    form = PlacesForm(
        data={
            "capacity": event.pool.capacity,
            "organisation_limit": event.pool.organisation_limit,
        }
    )
    change = set_draft_capacity if is_draft else event_operations.change_capacity

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        change(
            session,
            actor,
            event_id,
            capacity=form.capacity.data,
            organisation_limit=form.organisation_limit.data,
            now=now,
        )
        return to_event(number, SAVED)

    done, status = attempt(form, work)
    return done or (_places_page(number, form, _contingent_form()), status)


@blueprint.post("/veranstaltungen/<number:number>/kontingente")
@requires(Permission.OFFICE)
def event_contingent(number: str) -> ResponseReturnValue:
    """Hold places of a published event for an organisation."""
    event = _published(number)
    event_id = event.id
    form = _contingent_form(sent=True)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        set_contingent(
            session,
            actor,
            event_id,
            organisation_id=form.organisation_id.data,
            places=form.places.data,
            until=end_of_day(form.until.data),
            now=now,
        )
        return Outcome(
            url_for("office.event_places", number=number), "Die Plätze sind vorgehalten."
        )

    done, status = attempt(form, work)
    if done:
        return done
    event = event_by_number(db.session(), number)
    places = {"capacity": event.pool.capacity, "organisation_limit": event.pool.organisation_limit}
    return _places_page(number, PlacesForm(formdata=None, data=places), form), status


@blueprint.post("/veranstaltungen/<number:number>/kontingente/<id:contingent_id>/aufheben")
@requires(Permission.OFFICE)
def event_contingent_remove(number: str, contingent_id: int) -> Response:
    """Stop holding places for an organisation."""
    back = url_for("office.event_places", number=number)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        contingents = event_queries.contingents_of(session, event_by_number(session, number))
        if contingent_id not in {row.id for row in contingents}:
            raise not_found()
        remove_contingent(session, actor, contingent_id, now)
        return Outcome(back, "Das Kontingent ist aufgehoben.")

    return press(work, back)


def _contingent_form(*, sent: bool = False) -> ContingentForm:
    form = ContingentForm() if sent else ContingentForm(formdata=None)
    levels = (Level.GROUP, Level.AUTHORITY)
    form.organisation_id.choices = options(organisation_choices(db.session(), levels=levels))
    return form


def _places_page(number: str, form: PlacesForm, contingent_form: ContingentForm) -> str:
    event = event_by_number(db.session(), number)
    return render_template(
        "office/event_places.html",
        form=form,
        contingent_form=contingent_form,
        number=number,
        event=event,
        occupancy=occupancies(db.session(), [event.pool_id], utc_now())[event.pool_id],
        contingents=event_queries.contingents_of(db.session(), event),
        is_published=event.state is EventState.PUBLISHED,
        press_form=Form(formdata=None),
    )
