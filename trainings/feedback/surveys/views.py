"""Pages of the surveys of events: the list, one event, and what can be done there."""

from __future__ import annotations

from datetime import datetime

from flask import Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.documents import MEDIA_TYPE
from trainings.core.errors import DomainError
from trainings.core.formats import long_date
from trainings.core.forms import STALE_BUTTON, Form
from trainings.core.idempotency import Outcome
from trainings.core.paging import page_address, paging
from trainings.core.permissions import Permission, requires
from trainings.feedback.models import CHANNEL_NAMES, SurveyKind
from trainings.feedback.surveys import operations, papers
from trainings.feedback.surveys.blueprint import blueprint
from trainings.feedback.surveys.forms import LastDayForm, ListFilter, WayForm
from trainings.feedback.surveys.queries import (
    EventSurveys,
    count_events,
    list_events,
    load_event_surveys,
)
from trainings.feedback.surveys.timing import Phase
from trainings.feedback.surveys.wording import PHASES, Way
from trainings.people.posting import attempt
from trainings.people.sessions import current_actor

__all__ = ["blueprint"]

_SECTION = "surveys.event_list"
_CHOSEN = {
    Way.MAIL: "Gespeichert: Gefragt wird per Mail.",
    Way.SLIPS: "Gespeichert: Gefragt wird mit Zetteln vor Ort. Am letzten Tag können Sie sie hier "
    "drucken.",
    Way.OMIT: "Gespeichert: Hier wird nicht gefragt.",
}


_RESULT_ARGUMENTS = {SurveyKind.AFTER: "", SurveyKind.FOLLOW_UP: "?art=nachbefragung"}


@blueprint.context_processor
def _words() -> dict[str, object]:
    by_office = current_actor().may(Permission.OFFICE)
    return {
        "by_office": by_office,
        "section": _SECTION if by_office else None,
        "phases": PHASES,
        "how": CHANNEL_NAMES,
    }


def results_path(number: str, kind: SurveyKind) -> str:
    """Return the address of what was answered to a survey of an event."""
    return f"/rueckmeldungen/veranstaltungen/{number}/ergebnis{_RESULT_ARGUMENTS[kind]}"


@blueprint.get("/")
@requires(Permission.FEEDBACK)
def event_list() -> str:
    """List the events that ask; a trainer sees own ones."""
    session, actor, now = db.session(), current_actor(), utc_now()
    form = ListFilter(request.args)
    where = paging(count_events(session, actor, form.phase, now))
    return render_template(
        "feedback/event_list.html",
        form=form,
        events=list_events(session, actor, form.phase, now, offset=where.offset),
        paging=where,
        address=page_address(),
    )


@blueprint.get("/<number:number>")
@requires(Permission.FEEDBACK)
def event_page(number: str) -> ResponseReturnValue:
    """Show both surveys of an event."""
    return _page(number)


@blueprint.route("/<number:number>/danach", methods=["GET", "POST"])
@requires(Permission.FEEDBACK)
def choose_after(number: str) -> ResponseReturnValue:
    """Choose how an event asks after its last session, or that it does not."""
    return _choose(number, SurveyKind.AFTER)


@blueprint.route("/<number:number>/nachbefragung", methods=["GET", "POST"])
@requires(Permission.FEEDBACK)
def choose_follow_up(number: str) -> ResponseReturnValue:
    """Choose whether an event asks again after three months."""
    return _choose(number, SurveyKind.FOLLOW_UP)


@blueprint.route("/<number:number>/danach/ende", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def last_day_after(number: str) -> ResponseReturnValue:
    """Set the last day of what is asked after the last session."""
    return _set_last_day(number, SurveyKind.AFTER)


@blueprint.route("/<number:number>/nachbefragung/ende", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def last_day_follow_up(number: str) -> ResponseReturnValue:
    """Set the last day of what is asked after three months."""
    return _set_last_day(number, SurveyKind.FOLLOW_UP)


@blueprint.route("/<number:number>/zettel", methods=["GET", "POST"])
@requires(Permission.FEEDBACK)
def slips(number: str) -> ResponseReturnValue:
    """Print the slips that are missing, as the direct answer: their codes are stored nowhere."""
    if request.method == "GET":
        return _to_page(number)
    return _slips(number, anew=False)


@blueprint.route("/<number:number>/zettel/neu", methods=["GET", "POST"])
@requires(Permission.FEEDBACK)
def slips_anew(number: str) -> ResponseReturnValue:
    """Ask once, then take back all unused slips and print new ones."""
    if request.method == "POST":
        return _slips(number, anew=True)
    surveys = _load(number)
    if not surveys.may_print_anew:
        return _to_page(number)
    return render_template("feedback/event_slips_anew.html", event=surveys, form=Form())


def _choose(number: str, kind: SurveyKind) -> ResponseReturnValue:
    if request.method == "GET":
        return _to_page(number)
    form = WayForm(kind, prefix=kind.value)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.choose_way(session, actor, number, kind, way=form.chosen, now=now)
        return Outcome(url_for(".event_page", number=number), _CHOSEN[form.chosen])

    done, status = attempt(form, work)
    return done or _page(number, ways={kind: form}, status=status)


def _set_last_day(number: str, kind: SurveyKind) -> ResponseReturnValue:
    if request.method == "GET":
        return _to_page(number)
    form = LastDayForm(prefix=kind.value)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        day = form.last_day.data
        operations.set_last_day(session, actor, number, kind, day=day, now=now)
        return Outcome(
            url_for(".event_page", number=number),
            f"Gespeichert: Antworten werden bis {long_date(day)} angenommen.",
        )

    done, status = attempt(form, work)
    return done or _page(number, days={kind: form}, status=status)


def _slips(number: str, *, anew: bool) -> ResponseReturnValue:
    # No key against double submits: what it would have to keep for the second one are the codes.
    actor, now = current_actor(), utc_now()
    if not Form().validate():
        flash(STALE_BUTTON, "danger")
        return _to_page(number)
    try:
        with transaction() as session:
            printed = operations.print_slips(session, actor, number, now, anew=anew)
    except DomainError as refusal:
        if refusal.status == 404:
            raise
        flash(refusal.sentence, "danger")
        return _to_page(number)
    response = Response(papers.slips_paper(printed, now).pdf, content_type=MEDIA_TYPE)
    # Not shown in the browser: to load it anew there would print anew.
    response.headers.set("Content-Disposition", "attachment", filename=f"zettel-{number}.pdf")
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(
    number: str,
    *,
    ways: dict[SurveyKind, WayForm] | None = None,
    days: dict[SurveyKind, LastDayForm] | None = None,
    status: int = 200,
) -> ResponseReturnValue:
    surveys = _load(number)
    ways, days = ways or {}, days or {}
    for survey in surveys.surveys:
        kind = survey.kind
        if surveys.may_choose(survey):
            shown = {"way": survey.way.value}
            ways.setdefault(kind, WayForm(kind, formdata=None, data=shown, prefix=kind.value))
        if survey.phase is Phase.RUNNING:
            last = {"last_day": survey.closes_on}
            days.setdefault(kind, LastDayForm(formdata=None, data=last, prefix=kind.value))
    page = render_template(
        "feedback/event_page.html",
        event=surveys,
        ways=ways,
        days=days,
        button_form=Form(formdata=None),
        results_path=results_path,
    )
    return page, status


def _load(number: str) -> EventSurveys:
    return load_event_surveys(db.session(), current_actor(), number, utc_now())


def _to_page(number: str) -> ResponseReturnValue:
    return redirect(url_for(".event_page", number=number), code=303)
