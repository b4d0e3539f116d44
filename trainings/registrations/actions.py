"""The link in a mail that gives a place back."""

from __future__ import annotations

from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core import formats
from trainings.core.actions import Action, ActionPage, Question
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.tokens import ActionToken
from trainings.events.calendar import calendar_days
from trainings.registrations.forms import LATE_QUESTION
from trainings.registrations.mails import EVENTS
from trainings.registrations.models import (
    LATE_REASON_NAMES,
    LateReason,
    Registration,
    RegistrationState,
)
from trainings.registrations.operations import give_back
from trainings.registrations.places import begins_at
from trainings.registrations.rules import is_late, withdrawal_refusal

_WHY = Question(
    name="late_reason",
    words=LATE_QUESTION,
    answers=tuple((reason.value, words) for reason, words in LATE_REASON_NAMES.items()),
)


def _load(session: Session, token: ActionToken) -> Registration:
    registration = session.scalar(
        select(Registration)
        .where(Registration.id == token.subject_id)
        .options(joinedload(Registration.event), joinedload(Registration.person))
    )
    if registration is None:
        raise not_found()
    return registration


def _describe(session: Session, token: ActionToken, now: datetime) -> ActionPage:
    registration = _load(session, token)
    event = registration.event
    refusal = withdrawal_refusal(
        registration.state, event.withdraw_until, begins_at(event), now, says_why=True
    )
    if refusal is not None:
        raise refusal
    late = is_late(registration.state, event.withdraw_until, now)
    placed = registration.state is RegistrationState.PLACED
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in calendar_days(event)]
    return ActionPage(
        title="Platz zurückgeben?" if placed else "Warteliste verlassen?",
        sentences=(
            (
                "Der Platz geht an die nächste Person auf der Warteliste."
                + ("" if late else " Gründe müssen Sie nicht nennen.")
            )
            if placed
            else "Ihre Stelle auf der Warteliste verfällt.",
        ),
        button="Platz zurückgeben" if placed else "Warteliste verlassen",
        facts=(
            ("Veranstaltung", event.title),
            ("Termin" if len(dates) == 1 else "Termine", formats.join_words(dates)),
            ("Name", registration.person.name),
        ),
        gives_up=True,
        question=_WHY if late else None,
    )


def _perform(token: ActionToken, form: Form, now: datetime) -> ResponseReturnValue:
    registration_id = token.subject_id
    chosen = request.form.get("late_reason", "")
    late_reason = LateReason(chosen) if chosen in set(LateReason) else None

    def work(session: Session) -> Outcome:
        person_id = _load(session, token).person_id
        registration = give_back(
            session, Actor(person_id=person_id), registration_id, now, late_reason=late_reason
        )
        return Outcome(EVENTS, f"Sie sind abgemeldet: „{registration.event.title}“.")

    return follow(once(form.key(None), now, work))


WITHDRAW = Action(describe=_describe, perform=_perform)
