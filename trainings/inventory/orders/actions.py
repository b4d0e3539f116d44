"""The links in mails about orders: confirm one, and say that its cards have arrived."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actions import Action, ActionPage, PageAction, WayOn
from trainings.core.actors import VISITOR
from trainings.core.database import db
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import number
from trainings.core.forms import Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.outbox import facts
from trainings.core.tokens import ActionToken
from trainings.inventory.orders import entry, operations
from trainings.inventory.orders.forms import ReceiptForm
from trainings.inventory.orders.links import signed_path
from trainings.inventory.orders.models import CardOrder, OrderState
from trainings.inventory.orders.queries import order_by_id
from trainings.inventory.orders.rules import check_order_move

_TO_THE_ORDER = "Zur Bestellung"


def _describe(session: Session, token: ActionToken, now: datetime) -> ActionPage:
    order = entry.check_confirmable(order_by_id(session, token.subject_id), now)
    cards = [f"{number(line.requested)} × {line.card_type.title}" for line in order.lines]
    address = [order.recipient, order.street, f"{order.postcode} {order.town}"]
    return ActionPage(
        title="Bestellung bestätigen?",
        sentences=(
            "Die Geschäftsstelle prüft die Bestellung, sobald Sie sie bestätigt haben.",
            "Haben Sie nichts bestellt? Dann schließen Sie diese Seite einfach.",
        ),
        button="Bestellung bestätigen",
        facts=facts(("Bestellung", order.number), ("Karten", cards), ("Lieferung an", address)),
    )


def _perform(token: ActionToken, form: Form, now: datetime) -> ResponseReturnValue:
    def work(session: Session) -> Outcome:
        order = entry.confirm(session, VISITOR, token.subject_id, now)
        return Outcome(signed_path(order.number), "Vielen Dank, Ihre Bestellung ist eingegangen.")

    return follow(once(form.key(None), now, work))


def _after_confirming(session: Session, token: ActionToken, _now: datetime) -> WayOn:
    order = order_by_id(session, token.subject_id)
    if order is None or order.confirmed_at is None:
        run_out = "Die Bestellung wurde nicht rechtzeitig bestätigt. Bitte bestellen Sie neu."
        return WayOn("Neu bestellen", url_for("card_orders.order"), run_out)
    run_out = f"Die Bestellung {order.number} ist schon bestätigt. Es ist nichts mehr zu tun."
    return WayOn(_TO_THE_ORDER, signed_path(order.number), run_out)


CARD_ORDER = Action(describe=_describe, perform=_perform, way_on=_after_confirming)


def _order_of(session: Session, token: ActionToken) -> CardOrder:
    order = order_by_id(session, token.subject_id)
    if order is None:
        raise not_found()
    if order.state is OrderState.RECEIVED:
        raise DomainError(
            "already_received",
            f"Der Empfang der Bestellung {order.number} ist schon bestätigt. Vielen Dank!",
            status=410,
        )
    check_order_move(order.state, OrderState.RECEIVED)
    return order


def _show_receipt(session: Session, token: ActionToken, _now: datetime) -> tuple[str, int]:
    form = ReceiptForm()
    refused = form.is_submitted() and not form.validate()
    return _receipt_page(_order_of(session, token), form), 422 if refused else 200


def _receipt_page(order: CardOrder, form: ReceiptForm) -> str:
    return render_template(
        "inventory/order_receipt.html", order=order, form=form, back=signed_path(order.number)
    )


def _perform_receipt(token: ActionToken, _form: Form, now: datetime) -> ResponseReturnValue:
    form = ReceiptForm()
    if not form.validate():
        return _receipt_page(_order_of(db.session(), token), form), 422

    def work(session: Session) -> Outcome:
        note = form.note.data or ""
        order = operations.receive(session, VISITOR, token.subject_id, note, now)
        return Outcome(signed_path(order.number), RECEIVED)

    return follow(once(form.key(None), now, work))


RECEIVED = "Vielen Dank, der Empfang ist bestätigt."


def _after_receipt(session: Session, token: ActionToken, _now: datetime) -> WayOn | None:
    order = order_by_id(session, token.subject_id)
    if order is None:
        return None
    return WayOn(
        _TO_THE_ORDER,
        signed_path(order.number),
        "Auf der Seite der Bestellung sehen Sie ihren Stand und können den Empfang bestätigen.",
    )


CARD_RECEIPT = PageAction(show=_show_receipt, perform=_perform_receipt, way_on=_after_receipt)
