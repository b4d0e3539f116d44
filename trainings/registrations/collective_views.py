"""The page on which a contact registers several people: what would happen, then what did."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flask import render_template, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.fields import options
from trainings.core.idempotency import Outcome, once
from trainings.core.permissions import Permission, requires
from trainings.events import calendar
from trainings.events.models import Event
from trainings.organisations.models import Organisation
from trainings.people.sessions import current_actor
from trainings.registrations.blueprint import blueprint
from trainings.registrations.collective import (
    POSSIBLE,
    Forecast,
    Outlook,
    look_ahead,
    organisations_of_contact,
    register_colleague,
)
from trainings.registrations.collective_rules import MOST_PEOPLE, Column, read_list, too_many
from trainings.registrations.entry import window_of
from trainings.registrations.event_queries import find_event
from trainings.registrations.forms import CollectiveForm, PersonRow
from trainings.registrations.models import RegistrationState
from trainings.registrations.rules import window_refusal
from trainings.registrations.statuses import Status

CONFIRM = "confirm"
"""Name of the button that registers; without it the page only says what would happen."""
SPARE_ROWS = 5

_OUTLOOK_WORDS: dict[Outlook, tuple[str, str, str]] = {
    Outlook.PLACE: ("check-ring", "Bekommt einen Platz", "ok"),
    Outlook.WAITING: ("list", "Kommt auf die Warteliste", "info"),
    Outlook.ADMISSION: ("list", "Die Geschäftsstelle entscheidet", "info"),
    Outlook.OWN_REQUEST: ("clock", "Ihre Vertretung muss freigeben", "warn"),
    Outlook.TWICE: ("cross-ring", "Steht doppelt in der Liste", "bad"),
    Outlook.ALREADY: ("check-ring", "Ist bereits angemeldet", "off"),
    Outlook.FOREIGN: ("cross-ring", "Andere Organisation, bitte Adresse prüfen", "bad"),
    Outlook.LEADS: ("cross-ring", "Leitet diese Veranstaltung", "bad"),
    Outlook.OVERLAP: ("cross-ring", "Hat zur selben Zeit einen anderen Platz", "bad"),
}
_WRONG: Status = ("cross-ring", "Bitte Angaben prüfen", "bad", "")
_BECAME_WORDS = {
    RegistrationState.PLACED: "hat einen Platz",
    RegistrationState.WAITING: "steht auf der Warteliste",
    RegistrationState.AWAITING_RELEASE: "wartet auf die Freigabe durch Ihre Vertretung",
}


@dataclass(frozen=True)
class _Asked:
    """Who asks, for which event, and for which organisations they speak."""

    event: Event
    actor: Actor
    organisations: Sequence[Organisation]
    now: datetime


@dataclass
class _List:
    """The list as the page shows it: the form, what is said of its rows, and what was done."""

    form: CollectiveForm
    notes: dict[str, Status] = field(default_factory=dict)
    """By the name of a row's first field."""
    registered: dict[str, str] = field(default_factory=dict)
    """What became of those who were registered, by the same name."""
    is_checked: bool = False

    def left(self) -> list[PersonRow]:
        """Return the rows that are still to do, empty ones at the end."""
        rows = [
            entry.form for entry in self.form.people if entry.form.take.name not in self.registered
        ]
        return sorted(rows, key=lambda row: row.is_left_out)


@blueprint.route("/organisation/anmelden/<number:number>", methods=["GET", "POST"])
@requires(Permission.ORGANISATION)
def collective(number: str) -> ResponseReturnValue:
    """Register several people of one's own organisation, after a look at what would happen."""
    actor, now = current_actor(), utc_now()
    event, status = find_event(db.session(), actor, number), 200
    organisations = organisations_of_contact(db.session(), actor)
    listed = _List(_form(None, organisations))
    if request.method == "POST" and organisations:
        listed, status = _answer(_Asked(event, actor, organisations, now))
        if CONFIRM in request.form:
            # Each registration was a transaction of its own, which forgets what was read before.
            event = find_event(db.session(), actor, number)
    _add_spare_rows(listed.form)
    _name_rows(listed.left())
    page = render_template(
        "registrations/collective.html",
        event=event,
        days=calendar.calendar_days(event),
        refusal=window_refusal(window_of(event), now),
        speaks_for=bool(organisations),
        listed=listed,
        form=listed.form,
        most=MOST_PEOPLE,
    )
    return page, status


def _answer(asked: _Asked) -> tuple[_List, int]:
    pasted = bool(request.form.get("pasted", "").strip())
    try:
        values = _with_pasted_rows(request.form)
    except DomainError as refusal:
        form = _form(request.form, asked.organisations)
        form.refuse(refusal)
        return _List(form), refusal.status
    form = _form(values, asked.organisations)
    listed = _List(form)
    form.validate()
    if not form.rows():
        form.form_errors.append(
            "Bitte fügen Sie eine Liste ein, oder tragen Sie mindestens eine Person ein."
        )
    if form.form_errors or "organisation_id" in form.errors:
        return listed, 422
    forecasts = _look(listed, asked)
    if CONFIRM not in request.form or pasted:
        for row in form.rows():
            row.take.data = _is_possible(row, forecasts)
        return listed, 200
    # Whoever is registered already may be so by the first of two submits: that one answers.
    chosen = [
        row
        for row in form.rows()
        if row.take.data and _is_possible(row, forecasts, POSSIBLE | {Outlook.ALREADY})
    ]
    if not chosen:
        form.form_errors.append(
            "Es ist noch niemand angemeldet: Bitte kreuzen Sie Personen an, die angemeldet werden "
            "können."
        )
        return listed, 422
    _register(listed, chosen, asked)
    return listed, 200


def _with_pasted_rows(values: MultiDict[str, str]) -> MultiDict[str, str]:
    """Return what was sent, with the people of the pasted list in rows behind those typed."""
    pasted = read_list(values.get("pasted", ""))
    if not pasted:
        return values
    people = [row.person() for row in CollectiveForm(formdata=values).rows()] + pasted
    if len(people) > MOST_PEOPLE:
        raise too_many(len(people))
    merged = MultiDict(
        (name, value)
        for name, value in values.items(multi=True)
        if name != "pasted" and not name.startswith("people-")
    )
    for position, person in enumerate(people):
        for column in Column:
            merged.add(f"people-{position}-{column}", getattr(person, column))
    return merged


def _look(listed: _List, asked: _Asked) -> dict[str, Forecast]:
    """Say of each row what would become of it; by the name of its first field."""
    rows = listed.form.rows()
    good = [row for row in rows if not row.errors]
    found = look_ahead(
        db.session(),
        asked.actor,
        asked.event,
        [row.person() for row in good],
        asked.now,
        organisations=asked.organisations,
        chosen=_chosen(listed.form, asked.organisations),
    )
    forecasts = {row.take.name: forecast for row, forecast in zip(good, found, strict=True)}
    for row in rows:
        forecast = forecasts.get(row.take.name)
        listed.notes[row.take.name] = _words(forecast) if forecast else _WRONG
    listed.is_checked = bool(rows)
    return forecasts


def _words(forecast: Forecast) -> Status:
    detail = "" if forecast.is_known or forecast.outlook not in POSSIBLE else "Wird neu angelegt"
    return (*_OUTLOOK_WORDS[forecast.outlook], detail)


def _is_possible(
    row: PersonRow,
    forecasts: dict[str, Forecast],
    possible: frozenset[Outlook] = POSSIBLE,
) -> bool:
    forecast = forecasts.get(row.take.name)
    return forecast is not None and forecast.outlook in possible


def _register(listed: _List, rows: Sequence[PersonRow], asked: _Asked) -> None:
    """Register these people, each in a transaction of its own; whoever is refused stays listed."""
    actor, now = asked.actor, asked.now
    event_id = asked.event.id
    organisation_id = _chosen(listed.form, asked.organisations).id
    for row in rows:
        person = row.person()
        key = listed.form.key(actor.person_id, event_id, person.email)

        def work(session: Session) -> Outcome:
            registration = register_colleague(
                session,
                actor,
                event_id,
                organisation_id=organisation_id,
                person=person,  # noqa: B023
                now=now,
            )
            became = _BECAME_WORDS[registration.state]
            return Outcome(request.path, f"{registration.person.name} {became}.")

        try:
            listed.registered[row.take.name] = once(key, now, work).message
        except DomainError as refusal:
            listed.notes[row.take.name] = (
                "cross-ring",
                "Nicht angemeldet",
                "bad",
                refusal.sentence,
            )
    done = {row.email.data for row in rows if row.take.name in listed.registered}
    for row in listed.left():
        # Whoever stands in the list a second time is no longer one of two.
        if row.email.data in done:
            listed.notes[row.take.name] = (*_OUTLOOK_WORDS[Outlook.ALREADY], "")
            row.take.data = False
    # From here on the page is another form: whoever is sent from it again is meant again.
    listed.form.form_key.data = secrets.token_urlsafe(16)


def _form(
    values: MultiDict[str, str] | None, organisations: Sequence[Organisation]
) -> CollectiveForm:
    """Return the form with the organisations to choose from; a single one leaves no choice."""
    form = CollectiveForm(formdata=values)
    if len(organisations) > 1:
        pairs = [("", "Bitte wählen"), *((one.id, one.name) for one in organisations)]
        form.organisation_id.choices = options(pairs)
    else:
        del form.organisation_id
    return form


def _chosen(form: CollectiveForm, organisations: Sequence[Organisation]) -> Organisation:
    if "organisation_id" not in form:
        return organisations[0]
    return next(one for one in organisations if one.id == form.organisation_id.data)


def _name_rows(rows: Sequence[PersonRow]) -> None:
    """Let the errors of a row say which one it is: by the number that the page shows."""
    for number, row in enumerate(rows, start=1):
        for wrong in filter(lambda one: one.errors, row):
            wrong.row_name = f"Zeile {number}"


def _add_spare_rows(form: CollectiveForm) -> None:
    empty = sum(entry.form.is_left_out for entry in form.people)
    for _ in range(min(SPARE_ROWS - empty, MOST_PEOPLE - len(form.people))):
        form.people.append_entry()
