"""The command line: one program, one file for each group of commands."""

from __future__ import annotations

import sys

import click
from flask import Flask
from flask.cli import ScriptInfo
from flask_migrate import Migrate
from sqlalchemy.exc import OperationalError, ProgrammingError

from trainings import create_app
from trainings.cli.backup import backup, restore
from trainings.cli.data import database, seed
from trainings.cli.doctor import doctor
from trainings.cli.figures import statistics
from trainings.cli.jobs import jobs
from trainings.cli.server import run
from trainings.cli.settings import settings
from trainings.cli.users import user
from trainings.core.database import db
from trainings.core.errors import DomainError
from trainings.core.files import resource_folder
from trainings.core.settings import SettingsError


def create_cli_app() -> Flask:
    """Build the application with the `db` commands (Alembic is not loaded by web processes)."""
    app = create_app()
    Migrate(app, db, directory=str(resource_folder("migrations")))
    return app


@click.group("trainings")
def group() -> None:
    """Verwaltet Trainings und Fachtagungen."""


for command in (
    backup,
    database,
    doctor,
    jobs,
    restore,
    run,
    seed,
    settings,
    statistics,
    user,
):
    group.add_command(command)


def main() -> None:
    """Run the command line."""
    script = ScriptInfo(create_app=create_cli_app, set_debug_flag=False)
    try:
        group.main(prog_name="trainings", obj=script)
    except SettingsError as error:
        sys.exit(str(error))
    except DomainError as refusal:
        sys.exit(refusal.sentence)
    except (OperationalError, ProgrammingError) as error:
        sys.exit(
            f"Die Datenbank antwortet nicht wie erwartet: {error.orig}\n"
            "„trainings db upgrade“ legt die Tabellen an; „trainings doctor“ sagt, was fehlt."
        )
