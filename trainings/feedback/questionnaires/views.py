"""Pages of the questionnaires: the list, a questionnaire with its versions, what asks which."""

from __future__ import annotations

from datetime import datetime

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.feedback.models import QUESTIONNAIRE_USE_NAMES
from trainings.feedback.questionnaires import draft_views, operations
from trainings.feedback.questionnaires.blueprint import blueprint
from trainings.feedback.questionnaires.forms import NewForm, PlanForm, TitleForm, plan_values
from trainings.feedback.questionnaires.plans import (
    askable_questionnaires,
    choose_questionnaires,
    list_plans,
)
from trainings.feedback.questionnaires.queries import (
    list_questionnaires,
    load_content,
    load_questionnaire,
)
from trainings.feedback.questionnaires.standard import provide_standard
from trainings.people.posting import attempt, press

__all__ = ["blueprint", "draft_views"]


@blueprint.context_processor
def _words() -> dict[str, object]:
    return {"section": "questionnaires.questionnaire_list", "uses": QUESTIONNAIRE_USE_NAMES}


@blueprint.get("/")
@requires(Permission.OFFICE)
def questionnaire_list() -> str:
    """Show the questionnaires."""
    return render_template(
        "feedback/questionnaire_list.html",
        rows=list_questionnaires(db.session()),
        press_form=Form(formdata=None),
    )


@blueprint.post("/standard")
@requires(Permission.OFFICE)
def standard() -> Response:
    """Store the standard questionnaires."""

    def work(session: Session, _actor: Actor, now: datetime) -> Outcome:
        stored = provide_standard(session, now)
        done = "Die mitgelieferten Fragebogen sind da." if stored else "Es gibt schon Fragebogen."
        return Outcome(url_for(".questionnaire_list", _anchor=draft_views.MESSAGE), done)

    return press(work, url_for(".questionnaire_list"))


@blueprint.route("/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def new() -> ResponseReturnValue:
    """Begin a questionnaire."""
    form = NewForm()
    form.offer((row.id, row.title) for row in list_questionnaires(db.session()))

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        made = operations.create_questionnaire(
            session,
            actor,
            form.title.data,
            form.use.data,
            now,
            copied_from=form.copied_from.data,
        )
        return Outcome(
            url_for(".draft", questionnaire_id=made.id),
            f"Der Entwurf zu „{made.title}“ ist angelegt.",
        )

    done, status = attempt(form, work, creates=True, about=(form.title.data, form.use.data))
    return done or (render_template("feedback/questionnaire_new.html", form=form), status)


@blueprint.get("/<id:questionnaire_id>")
@requires(Permission.OFFICE)
def page(questionnaire_id: int) -> str:
    """Show a questionnaire with its versions."""
    return render_template(
        "feedback/questionnaire_page.html",
        found=load_questionnaire(db.session(), questionnaire_id),
        formats=operations.choosing_formats(db.session(), questionnaire_id),
        press_form=Form(formdata=None),
    )


@blueprint.route("/<id:questionnaire_id>/name", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def rename(questionnaire_id: int) -> ResponseReturnValue:
    """Change the name of a questionnaire."""
    found = load_questionnaire(db.session(), questionnaire_id)
    form = TitleForm(data={"title": found.title})

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.rename_questionnaire(session, actor, questionnaire_id, form.title.data, now)
        return Outcome(_page(questionnaire_id), "Der Name ist geändert.")

    done, status = attempt(form, work)
    return done or (
        render_template("feedback/questionnaire_title.html", form=form, found=found),
        status,
    )


@blueprint.get("/<id:questionnaire_id>/fassungen/<id:version>")
@requires(Permission.OFFICE)
def version_page(questionnaire_id: int, version: int) -> str:
    """Show a version as people see it."""
    found = load_questionnaire(db.session(), questionnaire_id)
    row = next((each for each in found.versions if each.number == version), None)
    if row is None:
        raise not_found()
    return render_template(
        "feedback/questionnaire_version.html",
        found=found,
        version=row,
        asked=load_content(db.session(), questionnaire_id, version),
    )


@blueprint.post("/<id:questionnaire_id>/stilllegen")
@requires(Permission.OFFICE)
def retire(questionnaire_id: int) -> Response:
    """Take a questionnaire out of use."""
    return _set_retired(questionnaire_id, retired=True)


@blueprint.post("/<id:questionnaire_id>/aufnehmen")
@requires(Permission.OFFICE)
def take_up(questionnaire_id: int) -> Response:
    """Take a questionnaire up again."""
    return _set_retired(questionnaire_id, retired=False)


def _set_retired(questionnaire_id: int, *, retired: bool) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        operations.set_retired(session, actor, questionnaire_id, retired=retired, now=now)
        done = (
            "stillgelegt. Laufende Rückmeldungen gehen weiter" if retired else "wieder in Gebrauch"
        )
        return Outcome(_page(questionnaire_id), f"Der Fragebogen ist {done}.")

    return press(work, _page(questionnaire_id))


@blueprint.get("/zuordnung")
@requires(Permission.OFFICE)
def plans() -> str:
    """Show which format asks which questionnaire."""
    return render_template("feedback/questionnaire_plans.html", plans=list_plans(db.session()))


@blueprint.route("/zuordnung/<id:template_id>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def plan(template_id: int) -> ResponseReturnValue:
    """Choose what the events of a format ask."""
    found = next(iter(list_plans(db.session(), template_id)), None)
    if found is None:
        raise not_found()
    form = PlanForm(data=plan_values(found.after, found.follow_up))
    form.offer(askable_questionnaires(db.session()), found.after, found.follow_up)

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        after, follow_up = form.chosen()
        choose_questionnaires(session, actor, template_id, after, follow_up, now=now)
        return Outcome(
            url_for(".plans", _anchor=draft_views.MESSAGE),
            "Gespeichert. Das gilt für alles, was noch nicht läuft.",
        )

    done, status = attempt(form, work)
    return done or (
        render_template("feedback/questionnaire_plan.html", form=form, plan=found),
        status,
    )


def _page(questionnaire_id: int) -> str:
    return url_for(".page", questionnaire_id=questionnaire_id, _anchor=draft_views.MESSAGE)
