"""The office's list of events, one event, and the steps of its life."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.attendance.papers.documents import unprintable_letters
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.fields import options
from trainings.core.formats import count
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.paging import page_address
from trainings.core.permissions import Permission, requires
from trainings.events import operations
from trainings.events.details import plans_of, readiness_of
from trainings.events.models import (
    KIND_NAMES,
    STATE_NAMES,
    VISIBILITY_NAMES,
    Admission,
    Event,
    EventKind,
    EventState,
)
from trainings.events.queries import event_by_number, templates
from trainings.events.rules import end_of, publishing_obstacles
from trainings.inventory.handouts.operations import forget_plan
from trainings.office import event_queries
from trainings.office.blueprint import blueprint
from trainings.office.event_forms import CopyForm, NewEventForm
from trainings.office.why_form import WhyForm
from trainings.office.wording import EVENT_STATUS, REGISTRATION_STATUS, action_name
from trainings.people.posting import attempt, press
from trainings.registrations.admission_operations import window_of
from trainings.registrations.admission_rules import admission_refusal
from trainings.registrations.course_operations import delete_draft_and_reopen
from trainings.registrations.extra_date_operations import publish_and_take_along
from trainings.registrations.models import NEED_NAMES, Registration
from trainings.registrations.places import begins_at
from trainings.registrations.rules import substitution_refusal, withdrawal_refusal

Choice = TypeVar("Choice", bound=StrEnum)
_YEAR = re.compile(r"(?:20[0-9]{2}|2100)")


def chosen(values: type[Choice], name: str) -> Choice | None:
    """Return the value of an enumeration that the address names; what makes no sense is none."""
    try:
        return values(request.args.get(name, ""))
    except ValueError:
        return None


@blueprint.get("/veranstaltungen/")
@requires(Permission.OFFICE)
def event_list() -> str:
    """Show all events, drafts and cancelled ones included."""
    year = request.args.get("jahr", "")
    wanted = event_queries.EventFilter(
        year=int(year) if _YEAR.fullmatch(year) else None,
        state=chosen(EventState, "stand"),
        kind=chosen(EventKind, "art"),
    )
    found = event_queries.list_events(db.session(), wanted, utc_now())
    return render_template(
        "office/event_list.html",
        found=found,
        wanted=wanted,
        kinds=KIND_NAMES,
        years=[(year, str(year)) for year in found.years],
        states=STATE_NAMES,
        event_status=EVENT_STATUS,
        address=page_address(),
    )


@blueprint.route("/veranstaltungen/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_new() -> ResponseReturnValue:
    """Make a draft from a format."""
    form = NewEventForm()
    form.template_id.choices = options([(row.id, row.title) for row in templates(db.session())])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event = operations.create_event_from_template(
            session, actor, form.template_id.data, form.first_day.data, now
        )
        return to_event(event.number, f"Der Entwurf {event.number} ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("office/event_new.html", form=form), status)


@blueprint.get("/veranstaltungen/<number:number>")
@requires(Permission.OFFICE)
def event_page(number: str) -> str:
    """Show one event with who comes, what is open and what happened."""
    now = utc_now()
    page = event_queries.event_page(db.session(), number, now)
    is_draft = page.event.state is EventState.DRAFT

    def may_withdraw(row: Registration) -> bool:
        until, begins = page.event.withdraw_until, begins_at(page.event)
        return withdrawal_refusal(row.state, until, begins, now, says_why=True) is None

    def may_hand_over(row: Registration) -> bool:
        return substitution_refusal(row.state, page.event.state, begins_at(page.event), now) is None

    return render_template(
        "office/event_page.html",
        page=page,
        event=page.event,
        obstacles=publishing_obstacles(readiness_of(page.event), now) if is_draft else [],
        is_over=end_of(plans_of(page.event)) <= now,
        is_draft=is_draft,
        is_published=page.event.state is EventState.PUBLISHED,
        by_office=page.event.admission is Admission.BY_OFFICE,
        may_admit=admission_refusal(window_of(page.event), now) is None,
        kinds=KIND_NAMES,
        visibilities=VISIBILITY_NAMES,
        event_status=EVENT_STATUS,
        registration_status=REGISTRATION_STATUS,
        need_names=NEED_NAMES,
        may_withdraw=may_withdraw,
        may_hand_over=may_hand_over,
        action_name=action_name,
        press_form=Form(),
        why_form=WhyForm(),
        unprintable=[row.person.list_name for row in page.coming if unprintable_letters(row)],
    )


@blueprint.route("/veranstaltungen/<number:number>/kopieren", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_copy(number: str) -> ResponseReturnValue:
    """Make a draft like this event on other days."""
    return copy_page(
        number,
        "office/event_copy.html",
        operations.copy_event,
        lambda copied: f"Der Entwurf {copied} ist angelegt.",
    )


def copy_page(
    number: str, template: str, copy: Callable[..., Event], message: Callable[[str], str]
) -> ResponseReturnValue:
    """Show the form for a draft like an event, or make the draft and go to it.

    Args:
        number: of the event.
        template: of the page.
        copy: the operation, called as `events.operations.copy_event`.
        message: what the page of the draft says, from its number.

    """
    event = event_by_number(db.session(), number)
    event_id, title = event.id, event.title
    form = CopyForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        copied = copy(
            session,
            actor,
            event_id,
            form.first_day.data,
            now,
            with_trainers=bool(form.with_trainers.data),
            with_room=bool(form.with_room.data),
        )
        return to_event(copied.number, message(copied.number))

    done, status = attempt(form, work, creates=True)
    page = {"form": form, "number": number, "event_title": title}
    return done or (render_template(template, **page), status)


@blueprint.post("/veranstaltungen/<number:number>/veroeffentlichen")
@requires(Permission.OFFICE)
def event_publish(number: str) -> Response:
    """Publish a draft; an extra date takes the waiting list along."""
    event_id = event_by_number(db.session(), number).id

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        taken = publish_and_take_along(session, actor, event_id, now)
        along = f" {count(taken, 'Person kommt', 'Personen kommen')} von der Warteliste mit."
        return to_event(number, f"Die Veranstaltung ist veröffentlicht.{along if taken else ''}")

    return press(work, url_for("office.event_page", number=number))


@blueprint.post("/veranstaltungen/<number:number>/abschliessen")
@requires(Permission.OFFICE)
def event_close(number: str) -> Response:
    """Note that an event took place."""
    event_id = event_by_number(db.session(), number).id

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.mark_held(session, actor, event_id, now)
        return to_event(number, "Die Veranstaltung ist abgeschlossen.")

    return press(work, url_for("office.event_page", number=number))


@blueprint.post("/veranstaltungen/<number:number>/loeschen")
@requires(Permission.OFFICE)
def event_delete(number: str) -> Response:
    """Delete a draft."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        event_id = event_by_number(session, number).id
        forget_plan(session, event_id)
        delete_draft_and_reopen(session, actor, event_id, now)
        return Outcome(url_for("office.event_list"), f"Der Entwurf {number} ist gelöscht.")

    return press(work, url_for("office.event_page", number=number))


def to_event(number: str, message: str) -> Outcome:
    """Return the way back to the page of an event."""
    return Outcome(url_for("office.event_page", number=number), message)
