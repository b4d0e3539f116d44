"""What is loaded for the pages, against the database."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import Session

from tests.factories import make_event
from tests.feedback.factories import (
    at_noon,
    make_closed_survey,
    make_format,
    make_version,
)
from tests.feedback.results.spans import smallest_computable
from trainings.cli.checks.feedback_results import releases_equal_the_rule
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.events.models import Event, EventState, EventTemplate
from trainings.feedback.answers import NO_ANSWER
from trainings.feedback.content import Content, Question, QuestionKind, Section
from trainings.feedback.models import (
    FeedbackText,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    TextState,
)
from trainings.feedback.results.queries import (
    Results,
    load_event_results,
    load_overview,
    load_results,
)
from trainings.feedback.results.releasing import release_results
from trainings.feedback.results.rules import Figures, Height
from trainings.feedback.results.tables import Table

pytestmark = pytest.mark.both_databases

DAY = date(2025, 5, 6)
TODAY = date(2025, 8, 1)


def held(session: Session, template: EventTemplate | None = None, day: date = DAY) -> Event:
    """Add an event that took place."""
    event = make_event(session, first_day=day, days=1, state=EventState.HELD)
    event.template_id = template.id if template else None
    return event


def asked(
    session: Session,
    version: QuestionnaireVersion,
    answered: int,
    template: EventTemplate | None = None,
    *,
    day: date = DAY,
    release: Release = Release.WAITING,
) -> Survey:
    """Add a closed survey in which everybody chose the fourth step."""
    counts = {"useful": {"4": answered}} if answered else {}
    return make_closed_survey(
        session, held(session, template, day), version, counts, answered=answered, release=release
    )


def releases() -> dict[int, Release]:
    """Return where each survey flows."""
    return dict(db.session.execute(select(Survey.id, Survey.release)).all())


def sweep(today: date = TODAY) -> int:
    """Let the worker decide."""
    with transaction() as session:
        return release_results(session, at_noon(today))


def findings(today: date = TODAY) -> list[str]:
    """Return what the doctor says."""
    return releases_equal_the_rule(db.session(), at_noon(today))


def test_the_worker_decides_once_and_notes_only_what_changes(app: Flask) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        ids = [asked(session, version, people, template).id for people in (6, 3, 2, 4)]
    assert len(findings()) == 3
    assert sweep(DAY + timedelta(days=21)) == 0
    assert sweep() == 3
    expected = [Release.EVENT, Release.YEAR, Release.YEAR, Release.WAITING]
    assert [releases()[each] for each in ids] == expected
    assert sweep() == 0
    entries = db.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "results_released")
    ).all()
    assert sorted((entry.subject_id, entry.details["release"]) for entry in entries) == [
        (ids[0], "event"), (ids[1], "year"), (ids[2], "year"),
    ]  # fmt: skip
    assert findings() == []


def test_the_doctor_finds_sums_that_hold_too_few(app: Flask) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        few = asked(session, version, 3, template, release=Release.EVENT).id
        year = asked(session, version, 4, template, release=Release.YEAR).id
        asked(session, version, 0, template, release=Release.EVENT)
    assert [line.split(":")[0] for line in findings()] == [
        f"Rückmeldung {few}",
        f"Rückmeldung {year}",
    ]


def test_what_was_shown_stays_if_an_earlier_survey_is_closed_late(app: Flask) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        shown = [
            asked(session, version, 3, template, day=DAY + timedelta(days=each)).id
            for each in (1, 2)
        ]
    assert sweep() == 2
    with transaction() as session:
        late = asked(session, version, 3, template).id
    assert sweep() == 0
    assert releases() == dict.fromkeys(shown, Release.YEAR) | {late: Release.WAITING}


def test_only_closed_and_released_surveys_are_in_a_sum(app: Flask) -> None:
    with transaction() as session:
        version, template, other = make_version(session), make_format(session), make_format(session)
        asked(session, version, 6, template)
        asked(session, version, 4, template, day=date(2024, 5, 6))
        asked(session, version, 7, template, day=date(2024, 12, 31))
        asked(session, version, 2, template)
        asked(session, version, 9, other)
        asked(session, make_version(session), 8, template)
        questionnaire = version.questionnaire_id
    sweep()
    session = db.session()

    def answered(height: Height, template_id: int | None = None, year: int | None = None) -> int:
        table = Table(questionnaire, SurveyKind.AFTER, height, template_id, year)
        results = load_results(session, table, 5)
        if results is None:
            return 0
        useful = results.questions[0]
        assert useful.steps[3] == useful.population == results.figures.answered
        return results.figures.answered

    assert answered(Height.YEAR, template.id, 2025) == 6
    assert answered(Height.YEAR, template.id, 2024) == 7
    assert answered(Height.YEAR, template.id, 2023) == 0
    # The two that were too few are in no year, and since the summer after theirs with the format.
    assert answered(Height.FORMAT, template.id) == 13
    assert answered(Height.TOTAL) == 22
    assert load_overview(session, questionnaire, SurveyKind.AFTER, 5).waiting == 2
    assert load_overview(session, questionnaire, SurveyKind.FOLLOW_UP, 5).formats == ()
    sweep(date(2026, 7, 2))
    assert answered(Height.YEAR, template.id, 2025) == 6
    assert answered(Height.FORMAT, template.id) == 19
    assert answered(Height.TOTAL) == 28


def test_a_raised_group_hides_what_is_too_small_before_the_worker_ran(app: Flask) -> None:
    with transaction() as session:
        version, template = make_version(session), make_format(session)
        asked(session, version, 5, template, release=Release.EVENT)
        asked(session, version, 9, template, release=Release.EVENT)
        questionnaire = version.questionnaire_id
    for smallest, expected in ((5, 14), (8, 9), (10, 14), (15, 0)):
        table = Table(questionnaire, SurveyKind.AFTER, Height.FORMAT, template.id)
        results = load_results(db.session(), table, smallest)
        overview = load_overview(db.session(), questionnaire, SurveyKind.AFTER, smallest)
        assert (results.figures.answered if results else 0) == expected
        assert (overview.total.answered if overview.total else 0) == expected
        if results:
            assert results.questions[0].steps[3] == expected


def test_texts_that_were_looked_through_stand_beside_those_that_were_removed(app: Flask) -> None:
    with transaction() as session:
        version = make_version(session)
        survey = make_closed_survey(
            session,
            held(session),
            version,
            {},
            answered=6,
            texts={"words": ("gezeigt", "ungelesen", "entfernt")},
        )
        for text in session.scalars(select(FeedbackText)):
            if text.text == "gezeigt":
                text.state = TextState.SHOWN
            elif text.text == "entfernt":
                text.state, text.text = TextState.REMOVED, ""
    results = load_event_results(db.session(), survey.id, 5)
    assert results is not None
    (texts,) = results.texts
    assert (texts.question, texts.texts, texts.removed) == ("Was noch?", ("gezeigt",), 1)
    assert load_event_results(db.session(), survey.id, 7) is None


def numbered(*keys: str) -> Content:
    """Return a questionnaire that asks for numbers."""
    return Content("", (Section("", tuple(Question(k, QuestionKind.NUMBER, k) for k in keys)),))


def shown(results: Results | Figures | None) -> Iterator[tuple[str, frozenset[int]]]:
    """Yield, for each question, the events in a table: each answered with its own number."""
    if isinstance(results, Results):
        yield from shown(results.figures)
        for each in results.questions:
            yield (
                each.question.key,
                frozenset(int(value) for value in each.people if value != NO_ANSWER),
            )
    elif results is not None:
        # Each event invited a power of two.
        yield "", frozenset(bit for bit in range(4, 20) if results.invited >> bit & 1)


@pytest.mark.parametrize("seed", range(4))
def test_no_group_below_the_smallest_can_be_computed_from_what_is_loaded(
    app: Flask, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """All tables of all pages, on several days, some while the worker lags behind."""
    chance = random.Random(seed)
    with transaction() as session:
        first = make_version(session, numbered("a", "b"))
        second = make_version(session, numbered("b", "c"), questionnaire=first.questionnaire)
        formats = [make_format(session), None]
        questionnaire = first.questionnaire_id
    answered: dict[int, int] = {}
    seen: dict[str, set[frozenset[int]]] = {}
    today = date(2025, 3, 1)
    survey_ids = []
    for number in range(4, 12):
        with transaction() as session:
            version = session.get_one(QuestionnaireVersion, chance.choice([first, second]).id)
            answered[number] = chance.randint(0, 8)
            keys = [question.key for question in Content.from_json(version.content).questions]
            day = date(2024, 12, 1) if chance.random() < 0.4 else date(2025, 2, 1)
            survey = make_closed_survey(
                session,
                held(session, chance.choice(formats), day),
                version,
                {key: {str(number): answered[number]} for key in keys if answered[number]},
                answered=answered[number],
                invited=2**number,
                closes_on=today - timedelta(days=1),
                release=Release.WAITING,
            )
            survey_ids.append(survey.id)
        if chance.random() < 0.7:
            sweep(today)
        today += timedelta(days=chance.choice([0, 1, 200]))
        for key, tables in _all_tables(questionnaire, survey_ids, formats).items():
            size = smallest_computable(tables, answered)
            assert size == 0 or size >= 5
            seen.setdefault(key, set()).update(tables)
    assert seen
    for tables in seen.values():
        size = smallest_computable(tables, answered)
        assert size == 0 or size >= 5


def _all_tables(
    questionnaire: int, survey_ids: list[int], formats: list[EventTemplate | None]
) -> dict[str, set[frozenset[int]]]:
    session, kind = db.session(), SurveyKind.AFTER
    overview = load_overview(session, questionnaire, kind, 5)
    found: list[Results | Figures | None] = [overview.total]
    found += [line.figures for each in overview.formats for line in (*each.years, each.total)]
    found += [load_event_results(session, each, 5) for each in survey_ids]
    found.append(load_results(session, Table(questionnaire, kind, Height.TOTAL), 5))
    for template in formats:
        key = template.id if template else None
        found.append(load_results(session, Table(questionnaire, kind, Height.FORMAT, key), 5))
        found += [
            load_results(session, Table(questionnaire, kind, Height.YEAR, key, year), 5)
            for year in (2024, 2025)
        ]
    tables: dict[str, set[frozenset[int]]] = {}
    for results in found:
        for question, events in shown(results):
            tables.setdefault(question, set()).add(events)
    db.session.rollback()
    return tables
