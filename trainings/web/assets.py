"""Built files: names hold a hash of the content, so browsers keep them for good.

Only these are compressed here, and that when they are built. Pages are sent as they are: they hold
the token of their form beside what people typed, and the length of a compressed page would tell
about both (BREACH).
"""

from __future__ import annotations

import json
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, request, send_from_directory

from trainings.core.files import resource_folder

ENDPOINT = "static"


def install(app: Flask) -> None:
    """Serve the built files and offer `asset(name)`, the address of one, to the templates."""
    folder = resource_folder("static") / "build"
    names = _read_manifest(folder / "manifest.json")
    packed = frozenset(path.stem for path in folder.glob("*.gz"))

    def serve(filename: str) -> Response:
        if filename in packed and request.accept_encodings.quality("gzip") > 0:
            mimetype, _ = guess_type(filename)
            response = send_from_directory(folder, f"{filename}.gz", mimetype=mimetype)
            response.content_encoding = "gzip"
        else:
            response = send_from_directory(folder, filename)
        response.vary.add("Accept-Encoding")
        return response

    def asset(name: str) -> str:
        return f"/static/{names.get(name, name)}"

    app.add_url_rule("/static/<path:filename>", ENDPOINT, serve)
    app.jinja_env.globals["asset"] = asset


def _read_manifest(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    names: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return names
