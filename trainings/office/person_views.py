"""People: search, one of them, roles, and registering somebody who has no account."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.idempotency import Outcome
from trainings.core.paging import PAGE_SIZE, page_address, paging, wanted_page
from trainings.core.permissions import ROLE_NAMES, Permission, Role, requires
from trainings.core.text import clean
from trainings.office.blueprint import blueprint
from trainings.office.master_forms import PersonForm, RolesForm
from trainings.office.wording import EVENT_STATUS, REGISTRATION_STATUS
from trainings.organisations.queries import organisation_choices
from trainings.people import operations
from trainings.people.models import OrganisationContact, Person
from trainings.people.posting import attempt
from trainings.people.queries import find_people
from trainings.people.sessions import current_actor
from trainings.registrations.models import Registration

LONGEST_SEARCH = 120


@blueprint.get("/personen/")
@requires(Permission.OFFICE)
def person_list() -> str:
    """Search people by name or address."""
    text = clean(request.args.get("suche", "")[:LONGEST_SEARCH])
    offset = (wanted_page() - 1) * PAGE_SIZE
    people, total = find_people(db.session(), text, limit=PAGE_SIZE, offset=offset)
    return render_template(
        "office/person_list.html",
        people=people,
        text=text,
        paging=paging(total),
        address=page_address(),
        roles=ROLE_NAMES,
    )


@blueprint.get("/personen/<id:person_id>")
@requires(Permission.OFFICE)
def person_page(person_id: int) -> str:
    """Show one person with roles and registrations."""
    person = _person(person_id)
    registrations = db.session.scalars(
        select(Registration)
        .where(Registration.person_id == person_id)
        .options(joinedload(Registration.event))
        .order_by(Registration.requested_at.desc(), Registration.id.desc())
    ).all()
    contact_for = db.session.scalars(
        select(OrganisationContact)
        .where(OrganisationContact.person_id == person_id)
        .options(joinedload(OrganisationContact.organisation))
    ).all()
    return render_template(
        "office/person_page.html",
        person=person,
        person_roles=[name for role, name in ROLE_NAMES.items() if role in _roles(person)],
        registrations=registrations,
        contact_for=contact_for,
        event_status=EVENT_STATUS,
        registration_status=REGISTRATION_STATUS,
        may_give_roles=current_actor().may(Permission.ADMINISTER),
    )


@blueprint.route("/personen/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def person_new() -> ResponseReturnValue:
    """Register somebody; an account opens with the first login."""
    form = PersonForm()
    _offer(form)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        person = operations.create_person(
            session, actor, email=form.email.data, **form.details(), now=now
        )
        session.flush()
        return _to(person.id, f"{person.name} ist angelegt.")

    done, status = attempt(form, work, creates=True)
    return done or (render_template("office/person_form.html", form=form, name=""), status)


@blueprint.route("/personen/<id:person_id>/bearbeiten", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def person_edit(person_id: int) -> ResponseReturnValue:
    """Change what is known of a person."""
    person = _person(person_id)
    name = person.name
    form = PersonForm(obj=person)
    _offer(form, keep=person.organisation_id)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.change_email(session, actor, person_id, form.email.data, now)
        operations.update_person(session, actor, person_id, **form.details(), now=now)
        return _to(person_id, "Die Änderungen sind gespeichert.")

    done, status = attempt(form, work)
    page = {"form": form, "name": name, "person_id": person_id}
    return done or (render_template("office/person_form.html", **page), status)


@blueprint.route("/personen/<id:person_id>/rollen", methods=["GET", "POST"])
@requires(Permission.ADMINISTER)
def person_roles(person_id: int) -> ResponseReturnValue:
    """Set what a person may do."""
    person = _person(person_id)
    name = person.name
    form = RolesForm(data={"roles": sorted(_roles(person))})

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.set_roles(session, actor, person_id, form.roles.data or [], now)
        return _to(person_id, "Die Rollen sind gespeichert.")

    done, status = attempt(form, work)
    page = {"form": form, "name": name, "person_id": person_id}
    return done or (render_template("office/person_roles.html", **page), status)


def _person(person_id: int) -> Person:
    person = db.session.scalar(
        select(Person)
        .where(Person.id == person_id, Person.anonymised_at.is_(None))
        .options(
            joinedload(Person.organisation), joinedload(Person.account), joinedload(Person.roles)
        )
    )
    if person is None:
        raise not_found()
    return person


def _roles(person: Person) -> set[Role]:
    return {row.role for row in person.roles}


def _offer(form: PersonForm, keep: int | None = None) -> None:
    choices = organisation_choices(db.session(), keep=keep)
    form.organisation_id.choices = options([("", "Bitte wählen"), *choices])


def _to(person_id: int, message: str) -> Outcome:
    return Outcome(url_for("office.person_page", person_id=person_id), message)
