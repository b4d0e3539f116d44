"""Error pages: a person gets one sentence and one way on, the log gets the rest."""

from __future__ import annotations

import logging
import sys

from flask import (
    Flask,
    Response,
    current_app,
    has_request_context,
    jsonify,
    render_template,
    request,
)
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from trainings.core.database import db
from trainings.core.discretion import kind_and_place
from trainings.core.errors import DomainError
from trainings.web.access import answers_json
from trainings.web.sessions import is_unobserved

Answer = tuple[str, int]

log = logging.getLogger("trainings")

# Status: title, sentence.
PAGES = {
    400: (
        "Das haben wir nicht verstanden",
        "Die Anfrage war unvollständig. Bitte gehen Sie zurück und versuchen Sie es noch einmal.",
    ),
    403: (
        "Dafür fehlt Ihnen die Berechtigung",
        "Wenn Sie diese Seite für Ihre Arbeit brauchen, wenden Sie sich bitte an die "
        "Geschäftsstelle.",
    ),
    404: (
        "Diese Seite gibt es nicht",
        "Vielleicht ist die Adresse unvollständig, oder der Inhalt ist Ihnen nicht zugänglich.",
    ),
    405: (
        "So lässt sich diese Seite nicht aufrufen",
        "Bitte öffnen Sie die Seite über einen Link oder einen Knopf in der Anwendung.",
    ),
    409: (
        "Das hat sich gerade geändert",
        "Jemand war gleichzeitig mit Ihnen tätig. Bitte laden Sie die Seite neu und prüfen Sie, "
        "was jetzt gilt.",
    ),
    413: (
        "Das ist zu viel auf einmal",
        "Der Text oder die Datei ist zu groß. Bitte gehen Sie zurück und kürzen Sie die Angaben.",
    ),
    429: (
        "Das waren zu viele Versuche",
        "Bitte warten Sie einige Minuten und versuchen Sie es dann noch einmal.",
    ),
    500: (
        "Da ist etwas schiefgegangen",
        "Der Fehler liegt bei uns und wurde festgehalten. Bitte versuchen Sie es in einigen "
        "Minuten noch einmal.",
    ),
    503: (
        "Die Anwendung ist gerade überlastet",
        "Bitte versuchen Sie es in einer Minute noch einmal. Gespeichert wurde nichts.",
    ),
}


class _Discretion(logging.Filter):
    """Cuts what is logged where somebody answers a questionnaire.

    What an error says may quote the answer, and Flask names the address.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if has_request_context() and is_unobserved(request.path):
            _, error, trace = record.exc_info or sys.exc_info()
            record.msg = "While somebody answered a questionnaire: %s"
            record.args = (kind_and_place(error, trace),)
            record.exc_info = record.exc_text = record.stack_info = None
        return True


_DISCRETION = _Discretion()


def error_page(status: int, title: str = "", sentence: str = "") -> Answer:
    """Return the page for a status; title and sentence replace the usual ones."""
    usual_title, usual_sentence = PAGES.get(status, PAGES[400 if status < 500 else 500])
    values = {
        "status": status,
        "title": title or usual_title,
        "text": sentence or usual_sentence,
    }
    try:
        return render_template("layout/error.html", **values), status
    except Exception:
        # The frame itself needs the database (who is logged in); without it the page must do.
        log.exception("The frame of an error page could not be built.")
        db.session.rollback()
        template = "layout/error.html"
        return render_template(template, **values, shell=None), status


def _is_for_script(error: HTTPException) -> bool:
    """Say whether a script used a wrong method: no blueprint's own answer is found for that."""
    if not isinstance(error, MethodNotAllowed) or not error.valid_methods:
        return False
    adapter = current_app.create_url_adapter(request)
    if adapter is None:
        return False
    try:
        endpoint, _ = adapter.match(method=next(iter(error.valid_methods)))
    except HTTPException:
        # The shape of the address fits, but no method leads to this number.
        return False
    return answers_json(current_app, endpoint.partition(".")[0])


def install(app: Flask) -> None:
    """Register the pages."""
    # Flask's own logger of this application is the same one.
    log.addFilter(_DISCRETION)

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException) -> Answer | tuple[Response, int]:
        if _is_for_script(error):
            title, sentence = PAGES[405]
            return jsonify(error=f"{title}. {sentence}"), 405
        return error_page(error.code or 500)

    @app.errorhandler(DomainError)
    def refusal(error: DomainError) -> Answer:
        if error.status == 404:
            return error_page(404)
        return error_page(error.status, "Das geht leider nicht", error.sentence)

    @app.errorhandler(IntegrityError)
    def constraint(error: IntegrityError) -> Answer:
        log.warning("A constraint refused a change: %s", error.orig)
        return error_page(409)

    @app.errorhandler(OperationalError)
    def unavailable(error: OperationalError) -> Answer:
        log.error("The database did not answer: %s", error.orig)
        return error_page(503)

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Answer:
        log.exception("Unexpected error: %s", type(error).__name__)
        return error_page(500)
