"""The links in mails that give a place back, and that answer an offer."""

from __future__ import annotations

from datetime import datetime

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from trainings.core import formats
from trainings.core.actions import OTHER, Action, ActionPage, Question
from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.tokens import ActionToken
from trainings.events.calendar import calendar_days
from trainings.registrations.forms import LATE_QUESTION
from trainings.registrations.mail_parts import EVENTS, ticket_path
from trainings.registrations.models import (
    LATE_REASON_NAMES,
    LateReason,
    Registration,
    RegistrationState,
)
from trainings.registrations.offer_operations import (
    accept_offer,
    answer_sentence,
    decline_offer,
    offer_refusal,
)
from trainings.registrations.operations import give_back
from trainings.registrations.places import begins_at
from trainings.registrations.rules import awaits_admission, is_late, withdrawal_refusal

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
    if registration.state is RegistrationState.PLACED:
        give_up = "Platz zurückgeben"
        sentence = "Der Platz geht an die nächste Person auf der Warteliste."
        if not late:
            sentence += " Gründe müssen Sie nicht nennen."
    elif registration.state is RegistrationState.AWAITING_RELEASE:
        give_up = "Anmeldung zurückziehen"
        sentence = "Ihre Organisation muss dann nicht mehr entscheiden."
    elif awaits_admission(event.admission, event.admitted_at):
        give_up = "Anmeldung zurückziehen"
        sentence = "Die Geschäftsstelle berücksichtigt Ihren Antrag dann bei der Zulassung nicht."
    else:
        give_up, sentence = "Warteliste verlassen", "Ihre Stelle auf der Warteliste verfällt."
    return ActionPage(
        title=f"{give_up}?",
        sentences=(sentence,),
        button=give_up,
        facts=_facts(registration),
        gives_up=True,
        question=_WHY if late else None,
    )


def _facts(registration: Registration) -> tuple[tuple[str, str], ...]:
    days = calendar_days(registration.event)
    dates = [formats.day_and_span(day.day, day.begins, day.ends) for day in days]
    return (
        ("Veranstaltung", registration.event.title),
        ("Termin" if len(dates) == 1 else "Termine", formats.join_words(dates)),
        ("Name", registration.person.name),
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


def _describe_offer(session: Session, token: ActionToken, now: datetime) -> ActionPage:
    registration = _load(session, token)
    event = registration.event
    refusal = offer_refusal(registration, begins_at(event), now)
    if refusal is not None or registration.offer_until is None:
        raise refusal or not_found()
    return ActionPage(
        title="Möchten Sie den freien Platz?",
        sentences=(
            f"Wir halten ihn für Sie frei bis {formats.instant(registration.offer_until)}. Lehnen "
            "Sie ab, bieten wir ihn der nächsten Person an. Sie verlassen die Warteliste dieses "
            "Termins.",
        ),
        button="Platz annehmen",
        other="Platz ablehnen",
        facts=_facts(registration),
    )


def _perform_offer(token: ActionToken, form: Form, now: datetime) -> ResponseReturnValue:
    accepts = OTHER not in request.form
    registration_id = token.subject_id

    def work(session: Session) -> Outcome:
        actor = Actor(person_id=_load(session, token).person_id)
        answer = accept_offer if accepts else decline_offer
        registration = answer(session, actor, registration_id, now)
        address = ticket_path(registration) if accepts else EVENTS
        return Outcome(address, answer_sentence(registration))

    return follow(once(form.key(None, accepts), now, work))


OFFER = Action(describe=_describe_offer, perform=_perform_offer)
