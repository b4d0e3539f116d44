"""Loads what was answered: only surveys that closed, only tables with enough answers.

No statement here knows who gave a training.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, and_, cast, func, not_, or_, select, tuple_
from sqlalchemy.orm import Session

from trainings.core.errors import not_found
from trainings.events.models import Event, EventTemplate
from trainings.feedback.answers import NO_ANSWER, STEP_VALUES
from trainings.feedback.content import Content, QuestionKind
from trainings.feedback.models import (
    FeedbackCount,
    Questionnaire,
    QuestionnaireVersion,
    Release,
    Survey,
    SurveyKind,
    SurveyState,
)
from trainings.feedback.results.rules import (
    FLOWS,
    Asked,
    Figures,
    Height,
    flows_now,
    mean_of_scales,
    merged,
    shown_questions,
)
from trainings.feedback.results.tables import Table
from trainings.feedback.rules import Closing, may_show
from trainings.feedback.texts.queries import removed_texts, shown_texts

WITHOUT_FORMAT = "Ohne Format"


@dataclass(frozen=True)
class Closed:
    """A closed survey.

    Attributes:
        closing: what decides where it flows.
        stored: where it flows.
        invited: how many were asked.

    """

    closing: Closing
    stored: Release
    invited: int


@dataclass(frozen=True)
class Texts:
    """Free texts on one question.

    Attributes:
        question: the question.
        texts: those that were looked through, in random order.
        removed: how many are not shown, since they named people or cases.

    """

    question: str
    texts: tuple[str, ...]
    removed: int


@dataclass(frozen=True)
class Results:
    """What was answered, of one table.

    Attributes:
        figures: how many were asked and answered.
        questions: all but the free texts, in order.
        texts: on each question that has any.

    """

    figures: Figures
    questions: tuple[Asked, ...]
    texts: tuple[Texts, ...]


@dataclass(frozen=True)
class OverviewLine:
    """A format, in a year or over all years.

    Attributes:
        year: None over all years.
        figures: None if there are too few answers.

    """

    year: int | None
    figures: Figures | None


@dataclass(frozen=True)
class OverviewFormat:
    """What is known of a format.

    Attributes:
        format: its id; None for events without one.
        title: its name.
        years: the latest first.
        total: over all years.

    """

    format: int | None
    title: str
    years: tuple[OverviewLine, ...]
    total: OverviewLine


@dataclass(frozen=True)
class Overview:
    """All sums of a questionnaire.

    Attributes:
        formats: by name; those without a format last.
        total: of all; None if there are too few answers.
        waiting: how many events wait for others, because too few people answered.

    """

    formats: tuple[OverviewFormat, ...]
    total: Figures | None
    waiting: int


def load_closed(session: Session, which: ColumnElement[bool]) -> list[Closed]:
    """Return surveys that a condition holds of, in no order; one statement."""
    rows = session.execute(
        select(
            Survey.id,
            Survey.closes_on,
            Survey.kind,
            Survey.version_id,
            Event.template_id,
            Event.last_day,
            Survey.answered,
            Survey.release,
            Survey.invited,
        )
        .join(Event, Survey.event_id == Event.id)
        .where(which, Survey.state == SurveyState.CLOSED)
    )
    found = []
    for survey_id, day, kind, version_id, template_id, last_day, answered, release, invited in rows:
        assert day is not None and version_id is not None  # noqa: S101 – a check holds it
        closing = Closing(survey_id, day, kind, version_id, template_id, last_day.year, answered)
        found.append(Closed(closing, release, invited))
    return found


def load_versions(session: Session, questionnaire_id: int) -> dict[int, Content]:
    """Return what the versions of a questionnaire ask, the earliest first; one statement."""
    rows = session.execute(
        select(QuestionnaireVersion.id, QuestionnaireVersion.content)
        .where(QuestionnaireVersion.questionnaire_id == questionnaire_id)
        .order_by(QuestionnaireVersion.number)
    )
    return {version_id: Content.from_json(content) for version_id, content in rows}


def load_asked(session: Session) -> list[tuple[int, str, SurveyKind]]:
    """Return which questionnaires closed surveys asked: id, title, kind; one statement."""
    rows = session.execute(
        select(Questionnaire.id, Questionnaire.title, Survey.kind)
        .join(QuestionnaireVersion, QuestionnaireVersion.questionnaire_id == Questionnaire.id)
        .join(Survey, Survey.version_id == QuestionnaireVersion.id)
        .where(Survey.state == SurveyState.CLOSED)
        .distinct()
        .order_by(Questionnaire.id, Survey.kind)
    )
    return [(questionnaire_id, title, kind) for questionnaire_id, title, kind in rows]


def load_format_title(session: Session, template_id: int) -> str:
    """Return the name of a format; one statement.

    Raises:
        DomainError: `not_found`.

    """
    title = session.scalar(select(EventTemplate.title).where(EventTemplate.id == template_id))
    if title is None:
        raise not_found()
    return title


def load_years(session: Session, table: Table) -> list[int]:
    """Return the years of a format in which something was asked, the latest first."""
    days = session.scalars(
        select(Event.last_day)
        .join(Survey, Survey.event_id == Event.id)
        .where(table.closed())
        .distinct()
    )
    return sorted({day.year for day in days}, reverse=True)


def load_results(
    session: Session, table: Table, smallest: int, *, with_texts: bool = True
) -> Results | None:
    """Return what was answered, of a table of sums; None: there are too few answers.

    Args:
        session: for reading; at most five statements.
        table: which sums.
        smallest: the smallest group now.
        with_texts: load the free texts, too.

    """
    closed = load_closed(session, table.closed())
    now = _flows(closed, smallest)
    inside = [
        each
        for each in closed
        if table.height is not Height.YEAR or each.closing.year == table.year
    ]
    flowing = FLOWS[table.height]
    members = [each for each in inside if now[each.closing.survey_id] in flowing]
    if not may_show(sum(each.closing.answered for each in members), smallest):
        return None
    which = table.holds()
    # What was released, but is too few now that the smallest group was raised.
    hidden = [
        each.closing.survey_id
        for each in inside
        if each.stored in flowing and now[each.closing.survey_id] not in flowing
    ]
    if hidden:
        which &= Survey.id.not_in(hidden)
    return _results(
        session,
        members,
        which,
        load_versions(session, table.questionnaire_id),
        smallest,
        with_texts=with_texts,
    )


def load_event_results(session: Session, survey_id: int, smallest: int) -> Results | None:
    """Return what was answered at one event; None: too few answers, or not released yet.

    Args:
        session: for reading; at most five statements.
        survey_id: a survey that the actor may see.
        smallest: the smallest group now.

    """
    which = Survey.id == survey_id
    members = load_closed(session, which & (Survey.release == Release.EVENT))
    if not members or not may_show(members[0].closing.answered, smallest):
        return None
    content = session.execute(
        select(QuestionnaireVersion.id, QuestionnaireVersion.content)
        .join(Survey, Survey.version_id == QuestionnaireVersion.id)
        .where(which)
    ).one()
    versions = {content.id: Content.from_json(content.content)}
    return _results(session, members, which, versions, smallest)


def _results(
    session: Session,
    members: list[Closed],
    which: ColumnElement[bool],
    versions: Mapping[int, Content],
    smallest: int,
    *,
    with_texts: bool = True,
) -> Results:
    used = {each.closing.version_id for each in members}
    contents = [content for version, content in versions.items() if version in used]
    counts = _load_counts(session, which, contents, smallest)
    questions = shown_questions(versions, [each.closing for each in members], counts, smallest)
    texts = _load_texts(session, which, contents) if with_texts else ()
    return Results(_figures(members, mean_of_scales(questions)), tuple(questions), tuple(texts))


def _load_counts(
    session: Session, which: ColumnElement[bool], contents: list[Content], smallest: int
) -> dict[str, dict[str, int]]:
    """Return how many people chose each value, by question; one statement.

    Numbers are left out where fewer people of an event than the smallest group gave one: the mean
    of the others stands in a table of its own, and subtracting it would leave theirs.
    """
    numbers = {
        question.key
        for content in contents
        for question in content.questions
        if question.kind is QuestionKind.NUMBER
    }
    in_them = FeedbackCount.survey_id.in_(select(Survey.id).where(which))
    is_number = and_(FeedbackCount.question.in_(numbers), FeedbackCount.value != NO_ANSWER)
    people = func.sum(FeedbackCount.people)
    statement = select(FeedbackCount.question, FeedbackCount.value, people).where(in_them)
    if numbers:
        enough = (
            select(FeedbackCount.survey_id, FeedbackCount.question)
            .where(in_them, is_number)
            .group_by(FeedbackCount.survey_id, FeedbackCount.question)
            .having(people >= smallest)
        )
        of_survey = tuple_(FeedbackCount.survey_id, FeedbackCount.question)
        statement = statement.where(or_(not_(is_number), of_survey.in_(enough)))
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for question, value, total in session.execute(
        statement.group_by(FeedbackCount.question, FeedbackCount.value)
    ):
        found[question][value] = int(total)
    return found


def _load_texts(
    session: Session, which: ColumnElement[bool], contents: list[Content]
) -> list[Texts]:
    shown, removed = shown_texts(session, which), removed_texts(session, which)
    return [
        Texts(
            question.text,
            tuple(shown.get(question.key, ())),
            removed.get(question.key, 0),
        )
        for _, question in merged(contents)
        if question.key in shown or question.key in removed
    ]


def _flows(closed: Iterable[Closed], smallest: int) -> dict[int, Release]:
    return flows_now(
        [each.closing for each in closed],
        {each.closing.survey_id: each.stored for each in closed},
        smallest,
    )


def _figures(members: list[Closed], mean: float | None) -> Figures:
    return Figures(
        len(members),
        sum(each.invited for each in members),
        sum(each.closing.answered for each in members),
        mean,
    )


def load_overview(
    session: Session, questionnaire_id: int, kind: SurveyKind, smallest: int
) -> Overview:
    """Return all sums of a questionnaire; four statements.

    Args:
        session: for reading.
        questionnaire_id: what was asked.
        kind: when it was asked.
        smallest: the smallest group now.

    """
    table = Table(questionnaire_id, kind, Height.TOTAL)
    closed = load_closed(session, table.closed())
    now = _flows(closed, smallest)
    steps = _load_steps(session, table, load_versions(session, questionnaire_id))
    titles = dict(session.execute(select(EventTemplate.id, EventTemplate.title)).all())

    def figures(inside: list[Closed], height: Height) -> Figures | None:
        members = [each for each in inside if now[each.closing.survey_id] in FLOWS[height]]
        if not may_show(sum(each.closing.answered for each in members), smallest):
            return None
        sums = [
            steps[each.closing.survey_id] for each in members if each.closing.survey_id in steps
        ]
        people = sum(count for _, count in sums)
        return _figures(members, sum(total for total, _ in sums) / people if people else None)

    years: dict[int | None, dict[int, list[Closed]]] = defaultdict(lambda: defaultdict(list))
    for each in closed:
        years[each.closing.format][each.closing.year].append(each)
    formats = [
        OverviewFormat(
            template_id,
            WITHOUT_FORMAT if template_id is None else titles[template_id],
            tuple(
                OverviewLine(year, figures(by_year[year], Height.YEAR))
                for year in sorted(by_year, reverse=True)
            ),
            OverviewLine(
                None, figures([each for one in by_year.values() for each in one], Height.FORMAT)
            ),
        )
        for template_id, by_year in years.items()
    ]
    formats.sort(key=lambda each: (each.format is None, each.title.casefold(), each.format or 0))
    waiting = sum(1 for release in now.values() if release is Release.WAITING)
    return Overview(tuple(formats), figures(closed, Height.TOTAL), waiting)


def _load_steps(
    session: Session, table: Table, versions: Mapping[int, Content]
) -> dict[int, tuple[int, int]]:
    """Return the sum of all answers on scales and how many they are, by survey."""
    scales = {
        question.key
        for content in versions.values()
        for question in content.questions
        if question.kind is QuestionKind.SCALE
    }
    rows = session.execute(
        select(
            FeedbackCount.survey_id,
            func.sum(cast(FeedbackCount.value, Integer) * FeedbackCount.people),
            func.sum(FeedbackCount.people),
        )
        .where(
            FeedbackCount.survey_id.in_(select(Survey.id).where(table.holds())),
            FeedbackCount.question.in_(scales),
            FeedbackCount.value.in_(STEP_VALUES),
        )
        .group_by(FeedbackCount.survey_id)
    )
    return {survey_id: (int(total), int(people)) for survey_id, total, people in rows}
