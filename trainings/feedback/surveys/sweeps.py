"""What time brings: surveys open and people are invited, reminded; rights are forgotten.

Each event takes a transaction of its own. Nothing here writes an audit row about the right of a
single person: whether it could be taken back says whether it had been used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, exists, not_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.core.clock import berlin_day
from trainings.core.database import db, transaction
from trainings.core.tokens import digest
from trainings.events.models import Event
from trainings.feedback.models import (
    Channel,
    FeedbackInvitation,
    FeedbackRight,
    PendingRight,
    Survey,
    SurveyKind,
    SurveyState,
    UsedRight,
)
from trainings.feedback.questionnaires.choosing import version_for
from trainings.feedback.rules import (
    FOLLOW_UP_MONTHS,
    REMINDED_AFTER,
    RIGHTS_KEPT_FOR,
    takes_answers,
)
from trainings.feedback.surveys import mails
from trainings.feedback.surveys.reads import TAKES_PLACE, asks, attended, ends_at
from trainings.feedback.surveys.rights import grant, take_back
from trainings.feedback.surveys.settling import forget_dead_rows
from trainings.feedback.surveys.steps import lock_survey, lock_survey_of, open_survey
from trainings.feedback.surveys.timing import may_open_on
from trainings.people.information import post_to_person
from trainings.people.models import Person
from trainings.registrations.models import Registration
from trainings.registrations.places import LockedPlaces, with_places

INVITED, REMINDED = "feedback_invitation", "feedback_reminder"
"""Kinds of the mails."""
_LONGEST_MONTHS = timedelta(days=31 * FOLLOW_UP_MONTHS + 31)
"""No event is older than this when its follow-up opens."""


def invite(now: datetime) -> int:
    """Ask those who attended an event that is over, and adjust who may answer in open surveys.

    Returns:
        How many people were invited.

    """
    invited = sum(_run(event_id, SurveyKind.AFTER, now) for event_id in _due(SurveyKind.AFTER, now))
    return invited + sum(_run(event_id, kind, now) for event_id, kind in _to_adjust(now))


def follow_up(now: datetime) -> int:
    """Ask those who attended an event three months ago.

    Returns:
        How many people were invited.

    """
    kind = SurveyKind.FOLLOW_UP
    return sum(_run(event_id, kind, now) for event_id in _due(kind, now))


def remind(now: datetime) -> int:
    """Remind all who were invited, once, and forget which right is whose.

    Returns:
        How many mails there are.

    """
    due = select(Survey.id).where(_to_remind(now)).order_by(Survey.id)
    return sum(_remind(survey_id, now) for survey_id in db.session.scalars(due).all())


def forget_rights(now: datetime) -> int:
    """Delete the rights of surveys that closed long ago, used or not; their numbers stay.

    Returns:
        How many rights were deleted.

    """
    old = select(Survey.id).where(
        Survey.state == SurveyState.CLOSED, Survey.closes_on < berlin_day(now) - RIGHTS_KEPT_FOR
    )
    forgotten = 0
    with transaction() as session:
        for table in (FeedbackRight, UsedRight):
            result = session.execute(delete(table).where(table.survey_id.in_(old)))
            forgotten += int(result.rowcount)  # type: ignore[attr-defined]
    if forgotten:
        forget_dead_rows()
    return forgotten


def _due(kind: SurveyKind, now: datetime) -> list[int]:
    """Return the events that may ask by mail now and have not yet, if somebody attended."""
    today = berlin_day(now)
    decided = exists().where(
        Survey.event_id == Event.id,
        Survey.kind == kind,
        not_(and_(Survey.state == SurveyState.PLANNED, Survey.channel == Channel.MAIL)),
    )
    found = db.session.scalars(
        select(Event)
        .where(
            Event.state.in_(TAKES_PLACE),
            Event.last_day.between(today - _LONGEST_MONTHS, today),
            asks(kind),
            ~decided,
            exists().where(attended(Event.id)),
        )
        .options(selectinload(Event.sessions))
        .order_by(Event.id)
    )
    return [event.id for event in found if _may_open(event, kind, now)]


def _may_open(event: Event, kind: SurveyKind, now: datetime) -> bool:
    in_time = may_open_on(kind, event.last_day, berlin_day(now))
    return event.state in TAKES_PLACE and in_time and ends_at(event) <= now


def _to_adjust(now: datetime) -> list[tuple[int, SurveyKind]]:
    """Return the open surveys in which somebody is still to be invited, or not any more."""
    running = (
        Survey.state == SurveyState.OPEN,
        Survey.channel == Channel.MAIL,
        Survey.closes_on >= berlin_day(now),
    )
    late = exists().where(attended(Survey.event_id), ~_has_been_asked())
    found = {
        survey_id: (event_id, kind)
        for survey_id, event_id, kind in db.session.execute(
            select(Survey.id, Survey.event_id, Survey.kind).where(*running, late)
        )
    }
    # After the reminder nothing tells any more whose right is whose.
    adjustable = {
        survey_id: (event_id, kind)
        for survey_id, event_id, kind in db.session.execute(
            select(Survey.id, Survey.event_id, Survey.kind).where(
                *running, Survey.reminded_on.is_(None)
            )
        )
    }
    for change in _changes(db.session(), list(adjustable)):
        found[change.survey_id] = adjustable[change.survey_id]
    return [found[survey_id] for survey_id in sorted(found)]


def _has_been_asked() -> ColumnElement[bool]:
    """Return whether the registration was invited to the survey of the statement around it."""
    return exists().where(
        FeedbackInvitation.survey_id == Survey.id,
        FeedbackInvitation.registration_id == Registration.id,
    )


@dataclass(frozen=True)
class _Change:
    """A right that is not as the attendance says.

    Attributes:
        survey_id: of the right.
        token_hash: of the right.
        attends: whether somebody is to have it back; else it is to be taken.

    """

    survey_id: int
    token_hash: bytes
    attends: bool


def _changes(session: Session, survey_ids: Sequence[int]) -> list[_Change]:
    """Return which rights go, since somebody was absent after all, and which come back.

    They come back under their old code, without another mail: nothing that anybody sees may depend
    on whether a right was used, or recording somebody as absent would tell who has answered.
    """
    if not survey_ids:
        return []
    unused = _hashes(session, survey_ids, FeedbackRight)
    used = _hashes(session, survey_ids, PendingRight) | _hashes(session, survey_ids, UsedRight)
    rows = session.execute(
        select(FeedbackInvitation.survey_id, FeedbackInvitation.token, attended(Survey.event_id))
        .join(Survey, FeedbackInvitation.survey_id == Survey.id)
        .join(Registration, FeedbackInvitation.registration_id == Registration.id)
        .where(FeedbackInvitation.survey_id.in_(survey_ids), FeedbackInvitation.token != "")
        .order_by(FeedbackInvitation.survey_id, FeedbackInvitation.registration_id)
    )
    return [
        _Change(survey_id, token_hash, attends)
        for survey_id, token_hash, attends in (
            (survey_id, digest(token), attends) for survey_id, token, attends in rows
        )
        if (survey_id, token_hash) not in used
        and attends is not ((survey_id, token_hash) in unused)
    ]


def _hashes(
    session: Session,
    survey_ids: Sequence[int],
    table: type[FeedbackRight | PendingRight | UsedRight],
) -> set[tuple[int, bytes]]:
    rows = session.execute(
        select(table.survey_id, table.token_hash).where(table.survey_id.in_(survey_ids))
    )
    return {(survey_id, token_hash) for survey_id, token_hash in rows}


def _run(event_id: int, kind: SurveyKind, now: datetime) -> int:
    with transaction() as session:
        return with_places(session, event_id, (), now, lambda places: _ask(places, kind))


def _ask(places: LockedPlaces, kind: SurveyKind) -> int:
    """Open the survey of a locked event if it is time, and give each who attended one right."""
    session, event, now = places.session, places.event, places.now
    # What a mail to them changes are rows of persons, which are locked before the pool.
    places.hold(session.scalars(select(Registration.person_id).where(attended(event.id))))
    survey = lock_survey_of(session, event.id, kind)
    if survey is None or survey.state is SurveyState.PLANNED:
        version = version_for(session, event, kind)
        chosen = survey is None or survey.channel is Channel.MAIL
        if version is None or not chosen or not _may_open(event, kind, now):
            return 0
        survey = survey or Survey(event_id=event.id, kind=kind, state=SurveyState.PLANNED)
        open_survey(session, SYSTEM, survey, version, now)
    if survey.channel is not Channel.MAIL or not takes_answers(
        survey.state, survey.closes_on, berlin_day(now)
    ):
        return 0
    _adjust(session, survey)
    return _give(places, survey)


def _adjust(session: Session, survey: Survey) -> None:
    """Take unused rights of a locked survey from who was absent after all, and undo that."""
    for change in _changes(session, [survey.id]):
        if change.attends:
            session.add(FeedbackRight(token_hash=change.token_hash, survey_id=survey.id))
        else:
            take_back(session, survey, [change.token_hash])
    session.flush()


def _give(places: LockedPlaces, survey: Survey) -> int:
    session, event, now = places.session, places.event, places.now
    registrations = session.scalars(
        select(Registration)
        .join(Survey, Survey.id == survey.id)
        .join(Person, Registration.person_id == Person.id)
        .where(
            attended(event.id),
            ~_has_been_asked(),
            Person.anonymised_at.is_(None),
            # Whoever was recorded since has not been locked; the next sweep finds them.
            Person.id.in_(places.persons),
        )
        .options(joinedload(Registration.person))
        .order_by(Registration.id)
    ).all()
    codes = grant(session, survey, len(registrations))
    for registration, code in zip(registrations, codes, strict=True):
        person = registration.person
        words = mails.invitation(survey, event, code)
        post_to_person(session, person, kind=INVITED, mail=words, now=now)
        session.add(
            FeedbackInvitation(
                survey_id=survey.id,
                registration_id=registration.id,
                # After the reminder nothing is needed that tells whose right it is.
                token="" if survey.reminded_on else code,
            )
        )
    if registrations:
        record(session, SYSTEM, "survey_invited", survey, now, people=len(registrations))
    return len(registrations)


def _to_remind(now: datetime) -> ColumnElement[bool]:
    """Return whether the one reminder of a survey is due; after the last day it never is."""
    today = berlin_day(now)
    return and_(
        Survey.state == SurveyState.OPEN,
        Survey.channel == Channel.MAIL,
        Survey.reminded_on.is_(None),
        Survey.opened_on <= today - REMINDED_AFTER,
        Survey.closes_on >= today,
    )


def _remind(survey_id: int, now: datetime) -> int:
    with transaction() as session:
        survey = lock_survey(session, survey_id)
        # A worker that came first has reminded already; the row was read anew under the lock.
        if session.scalar(select(Survey.id).where(Survey.id == survey_id, _to_remind(now))) is None:
            return 0
        event = session.get_one(Event, survey.event_id)
        _adjust(session, survey)
        invitations = session.execute(
            select(FeedbackInvitation, attended(survey.event_id))
            .join(Registration, FeedbackInvitation.registration_id == Registration.id)
            .where(FeedbackInvitation.survey_id == survey.id, FeedbackInvitation.token != "")
            .order_by(FeedbackInvitation.registration_id)
        ).all()
        # Whoever has not attended has no right, or has used it: a mail would be wrong.
        reminded = _post_reminders(
            session, survey, event, [row for row, was_there in invitations if was_there], now
        )
        for invitation, _ in invitations:
            invitation.token = ""
        survey.reminded_on = berlin_day(now)
        record(session, SYSTEM, "survey_reminded", survey, now, people=reminded)
        return reminded


def _post_reminders(
    session: Session,
    survey: Survey,
    event: Event,
    invitations: Sequence[FeedbackInvitation],
    now: datetime,
) -> int:
    """Write to the invited; they have had a mail before, so that no row of a person changes."""
    persons = {
        registration.id: registration.person
        for registration in session.scalars(
            select(Registration)
            .where(Registration.id.in_([row.registration_id for row in invitations]))
            .options(joinedload(Registration.person))
        )
    }
    for invitation in invitations:
        person = persons[invitation.registration_id]
        words = mails.reminder(survey, event, invitation.token)
        post_to_person(session, person, kind=REMINDED, mail=words, now=now)
    return len(invitations)
