"""The stock at a glance, and the stores."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.queries import trainer_choices
from trainings.inventory.models import STORE_KIND_NAMES, Store, StoreKind
from trainings.inventory.stock import store_operations, wording
from trainings.inventory.stock.blueprint import blueprint
from trainings.inventory.stock.forms import BoxForm, PartnerStoreForm, StoreForm
from trainings.inventory.stock.journal import latest_of_store
from trainings.inventory.stock.queries import find_store, list_stores, load_rows, load_stock
from trainings.inventory.stock.store_operations import StoreData
from trainings.organisations.queries import organisation_choices
from trainings.people.posting import attempt, press
from trainings.people.sessions import current_actor

ORDERS = "/taschenkarten/bestellungen"
LATEST = 10
_KINDS = {"geschaeftsstelle": StoreKind.OFFICE, "box": StoreKind.BOX, "partner": StoreKind.PARTNER}
_HEADINGS = {
    StoreKind.OFFICE: "Lager der Geschäftsstelle anlegen",
    StoreKind.BOX: "Box anlegen",
    StoreKind.PARTNER: "Lager eines Partners anlegen",
}


@blueprint.get("/")
@requires(Permission.CARDS)
def overview() -> ResponseReturnValue:
    """Show the office what lies where; a contact orders, and has no stock."""
    if not current_actor().may(Permission.OFFICE):
        return redirect(ORDERS)
    return render_template("inventory/overview.html", cards=load_stock(db.session(), utc_now()))


@blueprint.get("/lager/")
@requires(Permission.OFFICE)
def store_list() -> str:
    """Show the stores with how many cards lie there."""
    everything = request.args.get("alle") == "1"
    session = db.session()
    totals: dict[int, int] = {}
    for row in load_rows(session, utc_now()):
        totals[row.store.id] = totals.get(row.store.id, 0) + row.stock.balance
    return render_template(
        "inventory/store_list.html",
        stores=list_stores(session, with_retired=everything),
        totals=totals,
        everything=everything,
        store_kinds=STORE_KIND_NAMES,
        kinds_by_slug=_KINDS,
        headings=_HEADINGS,
    )


@blueprint.route("/lager/neu/<kind>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def store_new(kind: str) -> ResponseReturnValue:
    """Add a store."""
    if kind not in _KINDS:
        raise not_found()
    form = _form(_KINDS[kind], None)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        store = store_operations.create_store(session, actor, _KINDS[kind], _data(form), now=now)
        return Outcome(_page(store.id), f"„{store.name}“ ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("inventory/store_form.html", form=form, heading=_HEADINGS[_KINDS[kind]]),
        status,
    )


@blueprint.get("/lager/<id:store_id>")
@requires(Permission.OFFICE)
def store_page(store_id: int) -> str:
    """Show one store: what lies there, and what was moved last."""
    session, now = db.session(), utc_now()
    return render_template(
        "inventory/store_page.html",
        store=find_store(session, store_id),
        rows=load_rows(session, now, store_id=store_id),
        latest=latest_of_store(session, store_id, LATEST),
        words=wording,
        store_kinds=STORE_KIND_NAMES,
        press_form=Form(formdata=None),
    )


@blueprint.route("/lager/<id:store_id>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def store_edit(store_id: int) -> ResponseReturnValue:
    """Change a store."""
    store = find_store(db.session(), store_id)
    name = store.name
    form = _form(store.kind, store)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        store_operations.update_store(session, actor, store_id, _data(form), now=now)
        return Outcome(_page(store_id), "Die Änderungen sind gespeichert.")

    done, status = attempt(form, work)
    return done or (
        render_template("inventory/store_form.html", form=form, heading=name, store_id=store_id),
        status,
    )


@blueprint.post("/lager/<id:store_id>/stilllegen")
@requires(Permission.OFFICE)
def store_retire(store_id: int) -> Response:
    """Use an empty store no longer."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        store_operations.retire_store(session, actor, store_id, now=now)
        return Outcome(_page(store_id), "Das Lager ist stillgelegt.")

    return press(work, _page(store_id))


@blueprint.post("/lager/<id:store_id>/aufnehmen")
@requires(Permission.OFFICE)
def store_reactivate(store_id: int) -> Response:
    """Use a store again."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        store_operations.reactivate_store(session, actor, store_id, now=now)
        return Outcome(_page(store_id), "Das Lager steht wieder zur Wahl.")

    return press(work, _page(store_id))


@blueprint.post("/lager/<id:store_id>/loeschen")
@requires(Permission.OFFICE)
def store_delete(store_id: int) -> Response:
    """Delete a store without a history."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        store_operations.delete_store(session, actor, store_id, now=now)
        return Outcome(url_for(".store_list"), "Das Lager ist gelöscht.")

    return press(work, _page(store_id))


def _page(store_id: int) -> str:
    return url_for("card_stock.store_page", store_id=store_id)


def _form(kind: StoreKind, store: Store | None) -> StoreForm:
    session = db.session()
    if kind is StoreKind.BOX:
        form = BoxForm(obj=store)
        pairs = trainer_choices(session)
        if store is not None and store.person is not None:
            # Whoever is no trainer any more still has the box until somebody takes it over.
            pairs = sorted({*pairs, (store.person.id, store.person.list_name)}, key=lambda p: p[1])
        form.person_id.choices = options([("", "– bitte wählen –"), *pairs])
        return form
    if kind is StoreKind.PARTNER:
        keep = store.organisation_id if store else None
        partner = PartnerStoreForm(obj=store)
        partner.organisation_id.choices = options(
            [("", "– bitte wählen –"), *organisation_choices(session, keep=keep)]
        )
        return partner
    return StoreForm(obj=store)


def _data(form: StoreForm) -> StoreData:
    return StoreData(
        form.name.data,
        person_id=form.person_id.data if isinstance(form, BoxForm) else None,
        organisation_id=form.organisation_id.data if isinstance(form, PartnerStoreForm) else None,
    )
