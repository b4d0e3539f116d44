"""What the files of the database keep of a text that was made unreadable."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.factories import make_person
from tests.feedback.test_anonymity import stored_bytes
from tests.feedback.texts.looked_through import keys, make_texts
from trainings.core.actors import Actor
from trainings.core.database import transaction
from trainings.core.permissions import Role
from trainings.feedback.models import FeedbackText, TextState
from trainings.feedback.surveys.settling import forget_dead_rows
from trainings.feedback.texts.operations import redact_text, remove_text
from trainings.feedback.texts.rules import fingerprint
from trainings.feedback.texts.sweeps import forget_overwritten_texts

pytestmark = pytest.mark.both_databases
TEXTS = ("Frau Xylander war streng.", "Alles über Herrn Xylander.", "Gut.")


def test_what_was_made_unreadable_is_gone_from_the_files(app: Flask, database_url: str) -> None:
    with transaction() as session:
        actor = Actor(make_person(session, roles=(Role.COORDINATOR,)).id)
        make_texts(session, *TEXTS)
    forget_dead_rows()
    tables = [FeedbackText.__tablename__]
    for key in keys():
        with transaction() as session:
            text = session.get_one(FeedbackText, key).text
            seen = fingerprint(TextState.UNREAD, text)
            if text == TEXTS[0]:
                redact_text(session, actor, key, ["Frau Xylander"], seen=seen, now=NOW)
            elif text == TEXTS[1]:
                remove_text(session, actor, key, seen=seen, now=NOW)
    assert b"Xylander" in stored_bytes(database_url, tables)  # so this way of looking finds it
    assert forget_overwritten_texts(NOW + timedelta(minutes=16)) == 0
    assert forget_overwritten_texts(NOW + timedelta(minutes=5)) == 2
    assert b"Xylander" not in stored_bytes(database_url, tables)
    assert b"Gut." in stored_bytes(database_url, tables)
