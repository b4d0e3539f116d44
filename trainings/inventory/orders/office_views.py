"""What the office does with an order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.fields import options
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.inventory.orders import operations, parcels, queries
from trainings.inventory.orders.blueprint import blueprint
from trainings.inventory.orders.forms import DeclineForm, approve_form
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.order_views import assign_form
from trainings.inventory.orders.rules import HOLD_DAYS, HOLDING, check_order_move
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

PAGE = "/taschenkarten/bestellungen/<order:order_number>"


@blueprint.route(f"{PAGE}/genehmigen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def order_approve(order_number: str) -> ResponseReturnValue:
    """Approve an order in full or in part."""
    session, now = db.session(), utc_now()
    order = queries.find_order(session, current_actor(), order_number)
    _check_unless_sent(order, OrderState.APPROVED)
    stores = queries.issuing_stores(session)
    free = queries.free_cards(session, order, stores, now)
    form = approve_form(order.lines)(data={"until": berlin_day(now) + timedelta(days=HOLD_DAYS)})
    form.store_id.choices = options((store.id, store.name) for store in stores)
    if not form.is_submitted():
        form.store_id.data = queries.best_store(order, stores, free)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.approve(
            session,
            actor,
            order.id,
            store_id=form.store_id.data,
            quantities=form.quantities(),
            until=form.until.data,
            reason=form.reason.data or "",
            beyond_limit=bool(form.beyond_limit.data),
            now=now,
        )
        return _to(order_number, "Die Bestellung ist genehmigt, die Karten sind vorgemerkt.")

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if status != 200:
        # The attempt has forgotten all rows.
        order = queries.find_order(db.session(), current_actor(), order_number)
    page = render_template(
        "inventory/order_approve.html",
        order=order,
        form=form,
        stores=stores,
        free=free,
        allowances=queries.allowances_of(db.session(), order, now),
    )
    return page, status


@blueprint.route(f"{PAGE}/ablehnen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def order_decline(order_number: str) -> ResponseReturnValue:
    """Decline an order with a reason."""
    order = queries.find_order(db.session(), current_actor(), order_number)
    _check_unless_sent(order, OrderState.DECLINED)
    form = DeclineForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.decline(session, actor, order.id, form.reason.data, now)
        return _to(order_number, "Die Bestellung ist abgelehnt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("inventory/order_decline.html", order=order, form=form), status)


@blueprint.post(f"{PAGE}/zuordnen")
@requires(Permission.OFFICE)
def order_assign(order_number: str) -> ResponseReturnValue:
    """Say which organisation of the register ordered."""
    session = db.session()
    order = queries.find_order(session, current_actor(), order_number)
    form = assign_form(session, order)
    if form is None or not form.validate():
        return press(_refuse_choice, _to(order_number).url)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.assign_organisation(session, actor, order.id, form.chosen(), now)
        return _to(order_number, "Die Organisation ist zugeordnet.")

    done, _ = attempt(form, work)
    return done or press(_refuse_choice, _to(order_number).url)


def _refuse_choice(_session: Session, _actor: Actor, _now: datetime) -> Outcome:
    raise DomainError(
        "no_choice", "Das ging nicht. Bitte wählen Sie die Organisation noch einmal aus der Liste."
    )


@blueprint.post(f"{PAGE}/zusammengestellt")
@requires(Permission.OFFICE)
def order_pick(order_number: str) -> ResponseReturnValue:
    """Say that the cards are packed."""
    return _press(order_number, operations.pick, "Die Sendung ist zusammengestellt.")


@blueprint.post(f"{PAGE}/versenden")
@requires(Permission.OFFICE)
def order_send(order_number: str) -> ResponseReturnValue:
    """Say that the parcel has left, and book the cards."""
    return _press(order_number, operations.send, "Die Sendung ist gebucht und unterwegs.")


@blueprint.post(f"{PAGE}/neu-vormerken")
@requires(Permission.OFFICE)
def order_hold_again(order_number: str) -> ResponseReturnValue:
    """Hold the approved cards anew."""
    return _press(order_number, operations.hold_again, "Die Karten sind neu vorgemerkt.")


@blueprint.get(f"{PAGE}/packliste")
@requires(Permission.OFFICE)
def order_pick_list(order_number: str) -> str:
    """Show what to take from which store: the oldest edition first."""
    order = queries.find_order(db.session(), current_actor(), order_number)
    if order.state not in HOLDING:
        raise DomainError(
            "nothing_held",
            "Für diese Bestellung ist zurzeit nichts vorgemerkt, deshalb gibt es keine Packliste.",
        )
    return render_template(
        "inventory/order_pick_list.html",
        order=order,
        held=parcels.live_holds(order),
        missing=parcels.missing_holds(order),
        titles={line.card_type_id: line.card_type.title for line in order.lines},
    )


def _check_unless_sent(order: CardOrder, state: OrderState) -> None:
    """Refuse to show a form for what is no longer possible; one sent twice finds its outcome."""
    if request.method != "POST":
        check_order_move(order.state, state)


def _press(
    order_number: str,
    operation: Callable[[Session, Actor, int, datetime], object],
    message: str,
) -> ResponseReturnValue:
    order = queries.find_order(db.session(), current_actor(), order_number)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operation(session, actor, order.id, now)
        return _to(order_number, message)

    return press(work, _to(order_number).url)


def _to(order_number: str, message: str = "") -> Outcome:
    return Outcome(url_for(".order_page", order_number=order_number), message)
