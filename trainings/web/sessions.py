"""The cookie, and the addresses that neither read nor set one."""

from __future__ import annotations

from flask import Flask, Request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

WITHOUT_COOKIE = "/rueckmeldung/"
"""Whoever answers a questionnaire there is nobody, even if a browser is logged in."""


class Sessions(SecureCookieSessionInterface):
    """Flask's cookie, except where nobody is to be known."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the cookie; an address without one gets an empty session, and so sets none."""
        if request.path.startswith(WITHOUT_COOKIE):
            return self.session_class()
        return super().open_session(app, request)
