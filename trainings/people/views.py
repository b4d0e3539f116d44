"""Pages of the room: logging in and out, one's own account."""

from __future__ import annotations

from trainings.people import account_views, login_views
from trainings.people.blueprint import blueprint

__all__ = ["account_views", "blueprint", "login_views"]
