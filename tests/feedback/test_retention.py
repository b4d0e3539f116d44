"""Every text of the feedback says how long it lives, or is known to name nobody."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import JSON, Enum, String

from trainings.core.database import Base
from trainings.core.retention import Retention

TABLES = ("feedback_", "questionnaire", "survey")
NAMES_NOBODY = {
    "feedback_counts.question",
    "feedback_counts.value",
    "feedback_texts.question",
    "questionnaire_versions.content",
    "questionnaires.title",
}
"""What is asked, and keys of questions and of the answers to choose."""


def classes() -> dict[str, Retention | None]:
    """Return the class of each column of the feedback in which somebody may have written."""
    return {
        f"{table.name}.{column.name}": column.info.get("retention")
        for table in Base.metadata.tables.values()
        if table.name.startswith(TABLES)
        for column in table.columns
        if isinstance(column.type, String | JSON) and not isinstance(column.type, Enum)
    }


def test_each_text_is_declared_or_names_nobody(app: Flask) -> None:
    found = classes()
    assert {name for name, retention in found.items() if retention is None} == NAMES_NOBODY
    assert {name for name, retention in found.items() if retention} == {
        "feedback_invitations.token",
        "feedback_pending_answers.content",
        "feedback_texts.text",
    }
    assert set(found.values()) <= {None, Retention.FEEDBACK}


def test_rights_and_answers_know_no_time_and_no_person(app: Flask) -> None:
    columns = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        if table.name
        in {
            "feedback_rights",
            "feedback_pending_rights",
            "feedback_used_rights",
            "feedback_pending_answers",
            "feedback_counts",
            "feedback_texts",
        }
        for column in table.columns
    }
    assert columns == {
        "feedback_rights.token_hash", "feedback_rights.survey_id",
        "feedback_pending_rights.token_hash", "feedback_pending_rights.survey_id",
        "feedback_used_rights.token_hash", "feedback_used_rights.survey_id",
        "feedback_pending_answers.key", "feedback_pending_answers.survey_id",
        "feedback_pending_answers.content",
        "feedback_counts.survey_id", "feedback_counts.question", "feedback_counts.value",
        "feedback_counts.people",
        "feedback_texts.key", "feedback_texts.survey_id", "feedback_texts.question",
        "feedback_texts.text", "feedback_texts.state",
    }  # fmt: skip
