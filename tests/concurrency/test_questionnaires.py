"""Several people at one draft at the same moment."""

from __future__ import annotations

from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.threads import run_together
from tests.conftest import NOW
from tests.feedback.factories import make_version
from trainings.core.actors import SYSTEM
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.feedback.models import Questionnaire, VersionState
from trainings.feedback.questionnaires import rules
from trainings.feedback.questionnaires.operations import begin_draft, change_draft
from trainings.feedback.questionnaires.queries import load_draft
from trainings.feedback.questionnaires.standard import STANDARD, provide_standard

pytestmark = pytest.mark.both_databases


def test_of_many_who_saw_the_same_draft_one_changes_it(app: Flask) -> None:
    with transaction() as session:
        made = make_version(session, state=VersionState.DRAFT).questionnaire_id
        seen = load_draft(session, made).seen

    def change(words: str) -> str:
        with transaction() as session:
            wanted = rules.introduce(words)
            return change_draft(
                session, SYSTEM, made, wanted, seen=seen, now=NOW
            ).content.introduction

    results = run_together(app, [partial(change, f"Einleitung {number}") for number in range(6)])
    refused = [each for each in results if isinstance(each, DomainError)]
    assert {each.code for each in refused} == {"changed_meanwhile"}
    assert len(refused) == 5
    assert load_draft(db.session(), made).content.introduction in results


def test_of_many_who_begin_a_draft_all_get_the_same(app: Flask) -> None:
    with transaction() as session:
        made = make_version(session).questionnaire_id

    def begin() -> int:
        with transaction() as session:
            return begin_draft(session, SYSTEM, made, NOW).id

    assert len(set(run_together(app, [begin] * 6))) == 1


def test_the_standard_questionnaires_are_stored_once(app: Flask) -> None:
    def provide() -> int:
        with transaction() as session:
            return provide_standard(session, NOW)

    assert sorted(run_together(app, [provide] * 6)) == [0] * 5 + [len(STANDARD)]
    assert db.session.scalar(select(func.count()).select_from(Questionnaire)) == len(STANDARD)
