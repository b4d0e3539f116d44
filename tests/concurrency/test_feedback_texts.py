"""Two people who deal with one free text at the same time: one does, the other is told."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.feedback.texts.looked_through import keys, make_texts, stored
from trainings.core.actors import SYSTEM
from trainings.core.database import transaction
from trainings.core.errors import DomainError
from trainings.feedback.models import TextState
from trainings.feedback.texts.operations import redact_text, release_texts, remove_text
from trainings.feedback.texts.rules import fingerprint

pytestmark = pytest.mark.both_databases
TEXT = "Anna und Lena lachten."
SEEN = fingerprint(TextState.UNREAD, TEXT)


def redact(key: bytes, passage: str) -> str:
    with transaction() as session:
        return redact_text(session, SYSTEM, key, [passage], seen=SEEN, now=NOW).text


def remove(key: bytes) -> str:
    with transaction() as session:
        return remove_text(session, SYSTEM, key, seen=SEEN, now=NOW).text


def release(*chosen: bytes) -> int:
    with transaction() as session:
        return release_texts(session, SYSTEM, chosen, NOW)


def test_of_many_hands_one_changes_a_text(app: Flask) -> None:
    with transaction() as session:
        make_texts(session, TEXT)
    (key,) = keys()
    work = [partial(redact, key, "Anna"), partial(redact, key, "Lena"), partial(remove, key)]
    results = run_together(app, work * 4)
    done = [result for result in results if isinstance(result, str)]
    refused = [result.code for result in results if isinstance(result, DomainError)]
    assert len(done) == 1
    assert refused == ["text_moved_on"] * 11
    assert [text for text, _ in stored()] == done


def test_texts_that_two_choose_in_another_order_are_released_once(app: Flask) -> None:
    with transaction() as session:
        make_texts(session, *("gut",) * 20)
    every = keys()
    results = run_together(app, [partial(release, *every), partial(release, *reversed(every))] * 3)
    assert sum(result for result in results if isinstance(result, int)) == 20
    assert {result.code for result in results if isinstance(result, DomainError)} == {
        "text_moved_on"
    }
    assert {state for _, state in stored()} == {TextState.SHOWN}
