"""Certificates for those who hold them: one's own, and whoever verifies one."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug import Response as AnyResponse

from trainings.attendance.certificates.forms import VerifyForm
from trainings.attendance.certificates.papers import facts
from trainings.attendance.certificates.queries import (
    certificate_by_code,
    my_certificate,
    my_certificates,
)
from trainings.attendance.certificates.views import show_certificate
from trainings.attendance.certificates.wording import KIND_WORDS, days_of, own_status
from trainings.attendance.models import CERTIFICATE_NAMES, Certificate
from trainings.core.clock import berlin_day, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.formats import short_date
from trainings.core.permissions import Permission, requires
from trainings.core.throttle import count_attempt, refuse_if_exhausted
from trainings.people.sessions import current_actor

blueprint = Blueprint("certificate_holders", __name__)
_MISSES = 30
Answer = TypeVar("Answer", bound=AnyResponse)
_WINDOW = timedelta(minutes=15)
_UNKNOWN = (
    "Zu diesen Angaben gibt es keine Bescheinigung. Bitte vergleichen Sie Nummer und Code noch "
    "einmal mit dem Papier."
)


@blueprint.get("/meine/bescheinigungen")
@requires(Permission.REGISTER)
def mine() -> str:
    """Show all certificates that were issued to somebody, and which of them are valid."""
    return render_template(
        "attendance/my_certificates.html",
        certificates=my_certificates(db.session(), current_actor()),
        names=KIND_WORDS,
        status=own_status,
        days=days_of,
    )


@blueprint.get("/meine/bescheinigungen/<id:certificate_id>.pdf")
@requires(Permission.REGISTER)
def my_pdf(certificate_id: int) -> Response:
    """Show one's own certificate."""
    return show_certificate(my_certificate(db.session(), current_actor(), certificate_id))


@blueprint.route("/bescheinigung/", methods=["GET", "POST"])
@requires(Permission.PUBLIC)
def enter() -> ResponseReturnValue:
    """Ask for number and code of a certificate, for whoever cannot read the QR code."""
    form, status = VerifyForm(), 200
    if form.is_submitted():
        status = 422
        if form.validate():
            try:
                found = _look_up(form.code.data)
            except DomainError as refusal:
                form.refuse(refusal)
                status = refusal.status
            else:
                if found is not None and found.number == _as_number(form.number.data):
                    return _unlisted(redirect(url_for(".verify", code=found.code), code=303))
                if found is not None:
                    _count_miss()
                form.form_errors.append(_UNKNOWN)
    return _unlisted(Response(render_template("attendance/verify_form.html", form=form), status))


@blueprint.get("/bescheinigung/<token:code>")
@requires(Permission.PUBLIC)
def verify(code: str) -> Response:
    """Say whether a certificate is valid, and of it only what a stranger has to compare."""
    found = _look_up(code)
    return _unlisted(
        Response(
            render_template(
                "attendance/verify.html",
                certificate=found,
                names=CERTIFICATE_NAMES,
                issued=short_date(berlin_day(found.issued_at)) if found else "",
                void_since=(
                    short_date(berlin_day(found.voided_at)) if found and found.voided_at else ""
                ),
                facts=facts(found) if found is not None and found.content else [],
            ),
            200 if found else 404,
        )
    )


def _look_up(code: str) -> Certificate | None:
    """Return the certificate of a code; who guesses too often is refused, even if right."""
    refuse_if_exhausted(db.session(), _bucket(), utc_now(), limit=_MISSES, window=_WINDOW)
    found = certificate_by_code(db.session(), code)
    if found is None:
        _count_miss()
    return found


def _count_miss() -> None:
    with transaction() as session:
        count_attempt(session, _bucket(), utc_now(), limit=_MISSES, window=_WINDOW)


def _bucket() -> str:
    return f"certificate:{request.remote_addr or ''}"


def _as_number(text: str) -> str:
    return "".join(text.upper().split())


def _unlisted(response: Answer) -> Answer:
    """Let no search engine list such a page and nobody store it."""
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.headers["Cache-Control"] = "no-store"
    return response
