"""Organisations: the tree, one of them, its contacts, merging and retiring."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.fields import options
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.office import organisation_queries
from trainings.office.blueprint import blueprint
from trainings.office.master_forms import (
    ContactForm,
    MergeForm,
    OrganisationForm,
    organisation_values,
)
from trainings.office.merging import merge_organisations
from trainings.office.operations import update_organisation
from trainings.office.wording import EVENT_STATUS, action_name
from trainings.organisations import operations
from trainings.organisations.models import (
    KIND_NAMES,
    LEVEL_NAMES,
    PARTNERSHIP_NAMES,
    Level,
)
from trainings.organisations.queries import find_organisation, organisation_choices
from trainings.people.contacts import remove_contact, set_contact
from trainings.people.posting import CONFIRM, attempt, carried_fields, press, rehearse
from trainings.people.queries import person_by_email

ABOVE = (Level.GROUP, Level.AUTHORITY)
NAMES = {"kinds": KIND_NAMES, "levels": LEVEL_NAMES, "partnerships": PARTNERSHIP_NAMES}


@blueprint.get("/organisationen/")
@requires(Permission.OFFICE)
def organisation_list() -> str:
    """Show the organisations as a tree."""
    everything = request.args.get("alle") == "1"
    return render_template(
        "office/organisation_list.html",
        rows=organisation_queries.organisation_rows(db.session(), with_inactive=everything),
        everything=everything,
        **NAMES,
    )


@blueprint.get("/organisationen/<id:organisation_id>")
@requires(Permission.OFFICE)
def organisation_page(organisation_id: int) -> str:
    """Show one organisation."""
    return _page(organisation_id, ContactForm(formdata=None))


def _page(organisation_id: int, contact_form: ContactForm) -> str:
    page = organisation_queries.organisation_page(db.session(), organisation_id)
    return render_template(
        "office/organisation_page.html",
        page=page,
        organisation=page.organisation,
        contact_form=contact_form,
        event_status=EVENT_STATUS,
        action_name=action_name,
        press_form=Form(formdata=None),
        **NAMES,
    )


@blueprint.route("/organisationen/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def organisation_new() -> ResponseReturnValue:
    """Add an organisation."""
    form = OrganisationForm()
    form.parent_id.choices = options(_parents(None))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        added = operations.add_organisation(session, actor, form.organisation(), now)
        session.flush()
        operations.set_domains(session, actor, added.id, form.domain_list(), now)
        return _to(added.id, f"{added.name} ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("office/organisation_form.html", form=form, name=""), status)


@blueprint.route("/organisationen/<id:organisation_id>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def organisation_edit(organisation_id: int) -> ResponseReturnValue:
    """Change an organisation and its domains."""
    organisation = find_organisation(db.session(), organisation_id)
    name = organisation.name
    form = OrganisationForm(data=organisation_values(organisation))
    form.parent_id.choices = options(_parents(organisation.parent_id))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        update_organisation(session, actor, organisation_id, form.organisation(), now)
        operations.set_domains(session, actor, organisation_id, form.domain_list(), now)
        return _to(organisation_id, "Die Änderungen sind gespeichert.")

    done, status = attempt(form, work)
    page = {"form": form, "name": name, "organisation_id": organisation_id}
    return done or (render_template("office/organisation_form.html", **page), status)


@blueprint.route("/organisationen/<id:organisation_id>/zusammenfuehren", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def organisation_merge(organisation_id: int) -> ResponseReturnValue:
    """Merge an organisation into another one, after a preview."""
    source = find_organisation(db.session(), organisation_id)
    name = source.name
    form = MergeForm()
    others = [
        choice for choice in organisation_choices(db.session()) if choice[0] != organisation_id
    ]
    form.target_id.choices = options([("", "Bitte wählen"), *others])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        merge_organisations(session, actor, organisation_id, form.target_id.data, now)
        return _to(form.target_id.data, f"{name} ist hier aufgegangen.")

    page = {"form": form, "name": name, "organisation_id": organisation_id}
    if form.is_submitted() and CONFIRM not in request.form:
        status = rehearse(form, work)
        if status == 200:
            return render_template(
                "office/organisation_merge_preview.html",
                page=organisation_queries.organisation_page(db.session(), organisation_id),
                target=find_organisation(db.session(), form.target_id.data),
                carried_fields=carried_fields(),
                form=Form(formdata=None),
            )
    else:
        done, status = attempt(form, work, creates=True)
        if done:
            return done
    return render_template("office/organisation_merge.html", **page), status


@blueprint.post("/organisationen/<id:organisation_id>/stilllegen")
@requires(Permission.OFFICE)
def organisation_retire(organisation_id: int) -> Response:
    """Offer an organisation no longer for choice."""
    message = "Die Organisation ist stillgelegt."
    return _step(organisation_id, operations.retire_organisation, message)


@blueprint.post("/organisationen/<id:organisation_id>/aufnehmen")
@requires(Permission.OFFICE)
def organisation_reactivate(organisation_id: int) -> Response:
    """Offer a retired organisation for choice again."""
    message = "Die Organisation steht wieder zur Wahl."
    return _step(organisation_id, operations.reactivate_organisation, message)


@blueprint.post("/organisationen/<id:organisation_id>/ansprechpersonen")
@requires(Permission.OFFICE)
def organisation_contact(organisation_id: int) -> ResponseReturnValue:
    """Make somebody the contact of an organisation."""
    form = ContactForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        person = person_by_email(session, form.email.data)
        if person is None:
            raise DomainError(
                "unknown_person",
                "Diese Adresse kennen wir nicht. Bitte legen Sie die Person zuerst an.",
                field="email",
                status=422,
            )
        set_contact(
            session,
            actor,
            organisation_id,
            person.id,
            is_deputy=bool(form.is_deputy.data),
            now=now,
        )
        return _to(organisation_id, f"{person.name} ist jetzt Ansprechperson.")

    done, status = attempt(form, work)
    return done or (_page(organisation_id, form), status)


@blueprint.post("/organisationen/<id:organisation_id>/ansprechpersonen/<id:person_id>/entfernen")
@requires(Permission.OFFICE)
def organisation_contact_remove(organisation_id: int, person_id: int) -> Response:
    """Take a contact from an organisation."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        remove_contact(session, actor, organisation_id, person_id, now)
        return _to(organisation_id, "Die Ansprechperson ist entfernt.")

    return press(work, _to(organisation_id, "").url)


def _step(
    organisation_id: int, operation: Callable[[Session, Actor, int, datetime], None], message: str
) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operation(session, actor, organisation_id, now)
        return _to(organisation_id, message)

    return press(work, _to(organisation_id, "").url)


def _to(organisation_id: int, message: str) -> Outcome:
    return Outcome(url_for("office.organisation_page", organisation_id=organisation_id), message)


def _parents(keep: int | None) -> list[tuple[int | str, str]]:
    offered = organisation_choices(db.session(), levels=ABOVE, keep=keep)
    return [("", "Steht ganz oben"), *offered]
