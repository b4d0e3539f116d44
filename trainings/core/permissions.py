"""What may be done, by name, and which role may do it.

Every route names one permission; a route that names none is refused (and a test fails). A
permission only opens the door to a page: which objects somebody sees there is decided where they
are loaded.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

View = TypeVar("View", bound=Callable[..., Any])


class Role(StrEnum):
    """What a person is to the office; somebody may be several."""

    PARTICIPANT = "participant"
    CONTACT = "contact"
    TRAINER = "trainer"
    COORDINATOR = "coordinator"
    ADMIN = "admin"


class Permission(StrEnum):
    """The doors of the application."""

    PUBLIC = "public"
    """Everyone, logged in or not."""
    LOGGED_IN = "logged_in"
    """Everyone who is logged in."""
    REGISTER = "register"
    ORGANISATION = "organisation"
    """Release requests and see the places of the organisations that one speaks for."""
    ATTENDANCE = "attendance"
    """Record attendance: trainers for their own events, the office for all."""
    CARDS = "cards"
    """Order pocket cards for the organisations that one speaks for; the office: the whole stock."""
    FEEDBACK = "feedback"
    """Read what was answered: trainers of their own events, the office of formats and years."""
    OFFICE = "office"
    """Plan, see who comes, change events and organisations."""
    STATISTICS = "statistics"
    ADMINISTER = "administer"
    """Give roles."""


_EVERY_ACCOUNT = frozenset({Permission.PUBLIC, Permission.LOGGED_IN, Permission.REGISTER})
_OFFICE = frozenset(
    {
        Permission.ATTENDANCE,
        Permission.CARDS,
        Permission.FEEDBACK,
        Permission.OFFICE,
        Permission.STATISTICS,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.PARTICIPANT: frozenset(),
    Role.CONTACT: frozenset({Permission.ORGANISATION, Permission.CARDS}),
    Role.TRAINER: frozenset({Permission.ATTENDANCE, Permission.FEEDBACK}),
    Role.COORDINATOR: _OFFICE,
    Role.ADMIN: _OFFICE | {Permission.ADMINISTER},
}

ROLE_NAMES: dict[Role, str] = {
    Role.PARTICIPANT: "Teilnahme",
    Role.CONTACT: "Ansprechperson",
    Role.TRAINER: "Training",
    Role.COORDINATOR: "Koordination",
    Role.ADMIN: "Verwaltung",
}


def permissions_of(roles: frozenset[Role]) -> frozenset[Permission]:
    """Return what somebody who is logged in and holds these roles may do."""
    return _EVERY_ACCOUNT.union(*(ROLE_PERMISSIONS[role] for role in roles))


def requires(permission: Permission) -> Callable[[View], View]:
    """Name the permission that a view needs; the application checks it before the view runs."""

    def mark(view: View) -> View:
        view.permission = permission  # type: ignore[attr-defined]
        return view

    return mark
