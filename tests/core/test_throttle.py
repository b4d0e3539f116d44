"""Limits on guessing hold across processes, and forget."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.throttle import Attempt, count_attempt, forget_attempts
from trainings.core.tokens import (
    Purpose,
    action_path,
    find,
    forget_tokens,
    issue,
    recall,
)

pytestmark = pytest.mark.both_databases
WINDOW = timedelta(minutes=15)


def attempt(now: datetime = NOW, bucket: str = "login:a", limit: int = 3) -> None:
    with transaction() as session:
        count_attempt(session, bucket, now, limit=limit, window=WINDOW)


def test_attempts_beyond_the_limit_are_refused_until_the_window_has_passed(app: Flask) -> None:
    for _ in range(3):
        attempt()
    with pytest.raises(DomainError) as refusal:
        attempt(NOW + timedelta(minutes=14))
    assert (refusal.value.code, refusal.value.status) == ("too_many_attempts", 429)
    assert "15 Minuten" in refusal.value.sentence
    attempt(NOW + timedelta(minutes=15))


def test_limit_holds_for_its_bucket_alone(app: Flask) -> None:
    for _ in range(3):
        attempt()
    attempt(bucket="login:b")


def test_sentence_names_long_windows_in_hours(app: Flask) -> None:
    with pytest.raises(DomainError) as refusal, transaction() as session:
        count_attempt(session, "x", NOW, limit=0, window=timedelta(days=1))
    assert "24 Stunden" in refusal.value.sentence


@pytest.mark.parametrize("bucket", ["", "\x00", "\ud83d", "login:" + "a" * 100_000])
def test_any_text_names_a_bucket_and_none_is_stored(app: Flask, bucket: str) -> None:
    attempt(bucket=bucket)
    stored = db.session.scalars(select(Attempt.bucket)).one()
    assert len(stored) == 32


def test_attempts_are_forgotten_after_a_day(app: Flask) -> None:
    attempt()
    for later, forgotten in ((timedelta(hours=23), 0), (timedelta(hours=25), 1)):
        with transaction() as session:
            assert forget_attempts(session, NOW + later) == forgotten


def test_token_lives_until_it_runs_out_and_is_remembered_for_a_month(app: Flask) -> None:
    ends = NOW + timedelta(minutes=30)
    with transaction() as session:
        token = issue(session, Purpose.LOG_IN, 7, NOW, ends)
    assert action_path(token) == f"/aktion/{token}"
    session = db.session()
    found = find(session, token, ends - timedelta(seconds=1))
    assert found is not None
    assert (found.purpose, found.subject_id) == (Purpose.LOG_IN, 7)
    assert find(session, token, ends) is None
    assert recall(session, token) is found
    assert recall(session, "\ud83d\x00") is None
    for days, forgotten in ((29, 0), (31, 1)):
        with transaction() as writing:
            assert forget_tokens(writing, NOW + timedelta(days=days)) == forgotten
    assert recall(db.session(), token) is None
