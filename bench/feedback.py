"""Feedback: taking answers, counting a batch of them, and pages over few and many events."""

from __future__ import annotations

import os
import random
import secrets
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count
from time import perf_counter
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from bench.client import Browser
from bench.figures import RUNS, Figure, cpu_milliseconds, median_of_runs
from bench.machine import cpu_seconds
from bench.pages import page_cost
from bench.server import Server
from bench.stage import Stage, at_once
from tests.factories import log_in, make_event, make_person
from tests.statements import counted_statements
from trainings.cli.seed.base import BEGINNING
from trainings.core.actors import SYSTEM
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.events.models import Event, EventState, EventTemplate, EventTrainer, Pool
from trainings.feedback.answering.operations import submit
from trainings.feedback.answers import Sheet
from trainings.feedback.content import QuestionKind
from trainings.feedback.models import (
    KEY_BYTES,
    FeedbackCount,
    FeedbackText,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
    TextState,
)
from trainings.feedback.questionnaires.standard import TRAINING, provide_standard
from trainings.feedback.rules import last_answer_day
from trainings.feedback.surveys.rights import answer_path, grant
from trainings.feedback.surveys.settling import settle_answers
from trainings.feedback.surveys.steps import open_survey
from trainings.people.models import Account

FEW, MANY = 44, 4_400
YEARS = 6
FORMATS = 4
"""Formats that the events are of."""
ASKED = 12
EACH_WITH_TEXT = 4
CLIENTS = 8
ANSWERS = 60
RUSH = 160
VIEWS = 8
MOST_CPU = 100
MOST_STATEMENTS = 12
OVERVIEW = "/rueckmeldungen/auswertung"
SCALES = tuple(each.key for each in TRAINING.questions if each.kind is QuestionKind.SCALE)
TEXTS = tuple(each.key for each in TRAINING.questions if each.kind is QuestionKind.TEXT)
FORM = {f"a-{key}": "4" for key in SCALES} | {f"a-{TEXTS[0]}": "Die Übungen, vor allem zu zweit."}
"""What a browser sends."""
_NUMBERS = count(1)


def measure_feedback(stage: Stage, server: Server) -> Iterator[Figure]:
    """Measure answers of one large event, batches, and the pages of results."""
    stage.grow(lambda session: provide_standard(session, BEGINNING))
    yield from _answering(stage, server)
    yield _batch(stage)
    reader = _Reader(stage)
    stage.grow(lambda session: _add_results(session, FEW))
    yield from reader.pages(server, FEW, MOST_CPU)
    stage.grow(lambda session: _add_results(session, MANY - FEW))
    yield from reader.pages(server, MANY, MOST_CPU)


# Answers


def _answering(stage: Stage, server: Server) -> Iterator[Figure]:
    """Measure what an answer costs, and how many of them come through at once.

    All are about one event, as after a conference: they wait for each other at its survey.
    """
    number = (1 + RUNS) * (ANSWERS + RUSH) + 1
    with stage.app.app_context(), transaction() as session:
        codes = iter(open_rights(session, number))

    def answer(code: str) -> None:
        # A browser of its own, as people have.
        browser = Browser(server.port)
        browser.get(answer_path(code))
        browser.post(answer_path(code), FORM)

    def one_by_one() -> int:
        for _ in range(ANSWERS):
            answer(next(codes))
        return ANSWERS

    def together() -> float:
        rush = [next(codes) for _ in range(RUSH)]
        begin = perf_counter()
        at_once(CLIENTS, answer, rush)
        return RUSH / (perf_counter() - begin)

    cost = median_of_runs(lambda: cpu_milliseconds(server.cpu, one_by_one))
    browser = Browser(server.port)
    path = answer_path(next(codes))
    page = browser.get(path)
    browser.post(path, FORM)
    sent = f"GET, POST; {browser.wire_bytes / 1000:.1f} kB sent"
    yield Figure("an answer to a questionnaire", cost, "ms CPU", 20, note=sent)
    yield Figure("the questionnaire, HTML", len(page.content) / 1000, "kB", note="before gzip")
    rate = median_of_runs(together)
    yield Figure(f"answers, {CLIENTS} clients", rate, "a second", 50, at_least=True)


def _batch(stage: Stage) -> Figure:
    """Measure the sweep that counts the twelve answers of a training."""
    with stage.app.app_context():
        # What waits since the answers above goes first.
        settle_answers(utc_now())

        def prepare() -> None:
            with transaction() as session:
                values = dict.fromkeys(SCALES, ("4",))
                sheet = Sheet(values, {TEXTS[0]: "Die Übungen, vor allem zu zweit."})
                for code in open_rights(session, ASKED):
                    submit(session, code, sheet, utc_now())

        def count_them() -> int:
            if settle_answers(utc_now()) != ASKED:
                raise RuntimeError("A batch was not counted as a whole.")
            return 1

        pids = (os.getpid(), *stage.database_pids)
        taken = median_of_runs(
            lambda: cpu_milliseconds(lambda: cpu_seconds(pids), count_them), prepare
        )
    return Figure(f"counting a batch of {ASKED}", taken, "ms CPU", MOST_CPU)


def open_rights(session: Session, rights: int) -> list[str]:
    """Open the survey of a new event; return the codes of its rights."""
    today = berlin_day(utc_now())
    event = make_event(session, first_day=today - timedelta(days=1), state=EventState.HELD)
    survey = Survey(event_id=event.id, kind=SurveyKind.AFTER, state=SurveyState.PLANNED)
    open_survey(session, SYSTEM, survey, _version(session), utc_now())
    return grant(session, survey, rights)


def _version(session: Session) -> QuestionnaireVersion:
    return session.scalars(
        select(QuestionnaireVersion)
        .join(QuestionnaireVersion.questionnaire)
        .where(Questionnaire.use == QuestionnaireUse.TRAINING)
    ).one()


# Results


class _Reader:
    """The office, and a trainer who reads the results of an event of theirs."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        with stage.app.app_context(), transaction() as session:
            organisation = session.get_one(Account, stage.data.everything).person.organisation
            trainer = make_person(session, organisation, roles=(Role.TRAINER,))
            self.template_id = session.scalars(_formats().limit(1)).one()
            event = make_event(session, first_day=date(2024, 4, 16), state=EventState.HELD)
            event.template_id = self.template_id
            event.trainers.append(EventTrainer(person_id=trainer.id, position=0))
            session.flush()
            self.number = event.number
            self.trainer_id = trainer.id
            _fill(session, [event], random.Random(0))

    def pages(self, server: Server, events: int, limit: float) -> Iterator[Figure]:
        """Measure the pages; the office may not open that of an event, its trainer may."""
        office = self._person(self.stage.data.everything)
        format_path = f"{OVERVIEW}/formate/{self.template_id}"
        shown = (
            ("sums of all formats", OVERVIEW, office),
            ("a format in a year", f"{format_path}?jahr=2024", office),
            ("results of an event", f"/rueckmeldungen/veranstaltungen/{self.number}/ergebnis",
             self.trainer_id),
        )  # fmt: skip
        for name, path, person_id in shown:
            with self.stage.app.app_context():
                account = db.session.scalars(
                    select(Account.id).where(Account.person_id == person_id)
                ).one()
                client = self.stage.app.test_client()
                log_in(client, person_id)
                with counted_statements() as statements:
                    client.get(path)
            browser = self.stage.browser(server, account)
            size = len(browser.get(path).content) / 1000
            cost = page_cost(server, browser, path, VIEWS)
            note = f"{len(statements)} statements, {size:.1f} kB before gzip"
            yield Figure(f"{name}, {events} events", cost, "ms CPU", limit, note=note)

    def _person(self, account_id: int) -> int:
        with self.stage.app.app_context():
            return db.session.get_one(Account, account_id).person_id


def _formats() -> Any:
    return select(EventTemplate.id).order_by(EventTemplate.id)


def _add_results(session: Session, number: int) -> None:
    """Add events of the past years with closed surveys, their sums and texts."""
    chance = random.Random(number)
    formats = session.scalars(_formats().limit(FORMATS)).all()
    today = berlin_day(utc_now())
    pools = [Pool(capacity=ASKED) for _ in range(number)]
    session.add_all(pools)
    session.flush()
    model = make_event(session, first_day=today - timedelta(days=90), state=EventState.HELD)
    columns = {column.name for column in Event.__table__.columns} - {"id"}
    alike = {name: getattr(model, name) for name in columns}
    rows: list[dict[str, Any]] = []
    for pool in pools:
        first_day = today - timedelta(days=60 + chance.randrange(365 * YEARS))
        serial = next(_NUMBERS)
        rows.append(
            alike
            | {
                "number": f"{first_day.year}-{50_000 + serial}",
                "uid": f"results-{serial}",
                "template_id": chance.choice(formats),
                "pool_id": pool.id,
                "first_day": first_day,
                "last_day": first_day + timedelta(days=1),
            }
        )
    session.execute(insert(Event), rows)
    uids = [row["uid"] for row in rows]
    events: list[Event] = []
    for begin in range(0, len(uids), 500):
        events += session.scalars(select(Event).where(Event.uid.in_(uids[begin : begin + 500])))
    _fill(session, events, chance)


def _fill(session: Session, events: list[Event], chance: random.Random) -> None:
    """Give events closed surveys, in which five to twelve of twelve answered."""
    version_id = _version(session).id
    surveys = [
        Survey(
            event_id=event.id,
            kind=SurveyKind.AFTER,
            state=SurveyState.CLOSED,
            version_id=version_id,
            opened_on=event.last_day,
            closes_on=last_answer_day(SurveyKind.AFTER, event.last_day),
            invited=ASKED,
            answered=chance.randint(5, ASKED),
            release=Release.EVENT,
        )
        for event in events
    ]
    session.add_all(surveys)
    session.flush()
    counts, texts = [], []
    for survey in surveys:
        for question in SCALES:
            steps = chance.choices("12345", (1, 2, 4, 7, 6), k=survey.answered)
            counts += [
                {"survey_id": survey.id, "question": question, "value": value, "people": people}
                for value, people in sorted(Counter(steps).items())
            ]
        texts += [
            {
                "key": secrets.token_bytes(KEY_BYTES),
                "survey_id": survey.id,
                "question": chance.choice(TEXTS),
                "text": "Die Übungen, vor allem die zu zweit.",
                "state": TextState.SHOWN,
            }
            for _ in range(survey.answered // EACH_WITH_TEXT)
        ]
    session.execute(insert(FeedbackCount), counts)
    session.execute(insert(FeedbackText), texts)
