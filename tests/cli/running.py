"""Runs commands inside the application of a test."""

from __future__ import annotations

from click.testing import CliRunner, Result

from trainings.cli import group
from trainings.core.database import db


def run(*arguments: str) -> Result:
    """Run a command; what it raises is raised here, unless it ended with an exit code."""
    db.session.remove()
    result = CliRunner().invoke(group, arguments, standalone_mode=True)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result
