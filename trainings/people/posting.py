"""What forms and buttons share: run one operation, show its refusal in place."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import datetime

from flask import flash, redirect, request
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.core.forms import STALE_BUTTON, Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.people.sessions import current_actor

Work = Callable[[Session, Actor, datetime], Outcome]
CONFIRM = "confirm"
"""Name of the button on a preview; without it a form only shows what it would do."""


def attempt(
    form: Form, work: Work, *, creates: bool = False, about: Iterable[object] = ()
) -> tuple[Response | None, int]:
    """Run the operation of a form if it was sent and is complete.

    Args:
        form: with its choices set; gets the errors and the refusal.
        work: calls the operation and says where to go on.
        creates: something new comes of it, which a second submit of the same form must not make
            again. Changes go without such a key: going back in the browser and saving something
            else must not find the first result.
        about: what is typed, where going back and sending something else creates something else.

    Returns:
        The redirect when it was accepted; else None and the status for the page with the form.

    Raises:
        DomainError: what was to be changed does not exist.

    """
    if not form.is_submitted():
        return None, 200
    if not form.validate():
        return None, 422
    actor, now = current_actor(), utc_now()
    try:
        if creates:
            key = form.key(actor.person_id, *about)
            outcome = once(key, now, lambda session: work(session, actor, now))
        else:
            with transaction() as session:
                outcome = work(session, actor, now)
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        form.refuse(refusal)
        return None, refusal.status
    return follow(outcome), 303


def press(work: Work, otherwise: str) -> Response:
    """Run the operation behind a button of a page.

    The key of the page counts once for each address, since a page has several buttons.

    Args:
        work: calls the operation and says where to go on.
        otherwise: where a refusal leads; its sentence stands above that page.

    Raises:
        DomainError: what was to be changed does not exist.

    """
    form = Form()
    if not form.validate():
        flash(STALE_BUTTON, "danger")
        return redirect(otherwise, code=303)
    actor, now = current_actor(), utc_now()
    pressed = f"{form.key(actor.person_id)} {request.path}".encode("utf-8", "surrogatepass")
    key = hashlib.sha256(pressed).hexdigest()
    try:
        return follow(once(key, now, lambda session: work(session, actor, now)))
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        flash(refusal.sentence, "danger")
        return redirect(otherwise, code=303)


class _RehearsedError(Exception):
    """Ends a transaction that was only to show what would happen."""


def rehearse(form: Form, work: Work) -> int:
    """Run the operation of a form and undo it, so that a preview shows what it really refuses.

    Returns:
        200 if it would be accepted; else the status for the page with the form, which has the
        refusal.

    """
    if not form.validate():
        return 422
    actor, now = current_actor(), utc_now()
    try:
        with transaction() as session:
            work(session, actor, now)
            session.flush()
            raise _RehearsedError
    except _RehearsedError:
        return 200
    except DomainError as refusal:
        form.refuse(refusal)
        return refusal.status


def carried_fields() -> list[tuple[str, str]]:
    """Return what the form of this request holds, for the hidden fields of its preview."""
    own = {"csrf_token", "form_key"}
    return [(name, value) for name, value in request.form.items(multi=True) if name not in own]
