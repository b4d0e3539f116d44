"""The outgoing mails: what was sent, what is stuck, and what each of them says."""

from __future__ import annotations

from datetime import datetime
from email.message import EmailMessage

from flask import make_response, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.outbox import MailState, OutgoingMail, build_message
from trainings.core.paging import page_address
from trainings.core.permissions import Permission, requires
from trainings.core.settings import current_settings
from trainings.office.blueprint import blueprint
from trainings.office.event_views import chosen
from trainings.office.mail_queries import find_mail, list_mails
from trainings.office.operations import send_again
from trainings.office.wording import MAIL_STATE_NAMES, MAIL_STATUS
from trainings.people.mails import LOG_IN_KIND
from trainings.people.posting import press

HTML_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
"""A mail's own page may show its inline styles and do nothing else: no script, no form, no load."""


@blueprint.get("/mails/")
@requires(Permission.OFFICE)
def mail_list() -> str:
    """Show the outgoing mails."""
    state = chosen(MailState, "stand")
    return render_template(
        "office/mail_list.html",
        found=list_mails(db.session(), state),
        state_filter=state,
        state_names=MAIL_STATE_NAMES,
        mail_status=MAIL_STATUS,
        address=page_address(),
    )


@blueprint.get("/mails/<id:mail_id>")
@requires(Permission.OFFICE)
def mail_page(mail_id: int) -> str:
    """Show one mail as text."""
    mail = find_mail(db.session(), mail_id)
    is_secret = _is_secret(mail)
    message = None if is_secret else _message(mail)
    return render_template(
        "office/mail_page.html",
        mail=mail,
        is_secret=is_secret,
        text=_part(message, "plain") if message else None,
        attachments=_attachments(mail, message) if message else [],
        mail_status=MAIL_STATUS,
        press_form=Form(formdata=None),
    )


@blueprint.get("/mails/<id:mail_id>/html")
@requires(Permission.OFFICE)
def mail_html(mail_id: int) -> Response:
    """Show the mail as a mail program does, in a page that may do nothing."""
    mail = find_mail(db.session(), mail_id)
    message = None if _is_secret(mail) else _message(mail)
    if message is None:
        raise not_found()
    response = make_response(_part(message, "html"))
    response.headers["Content-Security-Policy"] = HTML_POLICY
    return response


@blueprint.post("/mails/<id:mail_id>/noch-einmal")
@requires(Permission.OFFICE)
def mail_again(mail_id: int) -> Response:
    """Send a mail again that was given up."""
    here = url_for("office.mail_page", mail_id=mail_id)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        send_again(session, actor, mail_id, now)
        return Outcome(here, "Die Mail liegt wieder im Postausgang.")

    return press(work, here)


def _is_secret(mail: OutgoingMail) -> bool:
    """Say whether the mail logs somebody in, or lets them answer: who reads it here could be they.

    In the demonstration there is no other mailbox, and its logins are known anyway.
    """
    secret = mail.kind == LOG_IN_KIND or mail.holds_fleeting_link
    return secret and not current_settings().demo


def _message(mail: OutgoingMail) -> EmailMessage | None:
    """Build the message; None if its address cannot be written, which the mail's error says."""
    try:
        return build_message(mail, current_settings(), mail.sent_at or utc_now(), to_read=True)
    except ValueError:
        return None


def _attachments(mail: OutgoingMail, message: EmailMessage) -> list[str]:
    """Return what is attached, of a sent mail also what is not made any more since it is void."""
    names = [str(part.get_filename()) for part in message.iter_attachments()]
    sent = mail.mail.documents if mail.state is MailState.SENT else ()
    return names + [document.name for document in sent if document.name not in names]


def _part(message: EmailMessage, subtype: str) -> str:
    part = message.get_body(preferencelist=(subtype,))
    return str(part.get_content()) if part is not None else ""
