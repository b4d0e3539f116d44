"""The two addresses that a phone's script uses; both answer in JSON, refusals included."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask import Blueprint, jsonify, request, url_for
from flask_wtf.csrf import generate_csrf, validate_csrf
from sqlalchemy.exc import IntegrityError, OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response
from wtforms import ValidationError

from trainings.attendance import wording
from trainings.attendance.door.roster_queries import Roster, roster
from trainings.attendance.door.sync_operations import sync_recordings
from trainings.attendance.door.sync_results import Result
from trainings.attendance.door.sync_rules import (
    MOST_RECORDINGS,
    UnreadableError,
    parse_request,
    ticket_hash,
)
from trainings.attendance.door.sync_wording import all_words
from trainings.attendance.reads import Attendee
from trainings.attendance.rules import Entry, SessionTime
from trainings.core.clock import berlin_instant, to_berlin, utc_now
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.core.formats import clock_time, long_date
from trainings.core.permissions import Permission, requires
from trainings.events.models import KIND_NAMES
from trainings.people.sessions import current_actor, logged_in

blueprint = Blueprint("door", __name__)
blueprint.answers_json = True  # type: ignore[attr-defined]
Answer = tuple[Response, int]

log = logging.getLogger("trainings")

_SENTENCES = {
    400: "Die Anfrage war unvollständig. Was Sie erfasst haben, bleibt auf dem Gerät.",
    401: "Sie sind nicht mehr eingeloggt. Was Sie erfasst haben, bleibt auf diesem Gerät, bis Sie "
    "sich einloggen.",
    403: "Dafür fehlt Ihnen die Berechtigung.",
    404: "Diese Veranstaltung gibt es nicht, oder sie ist Ihnen nicht zugänglich.",
    409: "Dasselbe kam gerade von einem anderen Gerät. Bitte versuchen Sie es noch einmal.",
    413: f"Das ist zu viel auf einmal: höchstens {MOST_RECORDINGS} Erfassungen in einer Anfrage.",
    500: "Der Fehler liegt bei uns und wurde festgehalten. Was Sie erfasst haben, bleibt auf dem "
    "Gerät.",
    503: "Die Anwendung ist gerade überlastet. Was Sie erfasst haben, bleibt auf dem Gerät.",
}
_STALE_PAGE = "Die Seite war zu lange offen. Sie holt sich die Liste neu und sendet dann wieder."


@blueprint.get("/einlass/<number:number>/roster.json")
@requires(Permission.ATTENDANCE)
def roster_json(number: str) -> Response:
    """Give a phone the names, the ticket hashes and the words for recording without a network."""
    user, now = logged_in(), utc_now()
    found = roster(db.session(), current_actor(), number, now)
    answer = jsonify(
        event={
            "number": number,
            "title": found.event.title,
            "place": found.event.place,
            "kind": found.event.kind.value,
            "kind_name": KIND_NAMES[found.event.kind],
        },
        person={"id": current_actor().person_id, "name": user.name if user else ""},
        csrf=generate_csrf(),
        now=_iso(now),
        stand=clock_time(to_berlin(now).time()),
        offline=found.offline,
        expires_at=_iso(found.expires_at or now),
        closed=found.event.access.closed,
        salt=found.salt,
        sessions=_sessions(found.sessions),
        people=[_person(found, person) for person in found.people],
        void=[{"hash": code, "answer": void.value} for code, void in found.void],
        settled=[
            {"key": each.key, "outcome": each.outcome, "day": each.day.isoformat()}
            for each in found.settled
        ],
        words=all_words(),
    )
    # The script keeps it as long as it may; no cache in between does.
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/einlass/<number:number>/abgleich")
@requires(Permission.LOGGED_IN)
def sync(number: str) -> Response | Answer:
    """Take over what a phone recorded.

    Somebody whose role was withdrawn may still deliver: the operation keeps that for the office.
    """
    body = request.get_data(cache=False)
    try:
        validate_csrf(request.headers.get("X-CSRFToken"))
    except ValidationError:
        return jsonify(error=_STALE_PAGE, code="csrf"), 400
    try:
        raw = json.loads(body)
        if isinstance(raw, dict) and _is_too_long(raw.get("recordings")):
            return _refusal(413)
        sent_at, recordings = parse_request(raw)
    except (ValueError, RecursionError, UnreadableError):
        return _refusal(400)
    actor, now = current_actor(), utc_now()
    with transaction() as session:
        results = sync_recordings(session, actor, number, recordings, sent_at=sent_at, now=now)
    return jsonify(now=_iso(now), results=[_result(result) for result in results])


def _is_too_long(recordings: object) -> bool:
    return isinstance(recordings, list) and len(recordings) > MOST_RECORDINGS


def _sessions(sessions: tuple[SessionTime, ...]) -> list[dict[str, Any]]:
    names = wording.session_names(sessions)
    return [
        {
            "id": found.id,
            "name": ", ".join(filter(None, name)),
            "day": found.day.isoformat(),
            "begins": clock_time(found.begins),
            "ends": clock_time(found.ends),
            "begins_at": _iso(berlin_instant(found.day, found.begins)),
            "ends_at": _iso(berlin_instant(found.day, found.ends)),
            "day_name": long_date(found.day),
        }
        for found, name in zip(sessions, names, strict=True)
    ]


def _person(found: Roster, person: Attendee) -> dict[str, Any]:
    return {
        "id": person.id,
        "name": person.name,
        "hash": ticket_hash(found.salt, person.ticket) if person.ticket else None,
        "walk_in": person.walk_in,
        "entries": {
            str(session.id): _entry(entry)
            for session, entry in zip(found.sessions, person.entries, strict=True)
            if entry.mark
        },
    }


def _entry(entry: Entry) -> dict[str, Any]:
    mark = entry.mark.value if entry.mark else None
    return {"mark": mark, "late": entry.late, "early": entry.early}


def _result(result: Result) -> dict[str, Any]:
    """Return a result without what it does not know."""
    values = asdict(result)
    values["registration"] = values.pop("registration_id")
    values["session"] = values.pop("session_id")
    values["entry"] = _entry(result.entry) if result.entry else None
    always = {"key", "outcome", "word", "sentence"}
    return {name: value for name, value in values.items() if value or name in always}


def _iso(value: datetime) -> str:
    return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _refusal(status: int) -> Answer:
    sentence = _SENTENCES.get(status, _SENTENCES[400 if status < 500 else 500])
    values = {"error": sentence}
    if status == 401:
        came_from = f"/einlass/{(request.view_args or {})['number']}/scanner"
        values["login"] = url_for("people.log_in", weiter=came_from)
    return jsonify(values), status


@blueprint.errorhandler(HTTPException)
def http_error(error: HTTPException) -> Answer:
    """Answer what was refused before a view ran: nobody logged in, no permission, too large."""
    return _refusal(error.code or 500)


@blueprint.errorhandler(DomainError)
def refusal(error: DomainError) -> Answer:
    """Answer what an operation refused as a whole."""
    return jsonify(error=_SENTENCES.get(error.status, error.sentence)), error.status


@blueprint.errorhandler(IntegrityError)
def constraint(error: IntegrityError) -> Answer:
    """Answer a queue that two devices sent at the same moment."""
    log.warning("A constraint refused a queue: %s", error.orig)
    return _refusal(409)


@blueprint.errorhandler(OperationalError)
def unavailable(error: OperationalError) -> Answer:
    """Answer that the database did not."""
    log.error("The database did not answer: %s", error.orig)
    return _refusal(503)


@blueprint.errorhandler(Exception)
def unexpected(error: Exception) -> Answer:
    """Answer an error of ours; the log gets the rest."""
    log.exception("Unexpected error: %s", type(error).__name__)
    return _refusal(500)
