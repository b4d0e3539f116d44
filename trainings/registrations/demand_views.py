"""Demand: several dates would suit, or the next one that is free."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError, not_found
from trainings.core.forms import Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Permission, requires
from trainings.events.models import EventTemplate
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations import demand_operations
from trainings.registrations.blueprint import blueprint
from trainings.registrations.demand_forms import WishForm
from trainings.registrations.demand_operations import Wished
from trainings.registrations.demand_queries import (
    OpenDate,
    formats_on_offer,
    may_wish_for,
    my_wish,
    open_dates,
)
from trainings.registrations.models import RegistrationState


@blueprint.get("/bedarf/")
@requires(Permission.REGISTER)
def demand() -> str:
    """Show the formats that somebody may wish for."""
    found = formats_on_offer(db.session(), current_actor(), utc_now())
    return render_template("registrations/demand.html", formats=found)


@blueprint.route("/bedarf/<id:template_id>", methods=["GET", "POST"])
@requires(Permission.REGISTER)
def wish(template_id: int) -> ResponseReturnValue:
    """Wish for several dates of a format, or for the next one that is free."""
    actor, now = current_actor(), utc_now()
    if not may_wish_for(db.session(), actor, template_id, now):
        raise not_found()
    dates = [
        row
        for row in open_dates(db.session(), actor, template_id, now)
        if row.mine is None or row.mine.state is not RegistrationState.PLACED
    ]
    form = WishForm(data=_preset(dates))
    form.offer(dates)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        wished = demand_operations.express_wish(
            session,
            actor,
            template_id,
            event_ids=form.dates.data or [],
            next_free=bool(form.next_free.data),
            needs=form.chosen_needs(),
            now=now,
        )
        return Outcome(url_for(".my_registrations"), _confirmation(wished))

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    template = db.session().get_one(EventTemplate, template_id)
    page = render_template(
        "registrations/wish.html",
        form=form,
        format_title=template.title,
        summary=template.summary,
        dates=dates,
        is_retired=template.retired_at is not None,
        asks_needs=any(now < row.needs_until for row in dates),
    )
    return page, status


def _preset(dates: list[OpenDate]) -> dict[str, object]:
    """Tick the date from whose page somebody came, and those where the person waits already."""
    number = request.args.get("termin", "")
    ticked = [row.event_id for row in dates if row.mine is not None or row.number == number]
    return {"dates": ticked, "next_free": not dates}


def _confirmation(wished: Wished) -> str:
    if wished.placed is not None:
        event = wished.placed.event
        days = formats.day_span(event.first_day, event.last_day)
        return (
            f"Sie haben einen Platz: „{event.title}“ am {days}. Die Eintrittskarte kommt auch per "
            "E-Mail."
        )
    if not wished.waits:
        return "Ihr Bedarf ist notiert. Sobald es einen Termin für Sie gibt, schreiben wir Ihnen."
    return (
        f"Ihr Bedarf ist notiert, für {formats.count(len(wished.waits), 'Termin', 'Termine')}. "
        "Sobald Sie an einem davon einen Platz haben, schreiben wir Ihnen."
    )


@blueprint.route("/meine/wuensche/<id:wish_id>/zurueckziehen", methods=["GET", "POST"])
@requires(Permission.REGISTER)
def wish_end(wish_id: int) -> ResponseReturnValue:
    """End a wish, after one question."""
    actor, now = current_actor(), utc_now()
    form = Form()
    if form.is_submitted() and form.validate():

        def work(session: Session) -> Outcome:
            ended = demand_operations.end_wish(session, actor, wish_id, now)
            return Outcome(
                url_for(".my_registrations"),
                f"Ihr Wunsch ist zurückgezogen: „{ended.template.title}“.",
            )

        try:
            return follow(once(form.key(actor.person_id), now, work))
        except DomainError as refusal:
            if refusal.status == 404:
                raise
            flash(refusal.sentence, "danger")
            return redirect(url_for(".my_registrations"), code=303)
    mine = my_wish(db.session(), actor, wish_id)
    page = render_template("registrations/wish_end.html", form=form, wish=mine)
    return page, 422 if form.errors else 200
