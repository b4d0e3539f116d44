"""Delivers the mails of the outbox: claims rows with a lease, sends, retries with back-off.

A process that dies in the middle loses nothing: its lease runs out and another one takes the row. A
mail whose delivery was confirmed just before such a death is sent again, with the same Message-ID.
"""

from __future__ import annotations

import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from sqlalchemy import or_, select

from trainings.core.database import db, transaction
from trainings.core.outbox import MailState, OutgoingMail, build_message
from trainings.core.settings import Settings

LEASE = timedelta(minutes=5)
BATCH = 20
# Five minutes, doubled each time: about three and a half days until it is given up.
FIRST_RETRY = timedelta(minutes=5)
MOST_ATTEMPTS = 11
TIMEOUT_SECONDS = 30


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
        (self.folder / f"{name}.eml").write_bytes(message.as_bytes(policy=SMTP))


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

    Args:
        settings: names the mail server.
        now: the present instant.

    Returns:
        How many mails were sent.

    """
    sent = 0
    while claimed := _claim(now):
        try:
            with carrier(settings) as open_carrier:
                for mail_id in claimed:
                    sent += _deliver(open_carrier, mail_id, settings, now)
        except OSError as error:
            for mail_id in claimed:
                _note_failure(mail_id, f"Mailserver nicht erreichbar: {error}", now)
    return sent


def _claim(now: datetime) -> list[int]:
    with transaction() as session:
        rows = session.scalars(
            select(OutgoingMail)
            .where(
                OutgoingMail.state == MailState.DUE,
                OutgoingMail.due_at <= now,
                or_(OutgoingMail.claimed_until.is_(None), OutgoingMail.claimed_until <= now),
            )
            .order_by(OutgoingMail.due_at, OutgoingMail.id)
            .limit(BATCH)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            row.claimed_until = now + LEASE
        return [row.id for row in rows]


def _deliver(open_carrier: Carrier, mail_id: int, settings: Settings, now: datetime) -> bool:
    row = db.session.get_one(OutgoingMail, mail_id)
    try:
        open_carrier.send(build_message(row, settings, now))
    except smtplib.SMTPServerDisconnected:
        raise
    except (OSError, ValueError) as error:
        permanent = isinstance(error, ValueError) or _is_permanent(error)
        _note_failure(mail_id, str(error), now, give_up=permanent)
        return False
    with transaction() as session:
        stored = session.get_one(OutgoingMail, mail_id)
        stored.state = MailState.SENT
        stored.sent_at = now
        stored.attempts += 1
        stored.claimed_until = None
        stored.last_error = ""
    return True


def _is_permanent(error: Exception) -> bool:
    """Say whether the server's answer is final: a reply code of 500 and above (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPResponseException) and error.smtp_code >= 500


def _note_failure(mail_id: int, reason: str, now: datetime, *, give_up: bool = False) -> None:
    with transaction() as session:
        row = session.get_one(OutgoingMail, mail_id)
        if row.state is not MailState.DUE or row.claimed_until is None:
            return
        row.attempts += 1
        row.claimed_until = None
        row.last_error = reason[:500]
        if give_up or row.attempts >= MOST_ATTEMPTS:
            row.state = MailState.FAILED
        else:
            row.due_at = now + FIRST_RETRY * 2 ** (row.attempts - 1)
