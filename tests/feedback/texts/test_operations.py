"""Releasing, making unreadable, taking out; what nobody may read yet; forgetting."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import make_person
from tests.feedback.factories import make_format, make_version
from tests.feedback.texts.looked_through import keys, make_hidden, make_texts, stored
from tests.statements import counted_statements
from trainings.core.actors import Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.feedback.models import FeedbackText, Release, Survey, TextState
from trainings.feedback.rules import TEXTS_KEPT_FOR
from trainings.feedback.texts.operations import redact_text, release_texts, remove_text
from trainings.feedback.texts.queries import (
    count_texts,
    find_text,
    list_texts,
    removed_texts,
    shown_texts,
)
from trainings.feedback.texts.rules import fingerprint
from trainings.feedback.texts.sweeps import forget_texts

pytestmark = pytest.mark.both_databases

SECRET = "Frau Geheimnis war streng, Herr GEHEIMNIS nicht."


@pytest.fixture
def actor(app: Flask) -> Actor:
    """Return somebody of the office."""
    with transaction() as session:
        return Actor(person_id=make_person(session, roles=(Role.COORDINATOR,)).id)


def add(*written: str, **kwargs: object) -> list[bytes]:
    """Store texts of one survey; return the keys of all texts there are."""
    with transaction() as session:
        make_texts(session, *written, **kwargs)  # type: ignore[arg-type]
    return keys()


def seen(text: str, state: TextState = TextState.UNREAD) -> str:
    return fingerprint(state, text)


def release(actor: Actor, *chosen: bytes) -> int:
    with transaction() as session:
        return release_texts(session, actor, chosen, NOW)


def redact(actor: Actor, key: bytes, *passages: str, of: str) -> None:
    with transaction() as session:
        redact_text(session, actor, key, passages, seen=of, now=NOW)


def remove(actor: Actor, key: bytes, *, of: str) -> None:
    with transaction() as session:
        remove_text(session, actor, key, seen=of, now=NOW)


def code_of(refused: pytest.ExceptionInfo[DomainError]) -> str:
    return refused.value.code


def test_what_was_read_is_released_and_nothing_else(actor: Actor) -> None:
    first, second, third = add("gut", "schlecht", "mittel")
    assert release(actor, first, third) == 2
    assert [state for _, state in stored()] == [
        TextState.SHOWN,
        TextState.UNREAD,
        TextState.SHOWN,
    ]
    assert release(actor, first, second) == 1
    with pytest.raises(DomainError) as refused:
        release(actor, first)
    assert code_of(refused) == "text_moved_on"
    with pytest.raises(DomainError) as refused:
        release(actor)
    assert code_of(refused) == "nothing_chosen"
    with pytest.raises(DomainError) as refused:
        release(actor, first, b"?" * 16)
    assert code_of(refused) == "not_found"


def test_what_is_made_unreadable_is_gone_everywhere(actor: Actor) -> None:
    (key,) = add(SECRET)
    redact(actor, key, "geheimnis", of=seen(SECRET))
    assert stored() == [("Frau […] war streng, Herr […] nicht.", TextState.SHOWN)]
    for table in db.metadata.sorted_tables:
        for row in db.session.execute(select(table)).mappings():
            assert "geheimnis" not in json.dumps(dict(row), default=str).lower(), table.name
    entry = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "feedback_text_redacted")
    ).one()
    assert entry.details == {"question": "words", "texts": 1}


def test_what_was_released_can_be_made_unreadable_and_taken_out_later(actor: Actor) -> None:
    (key,) = add("Anna und Lena lachten.")
    release(actor, key)
    redact(actor, key, "Anna", of=seen("Anna und Lena lachten.", TextState.SHOWN))
    redact(actor, key, "Lena", of=seen("[…] und Lena lachten.", TextState.SHOWN))
    assert stored() == [("[…] und […] lachten.", TextState.SHOWN)]
    remove(actor, key, of=seen("[…] und […] lachten.", TextState.SHOWN))
    assert stored() == [("", TextState.REMOVED)]
    for again in (lambda: release(actor, key), lambda: remove(actor, key, of=seen(""))):
        with pytest.raises(DomainError) as refused:
            again()
        assert code_of(refused) == "text_moved_on"
    with pytest.raises(DomainError) as refused:
        redact(actor, key, "xx", of=seen("", TextState.REMOVED))
    assert code_of(refused) == "text_moved_on"


def test_of_two_people_the_second_changes_nothing(actor: Actor) -> None:
    (key,) = add("Anna und Lena lachten.")
    looked_at = seen("Anna und Lena lachten.")
    redact(actor, key, "Anna", of=looked_at)
    with pytest.raises(DomainError) as refused:
        redact(actor, key, "Lena", of=looked_at)
    assert code_of(refused) == "text_moved_on"
    with pytest.raises(DomainError) as refused:
        remove(actor, key, of=looked_at)
    assert code_of(refused) == "text_moved_on"
    assert stored() == [("[…] und Lena lachten.", TextState.SHOWN)]


@pytest.mark.parametrize("hidden", ["open", "waiting"])
def test_a_text_that_nobody_may_read_yet_does_not_exist(actor: Actor, hidden: str) -> None:
    with transaction() as session:
        make_hidden(session, hidden)
    (key,) = keys()
    for work in (
        lambda: release(actor, key),
        lambda: redact(actor, key, "Verborgen", of=seen("Herr Verborgen war da.")),
        lambda: remove(actor, key, of=seen("Herr Verborgen war da.")),
        lambda: find_text(db.session(), key),
    ):
        with pytest.raises(DomainError) as refused:
            work()
        assert code_of(refused) == "not_found"
    assert stored() == [("Herr Verborgen war da.", TextState.UNREAD)]
    assert list_texts(db.session(), TextState.UNREAD, 0) == []
    assert sum(count_texts(db.session()).values()) == 0


@pytest.mark.parametrize("hidden", ["open", "waiting"])
def test_results_get_nothing_of_a_survey_that_shows_nothing(app: Flask, hidden: str) -> None:
    with transaction() as session:
        survey = make_hidden(session, hidden)
        session.get_one(FeedbackText, keys()[0]).state = TextState.SHOWN
        survey_id = survey.id
    assert shown_texts(db.session(), Survey.id == survey_id) == {}


def test_results_get_what_was_released_in_the_order_of_the_keys(actor: Actor) -> None:
    with transaction() as session:
        version = make_version(session)
        here = make_texts(session, "eins", "zwei", "drei", "vier", version=version).id
        other = make_texts(session, "fremd", version=version).id
    all_keys = keys()
    release(actor, *all_keys[:2], all_keys[4])
    remove(actor, all_keys[2], of=seen("drei"))
    session = db.session()
    with counted_statements() as statements:
        assert shown_texts(session, Survey.id == here) == {"words": ["eins", "zwei"]}
        assert removed_texts(session, Survey.id == here) == {"words": 1}
    assert len(statements) == 2
    assert shown_texts(session, Survey.id.in_([here, other]))["words"] == ["eins", "zwei", "fremd"]
    assert removed_texts(session, Survey.id == other) == {}


def test_texts_stand_under_format_and_year_only_as_far_as_results_show_them(actor: Actor) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session, "Konflikte")
        for written, release_, year in (
            ("a", Release.EVENT, 2025),
            ("b", Release.YEAR, 2025),
            ("c", Release.FORMAT, 2024),
            ("d", Release.FORMAT, 2023),
            ("e", Release.EVENT, 2024),
        ):
            make_texts(
                session, written, release=release_, first_day=date(year, 4, 16),
                template=template, version=version,
            )  # fmt: skip
        make_texts(session, "f", template=make_format(session, "Anderes"), version=version)
    groups = [
        (place.format, place.year, [entry.pieces[0].text for entry in entries])
        for place, entries in list_texts(db.session(), TextState.UNREAD, 0)
    ]
    assert groups == [
        ("Anderes", 2025, ["f"]),
        ("Konflikte", 2025, ["a", "b"]),
        ("Konflikte", 2024, ["e"]),
        ("Konflikte", None, ["c", "d"]),
    ]


def test_texts_are_forgotten_three_years_after_the_last_day(actor: Actor) -> None:
    with transaction() as session:
        survey = make_texts(session, "alt", "älter")
        hidden = make_hidden(session, "open")
        last, hidden.closes_on = survey.closes_on, survey.closes_on
    assert last is not None
    noon = datetime.fromisoformat(f"{last.isoformat()}T11:00:00+00:00")
    release(actor, keys()[0])
    for days, gone, left in ((0, 0, 3), (1, 2, 1)):
        with transaction() as session:
            assert forget_texts(session, noon + TEXTS_KEPT_FOR + timedelta(days=days)) == gone
        assert len(stored()) == left
