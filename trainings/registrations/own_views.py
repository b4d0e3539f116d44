"""Each person's own registrations: tickets, and giving a place back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from flask import abort, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.actors import Actor
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.core.qr import qr_svg
from trainings.core.settings import current_settings
from trainings.events import calendar
from trainings.events.models import EventState
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor
from trainings.registrations import operations, tickets
from trainings.registrations.blueprint import blueprint
from trainings.registrations.demand_queries import ended_by_wish, my_wishes
from trainings.registrations.explain import explain_own
from trainings.registrations.explain_rules import Condition
from trainings.registrations.forms import GiveBackForm
from trainings.registrations.models import Registration, RegistrationState
from trainings.registrations.offer_queries import QueueNews, queue_news
from trainings.registrations.queries import (
    MyPlace,
    MyRegistration,
    my_registration,
    my_registrations,
)
from trainings.registrations.release_queries import declined_requests, not_released_in_time
from trainings.registrations.rules import awaits_admission, is_late
from trainings.registrations.statuses import (
    Status,
    past_status,
    queue_sentence,
    registration_status,
)


@blueprint.get("/meine/anmeldungen", endpoint="my_registrations")
@requires(Permission.REGISTER)
def my_registrations_page() -> str:
    """Show the person's own registrations: the next one as a ticket, then the others."""
    actor, now = current_actor(), utc_now()
    everything = my_registrations(db.session(), actor)
    today = berlin_day(now)
    current = [
        mine
        for mine in everything
        if mine.registration.is_active
        and mine.event.last_day >= today
        and mine.event.state is EventState.PUBLISHED
    ]
    ticket = next((mine for mine in current if mine.registration.ticket), None)
    offers = [mine for mine in current if mine.registration.offer_until]
    news = queue_news(db.session(), [mine.registration.id for mine in current if mine.position])
    why = explain_own(db.session(), current, now)
    past = [mine for mine in reversed(everything) if mine not in current]
    unreleased = not_released_in_time(db.session(), _in_state(past, RegistrationState.EXPIRED))
    by_wish = ended_by_wish(db.session(), [mine.registration.id for mine in past])
    return render_template(
        "registrations/mine.html",
        ticket=ticket,
        qr=_ticket_qr(ticket.registration) if ticket else "",
        days=calendar.calendar_days(ticket.event) if ticket else [],
        place=calendar.place_line(ticket.event) if ticket else "",
        offers=[(mine, _dates(mine)) for mine in offers],
        offer_form=Form(formdata=None),
        further=[
            (mine, _row_status(mine, why, news), _my_times(mine))
            for mine in current
            if mine is not ticket and mine not in offers
        ],
        past=[
            (
                mine,
                past_status(
                    mine.registration.state,
                    by_wish.get(mine.registration.id),
                    unreleased=mine.registration.id in unreleased,
                ),
            )
            for mine in past
        ],
        wishes=my_wishes(db.session(), actor),
        declined=declined_requests(db.session(), _in_state(past, RegistrationState.DECLINED)),
        letters=tickets.in_groups,
    )


def _dates(mine: MyRegistration) -> str:
    days = calendar.calendar_days(mine.event)
    return formats.join_words([formats.day_and_span(day.day, day.begins, day.ends) for day in days])


def _in_state(registrations: list[MyRegistration], state: RegistrationState) -> list[int]:
    return [mine.registration.id for mine in registrations if mine.registration.state is state]


def _row_status(
    mine: MyRegistration, why: Mapping[int, Condition], news: Mapping[int, QueueNews]
) -> Status:
    registration = mine.registration
    place = mine.place or MyPlace(registration.id, registration.state)
    icon, word, tone, detail = registration_status(place)
    sentences = [detail] if detail else []
    condition = why.get(registration.id)
    if condition is not None and not (condition.code == "admission" and place.awaits_admission):
        sentences.append(condition.to_person)
    if registration.id in news:
        sentences.append(queue_sentence(news[registration.id]))
    return (icon, word, tone, " ".join(_ended(sentence) for sentence in sentences))


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _my_times(mine: MyRegistration) -> str:
    first = calendar.calendar_days(mine.event)[0]
    span = formats.time_span(first.begins, first.ends)
    return span if mine.event.first_day == mine.event.last_day else f"1. Tag {span}"


@blueprint.get("/meine/anmeldungen/<id:registration_id>/eintrittskarte")
@requires(Permission.REGISTER)
def ticket_page(registration_id: int) -> ResponseReturnValue:
    """Show one's own ticket."""
    registration = my_registration(db.session(), current_actor(), registration_id)
    if registration.ticket is None:
        return redirect(url_for(".my_registrations"))
    return _show_ticket(registration, own=True)


@blueprint.get("/eintrittskarte/<token:ticket>/<token:signature>")
@requires(Permission.PUBLIC)
def signed_ticket(ticket: str, signature: str) -> ResponseReturnValue:
    """Show a ticket to whoever holds the link from the mail or from the code on the screen."""
    registration = tickets.by_signed_link(db.session(), ticket, signature, utc_now())
    if registration is None:
        abort(404)
    return _show_ticket(registration, own=False)


def _show_ticket(registration: Registration, *, own: bool) -> str:
    return render_template(
        "registrations/ticket.html",
        registration=registration,
        event=registration.event,
        days=calendar.calendar_days(registration.event),
        place=calendar.place_line(registration.event),
        qr=_ticket_qr(registration),
        letters=tickets.in_groups,
        own=own,
    )


def _ticket_qr(registration: Registration) -> str:
    ticket = registration.ticket or ""
    address = f"{current_settings().base_url}/t/{ticket}"
    return qr_svg(address, f"QR-Code der Eintrittskarte {tickets.in_groups(ticket)}")


@blueprint.get("/meine/anmeldungen/<id:registration_id>/handy")
@requires(Permission.REGISTER)
def ticket_on_phone(registration_id: int) -> ResponseReturnValue:
    """Show a code that opens the ticket on the phone that reads it."""
    registration = my_registration(db.session(), current_actor(), registration_id)
    if registration.ticket is None:
        return redirect(url_for(".my_registrations"))
    address = f"{current_settings().base_url}{tickets.signed_path(registration.ticket)}"
    return render_template(
        "registrations/phone.html",
        registration=registration,
        qr=qr_svg(address, "QR-Code, der die Eintrittskarte auf dem Handy öffnet"),
        address=address,
    )


@blueprint.route("/meine/anmeldungen/<id:registration_id>/zurueckgeben", methods=["GET", "POST"])
@requires(Permission.REGISTER)
def withdraw(registration_id: int) -> ResponseReturnValue:
    """Give the place back, after one question."""
    form = GiveBackForm()

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        registration = operations.withdraw(
            session, actor, registration_id, now, late_reason=form.reason()
        )
        return Outcome(
            url_for(".my_registrations"), f"Sie sind abgemeldet: „{registration.event.title}“."
        )

    done, status = attempt(form, work, creates=True)
    if done:
        return done
    registration = my_registration(db.session(), current_actor(), registration_id)
    return (
        render_template(
            "registrations/withdraw.html",
            form=form,
            registration=registration,
            event=registration.event,
            days=calendar.calendar_days(registration.event),
            pending=awaits_admission(registration.event.admission, registration.event.admitted_at),
            late=is_late(registration.state, registration.event.withdraw_until, utc_now()),
        ),
        status,
    )
