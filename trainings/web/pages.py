"""Pages at every page's foot, and what monitoring asks."""

from __future__ import annotations

import logging

from flask import Blueprint, render_template
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from trainings.core.database import db
from trainings.core.permissions import Permission, requires

blueprint = Blueprint("web", __name__)
log = logging.getLogger("trainings")


@blueprint.get("/hilfe")
@requires(Permission.PUBLIC)
def help_page() -> str:
    """Show how things are done."""
    return render_template("web/help.html")


@blueprint.get("/impressum")
@requires(Permission.PUBLIC)
def imprint() -> str:
    """Show who is responsible (§ 5 DDG)."""
    return render_template("web/imprint.html")


@blueprint.get("/datenschutz")
@requires(Permission.PUBLIC)
def privacy() -> str:
    """Show what is stored, why and how long (Art. 13 GDPR)."""
    return render_template("web/privacy.html")


@blueprint.get("/barrierefreiheit")
@requires(Permission.PUBLIC)
def accessibility() -> str:
    """Show the accessibility statement (Directive (EU) 2016/2102, § 10b BGG NRW, BITVNRW)."""
    return render_template("web/accessibility.html")


@blueprint.get("/healthz")
@requires(Permission.PUBLIC)
def alive() -> tuple[str, int, dict[str, str]]:
    """Answer that the process is alive."""
    return "ok\n", 200, {"Content-Type": "text/plain"}


@blueprint.get("/readyz")
@requires(Permission.PUBLIC)
def ready() -> tuple[str, int, dict[str, str]]:
    """Answer whether the database is reachable and migrated."""
    try:
        db.session.execute(text("SELECT version_num FROM alembic_version")).one()
    except SQLAlchemyError:
        log.exception("The database is not reachable or not migrated.")
        return "not ready\n", 503, {"Content-Type": "text/plain"}
    return "ok\n", 200, {"Content-Type": "text/plain"}
