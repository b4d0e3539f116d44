"""The scanner, the page that gets it ready for a door without a network, and what installs it.

The scanner's page shows no person: the service worker keeps it on the device. Names come from the
roster, which the device forgets by itself.
"""

from __future__ import annotations

from flask import Blueprint, current_app, make_response, render_template, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from trainings.attendance.door.reminders import print_path
from trainings.attendance.door.scanner_words import scanner_words
from trainings.attendance.reads import event_head
from trainings.core.database import db
from trainings.core.permissions import Permission, requires
from trainings.core.settings import current_settings
from trainings.people.sessions import current_actor

blueprint = Blueprint("scanner", __name__)

# What the scanner needs without a network, and what only browsers need that read no codes.
KEPT_FILES = (
    "app.css", "fira-sans-400.woff2", "fira-sans-500.woff2", "fira-sans-600.woff2",
    "icons.svg", "mark.svg", "offline.js", "scanner.js",
)  # fmt: skip
# File, sizes, type, and whether it may be cut to any shape.
_ICONS = (
    ("mark.svg", "any", "image/svg+xml", "any"),
    ("icon-192.png", "192x192", "image/png", "any"),
    ("icon-512.png", "512x512", "image/png", "any"),
    ("icon-maskable-512.png", "512x512", "image/png", "maskable"),
)
DECODER_FILES = ("detector.js", "zxing.wasm")


@blueprint.get("/einlass/<number:number>/scanner")
@requires(Permission.ATTENDANCE)
def scanner_page(number: str) -> ResponseReturnValue:
    """Show the scanner of an event."""
    return render_template(
        "attendance/scanner.html",
        event=event_head(db.session(), current_actor(), number),
        words=scanner_words(),
        origin=current_settings().base_url,
        # No frame: it would show who is logged in, and this page stays on the device.
        shell=None,
    )


@blueprint.get("/einlass/<number:number>/bereit")
@requires(Permission.ATTENDANCE)
def ready_page(number: str) -> ResponseReturnValue:
    """Get the device ready for a door without a network, and say whether it is."""
    actor = current_actor()
    return render_template(
        "attendance/ready.html",
        event=event_head(db.session(), actor, number),
        by_office=actor.may(Permission.OFFICE),
        print_url=print_path(number),
    )


@blueprint.get("/einlass/ohne-netz")
@requires(Permission.PUBLIC)
def offline_page() -> ResponseReturnValue:
    """Stand in for pages that cannot be fetched; the browser keeps it."""
    return render_template("attendance/offline.html", shell=None)


@blueprint.get("/einlass/app.webmanifest")
@requires(Permission.PUBLIC)
def manifest() -> ResponseReturnValue:
    """Say how the attendance is installed on a phone; browsers fetch it without cookies."""
    settings = current_settings()
    icons = [
        {"src": _asset(name), "sizes": sizes, "type": mimetype, "purpose": purpose}
        for name, sizes, mimetype, purpose in _ICONS
    ]
    response = current_app.json.response(
        name=f"{settings.product}: Anwesenheit",
        short_name="Anwesenheit",
        description="Anwesenheit erfassen, auch ohne Netz",
        lang="de",
        id="/einlass/",
        start_url="/einlass/",
        scope="/einlass/",
        display="standalone",
        background_color="#ffffff",
        theme_color="#ffffff",
        icons=icons,
    )
    response.mimetype = "application/manifest+json"
    return response


@blueprint.get("/einlass/sw.js")
@requires(Permission.PUBLIC)
def service_worker() -> Response:
    """Return the service worker; it names its files, so that a new release renews it."""
    door = {
        "keep": [_asset(name) for name in KEPT_FILES],
        "mayStay": [_asset(name) for name in DECODER_FILES],
        "offline": url_for(".offline_page"),
    }
    response = make_response(render_template("attendance/sw.js", door=door))
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response


def _asset(name: str) -> str:
    return str(current_app.jinja_env.globals["asset"](name))  # type: ignore[operator]
