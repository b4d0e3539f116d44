"""Addresses of built files: names hold a hash of the content, so browsers keep them for good."""

from __future__ import annotations

import json
from pathlib import Path

from flask import Flask

from trainings.core.files import resource_folder


def install(app: Flask) -> None:
    """Offer `asset(name)` to the templates."""
    folder = resource_folder("static") / "build"
    names = _read_manifest(folder / "manifest.json")

    def asset(name: str) -> str:
        return f"/static/build/{names.get(name, name)}"

    app.jinja_env.globals["asset"] = asset


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    names: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return names
