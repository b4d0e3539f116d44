"""The worker does everything in turn, and one failure stops nothing else."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import make_event, make_person
from tests.registered import make_registration
from trainings.cli.jobs import JOBS, Job, run_jobs
from trainings.core.database import db, transaction
from trainings.core.outbox import Mail, MailState, OutgoingMail, post
from trainings.events.models import Event, EventState

PAUSE = timedelta(seconds=1)


def test_what_fails_is_named_and_the_rest_is_done(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    done: list[datetime] = []

    def fail(_now: datetime) -> int:
        raise RuntimeError("broken on purpose")

    def work(now: datetime) -> int:
        done.append(now)
        return 1

    assert run_jobs((Job("first", PAUSE, fail), Job("second", PAUSE, work)), NOW) == ["first"]
    assert done == [NOW]
    assert "broken on purpose" in caplog.text


def test_a_round_closes_events_and_sends_mails(app: Flask) -> None:
    with transaction() as session:
        event = make_event(session, first_day=(NOW - timedelta(days=4)).date())
        make_registration(session, event, make_person(session), marks="p")
        mail = Mail(subject="Guten Tag", paragraphs=("Das ist eine Nachricht.",))
        post(session, kind="test", to="a@b.example", name="A B", mail=mail, now=NOW)
    assert run_jobs(JOBS, NOW) == []
    assert db.session.scalars(select(Event.state)).one() is EventState.HELD
    assert set(db.session.scalars(select(OutgoingMail.state))) == {MailState.SENT}
    folder = Path(app.extensions["settings"].mail_url.removeprefix("file:"))
    assert any(folder.glob("*.eml"))
