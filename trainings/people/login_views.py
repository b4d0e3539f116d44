"""Pages of logging in and out, and of introducing oneself."""

from __future__ import annotations

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.forms import Form
from trainings.core.http import local_address
from trainings.core.permissions import Permission, requires
from trainings.core.settings import current_settings
from trainings.people import demo, login
from trainings.people.blueprint import blueprint
from trainings.people.entrance import ask_by_mail, ask_to_join, enter
from trainings.people.forms import CodeForm, EmailForm, LogInForm, NewPersonForm
from trainings.people.operations import join
from trainings.people.queries import organisations_for_email, person_by_email
from trainings.people.sessions import (
    end_session,
    logged_in,
    requests_of_browser,
    verified_email,
    verified_next_url,
)


@blueprint.route("/konto/anmelden", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def log_in() -> ResponseReturnValue:
    """Log in by password, or ask for a mail with link and code."""
    now, form, status = utc_now(), LogInForm(), 200
    form.next_url.data = _wanted_url(form)
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return _by_password(form, now) if form.password.data else ask_by_mail(form, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    logins = demo.demo_logins(db.session()) if current_settings().demo else []
    page = render_template("people/log_in.html", form=form, logins=logins, password=demo.PASSWORD)
    return page, status


@blueprint.route("/konto/registrieren", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def register() -> ResponseReturnValue:
    """Ask for a mail to open an account."""
    now, form, status = utc_now(), EmailForm(), 200
    form.next_url.data = _wanted_url(form)
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return ask_to_join(form, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    return render_template("people/register.html", form=form), status


def _wanted_url(form: EmailForm) -> str:
    """Return where somebody wants to go afterwards: as the form says, or the page's address."""
    return local_address(form.next_url.data or request.args.get("weiter"), "")


def _by_password(form: LogInForm, now: datetime) -> Response:
    email = form.email.data
    with transaction() as session:
        login.count_client(session, request.remote_addr or "", now)
        login.count_password_try(session, email, now)
    new_hash = login.check_password(db.session(), email, form.password.data)
    with transaction() as session:
        verified = login.log_in_by_password(session, email, new_hash, form.next_url.data, now)
    return enter(verified, now)


@blueprint.route("/konto/code", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def enter_code() -> ResponseReturnValue:
    """Log in by the code from the mail, in the browser that asked for it."""
    now, form, status = utc_now(), CodeForm(), 200
    keys = requests_of_browser()
    key = form.request_key.data if form.is_submitted() else None
    if key not in keys:
        key = keys[-1] if keys else None
    waiting = login.request_of_browser(db.session(), key) if key else None
    if key is None or waiting is None:
        if logged_in():
            return redirect(url_for("people.my_account"), code=303)
        flash("Bitte fordern Sie hier einen Code an.", "info")
        return redirect(url_for("people.log_in"), code=303)
    email = waiting.email
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return _by_code(key, form.code.data, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    form.request_key.data = key
    return render_template("people/enter_code.html", form=form, email=email), status


def _by_code(key: str, code: str, now: datetime) -> Response:
    with transaction() as session:
        login.count_code_try(session, key, now)
    with transaction() as session:
        verified = login.use_code(session, key, code, now)
    return enter(verified, now)


@blueprint.route("/konto/neu", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def new_person() -> ResponseReturnValue:
    """Ask somebody with a verified but unknown address who they are."""
    now, email = utc_now(), verified_email()
    if email is None:
        if logged_in():
            return redirect(url_for("people.my_account"), code=303)
        flash("Bitte bestätigen Sie zuerst Ihre E-Mail-Adresse.", "info")
        return redirect(url_for("people.register"), code=303)
    if person_by_email(db.session(), email) is not None:
        return _enter_verified(email, now)
    form, status = NewPersonForm(), 200
    form.offer(organisations_for_email(db.session(), email))
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction() as session:
                    join(session, email=email, **form.details(), now=now)
                return _enter_verified(email, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    page = render_template(
        "people/new_person.html", form=form, email=email, next_url=verified_next_url()
    )
    return page, status


def _enter_verified(email: str, now: datetime) -> Response:
    """Log in by an address that was verified in this browser.

    That the person exists already is no error: another tab or a double submit was quicker.
    """
    with transaction() as session:
        verified = login.admit(session, email, verified_next_url(), now)
    return enter(verified, now)


@blueprint.route("/konto/abmelden", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def log_out() -> ResponseReturnValue:
    """Log out in this browser; a link or an image cannot do it, only the button."""
    form, status = Form(), 200
    if logged_in() is None:
        return redirect(url_for("people.log_in"), code=303)
    if form.is_submitted():
        if form.validate():
            end_session()
            flash("Sie sind ausgeloggt.", "success")
            return redirect(url_for("registrations.event_list"), code=303)
        status = 422
    return render_template("people/log_out.html", form=form), status
