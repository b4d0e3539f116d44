"""Changing one event: details, dates and place, people, programme, guests, places."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events import planning
from trainings.events.details import plans_of
from trainings.events.models import Event, EventState, Visibility
from trainings.events.queries import event_by_number, trainer_choices, venues_with_rooms
from trainings.events.rules import LIVE_STATES
from trainings.office import event_queries
from trainings.office.blueprint import blueprint
from trainings.office.event_forms import (
    AgendaForm,
    DetailsForm,
    HostsForm,
    InvitationsForm,
    SessionsForm,
    TrainersForm,
    agenda_values,
    details_values,
    place_value,
    session_values,
)
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import attempt
from trainings.registrations.event_operations import assign_trainers, change_details

SAVED = "Die Änderungen sind gespeichert."


def open_event(number: str) -> Event:
    """Return an event that may still be changed.

    Raises:
        DomainError: `not_found` or `finished`.

    """
    event = event_by_number(db.session(), number)
    if event.state not in LIVE_STATES:
        raise planning.finished()
    return event


def edit(
    template: str,
    number: str,
    form: Form,
    change: Callable[[Session, Actor, datetime], Any],
    **page: Any,
) -> ResponseReturnValue:
    """Show a form for an event, or run its operation and go back to the event."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        change(session, actor, now)
        return Outcome(url_for("office.event_page", number=number), SAVED)

    done, status = attempt(form, work)
    return done or (render_template(template, form=form, number=number, **page), status)


@blueprint.route("/veranstaltungen/<number:number>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_edit(number: str) -> ResponseReturnValue:
    """Change what an event says about itself."""
    event = open_event(number)
    event_id = event.id
    form = DetailsForm(data=details_values(event))
    return edit(
        "office/event_edit.html",
        number,
        form,
        lambda session, actor, now: change_details(session, actor, event_id, form.details(), now),
    )


@blueprint.route("/veranstaltungen/<number:number>/programm", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_agenda(number: str) -> ResponseReturnValue:
    """Change the programme."""
    event = open_event(number)
    event_id = event.id
    form = AgendaForm(data={"agenda": agenda_values(event.agenda)})
    return edit(
        "office/event_agenda.html",
        number,
        form,
        lambda session, actor, now: planning.set_agenda(
            session, actor, event_id, form.agenda_items(), now
        ),
    )


@blueprint.route("/veranstaltungen/<number:number>/leitung", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_trainers(number: str) -> ResponseReturnValue:
    """Choose who leads an event."""
    event = open_event(number)
    event_id, dates = event.id, plans_of(event)
    form = TrainersForm(data={"trainers": [row.person_id for row in event.trainers]})
    form.trainers.choices = options(trainer_choices(db.session()))
    return edit(
        "office/event_trainers.html",
        number,
        form,
        lambda session, actor, now: assign_trainers(
            session, actor, event_id, form.trainers.data or [], now
        ),
        dates=dates,
    )


@blueprint.route("/veranstaltungen/<number:number>/organisationen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_hosts(number: str) -> ResponseReturnValue:
    """Choose for which organisations an in-house event is."""
    event = open_event(number)
    event_id, applies = event.id, event.visibility is Visibility.IN_HOUSE
    hosts = event_queries.hosts_of(db.session(), event)
    form = HostsForm(data={"hosts": [row.organisation_id for row in hosts]})
    offered = organisation_choices(db.session())
    kept = [
        (row.organisation_id, row.organisation.name)
        for row in hosts
        if not row.organisation.is_active
    ]
    form.hosts.choices = options([*offered, *kept])
    return edit(
        "office/event_hosts.html",
        number,
        form,
        lambda session, actor, now: planning.set_hosts(
            session, actor, event_id, form.hosts.data or [], now
        ),
        applies=applies,
    )


@blueprint.route("/veranstaltungen/<number:number>/einladungen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_invitations(number: str) -> ResponseReturnValue:
    """Choose who may book an event by invitation."""
    event = open_event(number)
    event_id, applies = event.id, event.visibility is Visibility.INVITATION
    invited = event_queries.invitations_of(db.session(), event)
    form = InvitationsForm(data={"emails": "\n".join(row.person.email for row in invited)})
    return edit(
        "office/event_invitations.html",
        number,
        form,
        lambda session, actor, now: planning.set_invitations(
            session, actor, event_id, form.addresses, now
        ),
        applies=applies,
    )


@blueprint.route("/veranstaltungen/<number:number>/termine", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_dates(number: str) -> ResponseReturnValue:
    """Set sessions, venue and room of a draft; those of a published event are moved."""
    event = open_event(number)
    if event.state is EventState.PUBLISHED:
        return redirect(url_for("office.event_move", number=number))
    form = dates_form(event)
    event_id = event.id

    def change(session: Session, actor: Actor, now: datetime) -> None:
        venue_id, room_id = form.chosen_place()
        planning.set_dates_and_place(
            session,
            actor,
            event_id,
            sessions=form.plans(),
            venue_id=venue_id,
            room_id=room_id,
            now=now,
        )

    return edit("office/event_dates.html", number, form, change)


def dates_form(event: Event) -> SessionsForm:
    """Return the form for sessions and place, filled with those of an event."""
    form = SessionsForm(
        data={
            "sessions": session_values(plans_of(event)),
            "place": place_value(event.venue_id, event.room_id),
        }
    )
    venues = venues_with_rooms(db.session(), with_retired=True)
    form.offer(venue for venue in venues if not venue.retired_at or venue.id == event.venue_id)
    return form
