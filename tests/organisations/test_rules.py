from __future__ import annotations

import pytest

from trainings.organisations.models import Level
from trainings.organisations.rules import may_stand_below, normalise_domain


@pytest.mark.parametrize(
    ("level", "above", "allowed"),
    [
        (Level.GROUP, None, True),
        (Level.GROUP, Level.GROUP, False),
        (Level.AUTHORITY, None, True),
        (Level.AUTHORITY, Level.GROUP, True),
        (Level.AUTHORITY, Level.AUTHORITY, False),
        (Level.UNIT, Level.AUTHORITY, True),
        (Level.UNIT, None, False),
        (Level.UNIT, Level.UNIT, False),
    ],
)
def test_levels_stand_strictly_below_each_other(
    level: Level, above: Level | None, allowed: bool
) -> None:
    assert may_stand_below(level, above) is allowed


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (" @Stadt-Essen.EXAMPLE. ", "stadt-essen.example"),
        ("ob.stadt-essen.example", "ob.stadt-essen.example"),
        ("mülheim.example", "xn--mlheim-3ya.example"),
        ("example", None),
        ("", None),
        ("a b.example", None),
        ("-a.example", None),
        ("a" * 64 + ".example", None),
        ("ü" * 300 + ".example", None),
        ("name@stadt.example", None),
        ("x." * 120 + "example", None),
    ],
)
def test_domain_is_normalised_or_refused(typed: str, stored: str | None) -> None:
    assert normalise_domain(typed) == stored
