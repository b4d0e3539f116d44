"""A form that is sent twice acts once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.forms import Form
from trainings.core.idempotency import KEY_LENGTH, Outcome, SubmittedForm, once
from trainings.core.throttle import Attempt

pytestmark = pytest.mark.both_databases


def act(session: Session) -> Outcome:
    session.add(Attempt(bucket=b"x" * 32, at=NOW))
    return Outcome("/danke", "Gespeichert.")


def acted() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Attempt)) or 0


def test_second_submit_finds_the_result_of_the_first(app: Flask) -> None:
    first = once("0:a", NOW, act)
    second = once("0:a", NOW + timedelta(hours=1), lambda _session: Outcome("/anders"))
    assert first == second == Outcome("/danke", "Gespeichert.")
    assert acted() == 1


def test_another_key_acts_again(app: Flask) -> None:
    once("1:a", NOW, act)
    once("2:a", NOW, act)
    assert acted() == 2


def test_submit_that_was_refused_may_be_sent_again(app: Flask) -> None:
    def refuse(session: Session) -> Outcome:
        act(session)
        raise DomainError("no", "Das geht nicht.")

    with pytest.raises(DomainError):
        once("0:a", NOW, refuse)
    assert acted() == 0
    assert once("0:a", NOW, act).url == "/danke"
    assert acted() == 1


def test_many_submits_at_once_act_once(app: Flask) -> None:
    results = run_together(app, [lambda: once("0:a", NOW, act)] * 16)
    assert results == [Outcome("/danke", "Gespeichert.")] * 16
    assert acted() == 1


@pytest.mark.parametrize("raw", ["", "a", "\x00", "\ud83d", "k" * 100_000, "🙂" * 80])
def test_key_of_a_form_fits_its_column_whatever_was_sent(app: Flask, raw: str) -> None:
    with app.test_request_context():
        form = Form(meta={"csrf": False})
        form.form_key.data = raw
        key = form.key(2**31 - 1)
        assert len(key) <= KEY_LENGTH
        assert form.key(1) != key
        once(key, NOW, act)
    assert db.session.scalar(select(func.count()).select_from(SubmittedForm)) == 1
