"""Drafts, release, retiring, and what the formats ask."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from tests.conftest import NOW
from tests.factories import actor_for, make_event, make_person
from tests.feedback.factories import (
    SMALL,
    make_attended,
    make_format,
    make_open_survey,
    make_version,
)
from trainings.cli.jobs import JOBS
from trainings.core.actors import SYSTEM, Actor
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Role
from trainings.events.models import EventKind, EventTemplate
from trainings.feedback.content import Content, Question, QuestionKind
from trainings.feedback.models import (
    FeedbackPlan,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    Survey,
    SurveyKind,
    VersionState,
)
from trainings.feedback.questionnaires import operations, rules
from trainings.feedback.questionnaires.checks import MOST_SECTIONS
from trainings.feedback.questionnaires.choosing import version_for
from trainings.feedback.questionnaires.plans import (
    USUAL,
    Choice,
    choose_questionnaires,
    list_plans,
)
from trainings.feedback.questionnaires.queries import list_questionnaires, load_draft
from trainings.feedback.questionnaires.rules import Change, Changed, fingerprint
from trainings.feedback.questionnaires.standard import STANDARD, provide_standard

pytestmark = pytest.mark.both_databases
TEXT = Question("", QuestionKind.TEXT, "Und sonst?")


@pytest.fixture
def office(app: Flask) -> Actor:
    with transaction() as session:
        return actor_for(make_person(session, roles=(Role.COORDINATOR,)))


@pytest.fixture
def released(app: Flask) -> int:
    """A questionnaire with one released version."""
    with transaction() as session:
        return make_version(session).questionnaire_id


def begin(office: Actor, questionnaire_id: int) -> str:
    with transaction() as session:
        draft = operations.begin_draft(session, office, questionnaire_id, NOW)
        return fingerprint(Content.from_json(draft.content))


def change(
    office: Actor, questionnaire_id: int, wanted: Change, seen: str | None = None
) -> Changed:
    with transaction() as session:
        if seen is None:
            seen = load_draft(session, questionnaire_id).seen
        return operations.change_draft(
            session, office, questionnaire_id, wanted, seen=seen, now=NOW
        )


def release(office: Actor, questionnaire_id: int, seen: str | None = None) -> int:
    with transaction() as session:
        seen = seen or load_draft(session, questionnaire_id).seen
        return operations.release_draft(
            session, office, questionnaire_id, seen=seen, now=NOW
        ).number


def contents(questionnaire_id: int) -> list[tuple[VersionState, Content]]:
    db.session.remove()
    rows = db.session.scalars(
        select(QuestionnaireVersion)
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .order_by(QuestionnaireVersion.number)
    )
    return [(row.state, Content.from_json(row.content)) for row in rows]


def actions() -> list[str]:
    db.session.remove()
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def test_a_version_from_draft_to_release(office: Actor, released: int) -> None:
    begin(office, released)
    added = change(office, released, rules.add_question(1, TEXT))
    change(office, released, rules.introduce("Neu"))
    assert release(office, released) == 2
    (_, first), (state, second) = contents(released)
    assert first == SMALL
    assert (state, second.introduction) == (VersionState.RELEASED, "Neu")
    assert [each.key for each in second.questions][:-1] == [each.key for each in first.questions]
    assert [each.key for each in second.questions][-1] == added.question
    assert actions() == [
        "questionnaire_draft_begun",
        "questionnaire_draft_changed",
        "questionnaire_draft_changed",
        "questionnaire_released",
    ]


def test_a_draft_is_begun_once(office: Actor, released: int) -> None:
    begin(office, released)
    change(office, released, rules.introduce("Neu"))
    begin(office, released)
    assert [each.introduction for _, each in contents(released)] == [SMALL.introduction, "Neu"]


@pytest.mark.parametrize("how", ["change", "delete"])
def test_a_released_version_never_changes(office: Actor, released: int, how: str) -> None:
    def break_it(session: Session) -> None:
        version = session.scalars(select(QuestionnaireVersion)).one()
        if how == "change":
            version.content = {**version.content, "introduction": "Anders"}
        else:
            session.delete(version)
        session.flush()

    with pytest.raises(RuntimeError, match="never changes"), transaction() as session:
        break_it(session)
    for attempt in (lambda: change(office, released, rules.introduce("Anders"), "x" * 24),
                    lambda: release(office, released, "x" * 24)):  # fmt: skip
        with pytest.raises(DomainError, match="no_draft"):
            attempt()
    assert [each for _, each in contents(released)] == [SMALL]


def test_of_two_who_edit_the_second_is_told(office: Actor, released: int) -> None:
    seen = begin(office, released)
    change(office, released, rules.introduce("Die erste"), seen)
    for refused in (
        lambda: change(office, released, rules.introduce("Die zweite"), seen),
        lambda: release(office, released, seen),
    ):
        with pytest.raises(DomainError, match="changed_meanwhile"):
            refused()
    with pytest.raises(DomainError, match="changed_meanwhile"), transaction() as session:
        operations.discard_draft(session, office, released, seen=seen, now=NOW)
    assert contents(released)[1][1].introduction == "Die erste"


def test_an_open_survey_keeps_its_version(office: Actor, released: int) -> None:
    with transaction() as session:
        event = make_attended(session, 3)
        version = session.scalars(select(QuestionnaireVersion)).one()
        survey, _ = make_open_survey(session, event, version, NOW)
        survey_id, version_id = survey.id, version.id
    begin(office, released)
    change(office, released, rules.introduce("Neu"))
    release(office, released)
    with transaction() as session:
        later = version_for(session, make_event(session), SurveyKind.AFTER)
        assert later is not None
        assert later.number == 2
        row = list_questionnaires(session)[0]
        assert [(each.number, each.surveys) for each in row.versions] == [(2, 0), (1, 1)]
        assert session.get_one(Survey, survey_id).version_id == version_id


def test_what_is_missing_keeps_from_release(office: Actor, released: int) -> None:
    begin(office, released)
    change(office, released, rules.add_section("Leer"))
    with pytest.raises(DomainError, match="not_ready") as refusal:
        release(office, released)
    assert "„Leer“" in refusal.value.sentence
    assert contents(released)[1][0] is VersionState.DRAFT


def test_limits_are_kept_and_nothing_is_stored_then(office: Actor, released: int) -> None:
    begin(office, released)
    for number in range(MOST_SECTIONS - 1):
        change(office, released, rules.add_section(f"Abschnitt {number}"))
    with pytest.raises(DomainError, match="too_many_sections"):
        change(office, released, rules.add_section("Noch einer"))
    assert len(contents(released)[1][1].sections) == MOST_SECTIONS


def test_other_answers_make_another_question_and_the_text_does_not(
    office: Actor, released: int
) -> None:
    begin(office, released)
    again = rules.find_question(SMALL, "again")
    assert again is not None
    same = change(office, released, rules.write_question("again", replace(again, text="Wieder?")))
    assert same.question == "again"
    other = replace(again, kind=QuestionKind.MULTIPLE)
    changed = change(office, released, rules.write_question("again", other))
    assert changed.question != "again"
    # In the draft it may change again without another key: nobody has answered it.
    back = change(office, released, rules.write_question(changed.question, again))
    assert back.question == changed.question


def test_a_key_of_an_earlier_version_is_not_taken_over_by_something_else(
    office: Actor, released: int
) -> None:
    begin(office, released)
    change(office, released, rules.remove_question("again"))
    release(office, released)
    begin(office, released)
    added = change(office, released, rules.add_question(1, replace(TEXT, key="again")))
    assert added.question != "again"


def test_a_discarded_draft_leaves_the_released_version(office: Actor, released: int) -> None:
    seen = begin(office, released)
    with transaction() as session:
        assert operations.discard_draft(session, office, released, seen=seen, now=NOW)
    assert [each for _, each in contents(released)] == [SMALL]
    begin(office, released)
    assert release(office, released) == 2


def test_a_questionnaire_that_was_never_released_goes_with_its_draft(office: Actor) -> None:
    with transaction() as session:
        made = operations.create_questionnaire(
            session, office, "Neu", QuestionnaireUse.TRAINING, NOW
        ).id
        seen = load_draft(session, made).seen
    with transaction() as session:
        assert not operations.discard_draft(session, office, made, seen=seen, now=NOW)
    assert db.session.get(Questionnaire, made) is None
    assert "questionnaire_draft_discarded" in actions()


def test_a_copy_has_questions_of_its_own(office: Actor, released: int) -> None:
    with transaction() as session:
        copy = operations.create_questionnaire(
            session, office, "Kopie", QuestionnaireUse.CONFERENCE, NOW, copied_from=released
        ).id
    ((state, content),) = contents(copy)
    assert state is VersionState.DRAFT
    assert [each.text for each in content.questions] == [each.text for each in SMALL.questions]
    assert {each.key for each in content.questions}.isdisjoint(e.key for e in SMALL.questions)
    with pytest.raises(DomainError, match="title_taken"), transaction() as session:
        operations.create_questionnaire(
            session, office, "kopie", QuestionnaireUse.TRAINING, NOW, copied_from=released
        )
    with pytest.raises(DomainError, match="title_taken"), transaction() as session:
        operations.rename_questionnaire(session, office, released, "KOPIE", NOW)
    with transaction() as session:
        operations.rename_questionnaire(session, office, copy, "KOPIE", NOW)


def plan(office: Actor, template_id: int, after: Choice, follow_up: Choice) -> None:
    with transaction() as session:
        choose_questionnaires(session, office, template_id, after, follow_up, now=NOW)


@pytest.fixture
def template_id(app: Flask) -> int:
    with transaction() as session:
        return make_format(session, "Konflikte").id


def test_a_questionnaire_that_a_format_chooses_is_not_retired(
    office: Actor, released: int, template_id: int
) -> None:
    plan(office, template_id, released, None)
    with pytest.raises(DomainError, match="still_chosen") as refusal, transaction() as session:
        operations.set_retired(session, office, released, retired=True, now=NOW)
    assert "„Konflikte“" in refusal.value.sentence
    plan(office, template_id, USUAL, USUAL)
    for _ in range(2):
        with transaction() as session:
            operations.set_retired(session, office, released, retired=True, now=NOW)
    assert actions().count("questionnaire_retired") == 1
    with transaction() as session:
        assert version_for(session, make_event(session), SurveyKind.AFTER) is None
    with pytest.raises(DomainError, match="questionnaire_retired"):
        begin(office, released)
    with pytest.raises(DomainError, match="not_askable"):
        plan(office, template_id, released, None)
    with transaction() as session:
        operations.set_retired(session, office, released, retired=False, now=NOW)
    begin(office, released)


def test_a_retired_format_keeps_nothing_from_being_retired(
    office: Actor, released: int, template_id: int
) -> None:
    plan(office, template_id, released, None)
    with transaction() as session:
        session.execute(update(EventTemplate).values(retired_at=NOW))
    with transaction() as session:
        operations.set_retired(session, office, released, retired=True, now=NOW)


def test_what_a_format_asks(office: Actor, released: int, template_id: int) -> None:
    with transaction() as session:
        other = make_version(session, title="Anderer").questionnaire_id
        then = make_version(session, title="Später", use=QuestionnaireUse.FOLLOW_UP)
        later = then.questionnaire_id
        make_version(session, title="Entwurf", state=VersionState.DRAFT)

    def asked() -> tuple[str | None, str | None]:
        db.session.remove()
        (row,) = list_plans(db.session())
        return row.after.title, row.follow_up.title

    assert asked() == ("Training", "Später")
    plan(office, template_id, other, USUAL)
    assert asked() == ("Anderer", "Später")
    db.session.remove()
    assert db.session.get_one(FeedbackPlan, template_id).follow_up_id == later
    plan(office, template_id, None, None)
    assert asked() == (None, None)
    with transaction() as session:
        event = make_event(session)
        event.template_id = template_id
        session.flush()
        assert version_for(session, event, SurveyKind.AFTER) is None
    plan(office, template_id, USUAL, USUAL)
    plan(office, template_id, USUAL, USUAL)
    assert asked() == ("Training", "Später")
    assert actions()[-3:] == ["feedback_plan_changed"] * 2 + ["feedback_plan_removed"]
    with pytest.raises(DomainError, match="not_found"):
        plan(office, 4711, USUAL, USUAL)
    with pytest.raises(DomainError, match="not_found"):
        plan(office, template_id, 4711, None)


@pytest.mark.parametrize(
    ("kind", "use"),
    [
        (EventKind.TRAINING, QuestionnaireUse.TRAINING),
        (EventKind.CONFERENCE, QuestionnaireUse.CONFERENCE),
        (EventKind.WORKING_GROUP, None),
    ],
)
def test_events_without_a_format_ask_what_is_usual_for_their_kind(
    app: Flask, kind: EventKind, use: QuestionnaireUse | None
) -> None:
    with transaction() as session:
        # The oldest counts, but not one that was never released.
        for each in QuestionnaireUse:
            make_version(session, title=f"Entwurf {each}", use=each, state=VersionState.DRAFT)
        for each in QuestionnaireUse:
            make_version(session, title=f"Alt {each}", use=each)
            make_version(session, title=f"Neu {each}", use=each)
        event = make_event(session)
        event.kind = kind
        version = version_for(session, event, SurveyKind.AFTER)
        assert (version and version.questionnaire.title) == (use and f"Alt {use}")
        then = version_for(session, event, SurveyKind.FOLLOW_UP)
        asked_then = then and then.questionnaire.title
        assert asked_then == ("Alt follow_up" if kind is EventKind.TRAINING else None)


def test_the_standard_ones_are_stored_once(app: Flask) -> None:
    with transaction() as session:
        assert provide_standard(session, NOW) == len(STANDARD)
    with transaction() as session:
        assert provide_standard(session, NOW + timedelta(days=1)) == 0
        rows = list_questionnaires(session)
    assert [row.title for row in rows] == ["Nachbefragung zum Training", "Tagung", "Training"]
    assert all(row.current and row.current.number == 1 for row in rows)


def test_the_worker_stores_the_standard_ones(app: Flask) -> None:
    job = next(job for job in JOBS if job.name == provide_standard.__name__)
    assert [job.run(NOW), job.run(NOW)] == [len(STANDARD), 0]


def test_nothing_is_found_under_a_foreign_number(office: Actor) -> None:
    with pytest.raises(DomainError, match="not_found"):
        begin(SYSTEM, 4711)
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        operations.set_retired(session, office, 4711, retired=True, now=NOW)
    with pytest.raises(DomainError, match="not_found"), transaction() as session:
        operations.create_questionnaire(
            session, office, "x", QuestionnaireUse.TRAINING, NOW, copied_from=4711
        )
