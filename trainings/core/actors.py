"""Who acts: passed to every operation instead of asking who is logged in."""

from __future__ import annotations

from dataclasses import dataclass

from trainings.core.permissions import Permission, Role, permissions_of


@dataclass(frozen=True)
class Actor:
    """The person on whose behalf an operation runs.

    Attributes:
        person_id: None for the system itself and for somebody who is not logged in.
        organisation_ids: the person's organisation and those above it, up to the group.
        roles: what the person is to the office.
        is_system: the application itself, which may do everything.
        in_unit: the first of the organisations is a unit of an authority.

    """

    person_id: int | None = None
    organisation_ids: tuple[int, ...] = ()
    roles: frozenset[Role] = frozenset()
    is_system: bool = False
    in_unit: bool = False

    @property
    def counted_for(self) -> tuple[int, ...]:
        """The organisations for which a place counts: the authority, then the group above it."""
        return self.organisation_ids[1:] if self.in_unit else self.organisation_ids

    def may(self, permission: Permission) -> bool:
        """Say whether the actor holds a permission."""
        if self.is_system:
            return True
        if self.person_id is None:
            return permission is Permission.PUBLIC
        return permission in permissions_of(self.roles)


SYSTEM = Actor(is_system=True)
"""Sweeps and the command line."""
VISITOR = Actor()
"""Somebody who is not logged in."""
