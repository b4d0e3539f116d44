"""„Meine Organisation“: what contacts decide, and the places of their people."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations.blueprint import blueprint
from trainings.registrations.contingent_operations import return_contingent
from trainings.registrations.models import SEATED, RegistrationState, ReleaseOutcome
from trainings.registrations.organisation_queries import find_held_places, held_places
from trainings.registrations.queries import seen_numbers
from trainings.registrations.release_forms import (
    OrderError,
    ReleaseForm,
    ReturnForm,
    typed_order,
)
from trainings.registrations.release_operations import (
    RANKED,
    Speaker,
    contact_speaker,
    rank_requests,
)
from trainings.registrations.release_pages import (
    decide_chosen,
    is_anything_to_decide,
    pressed,
)
from trainings.registrations.release_queries import (
    EventRequests,
    RequestRow,
    coming_requests,
    load_tree,
    spoken_for,
)
from trainings.registrations.release_rules import Overseen
from trainings.registrations.statuses import STATE_STATUS


def _speaker(session: Session) -> Speaker:
    return contact_speaker(session, current_actor().person_id or 0)


@blueprint.route("/organisation/", methods=["GET", "POST"])
@requires(Permission.ORGANISATION)
def organisation_page() -> ResponseReturnValue:
    """Show the requests and places of the contact's organisations; decide and rank requests."""
    now = utc_now()
    form, status = ReleaseForm(), 200
    wrong: Collection[int] = ()
    if form.is_submitted():
        status = 422
        outcome = pressed()
        try:
            if form.validate() and _act(form, outcome, now):
                return redirect(url_for(".organisation_page"), code=303)
        except OrderError as error:
            form.form_errors.append(str(error))
            wrong = error.registrations
    return _page(form, wrong, now), status


def _act(form: ReleaseForm, outcome: ReleaseOutcome | None, now: datetime) -> bool:
    """Decide what is ticked, or save the order that was typed: each has a form of its own."""
    if outcome is not None:
        return decide_chosen(form, outcome, _speaker, now)
    events = coming_requests(db.session(), _speaker(db.session()).overseen, now, RANKED)
    changed = typed_order(request.form, [event for event in events if event.is_ranked])
    for event_id, (numbers, priority) in changed.items():
        with transaction() as session:
            rank_requests(
                session, _speaker(session), event_id, numbers=numbers, priority=priority, now=now
            )
    flash("Die Reihenfolge ist gespeichert.", "success")
    return True


def _page(form: ReleaseForm, wrong: Collection[int], now: datetime) -> str:
    actor, session = current_actor(), db.session()
    own = spoken_for(session, actor.person_id)
    overseen = load_tree(session).overseen(own)
    events = coming_requests(session, overseen, now) if own else []
    contingents = held_places(session, overseen, now) if own else []
    return render_template(
        "registrations/organisation.html",
        organisations=list(own.values()),
        asking=[event for event in events if event.only(RegistrationState.AWAITING_RELEASE)],
        queued=[(event, rows) for event in events if (rows := _queued(event))],
        decidable=is_anything_to_decide(events, actor.person_id),
        seated=[(event, event.only(*SEATED)) for event in events if event.only(*SEATED)],
        contingents=contingents,
        seen=seen_numbers(
            session, actor, {each.number for each in events} | {each.number for each in contingents}
        ),
        form=form,
        me=actor.person_id,
        chosen=set(form.requests.data or ()),
        typed=request.form if "order" in request.form else {},
        wrong=wrong,
        status=STATE_STATUS,
    )


def _queued(event: EventRequests) -> list[RequestRow]:
    """Return who waits; where the organisation's order counts, also those not released yet."""
    return event.only(*RANKED) if event.is_ranked else event.only(RegistrationState.WAITING)


@blueprint.route(
    "/organisation/kontingente/<id:contingent_id>/zurueckgeben", methods=["GET", "POST"]
)
@requires(Permission.ORGANISATION)
def contingent_return(contingent_id: int) -> ResponseReturnValue:
    """Give held places back: all that are unused, or some."""
    form = ReturnForm()

    def work(session: Session, _actor: Actor, now: datetime) -> Outcome:
        number = return_contingent(
            session, _speaker(session), contingent_id, number=form.number.data, now=now
        )
        are = "ist" if number == 1 else "sind"
        return Outcome(
            url_for(".organisation_page"),
            f"{formats.count(number, 'Platz', 'Plätze')} {are} zurückgegeben. Vielen Dank!",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    held = find_held_places(db.session(), _overseen(db.session()), contingent_id, utc_now())
    return render_template("registrations/contingent_return.html", form=form, held=held), status


def _overseen(session: Session) -> Overseen:
    return load_tree(session).overseen(spoken_for(session, current_actor().person_id))
