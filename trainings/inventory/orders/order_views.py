"""An order as those see it who ordered: with and without a login; and the list of orders."""

from __future__ import annotations

from datetime import datetime

from flask import Response, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.documents import MEDIA_TYPE
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.http import document_response
from trainings.core.idempotency import Outcome
from trainings.core.paging import page_address
from trainings.core.permissions import Permission, requires
from trainings.inventory.orders import operations, parcels, queries
from trainings.inventory.orders.actions import RECEIVED
from trainings.inventory.orders.blueprint import blueprint
from trainings.inventory.orders.forms import OTHER, AssignForm, OrderFilter, ReceiptForm
from trainings.inventory.orders.links import is_signed, signed_path
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.papers import delivery_note
from trainings.inventory.orders.rules import ORDER_MOVES, check_order_move
from trainings.inventory.orders.wording import STATUS, what_next
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

WORDS = {"status": STATUS, "what_next": what_next, "states": OrderState}
CANCELLED = "Die Bestellung ist storniert."


@blueprint.get("/taschenkarten/bestellungen")
@requires(Permission.CARDS)
def order_list() -> str:
    """Show the orders: the office all, contacts those of their organisations."""
    actor, session = current_actor(), db.session()
    by_office = actor.may(Permission.OFFICE)
    form = OrderFilter(request.args)
    form.organisation.choices = []
    if by_office:
        form.organisation.choices = options([("", "alle"), *organisation_choices(session)])
    wanted = queries.Filter(
        state=form.state,
        only_open=form.stand.data == "offen",
        organisation_id=form.organisation.data,
        text=form.text,
    )
    orders, paging = queries.list_orders(session, actor, wanted)
    return render_template(
        "inventory/order_list.html",
        orders=orders,
        paging=paging,
        address=page_address(),
        form=form,
        by_office=by_office,
        waiting=queries.count_requested(session) if by_office else 0,
        **WORDS,
    )


@blueprint.get("/taschenkarten/bestellungen/<order:order_number>")
@requires(Permission.CARDS)
def order_page(order_number: str) -> str:
    """Show one order."""
    actor, session = current_actor(), db.session()
    order = queries.find_order(session, actor, order_number)
    by_office = actor.may(Permission.OFFICE)
    is_mine = order.person_id is not None and order.person_id == actor.person_id
    return render_template(
        "inventory/order_page.html",
        order=order,
        by_office=by_office,
        actions_of=_actions(order_number),
        may_cancel=(by_office or is_mine) and OrderState.CANCELLED in ORDER_MOVES[order.state],
        names=queries.names_of_steps(session, order.steps) if by_office else {},
        held=parcels.live_holds(order),
        missing=parcels.missing_holds(order),
        changed=parcels.changed_since_picked(order),
        assign_form=assign_form(session, order) if by_office else None,
        press_form=Form(formdata=None),
        **WORDS,
    )


def assign_form(session: Session, order: CardOrder) -> AssignForm | None:
    """Return the form that says who ordered, while that may still change."""
    if order.state not in operations.ASSIGNABLE:
        return None
    form = AssignForm()
    form.organisation.choices = options(
        [(OTHER, "andere Stelle (nicht im Register)"), *organisation_choices(session)]
    )
    if not form.is_submitted():
        form.organisation.data = str(order.organisation_id or OTHER)
    return form


def _actions(order_number: str) -> dict[str, str]:
    """Return the addresses of what can be done from the page of somebody who is logged in."""
    return {
        name: url_for(f".order_{name}", order_number=order_number) for name in ("cancel", "receive")
    }


@blueprint.post("/taschenkarten/bestellungen/<order:order_number>/stornieren")
@requires(Permission.CARDS)
def order_cancel(order_number: str) -> ResponseReturnValue:
    """Take an order back: whoever ordered, and the office in their name."""
    page, actor = url_for(".order_page", order_number=order_number), current_actor()
    order = queries.find_order(db.session(), actor, order_number)
    if not actor.may(Permission.OFFICE) and order.person_id != actor.person_id:
        raise not_found()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.cancel(session, actor, order.id, now)
        return Outcome(page, CANCELLED)

    return press(work, page)


@blueprint.route(
    "/taschenkarten/bestellungen/<order:order_number>/erhalten", methods=["GET", "POST"]
)
@requires(Permission.CARDS)
def order_receive(order_number: str) -> ResponseReturnValue:
    """Say that the cards have arrived."""
    order = queries.find_order(db.session(), current_actor(), order_number)
    return _receive(order, url_for(".order_page", order_number=order_number))


def _receive(order: CardOrder, back: str) -> ResponseReturnValue:
    if request.method != "POST":
        check_order_move(order.state, OrderState.RECEIVED)
    form = ReceiptForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.receive(session, actor, order.id, form.note.data or "", now)
        return Outcome(back, RECEIVED)

    done, status = attempt(form, work, creates=True)
    page = render_template("inventory/order_receipt.html", order=order, form=form, back=back)
    return done or (page, status)


@blueprint.get("/taschenkarten/bestellungen/<order:order_number>/lieferschein.pdf")
@requires(Permission.CARDS)
def order_delivery_note(order_number: str) -> Response:
    """Show the delivery note as PDF."""
    session = db.session()
    order = queries.find_order(session, current_actor(), order_number)
    document = delivery_note(session, order, utc_now())
    name = f"lieferschein-{order.number}.pdf"
    return document_response(document.pdf, MEDIA_TYPE, name, "inline")


@blueprint.get("/taschenkarten/bestellung/<order:order_number>/<signature>")
@requires(Permission.PUBLIC)
def status(order_number: str, signature: str) -> Response:
    """Show an order without login, at the address that stands in its mails."""
    order = _signed(db.session(), order_number, signature)
    page = render_template(
        "inventory/order_status.html",
        order=order,
        actions_of={
            name: url_for(f".status_{name}", order_number=order_number, signature=signature)
            for name in ("cancel", "receive")
        },
        may_cancel=OrderState.CANCELLED in ORDER_MOVES[order.state],
        names={},
        press_form=Form(formdata=None),
        **WORDS,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-store"
    return response


@blueprint.post("/taschenkarten/bestellung/<order:order_number>/<signature>/stornieren")
@requires(Permission.PUBLIC)
def status_cancel(order_number: str, signature: str) -> ResponseReturnValue:
    """Take an order back without login."""
    back = signed_path(order_number)
    order = _signed(db.session(), order_number, signature)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.cancel(session, actor, order.id, now)
        return Outcome(back, CANCELLED)

    return press(work, back)


@blueprint.route(
    "/taschenkarten/bestellung/<order:order_number>/<signature>/erhalten", methods=["GET", "POST"]
)
@requires(Permission.PUBLIC)
def status_receive(order_number: str, signature: str) -> ResponseReturnValue:
    """Say without login that the cards have arrived."""
    order = _signed(db.session(), order_number, signature)
    return _receive(order, signed_path(order_number))


def _signed(session: Session, order_number: str, signature: str) -> CardOrder:
    if not is_signed(order_number, signature):
        raise not_found()
    return queries.order_by_number(session, order_number)
