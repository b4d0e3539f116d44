"""Where an organisation may stand in the tree, and what a mail domain looks like."""

from __future__ import annotations

import re

from trainings.core.text import clean
from trainings.organisations.models import Level

PARENT_LEVELS: dict[Level, tuple[Level | None, ...]] = {
    Level.GROUP: (None,),
    Level.AUTHORITY: (None, Level.GROUP),
    Level.UNIT: (Level.AUTHORITY,),
}
"""The levels that may stand above a level; None: at the top. Strict levels leave no cycles."""

PLACE_SENTENCES = {
    Level.GROUP: "Ein Verbund steht ganz oben und gehört zu keiner anderen Organisation.",
    Level.AUTHORITY: "Eine Behörde steht ganz oben oder gehört zu einem Verbund.",
    Level.UNIT: "Eine Dienststelle gehört zu einer Behörde.",
}
LONGEST_DOMAIN = 190
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def may_stand_below(level: Level, parent_level: Level | None) -> bool:
    """Say whether an organisation of a level may stand below one of another level, or on top."""
    return parent_level in PARENT_LEVELS[level]


def normalise_domain(text: str) -> str | None:
    """Return a mail domain as it is stored, in ASCII and lower case; None if it is none.

    A leading @ is left out; letters such as ü become Punycode, as they stand in mail addresses.
    """
    typed = clean(text).lower().removeprefix("@").rstrip(".")
    try:
        domain = typed.encode("idna").decode("ascii") if not typed.isascii() else typed
    except UnicodeError:
        return None
    if len(domain) > LONGEST_DOMAIN or not _DOMAIN.fullmatch(domain):
        return None
    return domain
