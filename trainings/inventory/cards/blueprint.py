"""The address space of the cards; each file of views adds its pages to it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("cards", __name__)
