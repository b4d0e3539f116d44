"""An organisation asks for a course of its own (in-house); the office plans it or declines."""

from __future__ import annotations

import math
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core import audit, formats
from trainings.core.actors import Actor
from trainings.core.errors import DomainError, not_found
from trainings.core.permissions import Permission
from trainings.events.models import Event, EventHost, EventKind, EventTemplate, Visibility
from trainings.events.operations import create_event_from_template, delete_draft
from trainings.registrations import demand_mails
from trainings.registrations.demand_queries import may_wish_for, organisations_of_contact
from trainings.registrations.models import CourseRequest, CourseRequestState

COURSE_KINDS = frozenset({EventKind.TRAINING})
"""What an organisation can book for its own people: conferences and groups are for many."""


def request_course(
    session: Session,
    actor: Actor,
    *,
    template_id: int,
    organisation_id: int,
    participants: int,
    period: str,
    note: str,
    several: bool = False,
    now: datetime,
) -> CourseRequest:
    """Ask for a course for an organisation that one speaks for.

    Args:
        session: the open transaction.
        actor: a contact of the organisation.
        template_id: the format.
        organisation_id: for whom.
        participants: about how many would come.
        period: when it would suit, in words.
        note: for the office, may be empty.
        several: the organisation knows that so many people take several dates.
        now: the present instant.

    Raises:
        DomainError: `not_found`, also for somebody else's organisation and for what is no course;
            `asked_before`, `more_than_places`.

    """
    theirs = {row.id for row in organisations_of_contact(session, actor)}
    if organisation_id not in theirs or not may_wish_for(session, actor, template_id, now):
        raise not_found()
    template = session.get_one(EventTemplate, template_id)
    if template.kind not in COURSE_KINDS:
        raise not_found()
    if participants > template.capacity and not several:
        dates = formats.number_word(math.ceil(participants / template.capacity))
        raise DomainError(
            "more_than_places",
            f"Ein Termin hat {formats.count(template.capacity, 'Platz', 'Plätze')}; für "
            f"{participants} Personen sind {dates} Termine nötig. Bitte verringern Sie die Zahl, "
            "oder kreuzen Sie darunter an, dass Sie mehrere Termine anfragen.",
            field="participants",
            status=422,
        )
    same = session.scalar(
        select(CourseRequest.id).where(
            CourseRequest.organisation_id == organisation_id,
            CourseRequest.template_id == template_id,
            CourseRequest.state == CourseRequestState.OPEN,
        )
    )
    if same is not None:
        raise DomainError(
            "asked_before",
            "Für diese Organisation ist ein solcher Kurs schon angefragt. Möchten Sie etwas "
            "ändern, wenden Sie sich bitte an die Geschäftsstelle.",
            field="template_id",
        )
    request = CourseRequest(
        organisation_id=organisation_id,
        template_id=template_id,
        person_id=actor.person_id,
        participants=participants,
        period=period,
        note=note,
        created_at=now,
    )
    session.add(request)
    audit.record(session, actor, "course_requested", request, now, template_id=template_id)
    return request


def plan_course(
    session: Session, actor: Actor, request_id: int, first_day: date, now: datetime
) -> Event:
    """Make the draft of the course that an organisation asked for, and tell whoever asked.

    Args:
        session: the open transaction.
        actor: of the office.
        request_id: the request.
        first_day: day of the first session in Berlin.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `answered_before`, or what `create_event_from_template` refuses.

    """
    request = _lock_open(session, actor, request_id)
    event = create_event_from_template(session, actor, request.template_id, first_day, now)
    event.visibility = Visibility.IN_HOUSE
    event.hosts.append(EventHost(organisation_id=request.organisation_id))
    session.flush()
    request.event_id = event.id
    _answer(request, CourseRequestState.PLANNED, now)
    audit.record(session, actor, "course_planned", request, now, event_id=event.id)
    demand_mails.course_planned(session, request, event, now)
    return event


def decline_course(
    session: Session, actor: Actor, request_id: int, reason: str, now: datetime
) -> None:
    """Decline a course that an organisation asked for, with a reason that it reads.

    Raises:
        DomainError: `not_found`, `answered_before`, `reason_missing`.

    """
    if not reason.strip():
        raise DomainError(
            "reason_missing", "Bitte geben Sie einen Grund an.", field="reason", status=422
        )
    request = _lock_open(session, actor, request_id)
    request.answer = reason
    _answer(request, CourseRequestState.DECLINED, now)
    audit.record(session, actor, "course_declined", request, now)
    demand_mails.course_declined(session, request, now)


def delete_draft_and_reopen(session: Session, actor: Actor, event_id: int, now: datetime) -> None:
    """Delete a draft; a request for which it was planned is open again.

    Raises:
        DomainError: as `events.operations.delete_draft`.

    """
    for request in session.scalars(
        select(CourseRequest).where(CourseRequest.event_id == event_id).with_for_update()
    ):
        request.event_id = None
        request.state = CourseRequestState.OPEN
        request.answered_at = None
        audit.record(session, actor, "course_reopened", request, now, event_id=event_id)
    session.flush()
    delete_draft(session, actor, event_id, now)


def _answer(request: CourseRequest, state: CourseRequestState, now: datetime) -> None:
    request.state = state
    request.answered_at = now


def _lock_open(session: Session, actor: Actor, request_id: int) -> CourseRequest:
    request = session.scalar(
        select(CourseRequest)
        .where(CourseRequest.id == request_id)
        .options(
            joinedload(CourseRequest.template, innerjoin=True),
            joinedload(CourseRequest.organisation, innerjoin=True),
            joinedload(CourseRequest.person, innerjoin=True),
        )
        .with_for_update(of=CourseRequest)
        .execution_options(populate_existing=True)
    )
    if request is None or not actor.may(Permission.OFFICE):
        raise not_found()
    if request.state is not CourseRequestState.OPEN:
        raise DomainError(
            "answered_before",
            "Diese Anfrage ist schon beantwortet. Was daraus wurde, steht auf der Seite „Bedarf“.",
        )
    return request
