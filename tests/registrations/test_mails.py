"""The mails about a registration as messages: readable, with a ticket that a decoder reads."""

from __future__ import annotations

import io
from datetime import timedelta
from email.message import EmailMessage

import pytest
import zxingcpp
from flask import Flask
from icalendar import Calendar
from PIL import Image
from sqlalchemy import select

from tests.conftest import NOW
from tests.registrations.test_operations import World
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail, build_message
from trainings.core.settings import Settings
from trainings.core.tokens import find
from trainings.events.models import Event


@pytest.fixture
def message(app: Flask, settings: Settings) -> EmailMessage:
    world = World()
    world.register(world.actors[0])
    return build_message(db.session.scalars(select(OutgoingMail)).one(), settings, NOW)


def test_the_picture_in_the_mail_holds_the_address_of_the_ticket(message: EmailMessage) -> None:
    picture = next(part for part in message.walk() if part.get_content_type() == "image/png")
    image = Image.open(io.BytesIO(picture.get_payload(decode=True)))
    ticket = db.session.scalars(select(OutgoingMail)).one().mail.ticket
    (code,) = zxingcpp.read_barcodes(image)
    assert code.text == f"http://trainings.example{ticket}"
    html = message.get_body(("html",))
    assert html is not None
    assert f"cid:{picture['Content-ID'].strip('<>')}" in html.get_content()


def test_text_and_html_say_the_same_facts(message: EmailMessage) -> None:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    for words in (
        "Guten Tag Erika Beispiel,",
        "Do.,\u00a016.04.2026, 09:00–16:30\u00a0Uhr",
        "Haus der Bildung Essen, Raum 304, Musterstraße 1, 45127 Essen",
        "Platz zurückgeben",
        "/aktion/",
        "/eintrittskarte/",
    ):
        assert words in text.get_content()
        assert words in html.get_content()


def test_each_day_is_an_invitation_of_its_own(message: EmailMessage) -> None:
    parts = list(message.iter_attachments())
    assert [part.get_content_type() for part in parts] == ["text/calendar", "text/calendar"]
    uids = set()
    for part in parts:
        assert part.get_param("method") == "REQUEST"
        calendar = Calendar.from_ical(part.get_payload(decode=True))
        assert calendar["METHOD"] == "REQUEST"
        (entry,) = calendar.walk("VEVENT")
        uids.add(str(entry["UID"]))
    assert len(uids) == 2


def test_the_way_out_lasts_longer_than_registration(app: Flask) -> None:
    world = World()
    with transaction() as session:
        session.get_one(Event, world.event_id).closes_at = NOW + timedelta(minutes=1)
    world.register(world.actors[0])
    way_out = db.session.scalars(select(OutgoingMail)).one().mail.way_out
    assert way_out is not None
    token = way_out[1].removeprefix("/aktion/")
    deadline = db.session.get_one(Event, world.event_id).withdraw_until
    assert find(db.session(), token, deadline - timedelta(minutes=1)) is not None
