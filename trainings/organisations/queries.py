"""Reads of the organisations, each in a fixed number of statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from trainings.core.errors import not_found
from trainings.organisations.models import (
    Level,
    Organisation,
)


@dataclass(frozen=True)
class TreeRow:
    """An organisation and how deep it stands in the tree, from 0."""

    organisation: Organisation
    depth: int


def organisation_tree(session: Session, *, with_inactive: bool = False) -> list[TreeRow]:
    """Return all organisations, children below their parents, in German order; one statement.

    Args:
        session: the database session.
        with_inactive: also those that were retired or merged.

    """
    statement = select(Organisation).order_by(Organisation.sort_key, Organisation.id)
    if not with_inactive:
        statement = statement.where(
            Organisation.retired_at.is_(None), Organisation.merged_into_id.is_(None)
        )
    organisations = session.scalars(statement).all()
    known = {organisation.id for organisation in organisations}
    children: dict[int | None, list[Organisation]] = defaultdict(list)
    for organisation in organisations:
        # One whose parent is not shown stands at the top, rather than nowhere.
        above = organisation.parent_id if organisation.parent_id in known else None
        children[above].append(organisation)
    rows: list[TreeRow] = []
    waiting = [TreeRow(organisation, 0) for organisation in reversed(children[None])]
    while waiting:
        row = waiting.pop()
        rows.append(row)
        below = reversed(children[row.organisation.id])
        waiting.extend(TreeRow(organisation, row.depth + 1) for organisation in below)
    return rows


def organisation_choices(
    session: Session, *, levels: Sequence[Level] = tuple(Level), keep: int | None = None
) -> list[tuple[int, str]]:
    """Return the organisations for a field to choose from, indented as a tree; one statement.

    Args:
        session: the database session.
        levels: only these.
        keep: the id of one that is offered even though it is no longer active.

    """
    rows = organisation_tree(session, with_inactive=keep is not None)
    return [
        (row.organisation.id, "\u2003" * row.depth + row.organisation.name)
        for row in rows
        if row.organisation.level in levels
        and (row.organisation.is_active or row.organisation.id == keep)
    ]


def organisation_named(session: Session, name: str) -> int | None:
    """Return the id of the one active organisation with this name or short name; one statement.

    None: there is none, or more than one.
    """
    if not name:
        return None
    found = session.scalars(
        select(Organisation.id)
        .where(
            or_(Organisation.name == name, Organisation.short_name == name),
            Organisation.retired_at.is_(None),
            Organisation.merged_into_id.is_(None),
        )
        .limit(2)
    ).all()
    return found[0] if len(found) == 1 else None


def find_organisation(session: Session, organisation_id: int) -> Organisation:
    """Return an organisation with domains, the one above and the one that it was merged into.

    Raises:
        DomainError: `not_found`.

    """
    organisation = session.scalar(
        select(Organisation)
        .where(Organisation.id == organisation_id)
        .options(
            joinedload(Organisation.domains),
            joinedload(Organisation.parent),
            joinedload(Organisation.merged_into),
        )
        .execution_options(populate_existing=True)
    )
    if organisation is None:
        raise not_found()
    return organisation
