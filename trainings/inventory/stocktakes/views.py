"""Pages of stocktakes: the list, counting, the last look, the document, and two papers."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.documents import MEDIA_TYPE, Document
from trainings.core.fields import parse_id
from trainings.core.formats import count
from trainings.core.http import document_response
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.inventory.stocktakes import operations, papers
from trainings.inventory.stocktakes.forms import (
    AbandonForm,
    AddForm,
    CountForm,
    OpenForm,
    PostForm,
    count_form,
)
from trainings.inventory.stocktakes.models import StocktakeState
from trainings.inventory.stocktakes.queries import (
    Sheet,
    countable_stores,
    editions_to_add,
    list_stocktakes,
    load_sheet,
    orders_held_for,
)
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor

blueprint = Blueprint("stocktakes", __name__, url_prefix="/taschenkarten/inventuren")


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {
        "by_office": current_actor().may(Permission.OFFICE),
        "states": STATES,
        "signed": papers.signed,
    }


STATES = {
    StocktakeState.COUNTING: ("clock", "wird gezählt", "warn"),
    StocktakeState.POSTED: ("check-ring", "gebucht", "ok"),
    StocktakeState.ABANDONED: ("cross-ring", "abgebrochen", "off"),
}


@blueprint.get("/")
@requires(Permission.ATTENDANCE)
def overview() -> str:
    """List the stocktakes; a trainer sees those of the own box."""
    session, actor = db.session(), current_actor()
    stores = countable_stores(session, actor)
    chosen = parse_id(request.args.get("lager"))
    return render_template(
        "inventory/stocktake_list.html",
        stores=stores,
        chosen=chosen,
        entries=list_stocktakes(session, actor, chosen),
    )


@blueprint.route("/neu", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def new() -> ResponseReturnValue:
    """Open a stocktake."""
    stores = countable_stores(db.session(), current_actor())
    form = OpenForm(data={"store_id": parse_id(request.args.get("lager"))})
    form.offer(stores)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        opened = operations.open_stocktake(session, actor, form.store_id.data, now)
        return Outcome(
            url_for(".page", stocktake_id=opened.id), "Die Inventur ist eröffnet. Bitte zählen Sie."
        )

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("inventory/stocktake_new.html", form=form, stores=stores),
        status,
    )


@blueprint.route("/<id:stocktake_id>", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def page(stocktake_id: int) -> ResponseReturnValue:
    """Count, or read what was counted."""
    sheet = _sheet(stocktake_id)
    if not sheet.is_open:
        return _to_document(sheet) if request.method == "POST" else _finished_page(sheet)
    form = count_form(sheet, data=_moment_of_the_address())

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        counts = form.counts()
        stocktake = operations.count_lines(
            session, actor, stocktake_id, counts, counted_at=form.moment(), now=now
        )
        return Outcome(
            _next_address(form, stocktake_id),
            f"Gespeichert: {count(len(counts), 'Auflage', 'Auflagen')}. "
            + _what_is_open(sum(line.counted is None for line in stocktake.lines)),
        )

    done, status = attempt(form, work, creates=True)
    return done or _counting_page(sheet, form, AddForm(formdata=None), status)


def _what_is_open(lines: int) -> str:
    return f"Noch offen: {count(lines, 'Auflage', 'Auflagen')}." if lines else "Alles ist gezählt."


def _moment_of_the_address() -> dict[str, object]:
    """Read the moment of a list on paper, so that it is typed once for all of its lines."""
    moment = CountForm(request.args, meta={"csrf": False})
    if moment.day.validate(moment) and moment.clock.validate(moment):
        return {"day": moment.day.data, "clock": moment.clock.data}
    return {}


def _next_address(form: CountForm, stocktake_id: int) -> str:
    if form.day.data is None or form.clock.data is None:
        return url_for(".page", stocktake_id=stocktake_id)
    return url_for(
        ".page",
        stocktake_id=stocktake_id,
        day=form.day.data.isoformat(),
        clock=form.clock.data.strftime("%H:%M"),
    )


def _counting_page(
    sheet: Sheet, form: CountForm, add_form: AddForm, status: int
) -> ResponseReturnValue:
    editions = editions_to_add(db.session(), sheet)
    add_form.offer(editions)
    return (
        render_template(
            "inventory/stocktake_count.html",
            sheet=sheet,
            form=form,
            add_form=add_form,
            more=bool(editions),
        ),
        status,
    )


@blueprint.route("/<id:stocktake_id>/auflagen", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def add(stocktake_id: int) -> ResponseReturnValue:
    """Add an edition that was found."""
    sheet = _sheet(stocktake_id)
    if request.method == "GET":
        return redirect(url_for(".page", stocktake_id=stocktake_id), code=303)
    form = AddForm()
    form.offer(editions_to_add(db.session(), sheet))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.add_line(session, actor, stocktake_id, form.edition_id.data, now)
        return Outcome(
            url_for(".page", stocktake_id=stocktake_id),
            "Die Auflage steht auf der Liste. Bitte geben Sie ein, wie viele Karten es sind.",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if not sheet.is_open:
        return _to_document(sheet)
    return _counting_page(sheet, count_form(sheet, formdata=None), form, status)


@blueprint.route("/<id:stocktake_id>/pruefen", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def review(stocktake_id: int) -> ResponseReturnValue:
    """Compare shelf and book, and post the differences."""
    sheet = _sheet(stocktake_id)
    form = PostForm(data={"seen": sheet.seen})
    form.offer(sheet)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.post_stocktake(
            session,
            actor,
            stocktake_id,
            seen=form.seen.data or "",
            reason=form.reason.data or "",
            left_out=form.left_out.data or (),
            now=now,
        )
        return Outcome(
            url_for(".page", stocktake_id=stocktake_id),
            "Die Inventur ist gebucht und ändert sich nicht mehr.",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if not sheet.is_open:
        return _to_document(sheet)
    # What is posted next is what this page shows.
    form.seen.data = sheet.seen
    return (
        render_template(
            "inventory/stocktake_review.html", sheet=sheet, form=form, orders=_orders(sheet)
        ),
        status,
    )


@blueprint.route("/<id:stocktake_id>/abbrechen", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def abandon(stocktake_id: int) -> ResponseReturnValue:
    """Give a stocktake up."""
    sheet = _sheet(stocktake_id)
    form = AbandonForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.abandon_stocktake(session, actor, stocktake_id, reason=form.reason.data, now=now)
        return Outcome(
            url_for(".page", stocktake_id=stocktake_id),
            "Die Inventur ist abgebrochen. Es wurde nichts gebucht.",
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if not sheet.is_open:
        return _to_document(sheet)
    return render_template("inventory/stocktake_abandon.html", sheet=sheet, form=form), status


@blueprint.get("/<id:stocktake_id>/zaehlliste.pdf")
@requires(Permission.ATTENDANCE)
def counting_list(stocktake_id: int) -> Response:
    """Show the list to count with as PDF."""
    return _paper(papers.counting_list(_sheet(stocktake_id), utc_now()), "zaehlliste", stocktake_id)


@blueprint.get("/<id:stocktake_id>/protokoll.pdf")
@requires(Permission.ATTENDANCE)
def protocol(stocktake_id: int) -> Response:
    """Show the protocol as PDF."""
    return _paper(papers.protocol(_sheet(stocktake_id)), "inventurprotokoll", stocktake_id)


def _paper(document: Document, name: str, stocktake_id: int) -> Response:
    return document_response(document.pdf, MEDIA_TYPE, f"{name}-{stocktake_id}.pdf", "inline")


def _to_document(sheet: Sheet) -> ResponseReturnValue:
    """Lead from a form that came too late to what the stocktake has become, and say so."""
    if request.method == "POST":
        flash(operations.finished(sheet.state).sentence, "danger")
    return redirect(url_for(".page", stocktake_id=sheet.id), code=303)


def _finished_page(sheet: Sheet) -> str:
    return render_template("inventory/stocktake_page.html", sheet=sheet, orders=_orders(sheet))


def _orders(sheet: Sheet) -> dict[int, list[tuple[str, int]]]:
    short = [line.edition_id for line in sheet.short]
    return orders_held_for(db.session(), sheet.store_id, short, utc_now())


def _sheet(stocktake_id: int) -> Sheet:
    return load_sheet(db.session(), current_actor(), stocktake_id, utc_now())
