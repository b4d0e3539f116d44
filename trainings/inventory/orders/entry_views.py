"""The form that orders cards: for anybody, for who is logged in, for the office."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import VISITOR, Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.fields import options
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Permission, requires
from trainings.core.throttle import count_attempt, network_of
from trainings.inventory.models import CardType
from trainings.inventory.orders import entry, queries
from trainings.inventory.orders.blueprint import blueprint
from trainings.inventory.orders.forms import (
    AddressForm,
    NamedOrderForm,
    OwnOrderForm,
    PublicOrderForm,
    with_cards,
)
from trainings.inventory.orders.links import signed_path
from trainings.organisations.models import Organisation
from trainings.people.posting import attempt
from trainings.people.sessions import LoggedIn, logged_in

MOST_PER_NETWORK = 60
"""Orders that one network may try within an hour: a whole authority may sit behind it."""
MOST_PER_ADDRESS = 5
"""Mails to confirm that one address may get in a day, whoever asks for them."""
_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


@blueprint.route("/taschenkarten/bestellen", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def order() -> ResponseReturnValue:
    """Order cards."""
    cards = queries.orderable_cards(db.session())
    user = logged_in()
    if user is None:
        return _order_as_visitor(cards, utc_now())
    if user.actor.may(Permission.OFFICE):
        return _order_for_somebody(cards)
    return _order_as_user(cards, user)


@blueprint.get("/taschenkarten/bestellen/danke")
@requires(Permission.PUBLIC)
def ordered() -> str:
    """Say that a mail is on its way; the same for everybody, so that nobody learns anything."""
    return render_template("inventory/order_thanks.html")


def _order_as_visitor(cards: Sequence[CardType], now: datetime) -> ResponseReturnValue:
    organisations = queries.authorities(db.session())
    form = with_cards(PublicOrderForm, cards)()
    status = 200
    if form.is_submitted():
        status = 422
        if form.is_from_robot:
            return _thanks()
        if form.validate():
            try:
                return _take_in(form, organisations, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    return _page(form, cards, organisations=organisations), status


def _take_in(
    form: PublicOrderForm, organisations: Sequence[Organisation], now: datetime
) -> Response:
    """Count, then take the order in; an address that had its share gets no mail and no word."""
    with transaction() as session:
        network = network_of(request.remote_addr or "")
        count_attempt(
            session, f"card-order-from:{network}", now, limit=MOST_PER_NETWORK, window=_HOUR
        )
    wanted = _wanted(form, organisations)

    def work(session: Session) -> Outcome:
        entry.place_order(session, VISITOR, wanted, now)
        return Outcome(url_for(".ordered"))

    try:
        with transaction() as session:
            bucket = f"card-order-to:{wanted.email}"
            count_attempt(session, bucket, now, limit=MOST_PER_ADDRESS, window=_DAY)
    except DomainError:
        return _thanks()
    return follow(once(form.key(None), now, work))


def _thanks() -> Response:
    return follow(Outcome(url_for(".ordered")))


def _wanted(form: NamedOrderForm, organisations: Sequence[Organisation]) -> entry.Wanted:
    """Return what is asked for; a name that stands in the register is the organisation there."""
    typed = form.organisation_name.data
    known = queries.organisation_named(organisations, typed)
    return form.wanted(
        name=form["name"].data,
        email=form.email.data,
        organisation_id=known.id if known else None,
        organisation_name=typed,
    )


def _order_for_somebody(cards: Sequence[CardType]) -> ResponseReturnValue:
    organisations = queries.authorities(db.session())
    form = with_cards(NamedOrderForm, cards)()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        placed = entry.place_order(session, actor, _wanted(form, organisations), now)
        url = url_for(".order_page", order_number=placed.number)
        return Outcome(url, f"Die Bestellung {placed.number} ist eingetragen.")

    done, status = attempt(form, work, creates=True)
    return done or (_page(form, cards, organisations=organisations, by_office=True), status)


def _order_as_user(cards: Sequence[CardType], user: LoggedIn) -> ResponseReturnValue:
    organisations = queries.may_order_for(db.session(), user.actor)
    form = with_cards(OwnOrderForm, cards)(data=_last_address(user))
    form.organisation_id.choices = options((one.id, one.name) for one in organisations)
    allowed = {one.id for one in organisations}

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        wanted = form.wanted(
            name=user.name, email=user.email, organisation_id=form.organisation_id.data
        )
        placed = entry.place_order(session, actor, wanted, now, allowed=allowed)
        url = (
            url_for(".order_page", order_number=placed.number)
            if actor.may(Permission.CARDS)
            else signed_path(placed.number)
        )
        return Outcome(url, f"Vielen Dank, Ihre Bestellung {placed.number} ist eingegangen.")

    done, status = attempt(form, work, creates=True)
    return done or (
        _page(form, cards, user=user, sees_orders=user.actor.may(Permission.CARDS)),
        status,
    )


def _last_address(user: LoggedIn) -> dict[str, object]:
    last = queries.last_address(db.session(), user.actor.person_id)
    if last is None:
        recipient = ", ".join(filter(None, (user.organisation, user.unit)))[:160]
        return {"recipient": recipient, "organisation_id": user.actor.organisation_ids[0]}
    return {
        "recipient": last.recipient,
        "street": last.street,
        "postcode": last.postcode,
        "town": last.town,
        "organisation_id": last.organisation_id,
    }


def _page(form: AddressForm, cards: Sequence[CardType], **more: object) -> str:
    return render_template("inventory/order_form.html", form=form, types=cards, **more)
