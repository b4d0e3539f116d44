"""Each invariant of the free texts: data that break it give its sentence, sound data give none."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.feedback.texts.looked_through import make_hidden, make_texts
from trainings.cli.checks import CHECKS, Check, feedback_texts
from trainings.core.database import db, transaction
from trainings.feedback.models import FeedbackText, Release, TextState

pytestmark = pytest.mark.both_databases

CHECKED = (
    feedback_texts.removed_texts_are_empty,
    feedback_texts.texts_are_read_when_they_may_be,
    feedback_texts.texts_belong_to_a_free_question,
)


def findings(check: Check) -> list[str]:
    db.session.expire_all()
    return check(db.session(), NOW)


def test_sound_texts_give_no_finding(app: Flask) -> None:
    assert set(CHECKED) <= set(CHECKS)
    with transaction() as session:
        for hidden in ("open", "waiting"):
            make_hidden(session, hidden)
        for release in (Release.EVENT, Release.YEAR, Release.FORMAT):
            make_texts(session, "gut", "schlecht", release=release)
        readable = select(FeedbackText).where(FeedbackText.text != "Herr Verborgen war da.")
        for number, text in enumerate(session.scalars(readable.order_by(FeedbackText.key))):
            text.state = TextState.REMOVED if number % 2 else TextState.SHOWN
            text.text = "" if number % 2 else text.text
    assert [findings(check) for check in CHECKED] == [[], [], []]


def test_a_removed_text_that_is_still_there(app: Flask) -> None:
    with transaction() as session:
        survey = make_texts(session, "Herr Geheimnis", "gut")
        session.scalars(select(FeedbackText)).first().state = TextState.REMOVED  # type: ignore[union-attr]
        survey_id = survey.id
    assert findings(feedback_texts.removed_texts_are_empty) == [
        f"Rückmeldung {survey_id}: 1 Text ist entfernt und trotzdem noch da."
    ]


@pytest.mark.parametrize("hidden", ["open", "waiting"])
@pytest.mark.parametrize("state", [TextState.SHOWN, TextState.REMOVED])
def test_a_text_that_was_read_too_early(app: Flask, hidden: str, state: TextState) -> None:
    with transaction() as session:
        survey_id = make_hidden(session, hidden).id
        session.scalars(select(FeedbackText)).one().state = state
    assert findings(feedback_texts.texts_are_read_when_they_may_be) == [
        f"Rückmeldung {survey_id}: 1 Text ist durchgesehen, obwohl noch niemand lesen darf, "
        "was dort steht."
    ]


@pytest.mark.parametrize("question", ["nowhere", "useful"])
def test_a_text_without_a_free_question(app: Flask, question: str) -> None:
    with transaction() as session:
        survey_id = make_texts(session, "gut", "schlecht").id
        for text in session.scalars(select(FeedbackText)):
            text.question = question
    assert findings(feedback_texts.texts_belong_to_a_free_question) == [
        f"Rückmeldung {survey_id}: 2 Texte sind einer Frage zugeordnet, die es in ihrer Fassung "
        f"nicht gibt ({question})."
    ]
