"""Adding, changing, retiring organisations.

Merging moves people as well, so it lives where both are known: `office.merging`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.text import sort_key
from trainings.organisations.models import (
    Level,
    Organisation,
    OrganisationDomain,
    OrganisationKind,
    Partnership,
)
from trainings.organisations.rules import PLACE_SENTENCES, may_stand_below, normalise_domain


@dataclass(frozen=True)
class OrganisationData:
    """What the office says about an organisation.

    Attributes:
        level: group, authority or unit.
        parent_id: the one above, or None at the top.
        name: full official name.
        short_name: as it stands in narrow tables.
        kind: for statistics.
        partnership: what it is to the cooperation.
        partner_since: day on which it joined, if known.
        mailbox: functional mailbox, may be empty.

    """

    level: Level
    parent_id: int | None
    name: str
    short_name: str
    kind: OrganisationKind
    partnership: Partnership
    partner_since: date | None = None
    mailbox: str = ""


def add_organisation(
    session: Session, actor: Actor, data: OrganisationData, now: datetime
) -> Organisation:
    """Add an organisation.

    Raises:
        DomainError: `wrong_place`, `parent_inactive` or `name_taken`.

    """
    if data.parent_id is not None:
        lock_organisations(session, data.parent_id)
    _check(session, data, None)
    organisation = Organisation()
    _apply(organisation, data)
    session.add(organisation)
    record(session, actor, "organisation_added", organisation, now)
    return organisation


def update_organisation(
    session: Session, actor: Actor, organisation_id: int, data: OrganisationData, now: datetime
) -> None:
    """Change an organisation; registrations keep the name that they were made under.

    Raises:
        DomainError: `not_found`, `wrong_place`, `parent_inactive`, `name_taken` or
            `children_misplaced`.

    """
    above = [] if data.parent_id is None else [data.parent_id]
    organisation = lock_organisations(session, organisation_id, *above)[0]
    _check(session, data, organisation)
    _apply(organisation, data)
    record(session, actor, "organisation_changed", organisation, now)


def set_domains(
    session: Session, actor: Actor, organisation_id: int, domains: Iterable[str], now: datetime
) -> None:
    """Set the mail domains of an organisation; one domain may belong to many.

    Raises:
        DomainError: `not_found` or `bad_domain`.

    """
    organisation = lock_organisations(session, organisation_id)[0]
    wanted = set()
    for typed in domains:
        domain = normalise_domain(typed)
        if domain is None:
            raise DomainError(
                "bad_domain",
                f"„{typed[:60]}“ ist keine Domain. Beispiel: stadt-essen.example",
                field="domains",
                status=422,
            )
        wanted.add(domain)
    kept = {row.domain: row for row in organisation.domains}
    organisation.domains = [
        kept.get(domain) or OrganisationDomain(domain=domain) for domain in sorted(wanted)
    ]
    record(session, actor, "organisation_domains_set", organisation, now, count=len(wanted))


def retire_organisation(
    session: Session, actor: Actor, organisation_id: int, now: datetime
) -> None:
    """Offer an organisation no longer for choice; its people and its history stay.

    Raises:
        DomainError: `not_found`, `inactive` or `has_children`.

    """
    organisation = lock_organisations(session, organisation_id)[0]
    check_active(organisation)
    child = session.scalar(
        select(Organisation.name).where(
            Organisation.parent_id == organisation.id,
            Organisation.retired_at.is_(None),
            Organisation.merged_into_id.is_(None),
        )
    )
    if child is not None:
        raise DomainError(
            "has_children",
            f"Zu dieser Organisation gehört noch {child}. Bitte legen Sie zuerst still, was "
            "unter ihr steht.",
        )
    organisation.retired_at = now
    record(session, actor, "organisation_retired", organisation, now)


def reactivate_organisation(
    session: Session, actor: Actor, organisation_id: int, now: datetime
) -> None:
    """Offer a retired organisation for choice again.

    Raises:
        DomainError: `not_found`, `not_retired` or `parent_inactive`.

    """
    organisation = lock_organisations(session, organisation_id)[0]
    if organisation.retired_at is None or organisation.merged_into_id is not None:
        raise DomainError("not_retired", "Diese Organisation ist nicht stillgelegt.")
    if organisation.parent is not None and not organisation.parent.is_active:
        raise _parent_inactive()
    organisation.retired_at = None
    record(session, actor, "organisation_reactivated", organisation, now)


def lock_organisations(session: Session, *organisation_ids: int) -> list[Organisation]:
    """Lock organisations by ascending id and return them in the order asked for.

    Raises:
        DomainError: `not_found`.

    """
    rows = session.scalars(
        select(Organisation)
        .where(Organisation.id.in_(organisation_ids))
        .order_by(Organisation.id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    ).all()
    found = {row.id: row for row in rows}
    if not set(organisation_ids) <= set(found):
        raise not_found()
    return [found[organisation_id] for organisation_id in organisation_ids]


def check_active(organisation: Organisation) -> None:
    """Refuse an organisation that was retired or merged.

    Raises:
        DomainError: `inactive`.

    """
    if not organisation.is_active:
        raise DomainError(
            "inactive", f"{organisation.name} ist stillgelegt oder schon zusammengeführt."
        )


def _apply(organisation: Organisation, data: OrganisationData) -> None:
    organisation.level = data.level
    organisation.parent_id = data.parent_id
    organisation.name = data.name
    organisation.short_name = data.short_name
    organisation.sort_key = sort_key(data.name)
    organisation.kind = data.kind
    organisation.partnership = data.partnership
    organisation.partner_since = data.partner_since
    organisation.mailbox = data.mailbox


def _check(session: Session, data: OrganisationData, organisation: Organisation | None) -> None:
    parent = None if data.parent_id is None else session.get_one(Organisation, data.parent_id)
    if not may_stand_below(data.level, parent.level if parent else None):
        raise DomainError("wrong_place", PLACE_SENTENCES[data.level], field="parent_id", status=422)
    moved = organisation is None or organisation.parent_id != data.parent_id
    if parent is not None and moved and not parent.is_active:
        raise _parent_inactive()
    siblings = (
        Organisation.parent_id == data.parent_id
        if data.parent_id is not None
        else Organisation.parent_id.is_(None)
    )
    same_name = select(Organisation.id).where(
        siblings,
        Organisation.name == data.name,
        Organisation.retired_at.is_(None),
        Organisation.merged_into_id.is_(None),
    )
    if organisation is not None:
        same_name = same_name.where(Organisation.id != organisation.id)
    if session.scalar(same_name) is not None:
        raise DomainError(
            "name_taken",
            "Eine Organisation mit diesem Namen gibt es an dieser Stelle schon.",
            field="name",
        )
    if organisation is not None:
        _check_children(session, organisation, data.level)


def _check_children(session: Session, organisation: Organisation, level: Level) -> None:
    levels = session.scalars(
        select(Organisation.level).where(Organisation.parent_id == organisation.id).distinct()
    )
    for child_level in levels:
        if not may_stand_below(child_level, level):
            raise DomainError(
                "children_misplaced",
                "Was unter dieser Organisation steht, passt nicht zu dieser Ebene: "
                f"{PLACE_SENTENCES[child_level]}",
                field="level",
                status=422,
            )


def _parent_inactive() -> DomainError:
    return DomainError(
        "parent_inactive",
        "Die übergeordnete Organisation ist stillgelegt oder zusammengeführt. "
        "Bitte wählen Sie eine andere.",
        field="parent_id",
    )
