"""Which rooms have pages."""

from __future__ import annotations

from flask import Flask

from trainings.people.views import blueprint as people
from trainings.web.pages import blueprint as web


def install(app: Flask) -> None:
    """Register the pages of all rooms."""
    for blueprint in (people, web):
        app.register_blueprint(blueprint)
