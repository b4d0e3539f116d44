"""What views share: following an outcome, addresses that are safe to redirect to."""

from __future__ import annotations

from flask import flash, redirect
from werkzeug.wrappers import Response

from trainings.core.idempotency import Outcome


def follow(outcome: Outcome) -> Response:
    """Redirect (303) to where an accepted form leads; its message stands above that page."""
    if outcome.message:
        flash(outcome.message, "success")
    return redirect(outcome.url, code=303)


def local_address(url: str | None, otherwise: str) -> str:
    """Return the address if it lies within this application, else the other one.

    Redirect targets that came from outside are the classic open redirect: only a path that begins
    with a single slash and holds no backslash or control character is followed.
    """
    if (
        url
        and len(url) <= 200
        and url.startswith("/")
        and not url.startswith("//")
        and "\\" not in url
        and url.isprintable()
    ):
        return url
    return otherwise
