"""The address space of the stock; each file of views adds its pages to it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("card_stock", __name__, url_prefix="/taschenkarten")
