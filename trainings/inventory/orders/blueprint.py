"""The pages of the orders; `views.py` imports its parts."""

from flask import Blueprint

blueprint = Blueprint("card_orders", __name__)
