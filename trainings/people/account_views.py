"""Pages about one's own account."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError, not_found
from trainings.core.forms import Form
from trainings.core.permissions import ROLE_NAMES, Permission, Role, requires
from trainings.organisations.models import Organisation
from trainings.people.blueprint import blueprint
from trainings.people.forms import NewPersonForm, PasswordForm
from trainings.people.models import Person
from trainings.people.operations import log_out_everywhere, set_password, update_person
from trainings.people.passwords import hash_password
from trainings.people.queries import organisations_for_email, person_with_organisation
from trainings.people.sessions import begin_session, current_actor, end_session, proved_recently


def _me(session: Session) -> Person:
    person_id = current_actor().person_id
    person = person_with_organisation(session, person_id) if person_id else None
    if person is None:
        raise not_found()
    return person


@blueprint.get("/konto/")
@requires(Permission.LOGGED_IN)
def my_account() -> str:
    """Show one's own data, password and ways out."""
    me = _me(db.session())
    roles = [ROLE_NAMES[role] for role in Role if role in {row.role for row in me.roles}]
    return render_template("people/account.html", me=me, roles=roles, form=Form())


@blueprint.route("/konto/angaben", methods=["GET", "POST"])
@requires(Permission.LOGGED_IN)
def my_details() -> ResponseReturnValue:
    """Change one's own name, organisation, unit and function."""
    status = 200
    me = _me(db.session())
    person_id, email = me.id, me.email
    form = NewPersonForm(obj=me)
    form.offer(_choices(me, organisations_for_email(db.session(), email)))
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                # Without a key against double submits: saving twice does no harm, while going back
                # and saving something else must not find the first result.
                with transaction() as session:
                    update_person(
                        session, current_actor(), person_id, **form.details(), now=utc_now()
                    )
                flash("Ihre Angaben sind gespeichert.", "success")
                return redirect(url_for("people.my_account"), code=303)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    return render_template("people/details.html", form=form, email=email), status


def _choices(me: Person, matching: list[Organisation]) -> list[Organisation]:
    """Return the organisations to choose from: also the present one, which the office may know."""
    known = {organisation.id for organisation in matching}
    return matching if me.organisation_id in known else [me.organisation, *matching]


@blueprint.route("/konto/passwort", methods=["GET", "POST"])
@requires(Permission.LOGGED_IN)
def my_password() -> ResponseReturnValue:
    """Set, change or remove one's own password, soon after having logged in."""
    now, status = utc_now(), 200
    me = _me(db.session())
    if not proved_recently(now):
        flash("Bitte loggen Sie sich dafür noch einmal ein: Das ist länger als 30 Minuten her.")
        return redirect(url_for("people.log_in", weiter=request.path), code=303)
    email, has_password = me.email, bool(me.account and me.account.password_hash)
    form = PasswordForm(email)
    if form.is_submitted() and "remove" in request.form:
        if _is_genuine(form):
            return _store_password(None, "Ihr Passwort ist gelöscht.", now)
        status = 422
    elif form.is_submitted():
        status = 422
        if form.validate():
            new_hash = hash_password(form.password.data)
            return _store_password(new_hash, "Ihr neues Passwort gilt ab sofort.", now)
    page = render_template(
        "people/password.html", form=form, email=email, has_password=has_password
    )
    return page, status


def _is_genuine(form: PasswordForm) -> bool:
    """Check the token against forged requests alone: removing a password needs no new one."""
    plain = Form()
    valid = plain.validate()
    form.form_errors.extend(plain.form_errors)
    return valid


def _store_password(new_hash: str | None, message: str, now: datetime) -> Response:
    with transaction() as session:
        account = set_password(session, current_actor(), new_hash, now)
        account_id, epoch = account.id, account.epoch
    begin_session(account_id, epoch, now)
    flash(message, "success")
    return redirect(url_for("people.my_account"), code=303)


@blueprint.post("/konto/ueberall-ausloggen")
@requires(Permission.LOGGED_IN)
def leave_everywhere() -> ResponseReturnValue:
    """Log out in all browsers, such as after a lost telephone."""
    if not Form().validate():
        flash("Die Seite war zu lange offen. Bitte versuchen Sie es noch einmal.", "warning")
        return redirect(url_for("people.my_account"), code=303)
    with transaction() as session:
        log_out_everywhere(session, current_actor(), utc_now())
    end_session()
    flash("Sie sind überall ausgeloggt.", "success")
    return redirect(url_for("people.log_in"), code=303)
