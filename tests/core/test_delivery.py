"""Mails leave after the commit, once, and survive what mail servers do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.core.mail_server import Server, free_port, running_server
from trainings.core.database import db, transaction
from trainings.core.delivery import FIRST_RETRY, LEASE, MOST_ATTEMPTS, deliver_due_mails
from trainings.core.outbox import (
    CalendarPart,
    Mail,
    MailState,
    OutgoingMail,
    build_message,
    facts,
    forget_old_mails,
    post,
)
from trainings.core.settings import Settings

pytestmark = pytest.mark.both_databases
TO = "kuebra@stadt-essen.example"
NAME = "Kübra Öztürk-Lindner"
HELLO = Mail(subject="Grüße aus Mülheim", paragraphs=("Schön, dass Sie kommen.",))


@pytest.fixture
def server(app: Flask) -> Iterator[Server]:
    with running_server() as running:
        yield running


@pytest.fixture
def to_server(server: Server, settings: Settings) -> Settings:
    return replace(settings, mail_url=server.url)


def put(mail: Mail = HELLO, to: str = TO, name: str = NAME, now: datetime = NOW) -> int:
    with transaction() as session:
        row = post(session, kind="test", to=to, name=name, mail=mail, now=now)
        session.flush()
        return row.id


def row(mail_id: int) -> OutgoingMail:
    db.session.rollback()
    return db.session.get_one(OutgoingMail, mail_id, populate_existing=True)


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


# Delivered


def test_mail_is_delivered_with_umlauts_in_names_and_text(
    server: Server, to_server: Settings
) -> None:
    mail_id = put()
    assert deliver_due_mails(to_server, NOW) == 1
    (message,) = server.messages
    address = message["To"].addresses[0]
    assert (address.display_name, address.addr_spec) == (NAME, TO)
    assert message["Subject"] == "Grüße aus Mülheim"
    assert message["From"].addresses[0].addr_spec == "trainings@sikoruhr.example"
    assert message["Auto-Submitted"] == "auto-generated"
    assert f"Guten Tag {NAME},\n\nSchön, dass Sie kommen." in part(message, "plain")
    assert "Schön, dass Sie kommen." in part(message, "html")
    stored = row(mail_id)
    assert (stored.state, stored.attempts) == (MailState.SENT, 1)
    assert stored.sent_at is not None
    assert stored.claimed_until is None
    assert stored.message_id == message["Message-ID"]
    assert deliver_due_mails(to_server, NOW) == 0


def test_folder_receives_mails_as_files(app: Flask, settings: Settings, tmp_path: Path) -> None:
    put()
    own_folder = replace(settings, mail_url=f"file:{tmp_path}")
    assert deliver_due_mails(own_folder, NOW) == 1
    (file,) = tmp_path.glob("*.eml")
    assert TO.encode() in file.read_bytes()


def test_mail_of_the_future_waits(server: Server, to_server: Settings) -> None:
    put(now=NOW + timedelta(minutes=2))
    assert deliver_due_mails(to_server, NOW) == 0
    assert deliver_due_mails(to_server, NOW + timedelta(minutes=2)) == 1


def test_mail_of_a_transaction_that_failed_is_never_sent(
    server: Server, to_server: Settings
) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as session:
        post(session, kind="test", to=TO, name=NAME, mail=HELLO, now=NOW)
        session.flush()
        raise ZeroDivisionError
    assert deliver_due_mails(to_server, NOW) == 0
    assert server.messages == []


# Hostile content


@pytest.mark.parametrize(
    "name",
    [
        "Böse\r\nBcc: opfer@web.example",
        "Böse\nBcc: opfer@web.example",
        "Böse\x0bBcc: opfer@web.example\x00",
        "Böse\u2028Bcc: opfer@web.example",
        '"Böse" <opfer@web.example>',
        "opfer@web.example,",
        "=?utf-8?q?B=0D=0ABcc:_opfer@web.example?=",
        "=?utf-8?b?Qg0KQmNjOiBhQGIuZXhhbXBsZQ==?=",
        "Bo\u0308se \u202egnirts",
        "🙂" * 60,
        "N" * 300,
        "",
    ],
)
def test_hostile_name_adds_no_header_and_no_recipient(
    server: Server, to_server: Settings, name: str
) -> None:
    put(replace(HELLO, subject=f"An {name}"), name=name)
    assert deliver_due_mails(to_server, NOW) == 1
    (message,) = server.messages
    assert message["Bcc"] is None
    assert [address.addr_spec for address in message["To"].addresses] == [TO]
    assert "\n" not in message["Subject"]


@pytest.mark.parametrize(
    "address",
    [
        "",
        "kein-at",
        "a b@c.example",
        "a@b.example\r\nBcc: c@d.example",
        "=?utf-8?q?a=0D=0ABcc:b?=@b.example",
        "ä@b.example",
    ],
)
def test_unusable_address_fails_for_good_and_holds_up_nobody(
    server: Server, to_server: Settings, address: str
) -> None:
    broken, fine = put(to=address), put()
    assert deliver_due_mails(to_server, NOW) == 1
    assert row(broken).state is MailState.FAILED
    assert row(broken).last_error
    assert row(fine).state is MailState.SENT


def test_mail_that_cannot_be_built_fails_and_holds_up_nobody(
    server: Server, to_server: Settings
) -> None:
    broken, fine = put(), put()
    with transaction() as session:
        session.get_one(OutgoingMail, broken).content = {"paragraphs": 1}
    assert deliver_due_mails(to_server, NOW) == 1
    assert row(broken).state is MailState.FAILED
    assert row(fine).state is MailState.SENT


# What servers answer


def test_refused_recipient_fails_at_once_with_the_servers_words(
    server: Server, to_server: Settings
) -> None:
    server.recipient_answers[TO] = "550 5.1.1 Unbekannt"
    refused, fine = put(), put(to="andere@stadt-essen.example")
    assert deliver_due_mails(to_server, NOW) == 1
    assert (row(refused).state, row(refused).last_error) == (
        MailState.FAILED,
        "550 5.1.1 Unbekannt",
    )
    assert row(fine).state is MailState.SENT


def test_refused_message_fails_at_once(server: Server, to_server: Settings) -> None:
    server.data_answers = ["554 5.7.1 Spam"]
    mail_id = put()
    deliver_due_mails(to_server, NOW)
    assert (row(mail_id).state, row(mail_id).last_error) == (MailState.FAILED, "554 5.7.1 Spam")


def test_refused_sender_is_a_mistake_of_the_settings_and_loses_no_mail(
    server: Server, to_server: Settings
) -> None:
    server.sender_answer = "550 5.7.1 Absender nicht erlaubt"
    mail_id = put()
    deliver_due_mails(to_server, NOW)
    assert row(mail_id).state is MailState.DUE
    assert "Absender nicht erlaubt" in row(mail_id).last_error
    server.sender_answer = ""
    assert deliver_due_mails(to_server, NOW + 2 * FIRST_RETRY) == 1


def test_temporary_error_is_tried_again_ever_later_and_with_the_same_id(
    server: Server, to_server: Settings
) -> None:
    server.recipient_answers[TO] = "451 4.7.1 Später bitte"
    mail_id = put()
    now, waits = NOW, []
    for attempt in range(1, 5):
        assert deliver_due_mails(to_server, now) == 0
        stored = row(mail_id)
        assert (stored.state, stored.attempts) == (MailState.DUE, attempt)
        waits.append(round((stored.due_at - now).total_seconds() / 60))
        assert deliver_due_mails(to_server, stored.due_at - timedelta(minutes=1)) == 0
        assert row(mail_id).attempts == attempt
        now = stored.due_at
    assert waits == [5, 10, 20, 40]
    server.recipient_answers.clear()
    assert deliver_due_mails(to_server, now) == 1
    assert server.messages[0]["Message-ID"] == row(mail_id).message_id


def test_mail_is_given_up_after_three_days_and_a_half(server: Server, to_server: Settings) -> None:
    server.recipient_answers[TO] = "451 4.7.1 Später bitte"
    mail_id, now = put(), NOW
    while row(mail_id).state is MailState.DUE:
        now = row(mail_id).due_at
        deliver_due_mails(to_server, now)
    assert row(mail_id).attempts == MOST_ATTEMPTS
    assert timedelta(days=3) < now - NOW < timedelta(days=4)


def test_server_that_is_down_costs_one_attempt_a_sweep(app: Flask, settings: Settings) -> None:
    nowhere = replace(settings, mail_url=f"smtp://127.0.0.1:{free_port()}")
    first, second = put(), put()
    assert deliver_due_mails(nowhere, NOW) == 0
    assert (row(first).attempts, row(second).attempts) == (1, 0)
    assert "nicht erreichbar" in row(first).last_error
    with running_server() as server:
        later = NOW + timedelta(minutes=6)
        assert deliver_due_mails(replace(settings, mail_url=server.url), later) == 2


def test_server_that_hangs_up_in_the_middle_loses_and_doubles_nothing(
    server: Server, to_server: Settings
) -> None:
    before, at, after = put(), put(to="b@b.example"), put(to="c@c.example")
    server.hang_up_on = "b@b.example"
    assert deliver_due_mails(to_server, NOW) == 1
    assert [row(one).state for one in (before, at, after)] == [
        MailState.SENT,
        MailState.DUE,
        MailState.DUE,
    ]
    assert (row(at).attempts, row(after).attempts) == (1, 0)
    server.hang_up_on = ""
    assert deliver_due_mails(to_server, NOW + timedelta(minutes=6)) == 2
    assert len(server.messages) == 3


# Several sweeps


def test_sweeps_at_the_same_time_send_each_mail_once(
    app: Flask, server: Server, to_server: Settings
) -> None:
    ids = [put(to=f"person{number}@a.example") for number in range(24)]
    results = run_together(app, [lambda: deliver_due_mails(to_server, NOW)] * 4)
    assert sum(result for result in results if isinstance(result, int)) == len(ids), results
    recipients = [message["To"].addresses[0].addr_spec for message in server.messages]
    assert sorted(recipients) == sorted({f"person{number}@a.example" for number in range(24)})
    assert {row(mail_id).state for mail_id in ids} == {MailState.SENT}


def test_mail_of_a_process_that_died_is_sent_when_its_lease_has_run_out(
    server: Server, to_server: Settings
) -> None:
    mail_id = put()
    with transaction() as session:
        session.get_one(OutgoingMail, mail_id).claimed_until = NOW + LEASE
    assert deliver_due_mails(to_server, NOW + LEASE - timedelta(seconds=10)) == 0
    assert deliver_due_mails(to_server, NOW + LEASE) == 1


# What a mail looks like


FULL = Mail(
    subject="Ihr Platz",
    paragraphs=("Sie haben einen Platz.", "<b>Fett</b> & \u201eZitat\u201c"),
    facts=facts(("Termine", ["Do., 16.04.", "Fr., 17.04."]), ("Ort", "VHS <Essen>"), ("Leer", "")),
    link=("Eintrittskarte öffnen", "/meine/anmeldungen"),
    code="012345",
    closing=("Bis bald.",),
    calendar=(CalendarPart("termin.ics", "REQUEST", "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"),),
)


def build(mail: Mail, settings: Settings, name: str = NAME) -> EmailMessage:
    return build_message(row(put(mail, name=name)), settings, NOW)


def test_text_part_is_readable_on_its_own(app: Flask, settings: Settings) -> None:
    text = part(build(FULL, settings), "plain")
    assert text.startswith(f"Guten Tag {NAME},\n\nSie haben einen Platz.\n\n<b>Fett</b> & „Zitat“")
    assert "Termine: Do., 16.04.\n         Fr., 17.04.\nOrt: VHS <Essen>\n" in text
    assert "Eintrittskarte öffnen:\nhttp://trainings.example/meine/anmeldungen\n" in text
    assert "Ihr Code: 012345" in text
    assert "Bis bald.\n\nMit freundlichen Grüßen\nIhre Geschäftsstelle\n\n-- \n" in text
    assert "Müller-Breslau-Str. 28, 45130 Essen\n" in text
    assert "\n\n\n" not in text
    assert "&amp;" not in text
    assert "Leer" not in text


def test_html_part_escapes_everything(app: Flask, settings: Settings) -> None:
    html = part(build(FULL, settings, "<i>Kübra</i>"), "html")
    assert "&lt;b&gt;Fett&lt;/b&gt; &amp; „Zitat“" in html
    assert "Guten Tag &lt;i&gt;Kübra&lt;/i&gt;," in html
    assert "VHS &lt;Essen&gt;" in html
    assert "Do., 16.04.<br>Fr., 17.04." in html
    assert 'href="http://trainings.example/meine/anmeldungen"' in html
    assert "<script" not in html


def test_plain_mail_has_no_empty_parts(app: Flask, settings: Settings) -> None:
    message = build(HELLO, settings, "")
    text = part(message, "plain")
    assert text.startswith("Guten Tag,\n\nSchön, dass Sie kommen.\n\nMit freundlichen Grüßen\n")
    assert "Code" not in text
    assert "<table" not in part(message, "html")


def test_calendar_object_is_attached_with_its_method(app: Flask, settings: Settings) -> None:
    (attachment,) = build(FULL, settings).iter_attachments()
    assert attachment.get_content_type() == "text/calendar"
    assert attachment.get_filename() == "termin.ics"
    assert attachment["Content-Type"].params["method"] == "REQUEST"
    assert attachment.get_content() == FULL.calendar[0].content


def test_mail_says_the_same_after_being_stored(app: Flask) -> None:
    assert row(put(FULL)).mail == FULL


# Forgetting


def test_mails_are_forgotten_after_ninety_days_but_not_those_that_wait(app: Flask) -> None:
    sent, waiting = put(), put()
    with transaction() as session:
        session.get_one(OutgoingMail, sent).state = MailState.SENT
    for days, forgotten in ((89, 0), (91, 1)):
        with transaction() as session:
            assert forget_old_mails(session, NOW + timedelta(days=days)) == forgotten
    assert list(db.session.scalars(select(OutgoingMail.id))) == [waiting]


# Links that nobody but the recipient may know

FLEETING = replace(HELLO, link=("Jetzt antworten", "/rueckmeldung/ABCD"), fleeting=True)


def test_fleeting_link_is_in_the_mail_and_gone_from_the_row_when_it_has_left(
    server: Server, to_server: Settings
) -> None:
    mail_id = put(FLEETING)
    assert row(mail_id).holds_fleeting_link
    assert deliver_due_mails(to_server, NOW) == 1
    (message,) = server.messages
    for kind in ("plain", "html"):
        assert "http://trainings.example/rueckmeldung/ABCD" in part(message, kind)
    stored = row(mail_id)
    assert not stored.holds_fleeting_link
    assert "ABCD" not in str(stored.content)
    assert stored.mail.paragraphs == HELLO.paragraphs


def test_fleeting_link_stays_until_the_mail_has_left(server: Server, to_server: Settings) -> None:
    server.recipient_answers[TO] = "451 4.7.1 Später bitte"
    mail_id = put(FLEETING)
    deliver_due_mails(to_server, NOW)
    assert row(mail_id).holds_fleeting_link
    server.recipient_answers.clear()
    assert deliver_due_mails(to_server, NOW + 2 * FIRST_RETRY) == 1
    assert "/rueckmeldung/ABCD" in part(server.messages[0], "plain")
    assert not row(mail_id).holds_fleeting_link


def test_other_links_stay_readable(server: Server, to_server: Settings) -> None:
    mail_id = put(replace(FLEETING, fleeting=False))
    deliver_due_mails(to_server, NOW)
    assert row(mail_id).mail.link == FLEETING.link
