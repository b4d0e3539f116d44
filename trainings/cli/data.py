"""`trainings db` and `trainings seed`."""

from __future__ import annotations

import click
from flask.cli import with_appcontext
from flask_migrate.cli import db as migrations

from trainings.cli.seed.loader import load_seed
from trainings.core.clock import utc_now
from trainings.core.database import transaction
from trainings.core.settings import current_settings

database: click.Group = migrations
database.help = "Ändert die Tabellen der Datenbank („upgrade“ bringt sie auf den neuesten Stand)."


@click.command()
@with_appcontext
def seed() -> None:
    """Lädt die Daten der Demonstration, wenn die Datenbank leer ist."""
    with transaction() as session:
        loaded = load_seed(session, utc_now(), with_passwords=current_settings().demo)
    if loaded:
        click.echo("Die Daten der Demonstration sind geladen.")
    else:
        click.echo("Die Datenbank enthält schon Daten; es wurde nichts geladen.")
