"""In which city or district an organisation has its seat, as far as its name says so.

Nobody has to keep a list of places: cities and districts are organisations themselves, and other
authorities are named after the place where they sit („Polizeipräsidium Essen“).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping

from trainings.organisations.models import Organisation, OrganisationKind

NO_REGION = "Überregional"
"""For organisations whose name tells no place."""
_CITY = re.compile(r"(?:Landeshauptstadt|Bundesstadt|Stadtverwaltung|Stadt|Gemeinde) +(?=\S)")
_DISTRICT = re.compile(r"Kreis(?:verwaltung)? +(?=\S)")
_SEATED = re.compile(
    r"(?:Polizeipräsidium|Kreispolizeibehörde|Bundespolizeidirektion|Bundespolizeiinspektion"
    r"|Hauptzollamt|Zollfahndungsamt|Steuerfahndung|Finanzamt|Staatsanwaltschaft|Amtsgericht"
    r"|Landgericht|Jobcenter|Familienkasse|Bezirksregierung) +(?P<place>\S.*)"
)


def known_places(organisations: Iterable[Organisation]) -> dict[str, str]:
    """Return the region by each name that tells it: „Unna“ and „Kreis Unna“ tell „Kreis Unna“.

    A city goes before the district of the same name.
    """
    cities, districts = {}, {}
    for organisation in organisations:
        name = organisation.name
        if organisation.kind is OrganisationKind.CITY and (found := _CITY.match(name)):
            cities[name[found.end() :]] = name[found.end() :]
        elif organisation.kind is OrganisationKind.DISTRICT:
            districts[name] = name
            if found := _DISTRICT.match(name):
                districts[name[found.end() :]] = name
    return districts | cities


def region_of(name: str, places: Mapping[str, str]) -> str | None:
    """Return the region that an organisation's name tells, or None.

    Args:
        name: of the organisation.
        places: as `known_places` returns them.

    """
    if found := _longest(name, places):
        return places[found]
    seated = _SEATED.match(name)
    return seated["place"] if seated else None


def _longest(name: str, places: Collection[str]) -> str:
    """Return the longest of the places that stands in a name as words of their own, or nothing."""
    inside = (place for place in places if re.search(rf"(?<!\w){re.escape(place)}(?!\w)", name))
    return max(inside, key=len, default="")
