"""The way in after a mailbox or a password was shown to be somebody's own."""

from __future__ import annotations

import re
from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from trainings.core.http import local_address
from trainings.people.login import Verified
from trainings.people.sessions import begin_session, remember_verified

_REGISTRATION = re.compile(r"/veranstaltungen/[0-9-]+/anmelden")


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
