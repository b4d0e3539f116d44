"""The blueprint of this folder; its views register themselves in other files."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("surveys", __name__, url_prefix="/rueckmeldungen/veranstaltungen")
