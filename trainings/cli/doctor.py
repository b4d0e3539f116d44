"""`trainings doctor`: settings, database, migrations, mail, and every invariant of the data."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask.cli import with_appcontext
from sqlalchemy.exc import OperationalError

from trainings.cli.checks import CHECKS
from trainings.core.clock import utc_now
from trainings.core.database import db
from trainings.core.delivery import carrier
from trainings.core.files import resource_folder
from trainings.core.settings import Settings, current_settings


@click.command()
@with_appcontext
def doctor() -> None:
    """Prüft Einstellungen, Datenbank, Mailserver und alle Daten."""
    number = 0
    for finding in examine(current_settings(), utc_now()):
        click.echo(finding)
        number += 1
    if number:
        sys.exit(1)
    click.echo("Alles in Ordnung")


def examine(settings: Settings, now: datetime) -> Iterator[str]:
    """Yield one sentence for each thing that is wrong.

    Args:
        settings: were read already; a wrong one stops the start before this.
        now: the present instant.

    """
    yield from _mail(settings)
    database = _database()
    if database:
        yield database
        return
    session = db.session()
    for check in CHECKS:
        yield from check(session, now)
        session.expunge_all()


def _database() -> str | None:
    """Return what is wrong with the database itself; nothing else can be looked at then."""
    head = ScriptDirectory(str(resource_folder("migrations"))).get_current_head()
    try:
        with db.engine.connect() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as error:
        return f"Die Datenbank ist nicht erreichbar: {error.orig}"
    if current != head:
        return (
            "Die Tabellen der Datenbank sind nicht auf dem neuesten Stand; "
            "„trainings db upgrade“ bringt sie dorthin."
        )
    return None


def _mail(settings: Settings) -> Iterator[str]:
    url = urlsplit(settings.mail_url)
    try:
        if url.scheme == "file":
            folder = Path(unquote(url.path))
            folder.mkdir(parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                yield f"In den Ordner {folder} für Mails kann nicht geschrieben werden."
            return
        with carrier(settings):
            pass
    except OSError as error:
        yield f"Der Mailserver {url.hostname or url.path} ist nicht erreichbar: {error}"
