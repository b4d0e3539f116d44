"""Subjects and names arrive as they left, however long they are."""

from __future__ import annotations

import email
from email.header import decode_header, make_header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import parseaddr

import pytest
from flask import Flask
from hypothesis import example, given
from hypothesis import strategies as st

from tests.conftest import NOW
from trainings.core.database import db, transaction
from trainings.core.mail_headers import HeaderPolicy
from trainings.core.outbox import Mail, OutgoingMail, build_message, post
from trainings.core.settings import Settings

LONG = (
    "Teilnahmebescheinigung: Professioneller Umgang mit Konflikten und Übergriffen für "
    "Führungskräfte – „Prävention im öffentlichen Raum“, Mülheim an der Ruhr, 12.–13.03.2026"
)
WORDS = st.sampled_from([*LONG.split(), "a", "ä", "(b)", "Kałuża-Öztürk,", '"c"', "x@y", "d\\e"])
TEXT = st.lists(WORDS, min_size=1, max_size=24).map(" ".join)


def written(subject: str, name: str, address: str = "a@b.example") -> bytes:
    message = EmailMessage(policy=HeaderPolicy())
    local, _, domain = address.partition("@")
    message["Subject"] = subject
    message["To"] = Address(name, username=local, domain=domain)
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def read(sent: bytes, header: str) -> str:
    """Return a header as RFC 2047 has it read; the newer reader spaces out split names itself."""
    raw = "".join(str(email.message_from_bytes(sent)[header]).splitlines())
    words = parseaddr(raw)[0] if header == "To" else raw
    return str(make_header(decode_header(words)))


@given(subject=TEXT, name=TEXT)
@example(subject=LONG, name="Anna-Sophia-Änne " * 8 + "Öztürk-Lindner")
@example(subject="a " * 100 + "b", name="a" * 100)
def test_words_survive_whatever_is_broken(subject: str, name: str) -> None:
    sent = written(subject, name)
    assert read(sent, "Subject") == subject
    assert email.message_from_bytes(sent, policy=default)["Subject"] == subject
    assert read(sent, "To") == name
    assert email.message_from_bytes(sent, policy=default)["To"].addresses[0].addr_spec == (
        "a@b.example"
    )
    assert max(len(line) for line in sent.split(b"\r\n")) <= 78


def test_a_long_address_without_a_name_stays_one() -> None:
    address = f"{'poststelle.' * 7}x@b.example"
    sent = email.message_from_bytes(written("Hallo", "", address), policy=default)
    assert sent["To"].addresses[0].addr_spec == address


@pytest.mark.both_databases
def test_a_long_subject_of_the_outbox_is_read_as_it_was_written(
    app: Flask, settings: Settings
) -> None:
    with transaction() as session:
        mail = Mail(subject=LONG, paragraphs=("Guten Tag.",))
        row = post(session, kind="x", to="a@b.example", name="Ä B", mail=mail, now=NOW)
        session.flush()
        mail_id = row.id
    message = build_message(db.session.get_one(OutgoingMail, mail_id), settings, NOW)
    for linesep in ("\n", "\r\n"):
        sent = message.as_bytes(policy=message.policy.clone(linesep=linesep))
        assert email.message_from_bytes(sent, policy=default)["Subject"] == LONG
