"""The way in: asking for a mail, and entering once a mailbox or a password was shown to be own."""

from __future__ import annotations

import re
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.http import follow, local_address
from trainings.core.idempotency import Outcome, once
from trainings.core.tokens import digest
from trainings.people import login
from trainings.people.forms import EmailForm
from trainings.people.login import Verified
from trainings.people.queries import organisations_for_email
from trainings.people.sessions import begin_session, remember_request, remember_verified

_REGISTRATION = re.compile(r"/veranstaltungen/[0-9-]+/anmelden")
_NO_WORK_ADDRESS = (
    "Das ist keine dienstliche Adresse einer beteiligten Organisation. Bitte nehmen Sie Ihre "
    "dienstliche Adresse, oder wenden Sie sich an die Geschäftsstelle."
)


def ask_to_join(form: EmailForm, now: datetime) -> Response:
    """Send a link and a code to a work address, known or new; other rooms' forms do so too.

    Raises:
        DomainError: `no_work_address`, at the field, if the domain belongs to no organisation
            (which says nothing about accounts); or too many attempts.

    """
    if not organisations_for_email(db.session(), form.email.data):
        raise DomainError("no_work_address", _NO_WORK_ADDRESS, field="email", status=422)
    return ask_by_mail(form, now)


def ask_by_mail(form: EmailForm, now: datetime) -> Response:
    """Send a link and a code, if the address is known or may join, and ask for the code.

    Raises:
        DomainError: too many attempts.

    """
    # The key comes from the form, so that a double submit ties the same request to the browser; the
    # address is in it, since somebody may go back and correct it.
    email = form.email.data
    request_key = digest(f"{form.form_key.data}:{email}").hex()[: login.KEY_LENGTH]
    next_url = local_address(form.next_url.data, "")
    with transaction() as session:
        login.count_client(session, request.remote_addr or "", now)

    def work(session: Session) -> Outcome:
        login.start_login_request(session, email, next_url, now, key=request_key)
        return Outcome(url_for("people.enter_code"))

    outcome = once(f"log_in:{request_key}", now, work)
    remember_request(request_key)
    return follow(outcome)


def enter(verified: Verified, now: datetime) -> Response:
    """Log in and lead to where the person wanted to go; somebody unknown is asked who they are."""
    if verified.account_id is None:
        remember_verified(verified.email, verified.next_url, now)
        # The page of a registration asks who somebody is and registers them, in one form.
        asks_itself = _REGISTRATION.fullmatch(verified.next_url)
        return redirect(
            verified.next_url if asks_itself else url_for("people.new_person"), code=303
        )
    begin_session(verified.account_id, verified.epoch, now)
    flash("Sie sind eingeloggt.", "success")
    return redirect(local_address(verified.next_url, "/"), code=303)


def session_over() -> tuple[str, int]:
    """Answer a form that was sent after the login had run out: what was typed is kept on the page.

    It is sent again from there after a login in another tab. It has no token then, so the form is
    shown once more with everything in it before it acts.
    """
    kept = [
        (name, value)
        for name, value in request.form.items(multi=True)
        if name != "csrf_token" and "password" not in name
    ]
    page = render_template(
        "people/session_over.html", fields=kept, address=request.full_path.rstrip("?")
    )
    return page, 401
