"""„Mein Tag“: what the office has to decide, settle and repair."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db
from trainings.core.formats import count, number
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.models import KIND_NAMES
from trainings.inventory.orders.models import OrderState
from trainings.office import desk_queries
from trainings.office.blueprint import blueprint
from trainings.office.event_forms import last_day_of
from trainings.office.rules import STEP_NAMES, Step
from trainings.office.wording import MAIL_STATUS
from trainings.people.posting import press
from trainings.registrations.models import NEED_NAMES
from trainings.registrations.operations import mark_need_done

STEP_ENDPOINTS = {
    Step.CLOSE: "office.event_page",
    Step.ADMIT: "office.event_admission",
    Step.CHOOSE_PLACE: "office.event_dates",
    Step.CHOOSE_TRAINERS: "office.event_trainers",
    Step.SETTLE_NEEDS: "office.event_page",
    Step.DECIDE: "office.event_page",
    Step.LOOK: "office.event_page",
}


@blueprint.get("/")
@requires(Permission.OFFICE)
def desk() -> str:
    """Show the office's day."""
    now = utc_now()
    today = berlin_day(now)
    page = desk_queries.desk(db.session(), now)
    return render_template(
        "office/desk.html",
        desk=page,
        today=today,
        due=[event for event in page.events if event.due or event.step is Step.ADMIT],
        lacking=[event for event in page.events if not event.has_room or event.lacks_trainers],
        last_day=last_day_of,
        days_left=lambda instant: (berlin_day(instant) - today).days,
        kinds=KIND_NAMES,
        steps=STEP_NAMES,
        step_endpoints=STEP_ENDPOINTS,
        need_names=NEED_NAMES,
        mail_status=MAIL_STATUS,
        press_form=Form(),
        cards=_cards(page),
    )


def _cards(page: desk_queries.Desk) -> list[tuple[str, str, str]]:
    """Return what is to be done about pocket cards: sentence, link and where it leads."""
    orders = page.card_orders
    found = []
    if orders.decide:
        words = count(orders.decide, "Bestellung wartet", "Bestellungen warten")
        found.append((f"{words} auf eine Entscheidung", "Entscheiden", _orders("offen")))
    if orders.pack:
        words = count(orders.pack, "Bestellung ist", "Bestellungen sind")
        found.append((f"{words} zusammenzustellen", "Packen", _orders(OrderState.APPROVED)))
    if orders.send:
        words = count(orders.send, "Sendung liegt", "Sendungen liegen")
        found.append((f"{words} zum Versand bereit", "Versenden", _orders(OrderState.PICKED)))
    for card in page.low_cards:
        words = f"Unter dem Meldebestand: {card.title}, noch {number(card.free)} frei"
        found.append((words, "Vorschau", url_for("card_reports.foresight")))
    return found


def _orders(state: str) -> str:
    return url_for("card_orders.order_list", stand=state)


@blueprint.post("/bedarfe/<id:need_id>/erledigt")
@requires(Permission.OFFICE)
def need_done(need_id: int) -> Response:
    """Note that what somebody needs is settled."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        mark_need_done(session, actor, need_id, now)
        return Outcome(url_for("office.desk") + "#bedarfe", "Der Bedarf ist als erledigt notiert.")

    return press(work, url_for("office.desk"))
