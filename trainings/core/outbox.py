"""Mails as rows: written in the transaction of the business, sent by a sweep after the commit.

A row holds what the mail says (paragraphs, facts, one link), not its layout. The message is built
when the mail is sent or read, so a request does not pay for it.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, current_app
from sqlalchemy import JSON, Index, String, Text, delete
from sqlalchemy.orm import Mapped, Session, mapped_column

from trainings.core.database import Base, choice, db
from trainings.core.mail_headers import HeaderPolicy
from trainings.core.qr import qr_png
from trainings.core.retention import Retention, personal
from trainings.core.settings import Settings, current_settings
from trainings.core.text import clean

TICKET_PICTURE = "eintrittskarte"
KEPT_FOR = timedelta(days=90)
_BUILDERS = "mail_documents"


class MailState(StrEnum):
    """Where a mail is on its way."""

    DUE = "due"
    SENT = "sent"
    FAILED = "failed"
    DROPPED = "dropped"
    """Not sent, because what it was to bring is no longer valid."""


@dataclass(frozen=True)
class CalendarPart:
    """An iCalendar object in a mail (RFC 5546).

    Attributes:
        name: file name.
        method: `REQUEST` or `CANCEL`.
        content: the object with its single UID.

    """

    name: str
    method: str
    content: str


@dataclass(frozen=True)
class DocumentPart:
    """A document that is made when the mail is built, so that the row holds no copy of it.

    Attributes:
        source: which builder makes it, see `offer_documents`.
        id: the row that it is made from.
        name: file name, ending in `.pdf`.

    """

    source: str
    id: int
    name: str


DocumentBuilder = Callable[[Session, int], bytes | None]
"""Makes a PDF of a row; None: neither it nor its mail is to be sent any more."""


class DocumentGoneError(Exception):
    """What a mail was to bring is not to be sent any more."""


@dataclass(frozen=True)
class Mail:
    """What a mail says, in plain text; nothing in it is markup.

    Attributes:
        subject: one line.
        paragraphs: what it says, one string each.
        facts: pairs of a word and a value, such as the dates and the venue.
        link: words on the button and the address behind it, a path of this application.
        code: a number that can be typed elsewhere.
        ticket: path that a QR code holds, drawn under the button; the code in letters stands in
            the facts.
        closing: paragraphs after the button.
        information: paragraphs at the very end, such as those on data protection.
        way_out: words and path of a second link, below the closing paragraphs.
        fleeting: the link is deleted from the row when the mail has left, and the office never
            reads it: it must not stay known who got it.
        calendar: calendar objects that update the entry in a calendar.
        documents: attached as PDF.

    """

    subject: str
    paragraphs: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    link: tuple[str, str] | None = None
    code: str = ""
    ticket: str = ""
    closing: tuple[str, ...] = ()
    way_out: tuple[str, str] | None = None
    calendar: tuple[CalendarPart, ...] = ()
    information: tuple[str, ...] = ()
    documents: tuple[DocumentPart, ...] = ()
    fleeting: bool = False


class OutgoingMail(Base):
    """A mail that is due, sent, or could not be sent."""

    __tablename__ = "outgoing_mails"
    __table_args__ = (Index(None, "state", "due_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(48))
    recipient: Mapped[str] = mapped_column(String(254), info=personal(Retention.MAIL))
    recipient_name: Mapped[str] = mapped_column(String(200), info=personal(Retention.MAIL))
    subject: Mapped[str] = mapped_column(String(250), info=personal(Retention.MAIL))
    content: Mapped[dict[str, Any]] = mapped_column(JSON, info=personal(Retention.MAIL))
    message_id: Mapped[str] = mapped_column(String(200), unique=True)
    state: Mapped[MailState] = mapped_column(choice(MailState), default=MailState.DUE)
    created_at: Mapped[datetime]
    due_at: Mapped[datetime]
    claimed_until: Mapped[datetime | None]
    sent_at: Mapped[datetime | None] = mapped_column(index=True)
    attempts: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="", info=personal(Retention.MAIL))

    @property
    def mail(self) -> Mail:
        """What the mail says."""
        stored = dict(self.content)
        return Mail(
            subject=self.subject,
            paragraphs=tuple(stored["paragraphs"]),
            facts=tuple((word, value) for word, value in stored["facts"]),
            link=tuple(stored["link"]) if stored["link"] else None,
            code=stored["code"],
            ticket=stored["ticket"],
            way_out=tuple(stored["way_out"]) if stored["way_out"] else None,
            closing=tuple(stored["closing"]),
            calendar=tuple(CalendarPart(**part) for part in stored["calendar"]),
            # Mails that were written before these parts were added have none.
            information=tuple(stored.get("information", ())),
            documents=tuple(DocumentPart(**part) for part in stored.get("documents", ())),
            fleeting=bool(stored.get("fleeting")),
        )

    @property
    def holds_fleeting_link(self) -> bool:
        """Whether there is a link that only the recipient may know."""
        return bool(self.content.get("fleeting") and self.content["link"])

    def forget_fleeting_link(self) -> None:
        """Delete the link of a mail that has left, if nobody else may know it."""
        if self.holds_fleeting_link:
            self.content = {**self.content, "link": None}


def offer_documents(app: Flask, source: str, build: DocumentBuilder) -> None:
    """Let mails attach documents of a room: this floor knows none of the rooms above it."""
    app.extensions.setdefault(_BUILDERS, {})[source] = build


def post(
    session: Session,
    *,
    kind: str,
    to: str,
    name: str,
    mail: Mail,
    now: datetime,
) -> OutgoingMail:
    """Put a mail into the outbox; it leaves after the commit of this transaction.

    Args:
        session: the open transaction.
        kind: stable code of the mail, such as `registration_placed`.
        to: address; may be hostile text, it is checked when the message is built.
        name: name of the recipient, for the salutation and the To header.
        mail: what it says.
        now: the present instant.

    """
    content = asdict(mail)
    subject = clean(content.pop("subject"))[:250]
    host = urlsplit(current_settings().base_url).hostname or "localhost"
    row = OutgoingMail(
        kind=kind,
        recipient=to,
        recipient_name=clean(name)[:200],
        subject=subject,
        content=content,
        message_id=f"<{secrets.token_hex(16)}@{host}>",
        created_at=now,
        due_at=now,
    )
    session.add(row)
    return row


def build_message(
    row: OutgoingMail, settings: Settings, now: datetime, *, to_read: bool = False
) -> EmailMessage:
    """Build the message of a row (RFC 5322): text and HTML, with calendar objects attached.

    Args:
        row: the mail.
        settings: sender, product and office names.
        now: becomes the Date header.
        to_read: only to be shown, then without the documents that are not to be sent any more.

    Raises:
        ValueError: the recipient's address cannot be written into a header.
        DocumentGoneError: a document is not to be sent any more.

    """
    mail = row.mail
    message = EmailMessage(policy=HeaderPolicy())
    message["From"] = _address(settings.office, settings.mail_from)
    message["To"] = _address(row.recipient_name, row.recipient)
    message["Subject"] = _header_text(row.subject)
    message["Date"] = format_datetime(now)
    message["Message-ID"] = row.message_id
    message["Auto-Submitted"] = "auto-generated"
    message["Content-Language"] = "de"
    values = {"mail": mail, "settings": settings, "name": row.recipient_name}
    message.set_content(_render("layout/mail.txt", values), cte="quoted-printable")
    message.add_alternative(
        _render("layout/mail.html", values), subtype="html", cte="quoted-printable"
    )
    if mail.ticket:
        _, html = message.iter_parts()
        picture = qr_png(settings.base_url + mail.ticket)
        html.add_related(picture, "image", "png", cid=f"<{TICKET_PICTURE}>", filename="ticket.png")
    for part in mail.calendar:
        message.add_attachment(
            part.content.encode("utf-8"),
            maintype="text",
            subtype="calendar",
            filename=part.name,
            params={"method": part.method, "charset": "UTF-8"},
        )
    for document in mail.documents:
        pdf = current_app.extensions[_BUILDERS][document.source](db.session(), document.id)
        if pdf is not None:
            message.add_attachment(
                pdf, maintype="application", subtype="pdf", filename=document.name
            )
        elif not to_read:
            raise DocumentGoneError(document.name)
    return message


def _render(template: str, values: dict[str, Any]) -> str:
    """Render without the context of a page: the sweep has no request and nobody is logged in."""
    return current_app.jinja_env.get_template(template).render(values)


def _address(name: str, address: str) -> Address:
    local, separator, domain = address.rpartition("@")
    unsafe = not address.isascii() or not address.isprintable() or "=?" in address
    if not separator or unsafe or " " in address:
        raise ValueError("Die Adresse ist keine E-Mail-Adresse.")
    return Address(_header_text(name), username=local, domain=domain)


def _header_text(text: str) -> str:
    """Return text that stays within its header.

    The email package decodes what looks like an encoded word (RFC 2047) when it is assigned, line
    breaks included, and writes them out: `=?utf-8?q?=0D=0ABcc:…?=` would be a header of its own.
    """
    printable = "".join(sign for sign in text if sign.isprintable())
    return printable.replace("=?", "= ?")


def forget_old_mails(session: Session, now: datetime) -> int:
    """Delete mails that were sent, given up or dropped 90 days ago; return how many."""
    old = OutgoingMail.state.in_([MailState.SENT, MailState.FAILED, MailState.DROPPED])
    result = session.execute(
        delete(OutgoingMail).where(old, OutgoingMail.created_at < now - KEPT_FOR)
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def facts(*pairs: tuple[str, str | Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Return facts for a mail: several values of one word stand on lines of their own."""
    return tuple(
        (word, value if isinstance(value, str) else "\n".join(value))
        for word, value in pairs
        if value
    )
