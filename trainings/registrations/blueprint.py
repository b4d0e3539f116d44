"""The blueprint of the room's pages."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("registrations", __name__)
