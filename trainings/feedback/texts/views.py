"""Pages of the free texts: reading them through, and what may be done with one."""

from __future__ import annotations

import re
from datetime import datetime
from itertools import pairwise
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.formats import count
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.paging import PAGE_SIZE, page_address, paging, wanted_page
from trainings.core.permissions import Permission, requires
from trainings.feedback.models import KEY_BYTES, TextState
from trainings.feedback.surveys.settling import forget_dead_rows
from trainings.feedback.texts import operations, queries
from trainings.feedback.texts.blueprint import blueprint
from trainings.feedback.texts.forms import RedactForm, SeenForm
from trainings.people.posting import CONFIRM, attempt, carried_fields, press, rehearse

__all__ = ["blueprint"]

SHOWN = "freigegeben"
"""Value of `stand` in the address that shows what was released; else what nobody has read."""
CHOSEN = "text"
"""Name of the boxes on the list."""
EDIT = "aendern"
"""Name of the button that leads from the preview back to what was typed."""
_KEY = re.compile(rf"[0-9a-f]{{{2 * KEY_BYTES}}}")


@blueprint.after_request
def _not_kept(response: Response) -> Response:
    """Let no browser keep what may be overwritten in a moment."""
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/")
@requires(Permission.OFFICE)
def review() -> str:
    """Show the texts to look through, or those that were released."""
    state = TextState.SHOWN if _on_shown() else TextState.UNREAD
    session = db.session()
    numbers = queries.count_texts(session)
    where = paging(numbers[state])
    groups = queries.list_texts(session, state, where.offset)
    in_order = [entry.key.hex() for _, entries in groups for entry in entries]
    return render_template(
        "feedback/texts.html",
        shown=_on_shown(),
        numbers={each.value: number for each, number in numbers.items()},
        groups=groups,
        following=dict(pairwise(in_order)),
        kept=_kept(),
        paging=where,
        address=page_address(),
        form=Form(formdata=None),
    )


@blueprint.post("/<key:key>/freigeben")
@requires(Permission.OFFICE)
def release(key: bytes) -> Response:
    """Release a text as it is; the next one gets the focus."""
    back = _back()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.release_texts(session, actor, [key], now)
        return Outcome(back, "Der Text ist freigegeben.")

    return press(work, back)


@blueprint.post("/freigeben")
@requires(Permission.OFFICE)
def release_chosen() -> Response:
    """Release the texts that were chosen on one page."""
    sent = request.form.getlist(CHOSEN)[:PAGE_SIZE]
    keys = sorted({bytes.fromhex(each) for each in sent if _KEY.fullmatch(each)})
    back = _back()
    form = Form()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        released = operations.release_texts(session, actor, keys, now)
        words = f"{count(released, 'Text ist', 'Texte sind')} freigegeben."
        rest = len(keys) - released
        if rest:
            words += f" {count(rest, 'Text hat', 'Texte hat')} inzwischen jemand anders bearbeitet."
        return Outcome(back, words)

    done, _ = attempt(form, work, creates=True, about=[key.hex() for key in keys])
    if done is None:
        for sentence in form.form_errors:
            flash(sentence, "danger")
    return done or redirect(back, code=303)


@blueprint.route("/<key:key>/unkenntlich", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def redact(key: bytes) -> ResponseReturnValue:
    """Make parts of a text unreadable, after a preview."""
    back, left = _back(), ""
    form = RedactForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        nonlocal left
        text = operations.redact_text(
            session, actor, key, form.lines(), seen=form.seen.data or "", now=now
        )
        left = text.text
        return Outcome(back, "Die Stellen sind unkenntlich, der Text ist so freigegeben.")

    done, status = None, 200
    if CONFIRM in request.form:
        typed = (key.hex(), form.passages.data)
        done, status = attempt(form, work, creates=True, about=typed)
    elif form.is_submitted() and EDIT not in request.form:
        status = rehearse(form, work)
        if status == 200:
            return _redact_preview(key, left)
    return _forget(done) or _page_of(key, "feedback/text_redact.html", form, status)


def _redact_preview(key: bytes, left: str) -> ResponseReturnValue:
    entry = queries.find_text(db.session(), key)
    return render_template(
        "feedback/text_preview.html",
        entry=entry,
        left=left,
        kept=_kept(),
        back=_back(),
        carried_fields=[pair for pair in carried_fields() if pair[0] in {"passages", "seen"}],
        form=Form(formdata=None),
    )


@blueprint.route("/<key:key>/entfernen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def remove(key: bytes) -> ResponseReturnValue:
    """Take a text out, after one question."""
    back = _back()
    form = SeenForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.remove_text(session, actor, key, seen=form.seen.data or "", now=now)
        return Outcome(back, "Der Text ist entfernt.")

    done, status = attempt(form, work, creates=True, about=[key.hex()])
    return _forget(done) or _page_of(key, "feedback/text_remove.html", form, status)


def _page_of(key: bytes, template: str, form: SeenForm, status: int) -> ResponseReturnValue:
    """Show a text with a form, as it is now; one that was taken out leads back to the list."""
    entry = queries.find_text(db.session(), key)
    if entry.state is TextState.REMOVED:
        flash("Dieser Text wurde inzwischen entfernt.", "info")
        return redirect(_back(), code=303)
    # What is changed next is what this page shows.
    form.seen.data = entry.seen
    return render_template(template, entry=entry, form=form, kept=_kept(), back=_back()), status


def _forget(done: Response | None) -> Response | None:
    """Let the database give up what was overwritten, at once."""
    if done is not None:
        forget_dead_rows()
    return done


def _on_shown() -> bool:
    return request.args.get("stand") == SHOWN


def _kept() -> dict[str, Any]:
    """Return the part of the address that says where in which list somebody is."""
    page = wanted_page()
    return {"stand": SHOWN if _on_shown() else None, "seite": page if page > 1 else None}


def _back() -> str:
    """Return the address of the list, at the text that follows the one that is dealt with."""
    following = request.args.get("danach", "")
    anchor = f"text-{following}" if _KEY.fullmatch(following) else "meldung"
    return url_for(".review", **_kept(), _anchor=anchor)
