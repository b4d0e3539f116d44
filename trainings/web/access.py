"""Asks for the permission that a view names, before it runs. A view that names none is refused."""

from __future__ import annotations

from flask import Flask, current_app, make_response, redirect, request, url_for
from werkzeug.exceptions import Forbidden, Unauthorized
from werkzeug.wrappers import Response

from trainings.core.permissions import Permission
from trainings.people.entrance import session_over
from trainings.people.sessions import current_actor
from trainings.web import assets


def permission_of(app: Flask, endpoint: str) -> Permission | None:
    """Return the permission that an endpoint names; None if it names none."""
    if endpoint == assets.ENDPOINT:
        return Permission.PUBLIC
    return getattr(app.view_functions[endpoint], "permission", None)


def answers_json(app: Flask, blueprint: str | None) -> bool:
    """Say whether a script and not a person reads what the pages of a blueprint answer."""
    return bool(getattr(app.blueprints.get(blueprint or ""), "answers_json", False))


def install(app: Flask) -> None:
    """Check every request."""

    @app.before_request
    def check() -> Response | None:
        if request.endpoint is None:
            return None
        permission = permission_of(current_app, request.endpoint)
        if permission is Permission.PUBLIC:
            return None
        if permission is None:
            raise Forbidden
        actor = current_actor()
        if actor.may(permission):
            return None
        if actor.person_id is None and answers_json(current_app, request.blueprint):
            raise Unauthorized
        if actor.person_id is None and request.method == "POST" and request.form:
            return make_response(session_over())
        if actor.person_id is None:
            came_from = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("people.log_in", weiter=came_from))
        raise Forbidden
