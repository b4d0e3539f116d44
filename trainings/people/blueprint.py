"""The blueprint of the room's pages."""

from __future__ import annotations

from flask import Blueprint, Response

blueprint = Blueprint("people", __name__)


@blueprint.after_request
def keep_nowhere(response: Response) -> Response:
    """Let no browser store these pages: on a shared computer the next one must not see them."""
    response.headers["Cache-Control"] = "no-store"
    return response
