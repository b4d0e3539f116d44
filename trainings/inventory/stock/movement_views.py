"""Booking, the journal, and taking a movement back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.fields import parse_id
from trainings.core.formats import count
from trainings.core.idempotency import Outcome
from trainings.core.paging import page_address
from trainings.core.permissions import Permission, requires
from trainings.inventory.models import Movement
from trainings.inventory.stock import operations, wording
from trainings.inventory.stock.blueprint import blueprint
from trainings.inventory.stock.forms import (
    BookingForm,
    IssueForm,
    JournalForm,
    LossForm,
    ReceiveForm,
    ReturnForm,
    ReversalForm,
    TransferForm,
)
from trainings.inventory.stock.journal import find_movement, load_journal
from trainings.inventory.stock.queries import list_editions, list_stores, load_rows
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import attempt

Book = Callable[[Session, Actor, str, datetime], Movement]


@blueprint.get("/bewegungen/")
@requires(Permission.OFFICE)
def journal() -> str:
    """Show the journal, the latest first."""
    session = db.session()
    form = JournalForm.from_address(session)
    return render_template(
        "inventory/journal.html",
        found=load_journal(session, form.wanted()),
        form=form,
        asked=request.args.to_dict(),
        address=page_address(),
        words=wording,
    )


@blueprint.get("/bewegungen/<id:movement_id>")
@requires(Permission.OFFICE)
def movement_page(movement_id: int) -> str:
    """Show one movement."""
    row = find_movement(db.session(), movement_id)
    return render_template("inventory/movement.html", row=row, words=wording)


@blueprint.route("/bewegungen/<id:movement_id>/zuruecknehmen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def movement_reverse(movement_id: int) -> ResponseReturnValue:
    """Take a movement back, with a reason."""
    row = find_movement(db.session(), movement_id)
    form = ReversalForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        back = operations.reverse_movement(
            session,
            actor,
            movement_id,
            reason=form.reason.data,
            key=form.key(actor.person_id),
            now=now,
        )
        return Outcome(
            url_for(".movement_page", movement_id=back.id),
            f"Bewegung {movement_id} ist zurückgenommen.",
        )

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("inventory/movement_reverse.html", form=form, row=row, words=wording),
        status,
    )


@blueprint.route("/bewegungen/zugang", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def book_receipt() -> ResponseReturnValue:
    """Book cards from the printer."""
    session = db.session()
    form = ReceiveForm(data={"store_id": _asked("lager"), "edition_id": _asked("auflage")})
    form.offer_editions(list_editions(session, only_issuable=True))
    form.offer_stores(form.store_id, list_stores(session))

    def book(session: Session, actor: Actor, key: str, now: datetime) -> Movement:
        return operations.receive(
            session,
            actor,
            store_id=form.store_id.data,
            edition_id=form.edition_id.data,
            quantity=form.quantity.data,
            reason=form.reason.data,
            key=key,
            now=now,
        )

    return _answer(
        form,
        book,
        "Zugang von der Druckerei",
        "So viele Karten, wie wirklich angekommen sind.",
    )


@blueprint.route("/bewegungen/umlagern", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def book_transfer() -> ResponseReturnValue:
    """Book cards from one store into another."""
    session = db.session()
    form = TransferForm(data={"stock": _asked_stock()})
    form.stock.offer(load_rows(session, utc_now()), only_issuable=False)
    form.offer_stores(form.target, list_stores(session))

    def book(session: Session, actor: Actor, key: str, now: datetime) -> Movement:
        store_id, edition_id = form.stock.data
        return operations.transfer(
            session,
            actor,
            source_id=store_id,
            target_id=form.target.data,
            edition_id=edition_id,
            quantity=form.quantity.data,
            reason=form.reason.data,
            key=key,
            now=now,
        )

    return _answer(
        form,
        book,
        "Umlagern",
        "Etwa in die Box einer Trainerin oder zurück in die Geschäftsstelle. Zurückgezogene "
        "Auflagen gehen nur noch in ein Lager der Geschäftsstelle.",
    )


@blueprint.route("/bewegungen/ausgabe", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def book_issue() -> ResponseReturnValue:
    """Book cards that were given to somebody."""
    session = db.session()
    form = IssueForm(data={"stock": _asked_stock()})
    form.stock.offer(load_rows(session, utc_now()), only_issuable=True)
    form.offer_organisations(organisation_choices(session), "andere Stelle (bitte unten benennen)")

    def book(session: Session, actor: Actor, key: str, now: datetime) -> Movement:
        store_id, edition_id = form.stock.data
        return operations.issue(
            session,
            actor,
            store_id=store_id,
            edition_id=edition_id,
            quantity=form.quantity.data,
            organisation_id=form.organisation_id.data,
            reason=form.reason.data,
            key=key,
            now=now,
        )

    return _answer(
        form,
        book,
        "Ausgabe",
        "Karten, die jemand ohne Bestellung bekommen hat. Was bestellt ist, wird bei der "
        "Bestellung gebucht.",
    )


@blueprint.route("/bewegungen/rueckgabe", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def book_return() -> ResponseReturnValue:
    """Book cards that somebody brought back."""
    session = db.session()
    form = ReturnForm(data={"store_id": _asked("lager"), "edition_id": _asked("auflage")})
    form.offer_editions(list_editions(session))
    form.offer_stores(form.store_id, list_stores(session))
    form.offer_organisations(organisation_choices(session), "unbekannt oder andere Stelle")

    def book(session: Session, actor: Actor, key: str, now: datetime) -> Movement:
        return operations.take_back(
            session,
            actor,
            store_id=form.store_id.data,
            edition_id=form.edition_id.data,
            quantity=form.quantity.data,
            organisation_id=form.organisation_id.data,
            reason=form.reason.data,
            key=key,
            now=now,
        )

    return _answer(
        form,
        book,
        "Rückgabe",
        "Karten, die jemand zurückgebracht hat.",
    )


@blueprint.route("/bewegungen/verlust", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def book_loss() -> ResponseReturnValue:
    """Book cards that are lost or destroyed."""
    form = LossForm(data={"stock": _asked_stock()})
    form.stock.offer(load_rows(db.session(), utc_now()), only_issuable=False)

    def book(session: Session, actor: Actor, key: str, now: datetime) -> Movement:
        store_id, edition_id = form.stock.data
        return operations.write_off(
            session,
            actor,
            store_id=store_id,
            edition_id=edition_id,
            quantity=form.quantity.data,
            reason=form.reason.data,
            key=key,
            now=now,
        )

    return _answer(
        form,
        book,
        "Verlust oder Vernichtung",
        "Karten, die verloren, verdorben oder vernichtet sind.",
    )


def _answer(form: BookingForm, book: Book, heading: str, lead: str) -> ResponseReturnValue:
    """Book if the form was sent, else show it."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        movement = book(session, actor, form.key(actor.person_id), now)
        cards = count(movement.quantity, "Karte ist", "Karten sind")
        return Outcome(
            url_for(".movement_page", movement_id=movement.id), f"{heading}: {cards} gebucht."
        )

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("inventory/booking.html", form=form, heading=heading, lead=lead),
        status,
    )


def _asked(name: str) -> int | None:
    """Return the id that a link on another page names; what makes no sense is none."""
    return parse_id(request.args.get(name))


def _asked_stock() -> tuple[int, int] | None:
    store_id, edition_id = _asked("lager"), _asked("auflage")
    return (store_id, edition_id) if store_id and edition_id else None
