"""Headers of every answer: nothing loads from elsewhere, no page is framed or kept by proxies."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.wrappers import Response

from trainings.core.settings import Settings
from trainings.web import assets
from trainings.web.sessions import is_unobserved

POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "font-src 'self'",
        "img-src 'self' data:",
        "script-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

# The scanner reads QR codes with WebAssembly, and a service worker starts it without a network.
SCANNER = "scanner.scanner_page"
SCANNER_POLICY = POLICY.replace(
    "script-src 'self'", "script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'"
)


def install(app: Flask) -> None:
    """Set the headers."""
    settings: Settings = app.extensions["settings"]

    @app.after_request
    def set_headers(response: Response) -> Response:
        headers = response.headers
        # A page may bind itself more tightly, as the one that shows the HTML of a mail does.
        policy = SCANNER_POLICY if request.endpoint == SCANNER else POLICY
        headers.setdefault("Content-Security-Policy", policy)
        headers["X-Content-Type-Options"] = "nosniff"
        if is_unobserved(request.path):
            # The address holds the code: no other page learns it, nothing keeps or lists it.
            headers["Referrer-Policy"] = "no-referrer"
            headers["Cache-Control"] = "no-store"
            headers["X-Robots-Tag"] = "noindex, nofollow"
        else:
            headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(self), geolocation=(), microphone=()"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
        if settings.secure_cookies:
            headers["Strict-Transport-Security"] = "max-age=31536000"
        if request.endpoint != assets.ENDPOINT and "Cache-Control" not in headers:
            headers["Cache-Control"] = "private, no-cache"
        return response
