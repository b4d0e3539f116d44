"""Where an organisation sits, read from its name."""

from __future__ import annotations

import pytest

from trainings.organisations.models import Level, Organisation, OrganisationKind
from trainings.organisations.regions import known_places, region_of


def organisation(name: str, kind: OrganisationKind) -> Organisation:
    return Organisation(name=name, kind=kind, level=Level.AUTHORITY)


PLACES = known_places(
    [
        organisation("Stadt Essen", OrganisationKind.CITY),
        organisation("Stadt Mülheim an der Ruhr", OrganisationKind.CITY),
        organisation("Stadt Recklinghausen", OrganisationKind.CITY),
        organisation("Kreis Recklinghausen", OrganisationKind.DISTRICT),
        organisation("Kreis Unna", OrganisationKind.DISTRICT),
        organisation("Ennepe-Ruhr-Kreis", OrganisationKind.DISTRICT),
        organisation("Polizeipräsidium Bochum", OrganisationKind.STATE_POLICE),
    ]
)


@pytest.mark.parametrize(
    ("name", "region"),
    [
        ("Stadt Essen", "Essen"),
        ("Polizeipräsidium Essen", "Essen"),
        ("Jobcenter Mülheim an der Ruhr", "Mülheim an der Ruhr"),
        ("Kreispolizeibehörde Ennepe-Ruhr-Kreis", "Ennepe-Ruhr-Kreis"),
        ("Kreispolizeibehörde Unna", "Kreis Unna"),
        ("Jobcenter Kreis Unna", "Kreis Unna"),
        ("Kreis Recklinghausen", "Kreis Recklinghausen"),
        ("Polizeipräsidium Recklinghausen", "Recklinghausen"),
        ("Hauptzollamt Düsseldorf", "Düsseldorf"),
        ("Polizeipräsidium Bochum", "Bochum"),
        ("Landeskriminalamt Nordrhein-Westfalen", None),
        ("Familienkasse", None),
        ("Amt für Essensausgabe", None),
        ("Ordnungsamt", None),
    ],
)
def test_the_name_tells_the_region(name: str, region: str | None) -> None:
    assert region_of(name, PLACES) == region


def test_without_any_place_known_there_is_no_region() -> None:
    assert known_places([]) == {}
    assert region_of("Stadt (Essen", {}) is None
