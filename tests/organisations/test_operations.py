from __future__ import annotations

from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.conftest import NOW
from tests.factories import make_organisation
from trainings.core.actors import SYSTEM
from trainings.core.audit import AuditEntry
from trainings.core.database import db, transaction
from trainings.core.errors import DomainError
from trainings.organisations.models import Level, Organisation, OrganisationKind, Partnership
from trainings.organisations.operations import (
    OrganisationData,
    add_organisation,
    reactivate_organisation,
    retire_organisation,
    set_domains,
    update_organisation,
)
from trainings.organisations.queries import (
    find_organisation,
    organisation_choices,
    organisation_named,
    organisation_tree,
)

pytestmark = pytest.mark.both_databases

ESSEN = OrganisationData(
    level=Level.AUTHORITY,
    parent_id=None,
    name="Stadt Essen",
    short_name="Essen",
    kind=OrganisationKind.CITY,
    partnership=Partnership.FOUNDER,
)


def add(data: OrganisationData) -> int:
    with transaction() as session:
        organisation = add_organisation(session, SYSTEM, data, NOW)
        session.flush()
        return organisation.id


def refused(work: object, *arguments: object, **named: object) -> str:
    with pytest.raises(DomainError) as refusal, transaction() as session:
        work(session, SYSTEM, *arguments, **named)  # type: ignore[operator]
    assert refusal.value.sentence.endswith((".", "example"))
    return refusal.value.code


def test_organisation_is_added_with_sort_key_and_audit_row(app: Flask) -> None:
    essen = add(replace(ESSEN, name="Öffentliche Ordnung"))
    stored = db.session.get_one(Organisation, essen)
    assert stored.sort_key == "offentliche ordnung"
    assert db.session.scalars(select(AuditEntry.action)).all() == ["organisation_added"]


def test_unit_without_authority_is_refused(app: Flask) -> None:
    assert refused(add_organisation, replace(ESSEN, level=Level.UNIT), NOW) == "wrong_place"


def test_unknown_parent_is_not_found(app: Flask) -> None:
    unit = replace(ESSEN, level=Level.UNIT, parent_id=999)
    assert refused(add_organisation, unit, NOW) == "not_found"


def test_same_name_at_the_same_place_is_refused_but_not_elsewhere(app: Flask) -> None:
    essen = add(ESSEN)
    herne = add(replace(ESSEN, name="Stadt Herne"))
    office = replace(ESSEN, level=Level.UNIT, parent_id=essen, name="Ordnungsamt")
    add(office)
    assert refused(add_organisation, ESSEN, NOW) == "name_taken"
    assert refused(add_organisation, office, NOW) == "name_taken"
    add(replace(office, parent_id=herne))


def test_change_keeps_its_own_name_without_complaint(app: Flask) -> None:
    essen = add(ESSEN)
    with transaction() as session:
        update_organisation(session, SYSTEM, essen, replace(ESSEN, short_name="E"), NOW)
    assert db.session.get_one(Organisation, essen).short_name == "E"


def test_level_that_misplaces_children_is_refused(app: Flask) -> None:
    essen = add(ESSEN)
    add(replace(ESSEN, level=Level.UNIT, parent_id=essen, name="Ordnungsamt"))
    group = replace(ESSEN, level=Level.GROUP)
    assert refused(update_organisation, essen, group, NOW) == "children_misplaced"


def test_organisation_below_itself_is_refused(app: Flask) -> None:
    essen = add(ESSEN)
    below = replace(ESSEN, parent_id=essen)
    assert refused(update_organisation, essen, below, NOW) == "wrong_place"


def test_domains_are_normalised_and_replace_the_old_ones(app: Flask) -> None:
    essen = add(ESSEN)
    for domains in (["Essen.example", "essen.example"], ["essen.example", "ruhr.example"]):
        with transaction() as session:
            set_domains(session, SYSTEM, essen, domains, NOW)
    stored = find_organisation(db.session(), essen)
    assert [row.domain for row in stored.domains] == ["essen.example", "ruhr.example"]


def test_bad_domain_is_refused_and_nothing_is_lost(app: Flask) -> None:
    essen = add(ESSEN)
    with transaction() as session:
        set_domains(session, SYSTEM, essen, ["essen.example"], NOW)
    assert refused(set_domains, essen, ["ruhr.example", "kein ort"], NOW) == "bad_domain"
    assert [row.domain for row in find_organisation(db.session(), essen).domains] == [
        "essen.example"
    ]


def test_retired_organisation_is_not_offered_until_it_is_reactivated(app: Flask) -> None:
    essen = add(ESSEN)
    with transaction() as session:
        retire_organisation(session, SYSTEM, essen, NOW)
    assert organisation_choices(db.session()) == []
    assert organisation_choices(db.session(), keep=essen) == [(essen, "Stadt Essen")]
    assert refused(retire_organisation, essen, NOW) == "inactive"
    with transaction() as session:
        reactivate_organisation(session, SYSTEM, essen, NOW)
    assert organisation_choices(db.session()) == [(essen, "Stadt Essen")]
    assert refused(reactivate_organisation, essen, NOW) == "not_retired"


def test_organisation_with_active_units_is_not_retired(app: Flask) -> None:
    essen = add(ESSEN)
    unit = add(replace(ESSEN, level=Level.UNIT, parent_id=essen, name="Ordnungsamt"))
    assert refused(retire_organisation, essen, NOW) == "has_children"
    with transaction() as session:
        retire_organisation(session, SYSTEM, unit, NOW)
        retire_organisation(session, SYSTEM, essen, NOW)
    assert refused(reactivate_organisation, unit, NOW) == "parent_inactive"
    moved = replace(ESSEN, level=Level.UNIT, parent_id=essen, name="Jugendamt")
    assert refused(add_organisation, moved, NOW) == "parent_inactive"


def test_tree_puts_children_below_parents_in_german_order(app: Flask) -> None:
    with transaction() as session:
        group = make_organisation(session, "Polizei", level=Level.GROUP)
        make_organisation(session, "Zoll")
        make_organisation(session, "Äußere Behörde", parent=group)
        bochum = make_organisation(session, "PP Bochum", parent=group)
        make_organisation(session, "Wache", parent=bochum, level=Level.UNIT)
    rows = [(row.organisation.name, row.depth) for row in organisation_tree(db.session())]
    assert rows == [
        ("Polizei", 0),
        ("Äußere Behörde", 1),
        ("PP Bochum", 1),
        ("Wache", 2),
        ("Zoll", 0),
    ]


def test_an_organisation_is_found_by_its_exact_name_where_only_one_has_it(app: Flask) -> None:
    essen = add(ESSEN)
    unit = replace(ESSEN, level=Level.UNIT, parent_id=essen, name="Ordnungsamt", short_name="")
    office = add(unit)
    herne = add(replace(ESSEN, name="Stadt Herne", short_name="Herne"))
    add(replace(unit, parent_id=herne))
    session = db.session()
    assert organisation_named(session, "Stadt Essen") == essen
    assert organisation_named(session, "Essen") == essen
    for unclear in ("Esse", "Ordnungsamt", ""):
        assert organisation_named(session, unclear) is None
    with transaction() as session:
        retire_organisation(session, SYSTEM, office, NOW)
        retire_organisation(session, SYSTEM, essen, NOW)
    assert organisation_named(db.session(), "Essen") is None
    assert organisation_named(db.session(), "Ordnungsamt") is not None
