"""Pages of the editor: one shows the whole draft, each part is changed on a small page of its own.

Every form and every button says which state of the draft was looked at, so that two people at work
on one draft do not overwrite each other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from trainings.core.actors import Actor
from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.forms import Form
from trainings.core.idempotency import Outcome
from trainings.core.permissions import Permission, requires
from trainings.feedback.content import QUESTION_KIND_NAMES, QuestionKind
from trainings.feedback.questionnaires import operations, rules
from trainings.feedback.questionnaires.blueprint import blueprint
from trainings.feedback.questionnaires.checks import MOST_QUESTIONS, MOST_SECTIONS, obstacles
from trainings.feedback.questionnaires.forms import (
    ConfirmForm,
    DraftForm,
    IntroductionForm,
    QuestionForm,
    SectionForm,
    question_form,
)
from trainings.feedback.questionnaires.queries import Draft, load_draft
from trainings.feedback.questionnaires.rules import Change, Changed
from trainings.people.posting import Work, attempt, press

MESSAGE = "meldung"
_NEW_QUESTION = (
    "Gespeichert. Weil sich geändert hat, was man antworten kann, zählt sie ab dieser Fassung als "
    "neue Frage: Ihre Ergebnisse werden nicht mit den früheren zusammengezählt."
)
_STEPS = {"hoch": -1, "runter": 1}


@blueprint.post("/<id:questionnaire_id>/entwurf/beginnen")
@requires(Permission.OFFICE)
def begin_draft(questionnaire_id: int) -> Response:
    """Begin the next version."""

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        begun = operations.begin_draft(session, actor, questionnaire_id, now)
        return Outcome(_draft_url(questionnaire_id), f"Fassung {begun.number} ist in Arbeit.")

    return press(work, _page_url(questionnaire_id))


@blueprint.get("/<id:questionnaire_id>/entwurf")
@requires(Permission.OFFICE)
def draft(questionnaire_id: int) -> ResponseReturnValue:
    """Show the draft with everything that can be changed."""
    found = load_draft(db.session(), questionnaire_id)
    if not found.is_open:
        return redirect(_page_url(questionnaire_id), code=303)
    return render_template(
        "feedback/questionnaire_draft.html",
        draft=found,
        missing=obstacles(found.content),
        press_form=Form(formdata=None),
        kinds=QUESTION_KIND_NAMES,
        most_sections=MOST_SECTIONS,
        most_questions=MOST_QUESTIONS,
    )


@blueprint.route("/<id:questionnaire_id>/entwurf/einleitung", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def introduction(questionnaire_id: int) -> ResponseReturnValue:
    """Change what stands above the questions."""
    found = load_draft(db.session(), questionnaire_id)
    form = IntroductionForm(data={"text": found.content.introduction, "seen": found.seen})
    done, status = _save(form, found, lambda: rules.introduce(form.text.data))
    return done or _form_page(
        found, form, status, heading="Einleitung", stored=found.content.introduction
    )


@blueprint.route("/<id:questionnaire_id>/entwurf/abschnitte/neu", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def section_new(questionnaire_id: int) -> ResponseReturnValue:
    """Add a section."""
    found = load_draft(db.session(), questionnaire_id)
    form = SectionForm(data={"seen": found.seen})
    done, status = _save(form, found, lambda: rules.add_section(form.title.data))
    return done or _form_page(found, form, status, heading="Abschnitt hinzufügen")


@blueprint.route("/<id:questionnaire_id>/entwurf/abschnitte/<id:place>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def section_edit(questionnaire_id: int, place: int) -> ResponseReturnValue:
    """Change a heading."""
    found = load_draft(db.session(), questionnaire_id)
    exists = 1 <= place <= len(found.content.sections)
    if not exists and request.method == "GET":
        raise not_found()
    title = found.content.sections[place - 1].title if exists else ""
    form = SectionForm(data={"title": title, "seen": found.seen})
    done, status = _save(form, found, lambda: rules.rename_section(place, form.title.data))
    return done or _form_page(found, form, status, heading="Abschnitt ändern", stored=title)


@blueprint.post("/<id:questionnaire_id>/entwurf/abschnitte/<id:place>/<any(hoch, runter):way>")
@requires(Permission.OFFICE)
def section_move(questionnaire_id: int, place: int, way: str) -> Response:
    """Move a section."""
    return _press(questionnaire_id, rules.move_section(place, _STEPS[way]))


@blueprint.post("/<id:questionnaire_id>/entwurf/abschnitte/<id:place>/entfernen")
@requires(Permission.OFFICE)
def section_remove(questionnaire_id: int, place: int) -> Response:
    """Remove a section without questions."""
    return _press(questionnaire_id, rules.remove_section(place), "Der Abschnitt ist entfernt.")


@blueprint.route(
    "/<id:questionnaire_id>/entwurf/abschnitte/<id:place>/frage", methods=["GET", "POST"]
)
@requires(Permission.OFFICE)
def question_new(questionnaire_id: int, place: int) -> ResponseReturnValue:
    """Choose the kind of a new question, then write it."""
    found = load_draft(db.session(), questionnaire_id)
    if request.method == "GET" and not 1 <= place <= len(found.content.sections):
        raise not_found()
    kind = _kind_of_the_address()
    if kind is None:
        return render_template(
            "feedback/questionnaire_kinds.html", draft=found, place=place, kinds=QUESTION_KIND_NAMES
        )
    form = question_form(kind, None, found.seen)
    done, status = _save(form, found, lambda: rules.add_question(place, form.question(None)))
    return done or _question_page(found, form, status, key="")


@blueprint.route("/<id:questionnaire_id>/entwurf/fragen/<question>", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def question_edit(questionnaire_id: int, question: str) -> ResponseReturnValue:
    """Change a question, also into one of another kind."""
    found = load_draft(db.session(), questionnaire_id)
    before = rules.find_question(found.content, question)
    kind = _kind_of_the_address() or (before.kind if before else None)
    if kind is None or (before is None and request.method == "GET"):
        raise not_found()
    form = question_form(kind, before, found.seen)

    def change() -> Change:
        return rules.write_question(question, form.question(before))

    def told(changed: Changed) -> str:
        is_new = question in found.released_keys and changed.question != question
        return _NEW_QUESTION if is_new else ""

    done, status = _save(form, found, change, told)
    return done or _question_page(found, form, status, key=question)


@blueprint.post("/<id:questionnaire_id>/entwurf/fragen/<question>/<any(hoch, runter):way>")
@requires(Permission.OFFICE)
def question_move(questionnaire_id: int, question: str, way: str) -> Response:
    """Move a question, also into the section beside its own."""
    return _press(questionnaire_id, rules.move_question(question, _STEPS[way]))


@blueprint.post("/<id:questionnaire_id>/entwurf/fragen/<question>/entfernen")
@requires(Permission.OFFICE)
def question_remove(questionnaire_id: int, question: str) -> Response:
    """Remove a question."""
    return _press(questionnaire_id, rules.remove_question(question), "Die Frage ist entfernt.")


@blueprint.post(
    "/<id:questionnaire_id>/entwurf/fragen/<question>/antworten/<option>/<any(hoch, runter):way>"
)
@requires(Permission.OFFICE)
def option_move(questionnaire_id: int, question: str, option: str, way: str) -> Response:
    """Move an answer to choose."""

    def back(changed: Changed) -> str:
        here = url_for(
            ".question_edit", questionnaire_id=questionnaire_id, question=changed.question
        )
        return f"{here}#antwort-{option}"

    return _press(questionnaire_id, rules.move_option(question, option, _STEPS[way]), back=back)


@blueprint.route("/<id:questionnaire_id>/entwurf/freigeben", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def release(questionnaire_id: int) -> ResponseReturnValue:
    """Look at the draft as people will see it, and release it."""
    found = load_draft(db.session(), questionnaire_id)
    form = ConfirmForm(data={"seen": found.seen})

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        released = operations.release_draft(
            session, actor, questionnaire_id, seen=form.seen.data or "", now=now
        )
        return Outcome(
            _page_url(questionnaire_id),
            f"Fassung {released.number} ist freigegeben. Rückmeldungen, die ab jetzt beginnen, "
            "fragen danach.",
        )

    return _confirm(found, form, "feedback/questionnaire_release.html", work)


@blueprint.route("/<id:questionnaire_id>/entwurf/verwerfen", methods=["GET", "POST"])
@requires(Permission.OFFICE)
def discard(questionnaire_id: int) -> ResponseReturnValue:
    """Throw the draft away, after one question."""
    found = load_draft(db.session(), questionnaire_id)
    form = ConfirmForm(data={"seen": found.seen})

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        seen = form.seen.data or ""
        if operations.discard_draft(session, actor, questionnaire_id, seen=seen, now=now):
            return Outcome(_page_url(questionnaire_id), "Der Entwurf ist verworfen.")
        return Outcome(
            url_for(".questionnaire_list", _anchor=MESSAGE),
            "Der Entwurf ist verworfen, und mit ihm der Fragebogen, der nie freigegeben war.",
        )

    return _confirm(found, form, "feedback/questionnaire_discard.html", work)


def _confirm(found: Draft, form: ConfirmForm, template: str, work: Work) -> ResponseReturnValue:
    done, status = attempt(form, work, creates=True)
    if done:
        return done
    if not found.is_open and request.method == "GET":
        return redirect(_page_url(found.id), code=303)
    # What is decided next is what this page shows.
    form.seen.data = found.seen
    missing = obstacles(found.content)
    return render_template(template, draft=found, form=form, missing=missing), status


def _save(
    form: DraftForm,
    found: Draft,
    change: Callable[[], Change],
    told: Callable[[Changed], str] = lambda _: "",
) -> tuple[ResponseReturnValue | None, int]:
    """Save a part of the draft; the change is made from the form once that is known to be valid."""
    if request.method == "GET" and not found.is_open:
        return redirect(_page_url(found.id), code=303), 303

    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        changed = operations.change_draft(
            session, actor, found.id, change(), seen=form.seen.data or "", now=now
        )
        message = told(changed)
        there = _draft_url(found.id, MESSAGE) if message else _place_of(found.id, changed)
        return Outcome(there, message)

    done, status = attempt(form, work, creates=True)
    if status == 409:
        # Who sends it again has been told; what is stored now stands beside the form.
        form.seen.data = found.seen
    return done, status


def _press(
    questionnaire_id: int,
    change: Change,
    message: str = "",
    *,
    back: Callable[[Changed], str] | None = None,
) -> Response:
    def work(session: Session, actor: Actor, now: datetime) -> Outcome:
        seen = request.args.get("stand", "")
        changed = operations.change_draft(
            session, actor, questionnaire_id, change, seen=seen, now=now
        )
        if message:
            there = _draft_url(questionnaire_id, MESSAGE)
        else:
            there = (back or partial(_place_of, questionnaire_id))(changed)
        return Outcome(there, message)

    return press(work, _draft_url(questionnaire_id, MESSAGE))


def _form_page(
    found: Draft, form: DraftForm, status: int, *, heading: str, stored: str = ""
) -> ResponseReturnValue:
    return (
        render_template(
            "feedback/questionnaire_part.html",
            draft=found,
            form=form,
            heading=heading,
            stored=stored if status == 409 else "",
        ),
        status,
    )


def _question_page(found: Draft, form: QuestionForm, status: int, key: str) -> ResponseReturnValue:
    question = rules.find_question(found.content, key)
    return (
        render_template(
            "feedback/questionnaire_question.html",
            draft=found,
            form=form,
            question=question,
            was_released=key in found.released_keys,
            stored=question if status == 409 else None,
            press_form=Form(formdata=None),
            kinds=QUESTION_KIND_NAMES,
        ),
        status,
    )


def _kind_of_the_address() -> QuestionKind | None:
    sent = request.args.get("art", "")
    return next((kind for kind in QuestionKind if kind.value == sent), None)


def _place_of(questionnaire_id: int, changed: Changed) -> str:
    if changed.question:
        return _draft_url(questionnaire_id, f"frage-{changed.question}")
    return _draft_url(
        questionnaire_id, f"abschnitt-{changed.section}" if changed.section else "einleitung"
    )


def _draft_url(questionnaire_id: int, anchor: str | None = None) -> str:
    return url_for(".draft", questionnaire_id=questionnaire_id, _anchor=anchor)


def _page_url(questionnaire_id: int) -> str:
    return url_for(".page", questionnaire_id=questionnaire_id, _anchor=MESSAGE)
