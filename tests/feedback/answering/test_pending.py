"""What waits for a batch: no order of it in a snapshot joins a right and an answer."""

from __future__ import annotations

import secrets

import pytest
from flask import Flask
from sqlalchemy import select, text

from tests.feedback.test_anonymity import (
    Order,
    Round,
    give,
    hits,
    make_surveys,
    most_by_chance,
    stored_bytes,
)
from trainings.core.database import db, transaction
from trainings.core.tokens import digest
from trainings.feedback.answering import pending
from trainings.feedback.models import PendingAnswer, PendingRight
from trainings.feedback.surveys.settling import forget_dead_rows, settle
from trainings.feedback.surveys.steps import lock_survey

pytestmark = pytest.mark.both_databases
ROUNDS = 40


def places_of_waiting(survey_id: int, database_url: str) -> tuple[Order, Order]:
    """Return the orders in which a snapshot has what waits: hashes, and words of the sheets."""
    if database_url.startswith("sqlite"):
        stored = stored_bytes(database_url, ())
        hashes = select(PendingRight.token_hash).where(PendingRight.survey_id == survey_id)
        word = PendingAnswer.content["texts"]["words"].as_string()
        words = select(word).where(PendingAnswer.survey_id == survey_id)
        rights = sorted(db.session.scalars(hashes), key=stored.index)
        sheets = sorted(db.session.scalars(words), key=lambda each: stored.index(each.encode()))
        return {"rights by place": [each.hex() for each in rights]}, {"texts by place": sheets}

    def read(table: str, column: str, way: str) -> list[str]:
        ordered = f"SELECT {column} FROM {table} WHERE survey_id = :id ORDER BY {way}"
        return list(db.session.scalars(text(ordered), {"id": survey_id}))

    ways = ("ctid", "xmin::text::bigint, cmin::text::bigint")
    written = "content -> 'texts' ->> 'words'"
    people = {
        f"rights by {way}": read(PendingRight.__tablename__, "encode(token_hash, 'hex')", way)
        for way in ways
    }
    return people, {
        f"texts by {way}": read(PendingAnswer.__tablename__, written, way) for way in ways
    }


def play_waiting(database_url: str) -> list[Round]:
    """Let four people answer in each survey, which is no batch, and take a snapshot each time."""
    rounds = []
    for survey_id, codes in make_surveys(ROUNDS):
        truth = {}
        for code in codes[:4]:
            words = secrets.token_hex(8)
            truth[words] = digest(code).hex()
            give(code, words)
        forget_dead_rows()
        rounds.append(Round(*places_of_waiting(survey_id, database_url), truth))
        with transaction() as session:
            settle(session, lock_survey(session, survey_id), fewest=1)
    return rounds


def test_no_order_joins_rights_and_answers_that_wait(app: Flask, database_url: str) -> None:
    """As a backup has them: it keeps the order of the rows."""
    found = hits(play_waiting(database_url))
    bound = most_by_chance(ROUNDS, len(found))
    assert {way: number for way, number in found.items() if number >= bound} == {}


def test_the_attack_finds_what_waits_in_the_order_of_arrival(
    app: Flask, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shows that the test above can fail."""
    monkeypatch.setattr(pending, "MIXED_AT_MOST", 0)
    found = hits(play_waiting(database_url))
    assert max(found.values()) >= most_by_chance(ROUNDS, len(found))


def test_among_many_that_wait_an_answer_is_only_added(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "MIXED_AT_MOST", 3)
    ((_, codes),) = make_surveys(1)
    words = {secrets.token_hex(8) for _ in codes}
    for code, word in zip(codes, words, strict=True):
        give(code, word)
    rights = set(db.session.scalars(select(PendingRight.token_hash)))
    sheets = db.session.scalars(select(PendingAnswer.content)).all()
    assert rights == {digest(code) for code in codes}
    assert {sheet["texts"]["words"] for sheet in sheets} == words
    assert len(sheets) == len(codes)
