"""The address space of the office; each file of views adds its pages to it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("office", __name__, url_prefix="/koordination")
