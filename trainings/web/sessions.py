"""The cookie, and the addresses that neither read nor set one, nor leave a line in the log."""

from __future__ import annotations

from flask import Flask, Request, Response, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

from trainings.web import assets

WITHOUT_COOKIE = "/rueckmeldung/"
"""Whoever answers a questionnaire there is nobody, even if a browser is logged in."""


def is_unobserved(path: str) -> bool:
    """Say whether nobody is to be known at an address, and nothing is to be written down of it."""
    return path.startswith(WITHOUT_COOKIE)


class _Nobody(SecureCookieSession):
    """What stands for the cookie where there is none."""


class Sessions(SecureCookieSessionInterface):
    """Flask's cookie, but not where nobody is to be known, nor for files that proxies may keep."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; an address without one gets an empty session, and so sets none."""
        if is_unobserved(request.path):
            return _Nobody()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie; an answer that depends on none does not say that it does."""
        if request.endpoint != assets.ENDPOINT and not isinstance(session, _Nobody):
            super().save_session(app, session, response)
