"""Trainings: administers courses and conferences of a cooperation of public authorities.

`create_app()` is the factory of the web application. The rooms of this package and the floors they
stand on are described in `docs/architecture.md`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from trainings.core.settings import Settings


def create_app(settings: Settings | None = None) -> Flask:
    """Build the application.

    Args:
        settings: what the environment says when None.

    Raises:
        SettingsError: a setting is missing or wrong; its text is one sentence that names it.

    """
    # All tables, also of rooms without a page: rows of others point to them by foreign keys.
    import trainings.models  # noqa: F401
    from trainings.web.app import build_app

    return build_app(settings)
