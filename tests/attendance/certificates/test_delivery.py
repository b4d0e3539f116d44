"""A certificate that is void before its mail leaves is not sent, and the office reads why."""

from __future__ import annotations

import email
from dataclasses import replace
from email.policy import default
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.attendance.certified import (
    CLOSED_AT,
    LATER,
    certificates_of,
    mails_of,
    make_closed_course,
    make_office,
    person_of,
)
from tests.attendance.factories import registration_ids
from tests.factories import log_in
from trainings.attendance.certificates.operations import (
    issue_certificates,
    reissue_certificate,
    withdraw_certificate,
)
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.delivery import deliver_due_mails
from trainings.core.outbox import KEPT_FOR, MailState, OutgoingMail, forget_old_mails
from trainings.core.settings import Settings

pytestmark = pytest.mark.both_databases
WHY = "Verwechslung zweier Personen"


class Issued:
    """Two certificates whose mails wait in the outbox."""

    def __init__(self) -> None:
        with transaction() as session:
            event = make_closed_course(session, "pppp", "pppp")
            self.id = event.id
            self.people = registration_ids(session, event)
            self.office_id, self.office = make_office(session)
            issue_certificates(session, SYSTEM, event.id, CLOSED_AT)

    def withdraw(self) -> None:
        with transaction() as session:
            first = certificates_of(session, self.id)[0]
            withdraw_certificate(session, self.office, first.id, WHY, LATER)


def issued_mails() -> list[OutgoingMail]:
    db.session.rollback()
    return mails_of(db.session(), "certificate_issued")


def delivered(folder: Path) -> list[tuple[str, list[str | None]]]:
    """Return the first lines and the attachments of what was delivered."""
    found = []
    for file in folder.glob("*.eml"):
        message = email.message_from_bytes(file.read_bytes(), policy=default)
        body = message.get_body(("plain",))
        assert body is not None
        names = [part.get_filename() for part in message.iter_attachments()]
        found.append((str(body.get_content()), names))
    return found


@pytest.fixture
def to_folder(app: Flask, settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, mail_url=f"file:{tmp_path}")


def test_the_mail_with_a_withdrawn_paper_is_dropped(to_folder: Settings, tmp_path: Path) -> None:
    issued = Issued()
    issued.withdraw()
    assert deliver_due_mails(to_folder, LATER) == 2  # the other one's, and that it is void
    dropped, sent = issued_mails()
    assert (dropped.state, sent.state) == (MailState.DROPPED, MailState.SENT)
    assert dropped.sent_at is None
    assert "gilt nicht mehr" in dropped.last_error
    for text, names in delivered(tmp_path):
        assert ("als PDF bei" in text) == bool(names)
    assert deliver_due_mails(to_folder, LATER) == 0


def test_of_a_replaced_paper_only_the_new_one_is_sent(to_folder: Settings, tmp_path: Path) -> None:
    issued = Issued()
    with transaction() as session:
        person_of(session, issued.people[0]).title = "Dr."
        session.flush()
        reissue_certificate(session, issued.office, issued.people[0], LATER)
    assert deliver_due_mails(to_folder, LATER) == 2
    assert [row.state for row in issued_mails()] == [
        MailState.DROPPED, MailState.SENT, MailState.SENT,
    ]  # fmt: skip
    numbers = [row.number for row in certificates_of(db.session(), issued.id)]
    names = [name for _, found in delivered(tmp_path) for name in found]
    assert sorted(map(str, names)) == [f"{number}.pdf" for number in numbers[1:]]


def test_the_office_reads_what_became_of_it(client: FlaskClient, to_folder: Settings) -> None:
    issued = Issued()
    issued.withdraw()
    deliver_due_mails(to_folder, LATER)
    log_in(client, issued.office_id)
    dropped = issued_mails()[0].id
    assert "Nicht mehr gesendet" in client.get("/koordination/mails/?stand=dropped").text
    html = client.get(f"/koordination/mails/{dropped}").text
    assert "gilt nicht mehr" in html
    assert "Noch einmal senden" not in html
    assert "Meine Bescheinigungen" in html  # its text can still be read


def test_the_office_reads_what_was_sent_even_if_it_is_void_now(
    client: FlaskClient, to_folder: Settings
) -> None:
    issued = Issued()
    deliver_due_mails(to_folder, LATER)
    issued.withdraw()
    log_in(client, issued.office_id)
    (name,) = (part.name for part in issued_mails()[0].mail.documents)
    assert name in client.get(f"/koordination/mails/{issued_mails()[0].id}").text


def test_a_dropped_mail_is_not_stuck_even_if_it_failed_before(
    client: FlaskClient, to_folder: Settings
) -> None:
    issued = Issued()
    issued.withdraw()
    with transaction() as session:
        mails_of(session, "certificate_issued")[0].attempts = 2
    log_in(client, issued.office_id)
    assert "Mail nicht zugestellt" in client.get("/koordination/").text
    deliver_due_mails(to_folder, LATER)
    assert "Alle Mails sind zugestellt oder unterwegs" in client.get("/koordination/").text


def test_dropped_mails_are_forgotten_as_others_are(to_folder: Settings) -> None:
    issued = Issued()
    issued.withdraw()
    deliver_due_mails(to_folder, LATER)
    with transaction() as session:
        assert forget_old_mails(session, LATER + KEPT_FOR) == 2
        assert forget_old_mails(session, LATER + 2 * KEPT_FOR) == 1
