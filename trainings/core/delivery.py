"""Delivers the mails of the outbox: claims rows with a lease, sends, retries with back-off.

A process that dies in the middle loses nothing: its lease runs out and another one takes the row. A
mail whose delivery was confirmed just before such a death is sent again, with the same Message-ID.
"""

from __future__ import annotations

import logging
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from time import monotonic
from typing import Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import or_, select

from trainings.core.database import db, transaction
from trainings.core.outbox import DocumentGoneError, MailState, OutgoingMail, build_message
from trainings.core.settings import Settings
from trainings.core.text import clean

log = logging.getLogger("trainings")

LEASE = timedelta(minutes=5)
# Five minutes, doubled each time: about three and a half days until it is given up.
FIRST_RETRY = timedelta(minutes=5)
MOST_ATTEMPTS = 11
TIMEOUT_SECONDS = 30
_GONE = (
    "Das Dokument, das beiliegen sollte, gilt nicht mehr. Wurde es ersetzt, kommt das neue mit "
    "einer eigenen Mail."
)


class Carrier(Protocol):
    """Takes messages to where they go."""

    def send(self, message: EmailMessage) -> None:
        """Hand over one message; raises `OSError` or `smtplib.SMTPException`."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def send(self, message: EmailMessage) -> None:
        name = message["Message-ID"].strip("<>").split("@")[0]
        policy = message.policy.clone(linesep="\r\n")
        (self.folder / f"{name}.eml").write_bytes(message.as_bytes(policy=policy))


class _Server:
    def __init__(self, connection: smtplib.SMTP) -> None:
        self.connection = connection

    def send(self, message: EmailMessage) -> None:
        self.connection.send_message(message)


@contextmanager
def carrier(settings: Settings) -> Iterator[Carrier]:
    """Open what `MAIL_URL` names: a folder, or a mail server (STARTTLS where it offers it).

    Raises:
        OSError: the server cannot be reached (`smtplib.SMTPException` is one).

    """
    url = urlsplit(settings.mail_url)
    if url.scheme == "file":
        yield _Folder(Path(unquote(url.path)))
        return
    kind = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    port = url.port or (465 if url.scheme == "smtps" else 25)
    with kind(url.hostname or "localhost", port, timeout=TIMEOUT_SECONDS) as connection:
        if url.scheme == "smtp" and connection.has_extn("starttls"):
            connection.starttls()
        if url.username:
            connection.login(unquote(url.username), unquote(url.password or ""))
        yield _Server(connection)


def deliver_due_mails(settings: Settings, now: datetime) -> int:
    """Send what is due; any number of processes may do so at once.

    The sweep ends when the server cannot be reached or hangs up: the mail at hand is tried later,
    the others at the next sweep.

    Args:
        settings: names the mail server.
        now: the present instant.

    Returns:
        How many mails were sent.

    """
    began = monotonic()

    def moment() -> datetime:
        # A slow server makes a long sweep; a lease that counted from its start would run out.
        return now + timedelta(seconds=monotonic() - began)

    sent = 0
    claimed = _claim(moment())
    if claimed is None:
        return sent
    try:
        with carrier(settings) as open_carrier:
            while claimed is not None:
                sent += _deliver(open_carrier, claimed, settings, moment())
                claimed = _claim(moment())
    except OSError as error:
        log.warning("The mail server could not be reached: %s", error)
        if claimed is not None:
            _note_failure(claimed, f"Mailserver nicht erreichbar: {error}", moment())
    return sent


def _claim(now: datetime) -> int | None:
    """Take the next mail that is due, for five minutes; None when there is none.

    One at a time: a batch that waits behind a slow mail could be claimed by another sweep.
    """
    with transaction() as session:
        row = session.scalar(
            select(OutgoingMail)
            .where(
                OutgoingMail.state == MailState.DUE,
                OutgoingMail.due_at <= now,
                or_(OutgoingMail.claimed_until.is_(None), OutgoingMail.claimed_until <= now),
            )
            .order_by(OutgoingMail.due_at, OutgoingMail.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if row is None:
            return None
        row.claimed_until = now + LEASE
        return row.id


def _deliver(open_carrier: Carrier, mail_id: int, settings: Settings, now: datetime) -> bool:
    row = db.session.get_one(OutgoingMail, mail_id)
    try:
        message = build_message(row, settings, now)
    except DocumentGoneError:
        _drop(mail_id)
        return False
    except Exception as error:
        # Whatever is wrong with this one, the others must not wait behind it.
        log.exception("Mail %s could not be built.", mail_id)
        _note_failure(mail_id, f"Nachricht nicht darstellbar: {error}", now, give_up=True)
        return False
    db.session.close()  # no transaction stays open while a slow server answers
    try:
        open_carrier.send(message)
    except smtplib.SMTPServerDisconnected:
        raise
    except OSError as error:
        _note_failure(mail_id, _reason(error), now, give_up=_is_permanent(error))
        return False
    with transaction() as session:
        stored = session.get_one(OutgoingMail, mail_id)
        stored.state = MailState.SENT
        stored.forget_fleeting_link()
        stored.sent_at = now
        stored.attempts += 1
        stored.claimed_until = None
        stored.last_error = ""
    return True


def _drop(mail_id: int) -> None:
    """Let a mail go that says that a document is attached, where none is to be sent any more."""
    with transaction() as session:
        row = session.get_one(OutgoingMail, mail_id)
        row.state = MailState.DROPPED
        row.claimed_until = None
        row.last_error = _GONE


def _is_permanent(error: OSError) -> bool:
    """Say whether the server will never take this mail: a code from 500 on (RFC 5321, 4.2.1).

    Only what it says of the recipient and of the message counts. A refused sender is a mistake of
    the settings, which somebody will repair: giving up would lose every mail until then.
    """
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _reason(error: OSError) -> str:
    """Return what the server said, for people."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answers: list[tuple[int, bytes | str]] = list(error.recipients.values())
    elif isinstance(error, smtplib.SMTPResponseException):
        answers = [(error.smtp_code, error.smtp_error)]
    else:
        return str(error)
    return "; ".join(f"{code} {_text(answer)}" for code, answer in answers)


def _text(answer: bytes | str) -> str:
    return answer if isinstance(answer, str) else answer.decode("utf-8", "replace")


def _note_failure(mail_id: int, reason: str, now: datetime, *, give_up: bool = False) -> None:
    with transaction() as session:
        row = session.get_one(OutgoingMail, mail_id)
        row.attempts += 1
        row.claimed_until = None
        row.last_error = clean(reason)[:500]
        if give_up or row.attempts >= MOST_ATTEMPTS:
            row.state = MailState.FAILED
        else:
            row.due_at = now + FIRST_RETRY * 2 ** (row.attempts - 1)
