"""Registering and withdrawing somebody else: what people are told to call the office for."""

from __future__ import annotations

from datetime import datetime

from flask import render_template
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.fields import options
from trainings.core.forms import is_email_address
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.events.queries import event_by_number
from trainings.office.blueprint import blueprint
from trainings.office.event_views import to_event
from trainings.office.registration_forms import EnteredPersonForm, RegisterPersonForm
from trainings.office.wording import REGISTRATION_STATUS
from trainings.organisations.queries import organisation_choices
from trainings.people.models import Person
from trainings.people.operations import create_person
from trainings.people.posting import attempt
from trainings.people.queries import organisations_for_email, person_by_email
from trainings.people.sessions import current_actor
from trainings.registrations.deciders import Decider
from trainings.registrations.forms import GiveBackForm, SubstituteForm
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.operations import register, withdraw
from trainings.registrations.places import begins_at
from trainings.registrations.rules import is_late, substitution_refusal, withdrawal_refusal
from trainings.registrations.substitution import (
    handed_over_to,
    seat_to_hand_over,
    substitute,
)

_BECAME_WORDS = {
    RegistrationState.PLACED: "hat einen Platz",
    RegistrationState.AWAITING_RELEASE: "ist angemeldet, die Freigabe steht noch aus",
}


@blueprint.route("/veranstaltungen/<number:number>/anmelden", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def event_register(number: str) -> ResponseReturnValue:
    """Register somebody by the same rules as everybody; who is not known yet is added."""
    event = event_by_number(db.session(), number)
    event_id, title, needs_release = event.id, event.title, event.needs_release
    form = RegisterPersonForm()
    choices = organisation_choices(db.session())
    form.organisation_id.choices = options([("", "Bitte wählen"), *choices])

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        person = find_or_add(session, actor, form, now)
        registration = register(
            session,
            actor,
            event_id,
            person_id=person.id,
            needs=form.chosen_needs(),
            released_by=_decider(session, actor) if form.is_released.data else None,
            now=now,
        )
        became = _BECAME_WORDS.get(registration.state, "steht auf der Warteliste")
        return to_event(number, f"{person.name} {became}.")

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if form.is_submitted():
        suggest_organisation(form)
    page = {
        "form": form,
        "number": number,
        "event_title": title,
        "needs_release": needs_release,
    }
    return render_template("office/event_register.html", **page), status


def suggest_organisation(form: EnteredPersonForm) -> None:
    """Choose the organisation by the address of somebody whom nobody knows yet."""
    email = form.email.data or ""
    if is_email_address(email) and person_by_email(db.session(), email) is None:
        form.suggest(organisations_for_email(db.session(), email))


def find_or_add(session: Session, actor: Actor, form: EnteredPersonForm, now: datetime) -> Person:
    """Return the person with the address of the form, who is added if nobody has it yet.

    Raises:
        DomainError: `unknown_people`, or as `create_person`.

    """
    email = form.email.data
    found = person_by_email(session, email)
    return found or create_person(session, actor, email=email, **form.new_person(), now=now)


def _decider(session: Session, actor: Actor) -> Decider:
    """Return who noted the release that the organisation gave by telephone or in writing."""
    person = session.get_one(Person, actor.person_id)
    return Decider(f"{person.given_name} {person.family_name}", "Geschäftsstelle", person.id)


@blueprint.route("/anmeldungen/<id:registration_id>/ersatz", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def registration_substitute(registration_id: int) -> ResponseReturnValue:
    """Name a colleague who comes in somebody's place."""
    registration = seat_to_hand_over(db.session(), current_actor(), registration_id)
    event, now = registration.event, utc_now()
    number = event.number
    page = {
        "number": number,
        "event_title": event.title,
        "name": registration.person.name,
        "organisation": registration.organisation_name,
        "refusal": substitution_refusal(registration.state, event.state, begins_at(event), now),
    }
    form = SubstituteForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        new = substitute(session, actor, registration_id, **form.colleague(), now=now)
        return to_event(number, handed_over_to(new))

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template("office/registration_substitute.html", form=form, **page),
        status,
    )


@blueprint.route("/anmeldungen/<id:registration_id>/abmelden", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def registration_withdraw(registration_id: int) -> ResponseReturnValue:
    """Withdraw somebody, after the deadline as well; the next on the list moves up."""
    registration = db.session.get(Registration, registration_id)
    if registration is None:
        raise not_found()
    number, name = registration.event.number, registration.person.name
    title, until = registration.event.title, registration.event.withdraw_until
    status_words = REGISTRATION_STATUS[registration.state]
    is_placed = registration.state is RegistrationState.PLACED
    form, asked_at = GiveBackForm(), utc_now()
    late = is_late(registration.state, until, asked_at)
    begins = begins_at(registration.event)
    refusal = withdrawal_refusal(registration.state, until, begins, asked_at, says_why=True)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        withdraw(session, actor, registration_id, now, late_reason=form.reason())
        return to_event(number, f"{name} ist abgemeldet.")

    done, status = attempt(form, work, creates=True)
    return done or (
        render_template(
            "office/registration_withdraw.html",
            form=form,
            number=number,
            event_title=title,
            name=name,
            refusal=refusal,
            registration_status=status_words,
            registration_id=registration_id,
            late=late,
            is_placed=is_placed,
        ),
        status,
    )
