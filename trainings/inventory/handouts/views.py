"""Pages of the cards at events: what is planned, taken along, handed out and left over."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.fields import parse_id
from trainings.core.formats import count
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.models import Event, EventState
from trainings.inventory.handouts import operations
from trainings.inventory.handouts.forms import TapForm
from trainings.inventory.handouts.list_queries import event_list
from trainings.inventory.handouts.page_forms import PageForms, obstacle, page_forms
from trainings.inventory.handouts.queries import CardLine, EventPage, event_page
from trainings.inventory.handouts.reads import cards_access
from trainings.inventory.handouts.tap_operations import tap
from trainings.inventory.models import PLACE_NAMES
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

blueprint = Blueprint("card_handouts", __name__)
_PAGE = "/taschenkarten/veranstaltungen/<number:number>"


@blueprint.get("/taschenkarten/veranstaltungen/")
@requires(Permission.ATTENDANCE)
def event_overview() -> str:
    """Show a trainer's own events with their cards, to the office all to come."""
    actor, now = current_actor(), utc_now()
    return render_template(
        "inventory/handout_list.html",
        page=event_list(db.session(), actor, now),
        by_office=actor.may(Permission.OFFICE),
    )


@blueprint.route(_PAGE, methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def event_cards(number: str) -> ResponseReturnValue:
    """Plan, take along, hand out and bring back the cards of one event."""
    actor, now = current_actor(), utc_now()
    page = event_page(db.session(), actor, number)
    forms, chosen = page_forms(page, actor, now), _chosen_card(page)
    answer, status = _submitted(page, forms, chosen)
    if answer is not None:
        return answer
    return render_template(
        "inventory/handout_event.html",
        page=page,
        event=page.event,
        forms=forms,
        chosen=chosen,
        wanted={card.id for card in ([chosen] if chosen else page.given)},
        obstacle=obstacle(page, now),
        cancelled=page.event.access.state is EventState.CANCELLED,
        over=page.event.last_day < berlin_day(now),
        by_office=page.access.by_office,
        own_id=actor.person_id,
        own_box=next((box.id for box in page.boxes if box.person_id == actor.person_id), None),
        press_form=Form(formdata=None),
        places=PLACE_NAMES,
    ), status


@blueprint.post(f"{_PAGE}/bewegungen/<id:movement_id>/zuruecknehmen")
@requires(Permission.ATTENDANCE)
def undo(number: str, movement_id: int) -> Response:
    """Take back a movement of the event."""
    form = Form()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        access = cards_access(session, actor, Event.number == number)
        key = form.key(actor.person_id, movement_id)
        operations.undo_movement(session, actor, access.event.id, movement_id, key=key, now=now)
        return Outcome(_here(number, "gebucht"), "Die Buchung ist zurückgenommen.")

    return press(work, _here(number, "gebucht"))


def _here(number: str, anchor: str | None = None, card: CardLine | None = None) -> str:
    return url_for(
        "card_handouts.event_cards",
        number=number,
        karte=card.id if card else None,
        _anchor=anchor,
    )


def _chosen_card(page: EventPage) -> CardLine | None:
    wanted = parse_id(request.args.get("karte"))
    return next((card for card in page.given if card.id == wanted), None)


def _submitted(
    page: EventPage, forms: PageForms, chosen: CardLine | None
) -> tuple[Response | None, int]:
    """Run the form or the button that was sent; without an answer the page is shown."""
    if request.method != "POST":
        return None, 200
    if isinstance(forms.sent, TapForm):
        return _tapped(page, forms.tap, chosen)
    event_id, number = page.event.id, page.event.number

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        message = _run(session, actor, forms, event_id, now)
        return Outcome(_here(number), message)

    books = forms.sent is not forms.plan
    return attempt(forms.sent, work, creates=books, about=forms.typed)


def _run(session: Session, actor: Actor, forms: PageForms, event_id: int, now: datetime) -> str:
    """Call the operation of the form that was sent; return what the page says then."""
    sent, key = forms.sent, forms.sent.key(actor.person_id, *forms.typed)
    if forms.take is not None and sent is forms.take:
        taken = operations.take_along(
            session, actor, event_id, forms.take.quantities,
            store_id=forms.take.store.data, trainer_id=forms.take.trainer.data, key=key, now=now,
        )  # fmt: skip
        return f"{count(taken, 'Karte ist', 'Karten sind')} als mitgenommen gebucht."
    if forms.out is not None and sent is forms.out:
        handed = operations.hand_out(
            session, actor, event_id, forms.out.quantities,
            store_id=forms.out.store.data, key=key, now=now,
        )  # fmt: skip
        return f"{count(handed, 'Karte ist', 'Karten sind')} als ausgegeben gebucht."
    if forms.back is not None and sent is forms.back:
        back = operations.bring_back(
            session, actor, event_id, forms.back.quantities,
            box_id=forms.back.box.data, store_id=forms.back.store.data, key=key, now=now,
        )  # fmt: skip
        return f"{count(back, 'Karte ist', 'Karten sind')} als zurückgebracht gebucht."
    planned = forms.plan.quantities if forms.plan is not None else {}
    operations.plan_cards(session, actor, event_id, planned, now)
    return "Die Planung ist gespeichert."


def _tapped(page: EventPage, form: TapForm, chosen: CardLine | None) -> tuple[Response | None, int]:
    if not form.validate():
        return None, 422
    if form.tapped is None:
        form.form_errors.append(
            "Diesen Schritt gibt es hier nicht mehr. Bitte versuchen Sie es neu."
        )
        return None, 422
    registration_id, gets = form.tapped
    actor, now = current_actor(), utc_now()
    try:
        with transaction() as session:
            message = tap(
                session, actor, page.event.id, registration_id, now,
                gets=gets, card_type_id=chosen.id if chosen else None,
            )  # fmt: skip
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        form.refuse(refusal)
        return None, refusal.status
    if message:
        flash(message, "info")
    return redirect(_here(page.event.number, f"p-{registration_id}", chosen), 303), 303
