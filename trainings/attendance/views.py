"""Pages of the room: own trainings, the list of names, the matrix, what a ticket's code opens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from trainings.attendance import extras, operations, person_views, queries, wording
from trainings.attendance.blueprint import (
    address_of,
    asked_for,
    blueprint,
    by_office,
    show_refusal,
)
from trainings.attendance.forms import CodeForm, RecordForm, SearchForm
from trainings.attendance.reads import event_head
from trainings.attendance.rules import Answer, normalise_ticket
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.fields import parse_id
from trainings.core.permissions import Permission, requires
from trainings.people.sessions import current_actor

__all__ = ["blueprint"]

VIEWS = (person_views,)
"""Importing them adds their pages to the blueprint."""
LAST_STEP = "letzter-schritt"
"""Where the page says what was done last; `last_action` in templates/layout/parts.html."""


@blueprint.get("/einlass/")
@requires(Permission.ATTENDANCE)
def my_events() -> ResponseReturnValue:
    """Show a trainer's own trainings, to the office all."""
    actor, now = current_actor(), utc_now()
    today = berlin_day(now)
    lines = queries.my_events(db.session(), actor, now)
    return render_template(
        "attendance/events.html",
        coming=[line for line in lines if line.event.last_day >= today],
        past=[line for line in reversed(lines) if line.event.last_day < today],
        today=today,
        wording=wording,
        by_office=actor.may(Permission.OFFICE),
    )


@blueprint.route("/einlass/<number:number>", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def event_page(number: str) -> ResponseReturnValue:
    """Show the list of names of one session and record who is there."""
    actor, now = current_actor(), utc_now()
    form = RecordForm()
    code = CodeForm(request.args if "code" in request.args else None)
    search = SearchForm(request.args)
    chosen_id = parse_id(request.args.get("termin"))
    answer, status = _record(number, chosen_id, form)
    if answer is not None:
        return answer
    page = queries.sheet(
        db.session(), actor, number, chosen_id, now, choice=asked_for(), offers=extras.offered()
    )
    if code.code.data is not None and code.validate():
        typed = normalise_ticket(code.code.data)
        if any(person.ticket == typed for person in page.people):
            termin = page.current.id if page.current else None
            return redirect(url_for(".ticket", ticket=typed, termin=termin), 303)
        code.code.errors = ["Diesen Code gibt es in dieser Veranstaltung nicht. Stimmt er?"]
    return _render_sheet("attendance/sheet.html", page, form=form, code=code, search=search), status


@blueprint.route("/einlass/<number:number>/uebersicht", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def overview(number: str) -> ResponseReturnValue:
    """Show everybody in all sessions: the matrix, and what is printed."""
    form = RecordForm()
    chosen_id = parse_id(request.args.get("termin"))
    answer, status = _record(number, chosen_id, form)
    if answer is not None:
        return answer
    page = queries.sheet(
        db.session(),
        current_actor(),
        number,
        chosen_id,
        utc_now(),
        choice=asked_for(),
        by_all_sessions=True,
    )
    search = SearchForm(request.args)
    return _render_sheet("attendance/overview.html", page, form=form, search=search), status


@blueprint.route("/t/<token:ticket>", methods=["GET", "POST"])
@requires(Permission.ATTENDANCE)
def ticket(ticket: str) -> ResponseReturnValue:
    """Show whose ticket this is and record the person as present."""
    actor, now = current_actor(), utc_now()
    form = RecordForm()
    chosen_id = parse_id(request.args.get("termin"))
    status = 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                with transaction() as session:
                    done = operations.record_by_ticket(session, actor, ticket, chosen_id, now)
                if done.changed:
                    flash("Als anwesend erfasst.", "success")
                return redirect(url_for(".ticket", ticket=ticket, termin=done.session_id), 303)
            except DomainError as refusal:
                status = refusal.status
    card = queries.ticket_card(db.session(), actor, ticket, chosen_id, now)
    if card.answer in (Answer.UNKNOWN, Answer.OTHER_EVENT):
        status = wording.status_of(card.answer)
    return render_template(
        "attendance/ticket.html",
        card=card,
        form=form,
        wording=wording,
        refusal=wording.refusal_words(card.answer, card.session.day if card.session else None),
        by_office=by_office(),
    ), status


def _record(number: str, session_id: int | None, form: RecordForm) -> tuple[Response | None, int]:
    """Run the button that was pressed; without an answer the page is shown with this status."""
    if not form.is_submitted():
        return None, 200
    if not form.validate():
        return None, 422
    try:
        return _record_on_sheet(number, session_id, form), 303
    except DomainError as refusal:
        return None, show_refusal(form, refusal)


def _record_on_sheet(number: str, session_id: int | None, form: RecordForm) -> Response:
    actor, now = current_actor(), utc_now()
    if session_id is None:
        abort(400)
    anchor = LAST_STEP
    with transaction() as session:
        event = event_head(session, actor, number)
        if form.undo.data:
            taken_back = operations.undo_last(
                session, actor, event.id, session_id, now, batch=form.undo.data
            )
            message = "Zurückgenommen." if taken_back else "Das war schon zurückgenommen."
        elif form.everyone.data:
            done = operations.record_all_present(session, actor, event.id, session_id, now)
            message = "" if done else "Es waren schon alle erfasst."
        elif form.extra.data:
            person, message = extras.press_extra(session, actor, event.id, form.extra.data, now)
            anchor = f"p-{person}"
        else:
            registration_id, mark = form.marked or abort(400)
            operations.record_attendance(session, actor, registration_id, session_id, mark, now=now)
            # Whoever is recorded may be no longer among those that are shown.
            anchor = LAST_STEP if asked_for().only else form.anchor("p")
            message = ""
    if message:
        flash(message, "info")
    back = url_for(
        request.endpoint or "",
        number=number,
        termin=session_id,
        **address_of(asked_for()),
        _anchor=anchor,
    )
    return redirect(back, 303)


def _way(sheet: queries.Sheet, **changes: Any) -> str:
    """Return the address of the same page with something else chosen."""
    return url_for(
        request.endpoint or "",
        number=sheet.event.number,
        termin=sheet.current.id if sheet.current else None,
        **address_of(replace(sheet.choice, **changes)),
    )


def _ways(page: queries.Sheet) -> list[tuple[str, str, bool]]:
    """Return words, address and whether it is chosen, of each kind that can be looked for."""
    return [
        (
            f"{wording.ONLY_WORDS[only]} ({number})",
            _way(page, only=only, page=1),
            only == page.choice.only,
        )
        for only, number in page.numbers.items()
    ]


def _render_sheet(template: str, page: queries.Sheet, **values: object) -> str:
    now = utc_now()
    names = wording.session_names(page.sessions)
    endpoint = request.endpoint or ""
    tabs = [
        (
            *lines,
            url_for(
                endpoint,
                number=page.event.number,
                termin=session.id,
                **address_of(replace(page.choice, page=1)),
            ),
            session == page.current,
        )
        for session, lines in zip(page.sessions, names, strict=True)
    ]
    people = {person.id: person.name for person in page.people}
    word, obstacle = wording.refusal_words(page.answer, page.current.day if page.current else None)
    heading, link = wording.overview_words(page.sessions)
    return render_template(
        template,
        page=page,
        now=now,
        tabs=tabs,
        columns=wording.column_names(page.sessions),
        spoken=wording.spoken_names(page.sessions),
        look=wording.entry_look,
        kept=address_of(page.choice),
        ways=_ways(page),
        url_for_page=lambda number: _way(page, page=number),
        whole_url=_way(page, page=None),
        heading=heading,
        overview_link=link,
        last=wording.step_sentence(page.last, people, now) if page.last else "",
        is_last_day=berlin_day(now) >= page.event.last_day,
        obstacle_word=word,
        obstacle=obstacle,
        by_office=by_office(),
        **values,
    )
