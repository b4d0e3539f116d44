"""Cards and their editions, for the office."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.formats import count, join_words
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.core.qr import qr_png, qr_svg
from trainings.core.settings import current_settings
from trainings.inventory.cards import operations, withdrawing
from trainings.inventory.cards.blueprint import blueprint
from trainings.inventory.cards.forms import CardForm, EditionForm, RestoreForm, WithdrawForm
from trainings.inventory.cards.public_views import code_path, send_file
from trainings.inventory.cards.queries import (
    find_card,
    find_edition,
    orders_holding,
    short_orders,
)
from trainings.inventory.cards.uploads import LARGEST_PDF, LARGEST_PICTURE
from trainings.inventory.cards.withdrawing import Withdrawal
from trainings.inventory.ledger import name_of
from trainings.inventory.models import Edition
from trainings.inventory.stock.queries import load_card_stock, load_rows, load_stock
from trainings.people.posting import Work, attempt, press

FormT = TypeVar("FormT", bound=Form)
_ROOM_FOR_TEXT = 200_000
_PNG_SCALE = 24
"""Pixels of a module: at 600 dpi the code is then 45 mm wide, sharp on any card."""


@blueprint.get("/taschenkarten/karten/")
@requires(Permission.OFFICE)
def card_list() -> str:
    """Show the cards with what is in stock of each."""
    everything = request.args.get("alle") == "1"
    found = load_stock(db.session(), utc_now(), with_retired=everything)
    if not everything:
        found = [each for each in found if each.card.retired_at is None]
    return render_template("inventory/card_list.html", cards=found, everything=everything)


@blueprint.route("/taschenkarten/karten/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def card_new() -> ResponseReturnValue:
    """Add a card."""

    def work(form: CardForm) -> Work:
        def create(session: Session, actor: Actor, now: datetime) -> Outcome:
            card = operations.create_card(session, actor, form.card(), now=now)
            return Outcome(_card_page(card.id), f"„{card.title}“ ist angelegt.")

        return create

    form, done, status = _upload(
        lambda **given: CardForm(data={"reorder_level": 0}, **given), work, LARGEST_PICTURE, True
    )
    return done or (render_template("inventory/card_form.html", form=form, card=None), status)


@blueprint.get("/taschenkarten/karten/<id:card_id>")
@requires(Permission.OFFICE)
def card_page(card_id: int) -> str:
    """Show one card with its editions."""
    return render_template(
        "inventory/card_page.html",
        found=load_card_stock(db.session(), card_id, utc_now()),
        press_form=Form(formdata=None),
    )


@blueprint.route("/taschenkarten/karten/<id:card_id>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def card_edit(card_id: int) -> ResponseReturnValue:
    """Change a card."""
    card = find_card(db.session(), card_id)
    shown = {"id": card.id, "title": card.title, "picture_id": card.picture_id}
    values = {
        "title": card.title,
        "description": card.description,
        "reorder_level": card.reorder_level,
    }

    def work(form: CardForm) -> Work:
        def change(session: Session, actor: Actor, now: datetime) -> Outcome:
            operations.update_card(session, actor, card_id, form.card(), now=now)
            return Outcome(_card_page(card_id), "Die Änderungen sind gespeichert.")

        return change

    form, done, status = _upload(
        lambda **given: CardForm(data=values, **given), work, LARGEST_PICTURE, False
    )
    return done or (render_template("inventory/card_form.html", form=form, card=shown), status)


@blueprint.post("/taschenkarten/karten/<id:card_id>/stilllegen")
@requires(Permission.OFFICE)
def card_retire(card_id: int) -> Response:
    """Offer a card no longer."""
    return _set_retired(card_id, retired=True)


@blueprint.post("/taschenkarten/karten/<id:card_id>/aufnehmen")
@requires(Permission.OFFICE)
def card_reactivate(card_id: int) -> Response:
    """Offer a card again."""
    return _set_retired(card_id, retired=False)


def _set_retired(card_id: int, *, retired: bool) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.set_card_retired(session, actor, card_id, retired=retired, now=now)
        done = "Die Karte ist stillgelegt." if retired else "Die Karte kann wieder bestellt werden."
        return Outcome(_card_page(card_id), done)

    return press(work, _card_page(card_id))


@blueprint.post("/taschenkarten/karten/<id:card_id>/loeschen")
@requires(Permission.OFFICE)
def card_delete(card_id: int) -> Response:
    """Delete a card without a history."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.delete_card(session, actor, card_id, now=now)
        return Outcome(url_for(".card_list"), "Die Karte ist gelöscht.")

    return press(work, _card_page(card_id))


@blueprint.route("/taschenkarten/karten/<id:card_id>/auflage", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def edition_new(card_id: int) -> ResponseReturnValue:
    """Add an edition of a card."""
    card = find_card(db.session(), card_id)
    shown = {"id": card.id, "title": card.title}

    def work(form: EditionForm) -> Work:
        def create(session: Session, actor: Actor, now: datetime) -> Outcome:
            edition = operations.create_edition(session, actor, card_id, form.edition(), now=now)
            return Outcome(_edition_page(edition.id), f"Auflage {edition.running} ist angelegt.")

        return create

    form, done, status = _upload(EditionForm, work, LARGEST_PDF, True)
    page = render_template("inventory/edition_form.html", form=form, card=shown, edition=None)
    return done or (page, status)


@blueprint.get("/taschenkarten/auflagen/<id:edition_id>")
@requires(Permission.OFFICE)
def edition_page(edition_id: int) -> str:
    """Show one edition: code, where its cards lie, orders that hold some."""
    session, now = db.session(), utc_now()
    edition = find_edition(session, edition_id)
    address = _landing_address(edition)
    return render_template(
        "inventory/edition_page.html",
        edition=edition,
        rows=load_rows(session, now, edition_id=edition_id),
        orders=orders_holding(session, edition_id),
        short=short_orders(session, edition.card_type_id) if edition.withdrawn_at else [],
        address=address,
        qr=qr_svg(address, f"QR-Code zur Seite der Auflage {edition.running}"),
        press_form=Form(formdata=None),
    )


@blueprint.route("/taschenkarten/auflagen/<id:edition_id>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def edition_edit(edition_id: int) -> ResponseReturnValue:
    """Change an edition."""
    edition = find_edition(db.session(), edition_id)
    card = {"id": edition.card_type_id, "title": edition.card_type.title}
    shown = {"id": edition.id, "running": edition.running, "pdf": edition.pdf}
    values = {
        "printed_on": edition.printed_on,
        "quantity": edition.quantity,
        "landing_text": edition.landing_text,
    }

    def work(form: EditionForm) -> Work:
        def change(session: Session, actor: Actor, now: datetime) -> Outcome:
            operations.update_edition(session, actor, edition_id, form.edition(), now=now)
            return Outcome(_edition_page(edition_id), "Die Änderungen sind gespeichert.")

        return change

    form, done, status = _upload(
        lambda **given: EditionForm(data=values, **given), work, LARGEST_PDF, False
    )
    return done or (
        render_template("inventory/edition_form.html", form=form, card=card, edition=shown),
        status,
    )


@blueprint.route("/taschenkarten/auflagen/<id:edition_id>/zurueckziehen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def edition_withdraw(edition_id: int) -> ResponseReturnValue:
    """Withdraw an edition, after showing where its cards lie and which orders hold some."""
    session = db.session()
    edition = find_edition(session, edition_id)
    form = WithdrawForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        done = withdrawing.withdraw_edition(
            session, actor, edition_id, reason=form.reason.data, now=now
        )
        return Outcome(_edition_page(edition_id), _withdrawal_words(done))

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template(
            "inventory/edition_withdraw.html",
            form=form,
            edition=edition,
            rows=load_rows(session, utc_now(), edition_id=edition_id),
            orders=orders_holding(session, edition_id),
        ),
        status,
    )


@blueprint.route("/taschenkarten/auflagen/<id:edition_id>/wieder-ausgeben", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def edition_restore(edition_id: int) -> ResponseReturnValue:
    """Hand an edition out again."""
    edition = find_edition(db.session(), edition_id)
    form = RestoreForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        withdrawing.restore_edition(session, actor, edition_id, reason=form.reason.data, now=now)
        return Outcome(_edition_page(edition_id), "Die Auflage wird wieder ausgegeben.")

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("inventory/edition_restore.html", form=form, edition=edition),
        status,
    )


@blueprint.post("/taschenkarten/auflagen/<id:edition_id>/loeschen")
@requires(Permission.OFFICE)
def edition_delete(edition_id: int) -> Response:
    """Delete an edition without a history."""
    card_id = find_edition(db.session(), edition_id).card_type_id

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.delete_edition(session, actor, edition_id, now=now)
        return Outcome(_card_page(card_id), "Die Auflage ist gelöscht.")

    return press(work, _edition_page(edition_id))


@blueprint.get("/taschenkarten/auflagen/<id:edition_id>/code.svg")
@requires(Permission.OFFICE)
def edition_code_svg(edition_id: int) -> Response:
    """Hand out the code as a drawing, for the printer."""
    edition = find_edition(db.session(), edition_id)
    drawing = str(qr_svg(_landing_address(edition), name_of(edition)))
    drawing = drawing.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    return send_file(drawing.encode(), "image/svg+xml", f"qr-{edition.code}.svg")


@blueprint.get("/taschenkarten/auflagen/<id:edition_id>/code.png")
@requires(Permission.OFFICE)
def edition_code_png(edition_id: int) -> Response:
    """Hand out the code as a picture, for the printer."""
    edition = find_edition(db.session(), edition_id)
    picture = qr_png(_landing_address(edition), _PNG_SCALE)
    return send_file(picture, "image/png", f"qr-{edition.code}.png")


def _upload(
    build: Callable[..., FormT], work: Callable[[FormT], Work], largest: int, creates: bool
) -> tuple[FormT, ResponseReturnValue | None, int]:
    """Run a form that may carry a file, which is more than other requests may send.

    Args:
        build: makes the form; takes `formdata` where it is not to read the request.
        work: makes the operation of the form.
        largest: bytes of the largest file.
        creates: as in `attempt`.

    Returns:
        The form, the redirect when it was accepted, else the status for the page with the form.

    """
    request.max_content_length = largest + _ROOM_FOR_TEXT
    try:
        form = build()
    except RequestEntityTooLarge:
        form = build(formdata=None)
        form.form_errors.append(
            f"Die Datei ist größer als {largest // 1_000_000} MB und wurde deshalb nicht gelesen, "
            "Ihre übrigen Angaben auch nicht. Was gespeichert war, ist unverändert. Bitte wählen "
            "Sie eine kleinere Datei."
        )
        return form, None, 413
    done, status = attempt(form, work(form), creates=creates)
    return form, done, status


def _withdrawal_words(done: Withdrawal) -> str:
    words = ["Die Auflage ist zurückgezogen und wird nicht mehr ausgegeben."]
    if done.moved:
        words.append(f"Karten einer anderen Auflage bekommt: {join_words(done.moved)}.")
    if done.unpacked:
        words.append(f"Neu zusammenzustellen ist: {join_words(done.unpacked)}.")
    if done.missing:
        short = [
            f"{number} ({count(missing, 'Karte', 'Karten')})" for number, missing in done.missing
        ]
        words.append(f"Karten fehlen jetzt für: {join_words(short)}.")
    return " ".join(words)


def _landing_address(edition: Edition) -> str:
    return f"{current_settings().base_url}{code_path(edition.code)}"


def _card_page(card_id: int) -> str:
    return url_for("cards.card_page", card_id=card_id)


def _edition_page(edition_id: int) -> str:
    return url_for("cards.edition_page", edition_id=edition_id)
