"""Pages of whoever holds a right to answer; nothing here knows or asks who that is.

They read no cookie and set none (`web/sessions.py`), and nothing is logged of them but the kind of
an error (`web/errors.py`). GET and HEAD change nothing: gateways of mail follow links.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.permissions import Permission, requires
from trainings.core.settings import SMALLEST_GROUP
from trainings.core.tokens import digest
from trainings.feedback.answering.blueprint import blueprint
from trainings.feedback.answering.forms import CodeForm
from trainings.feedback.answering.operations import Asked, asked, submit
from trainings.feedback.answers import RefusedSheetError, check_something, read_sheet
from trainings.feedback.surveys.rights import normalise_code

__all__ = ["blueprint"]
_FIELD = "a-"


@blueprint.route("/", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def enter() -> ResponseReturnValue:
    """Ask for the code of a slip, for whoever cannot read the QR code."""
    form, status = CodeForm(), 200
    if form.is_submitted():
        status = 422
        if form.validate():
            code = normalise_code(form.code.data)
            try:
                asked(db.session(), code, utc_now())
            except DomainError as refusal:
                form.code.errors = [refusal.sentence]
                status = refusal.status
            else:
                return redirect(url_for(".questionnaire", code=code), code=303)
    return render_template("feedback/answer_code.html", form=form), status


@blueprint.get("/<token:code>")
@requires(Permission.PUBLIC)
def questionnaire(code: str) -> ResponseReturnValue:
    """Show the questions to the holder of a code."""
    try:
        found = asked(db.session(), code, utc_now())
    except DomainError as refusal:
        return _refused(refusal)
    return _questions(code, found, {}, {}), 200


@blueprint.post("/<token:code>")
@requires(Permission.PUBLIC)
def answer(code: str) -> ResponseReturnValue:
    """Take an answer; what is wrong with it is said at its question, and nothing typed is lost."""
    now = utc_now()
    try:
        found = asked(db.session(), code, now)
        sheet = read_sheet(found.content, _sent)
        check_something(found.content, _sent)
        with transaction() as session:
            submit(session, code, sheet, now)
    except RefusedSheetError as refused:
        given = {question.key: _sent(question.key) for question in found.content.questions}
        return _questions(code, found, given, refused.errors), 422
    except DomainError as refusal:
        return _refused(refusal)
    return redirect(url_for(".thanks"), code=303)


@blueprint.get("/danke")
@requires(Permission.PUBLIC)
def thanks() -> str:
    """Say that the answers have arrived; the address is the same for everybody."""
    return render_template("feedback/answer_thanks.html")


@blueprint.get("/vertraulichkeit")
@requires(Permission.PUBLIC)
def confidentiality() -> str:
    """Say how it is kept that nobody learns who answered what."""
    return render_template("feedback/answer_confidentiality.html", smallest=SMALLEST_GROUP)


def _sent(key: str) -> list[str]:
    return request.form.getlist(f"{_FIELD}{key}")


def _questions(
    code: str, found: Asked, given: Mapping[str, Sequence[str]], errors: Mapping[str, str]
) -> str:
    return render_template(
        "feedback/answer.html",
        asked=found,
        event=found.survey.event,
        given=given,
        errors=errors,
        marked=any(question.required for question in found.content.questions),
        # Under this name a browser keeps what was typed: neither the code nor what is stored of it.
        kept_as=digest(f"kept {normalise_code(code)}").hex()[:24],
    )


def _refused(refusal: DomainError) -> ResponseReturnValue:
    page = render_template(
        "feedback/answer_refused.html", code=refusal.code, sentence=refusal.sentence
    )
    return page, refusal.status
