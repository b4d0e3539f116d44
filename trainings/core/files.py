"""Finds the folders that stand at the top level of a checkout and travel inside the wheel."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_CHECKOUT = _PACKAGE.parent


def resource_folder(name: str) -> Path:
    """Return the folder `templates`, `static`, `migrations` or `seed`, wherever it was installed.

    Raises:
        FileNotFoundError: neither the wheel nor the checkout has such a folder.

    """
    for candidate in (_PACKAGE / "_files" / name, _CHECKOUT / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"Der Ordner {name} fehlt in der Installation.")


def instance_folder() -> Path:
    """Return the folder for the embedded database, settings and mails; it may not exist yet.

    `TRAININGS_INSTANCE` names it; else it is `instance/` in the checkout, or in the current
    folder where the application was installed as a wheel.
    """
    named = os.environ.get("TRAININGS_INSTANCE")
    if named:
        return Path(named).resolve()
    home = _CHECKOUT if (_CHECKOUT / "pyproject.toml").is_file() else Path.cwd()
    return home / "instance"
