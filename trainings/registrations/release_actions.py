"""The link in a digest: the whole list of open requests, to be decided without an account."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actions import PageAction
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.tokens import ActionToken
from trainings.registrations.models import ReleaseDigest
from trainings.registrations.release_forms import MailboxReleaseForm, ReleaseForm
from trainings.registrations.release_operations import Speaker, contact_speaker, mailbox_speaker
from trainings.registrations.release_pages import (
    decide_chosen,
    is_anything_to_decide,
    pressed,
)
from trainings.registrations.release_queries import EventRequests, open_requests


def _digest(session: Session, token: ActionToken) -> ReleaseDigest:
    digest = session.get(ReleaseDigest, token.subject_id)
    if digest is None:
        raise not_found()
    return digest


def _form(digest: ReleaseDigest) -> ReleaseForm:
    return ReleaseForm() if digest.person_id is not None else MailboxReleaseForm()


def _speaker(session: Session, digest: ReleaseDigest, form: ReleaseForm) -> Speaker:
    if digest.person_id is not None:
        return contact_speaker(session, digest.person_id)
    name, function = form["name"].data or "", form["function"].data or ""
    return mailbox_speaker(session, digest.recipient, name=name, function=function)


def _show(session: Session, token: ActionToken, now: datetime) -> tuple[str, int]:
    digest = _digest(session, token)
    form = _form(digest)
    refused = form.is_submitted() and not form.validate()
    return _page(session, digest, form, now), 422 if refused else 200


def _page(session: Session, digest: ReleaseDigest, form: ReleaseForm, now: datetime) -> str:
    speaker = _speaker(session, digest, form)
    events = open_requests(session, speaker.overseen, now)
    holds = _holds(digest, events)
    return render_template(
        "registrations/release_list.html",
        form=form,
        events=events if holds else [],
        is_spent=not holds and is_anything_to_decide(events, digest.person_id),
        speaker=speaker,
        me=digest.person_id,
        chosen=set(form.requests.data or ()),
    )


def _holds(digest: ReleaseDigest, events: Iterable[EventRequests]) -> bool:
    """Say whether something is open that the mail asked for: then its link opens the whole list.

    Later requests come with later mails; an old mail opens them only together with its own.
    """
    return any(
        row.is_open and row.person_id != digest.person_id and row.requested_at <= digest.sent_at
        for event in events
        for row in event.rows
    )


def _may_decide(session: Session, digest: ReleaseDigest, form: ReleaseForm, now: datetime) -> bool:
    """Say whether the link may still decide what is ticked; of what is decided it may be told."""
    events = open_requests(session, _speaker(session, digest, form).overseen, now)
    still_open = {row.id for event in events for row in event.rows}
    return _holds(digest, events) or not still_open.intersection(form.requests.data or ())


def _perform(token: ActionToken, _form_of_page: Form, now: datetime) -> ResponseReturnValue:
    session = db.session()
    digest = _digest(session, token)
    form, outcome = _form(digest), pressed()
    if (
        outcome is not None
        and form.validate()
        and _may_decide(session, digest, form, now)
        and decide_chosen(form, outcome, lambda inner: _speaker(inner, digest, form), now)
    ):
        return redirect(request.path, code=303)
    return _page(db.session(), digest, form, now), 422


RELEASE = PageAction(show=_show, perform=_perform)
