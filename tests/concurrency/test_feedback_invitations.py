"""Several workers, trainers and answers at the same moment: nobody gets two rights."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.concurrency.threads import run_together
from tests.factories import actor_for, berlin, make_person
from tests.feedback.factories import answer, make_attended, make_version
from trainings.core.actors import Actor
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.feedback.models import (
    FeedbackInvitation,
    FeedbackRight,
    PendingRight,
    QuestionnaireUse,
    Survey,
    SurveyKind,
)
from trainings.feedback.surveys.operations import choose_way, print_slips
from trainings.feedback.surveys.sweeps import follow_up, invite, remind
from trainings.feedback.surveys.wording import Way

pytestmark = pytest.mark.both_databases

FRIDAY = date(2026, 4, 17)
END = berlin(FRIDAY, 16, 30)
PEOPLE, WORKERS, ROUNDS = 8, 4, 3


def prepare() -> tuple[Actor, int, str]:
    """Add a training that is over, and somebody of the office."""
    with transaction() as session:
        make_version(session)
        make_version(session, use=QuestionnaireUse.FOLLOW_UP, title="Nachbefragung")
        event = make_attended(session, PEOPLE)
        actor = actor_for(make_person(session, roles=(Role.COORDINATOR,)))
        return actor, event.id, event.number


def count(table: type) -> int:
    db.session.remove()
    return db.session.scalar(select(func.count()).select_from(table)) or 0


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_workers_never_invite_twice(app: Flask, _round: int) -> None:
    prepare()
    results = run_together(app, [partial(invite, END)] * WORKERS)
    assert sorted(map(str, results)) == sorted([str(PEOPLE), *["0"] * (WORKERS - 1)])
    assert count(Survey) == 1
    assert count(FeedbackRight) == count(FeedbackInvitation) == count(OutgoingMail) == PEOPLE


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_workers_never_ask_twice_after_three_months(app: Flask, _round: int) -> None:
    prepare()
    results = run_together(app, [partial(follow_up, berlin(date(2026, 7, 17), 8))] * WORKERS)
    assert sorted(map(str, results)) == sorted([str(PEOPLE), *["0"] * (WORKERS - 1)])
    assert count(FeedbackRight) == PEOPLE


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_two_workers_remind_once(app: Flask, _round: int) -> None:
    prepare()
    invite(END)
    results = run_together(app, [partial(remind, END + timedelta(days=7))] * WORKERS)
    assert sorted(map(str, results)) == sorted([str(PEOPLE), *["0"] * (WORKERS - 1)])
    assert count(OutgoingMail) == 2 * PEOPLE


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_slips_chosen_while_the_worker_invites(app: Flask, _round: int) -> None:
    actor, _, number = prepare()

    def choose() -> int:
        with transaction() as session:
            choose_way(session, actor, number, SurveyKind.AFTER, way=Way.SLIPS, now=END)
        return -1

    invited, chosen = run_together(app, [partial(invite, END), choose])
    if chosen == -1:
        assert (invited, count(OutgoingMail), count(FeedbackRight)) == (0, 0, 0)
    else:
        assert isinstance(chosen, DomainError)
        assert (chosen.code, invited) == ("survey_moved_on", PEOPLE)


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_slips_are_printed_by_many_hands(app: Flask, _round: int) -> None:
    actor, _, number = prepare()
    with transaction() as session:
        choose_way(session, actor, number, SurveyKind.AFTER, way=Way.SLIPS, now=END)

    def print_them() -> int:
        with transaction() as session:
            return len(print_slips(session, actor, number, END).codes)

    results = run_together(app, [print_them] * WORKERS)
    assert [each for each in results if isinstance(each, int)] == [PEOPLE]
    refusals = [each.code for each in results if isinstance(each, DomainError)]
    assert refusals == ["all_printed"] * (WORKERS - 1)
    assert count(FeedbackRight) == PEOPLE


@pytest.mark.parametrize("_round", range(ROUNDS))
def test_an_answer_while_slips_are_printed_anew(app: Flask, _round: int) -> None:
    actor, _, number = prepare()
    with transaction() as session:
        choose_way(session, actor, number, SurveyKind.AFTER, way=Way.SLIPS, now=END)
        codes = print_slips(session, actor, number, END).codes

    def print_anew() -> int:
        with transaction() as session:
            return len(print_slips(session, actor, number, END, anew=True).codes)

    def answer_one() -> int:
        with transaction() as session:
            answer(session, codes[:1], END)
        return 1

    printed, answered = run_together(app, [print_anew, answer_one])
    if answered == 1:
        assert printed == PEOPLE - 1
    else:
        assert isinstance(answered, DomainError)
        assert (answered.code, printed) == (
            "unknown_right",
            PEOPLE,
        ) or answered.code == "right_used"
    survey = db.session.scalars(select(Survey)).one()
    assert survey.invited == PEOPLE
    assert count(FeedbackRight) + count(PendingRight) == PEOPLE
