"""The public list of events, the page of one, and registering for it."""

from __future__ import annotations

from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from flask import (
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.actors import VISITOR, Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.forms import Form
from trainings.core.http import follow
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Permission, requires
from trainings.events import calendar
from trainings.events.models import Admission, Event
from trainings.people.entrance import ask_to_join, session_over
from trainings.people.forms import EmailForm
from trainings.people.login import admit
from trainings.people.queries import organisations_for_email, person_by_email
from trainings.people.sessions import begin_session, current_actor, verified_email
from trainings.registrations import operations
from trainings.registrations.admission_rules import RULES
from trainings.registrations.blueprint import blueprint
from trainings.registrations.entry import window_of
from trainings.registrations.event_queries import (
    EventPage,
    EventRow,
    event_page,
    find_booking,
    find_event,
    list_events,
    next_date,
)
from trainings.registrations.explain import last_steps, why_not_yet
from trainings.registrations.forms import (
    EventFilterForm,
    FirstRegistrationForm,
    RegistrationForm,
)
from trainings.registrations.models import SEATED, Registration, RegistrationState
from trainings.registrations.organisation_queries import own_holds
from trainings.registrations.place_queries import offers_by_same_wish, seats_elsewhere
from trainings.registrations.queries import (
    MyPlace,
)
from trainings.registrations.release_queries import Declined, declined_for
from trainings.registrations.rules import (
    WAITING_REASONS,
    Verdict,
    awaits_admission,
    window_refusal,
)
from trainings.registrations.statuses import event_status, registration_status

# Somebody whose address is verified and who is no person yet sees what everybody sees who is logged
# in; no row has this id.
NEWCOMER = Actor(person_id=0)
FILTERS = ("art", "monat", "ort", "frei")


@blueprint.get("/")
@blueprint.get("/veranstaltungen/")
@requires(Permission.PUBLIC)
def event_list() -> ResponseReturnValue:
    """Show the upcoming events; the office starts with its own day."""
    actor, now = current_actor(), utc_now()
    if request.path == "/" and actor.may(Permission.OFFICE):
        return redirect(url_for("office.desk"))
    form = EventFilterForm(request.args)
    page = request.args.get("seite", "")
    found = list_events(
        db.session(),
        actor,
        form.wanted(),
        int(page) if page.isdecimal() and len(page) < 5 else 1,
        now,
    )
    form.offer(
        found, {month: f"{formats.month_name(month)} {month.year}" for month in found.months}
    )
    filters = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    return render_template(
        "registrations/list.html",
        found=found,
        months=[
            (month, list(rows))
            for month, rows in groupby(found.rows, key=lambda row: row.first_day.replace(day=1))
        ],
        status=lambda row: event_status(row, actor, now),
        times=_times,
        form=form,
        filtered=bool(filters),
        address=lambda number: (
            f"{url_for('.event_list')}?{urlencode({**filters, 'seite': number})}"
        ),
        upcoming=next_date(db.session(), actor, now),
        visitor=actor.person_id is None,
    )


def _times(row: EventRow) -> str:
    span = formats.time_span(row.begins, row.ends)
    if row.first_day == row.last_day:
        return span
    return f"1. Tag {span}"


@blueprint.get("/veranstaltungen/<number:number>", endpoint="event")
@requires(Permission.PUBLIC)
def event_view(number: str) -> ResponseReturnValue:
    """Show one event, with the form to register."""
    actor, now = current_actor(), utc_now()
    form = (RegistrationForm if actor.person_id else EmailForm)(formdata=None)
    return _show_event(number, actor, form, now)


def _show_event(
    number: str, actor: Actor, form: Form, now: datetime, status: int = 200
) -> ResponseReturnValue:
    try:
        page = event_page(db.session(), actor, number, now)
    except DomainError:
        if actor.person_id is not None:
            raise
        # The same for what is hidden and what does not exist: nobody learns which numbers are used.
        return redirect(url_for("people.log_in", weiter=url_for(".event", number=number)))
    return (
        render_template(
            "registrations/event.html",
            page=page,
            event=page.event,
            days=calendar.calendar_days(page.event),
            agenda=_agenda(page),
            fact_lines=_facts(page.event, visitor=actor.person_id is None),
            venue_features=_venue_features(page.event) if actor.person_id else [],
            refusal=window_refusal(window_of(page.event), now),
            waiting_reason=_waiting_reason(page, actor),
            pending=awaits_admission(page.event.admission, page.event.admitted_at),
            why=_why_not_yet(page, actor, now),
            admission_rules=RULES if page.event.admission is Admission.BY_OFFICE else (),
            free=page.places.free_for(actor.counted_for),
            mine=_mine_status(page.mine),
            own_holds=own_holds(page.places, actor.counted_for),
            declined=_declined(page, actor),
            form=form,
            asks_needs=now < page.event.needs_until,
            visitor=actor.person_id is None,
            registers_others=actor.may(Permission.ORGANISATION),
        ),
        status,
    )


def _agenda(page: EventPage) -> list[tuple[int, list[tuple[str, str, bool]]]]:
    days = groupby(page.event.agenda, key=lambda item: item["day"])
    return [
        (
            day,
            [
                (f"{item['begins']}–{item['ends']}", item["title"], item["is_break"])
                for item in items
            ],
        )
        for day, items in days
    ]


def _facts(event: Event, *, visitor: bool) -> list[tuple[Any, ...]]:
    dates = [
        formats.day_and_span(day.day, day.begins, day.ends) for day in calendar.calendar_days(event)
    ]
    lines: list[tuple[Any, ...]] = [("clock", "Termine" if len(dates) > 1 else "Termin", dates)]
    later = "wird noch bekannt gegeben"
    if visitor:
        town = event.venue.town if event.venue else later
        return [*lines, ("place", "Ort", town)]
    lines.append(("place", "Ort", calendar.place_line(event) or later))
    if event.trainers:
        names = [trainer.person.name for trainer in event.trainers]
        lines.append(("group", "Leitung", formats.join_words(names)))
    until = formats.deadline(event.withdraw_until)
    return [*lines, ("undo", "Abmelden", f"ohne Angabe von Gründen bis {until}")]


def _venue_features(event: Event) -> list[tuple[str, str, str]]:
    venue = event.venue
    if venue is None:
        return []
    features = (
        ("step-free", "Stufenfrei", venue.step_free),
        ("ear", "Höranlage", venue.hearing_loop),
        ("train", "Bus und Bahn", venue.public_transport),
        ("parking", "Parken", venue.parking),
    )
    return [feature for feature in features if feature[2]]


def _waiting_reason(page: EventPage, actor: Actor) -> str:
    verdict = page.places.verdict(actor.counted_for)
    return "" if verdict is Verdict.PLACE else WAITING_REASONS[verdict]


def _declined(page: EventPage, actor: Actor) -> Declined | None:
    if page.mine is not None or not page.event.needs_release or actor.person_id is None:
        return None
    return declined_for(db.session(), actor.person_id, page.event.id)


def _why_not_yet(page: EventPage, actor: Actor, now: datetime) -> str:
    if page.mine is None or page.mine.state in SEATED or actor.person_id is None:
        return ""
    elsewhere = seats_elsewhere(db.session(), page.event.id, [actor.person_id])
    offered = offers_by_same_wish(db.session(), [page.mine.registration_id])
    admitted = [page.mine.registration_id] if page.event.admitted_at is not None else []
    condition = why_not_yet(
        page.mine,
        page.event,
        page.places,
        now,
        elsewhere=elsewhere.get(actor.person_id, ""),
        offered=offered.get(page.mine.registration_id, ""),
        last_step=last_steps(db.session(), admitted).get(page.mine.registration_id, ("", "")),
    )
    return condition.to_person if condition else ""


def _mine_status(mine: MyPlace | None) -> Any:
    return registration_status(mine) if mine else None


@blueprint.get("/veranstaltungen/<number:number>.ics")
@requires(Permission.PUBLIC)
def event_calendar(number: str) -> ResponseReturnValue:
    """Give one event as a calendar file; venue and room only to people who are logged in."""
    actor = current_actor()
    found = find_event(db.session(), actor, number)
    response = make_response(
        calendar.public_object(found, with_details=actor.person_id is not None)
    )
    response.headers["Content-Type"] = "text/calendar; charset=utf-8"
    response.headers["Content-Disposition"] = f'attachment; filename="{found.number}.ics"'
    response.last_modified = found.changed_at
    response.add_etag()
    return response.make_conditional(request)


@blueprint.route("/veranstaltungen/<number:number>/anmelden", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def register(number: str) -> ResponseReturnValue:
    """Register the person who is logged in, or somebody new whose address was verified."""
    actor, now = current_actor(), utc_now()
    if actor.person_id is None:
        return _first_registration(number, now)
    if request.method == "GET":
        return redirect(url_for(".event", number=number, _anchor="anmelden"))
    form = RegistrationForm()
    if not form.validate():
        return _show_event(number, actor, form, now, 422)
    booking = find_booking(db.session(), actor, number)
    needs = form.chosen_needs() if now < booking.needs_until else {}
    # Whoever gave the place back, goes back and sends the form again wants a place again.
    key = form.key(actor.person_id, booking.event_id, booking.ended)

    def work(session: Session) -> Outcome:
        registration = operations.register(session, actor, booking.event_id, needs=needs, now=now)
        return Outcome(url_for(".my_registrations"), _confirmation(registration))

    try:
        return follow(once(key, now, work))
    except DomainError as refusal:
        form.refuse(refusal)
        return _show_event(number, actor, form, now, refusal.status)


def _ask_for_mail(number: str, now: datetime) -> ResponseReturnValue:
    form = EmailForm()
    status = 422
    if form.validate():
        form.next_url.data = url_for(".register", number=number)
        try:
            return ask_to_join(form, now)
        except DomainError as refusal:
            form.refuse(refusal)
            status = refusal.status
    return _show_event(number, VISITOR, form, now, status)


def _first_registration(number: str, now: datetime) -> ResponseReturnValue:
    email = verified_email()
    here = url_for(".register", number=number)
    if email is None and "email" in request.form:
        return _ask_for_mail(number, now)
    if email is None and request.form:
        return session_over()
    if email is None:
        return redirect(url_for("people.log_in", weiter=here), code=303)
    if person_by_email(db.session(), email) is not None:
        # Another tab was quicker; that page logs in and comes back here.
        return redirect(url_for("people.new_person"), code=303)
    try:
        found = find_event(db.session(), NEWCOMER, number)
    except DomainError:
        return redirect(url_for("people.new_person"), code=303)
    form, status = FirstRegistrationForm(), 200
    form.offer(organisations_for_email(db.session(), email))
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                return _join_and_register(found, email, form, now)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
    page = render_template(
        "registrations/first.html",
        form=form,
        email=email,
        event=found,
        days=calendar.calendar_days(found),
        asks_needs=now < found.needs_until,
        refusal=window_refusal(window_of(found), now),
    )
    return page, status


def _join_and_register(
    event: Event, email: str, form: FirstRegistrationForm, now: datetime
) -> ResponseReturnValue:
    event_id, details = event.id, form.details()
    needs = form.chosen_needs() if now < event.needs_until else {}

    def work(session: Session) -> Outcome:
        registration = operations.join_and_register(
            session, event_id, email=email, details=details, needs=needs, now=now
        )
        return Outcome(url_for(".my_registrations"), _confirmation(registration))

    outcome = once(form.key(None), now, work)
    with transaction() as session:
        verified = admit(session, email, outcome.url, now)
    if verified.account_id is not None:
        begin_session(verified.account_id, verified.epoch, now)
    return follow(outcome)


def _confirmation(registration: Registration) -> str:
    event = registration.event
    title = event.title
    waits = registration.state is RegistrationState.WAITING
    if waits and awaits_admission(event.admission, event.admitted_at):
        return (
            f"Ihr Antrag ist eingegangen: „{title}“. Über die Zulassung entscheidet die "
            "Geschäftsstelle nach dem Anmeldeschluss; Sie bekommen in jedem Fall eine Nachricht."
        )
    if registration.state is RegistrationState.PLACED:
        return f"Sie haben einen Platz: „{title}“. Die Eintrittskarte kommt auch per E-Mail."
    if registration.state is RegistrationState.AWAITING_RELEASE:
        return f"Ihre Anmeldung ist eingegangen und wartet auf die Freigabe: „{title}“."
    return f"Sie stehen auf der Warteliste: „{title}“. Wird ein Platz frei, schreiben wir Ihnen."
