"""`trainings settings`."""

from __future__ import annotations

import click

from trainings.core.files import instance_folder
from trainings.core.settings import write_first_settings


@click.group()
def settings() -> None:
    """Richtet die Einstellungen ein."""


@settings.command()
def init() -> None:
    """Legt instance/settings.env mit einem zufälligen Schlüssel an, wenn es sie nicht gibt."""
    path = write_first_settings(instance_folder())
    if path:
        click.echo(f"Einstellungen für die Demonstration angelegt: {path}")
