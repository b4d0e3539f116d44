"""The command line: one program, a Flask command group."""

from __future__ import annotations

import sys

from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate import Migrate

from trainings import create_app
from trainings.cli.commands import COMMANDS
from trainings.core.database import db
from trainings.core.files import resource_folder
from trainings.core.settings import SettingsError


def create_cli_app() -> Flask:
    """Build the application with the `db` commands (Alembic is not loaded by web processes)."""
    app = create_app()
    Migrate(app, db, directory=str(resource_folder("migrations")))
    return app


group = FlaskGroup(
    name="trainings",
    help="Verwaltet Trainings und Fachtagungen.",
    create_app=create_cli_app,
    add_default_commands=False,
    add_version_option=False,
    load_dotenv=False,
)
for command in COMMANDS:
    group.add_command(command)


def main() -> None:
    """Run the command line."""
    try:
        group.main(prog_name="trainings")
    except SettingsError as error:
        sys.exit(str(error))
