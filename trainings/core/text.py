"""Text that people type: cleaned, checked for letters of German registers, made sortable."""

from __future__ import annotations

import re
import unicodedata

# Latin letters with the marks that DIN SPEC 91379 (August 2022) allows in names in German
# registers all lie in these blocks; the standard's list of sequences is narrower, and a letter
# that it lacks is let through here, because refusing somebody's name is the worse mistake.
_NAME = re.compile(
    r"[A-Za-z\u00C0-\u024F\u0259\u0292\u02B9-\u02CC\u0300-\u036F\u1E00-\u1EFF"
    r" '\u2019.,\-\u2010\u00B7/()]+"
)
# Controls (but not tab and line feed), bidirectional marks and isolates (they reorder what
# others read), zero-width and other invisible formatting characters, surrogates, private use.
_INVISIBLE_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn"}
_KEPT = {"\n", "\t", "\u00ad"}
_GERMAN_SORTING = str.maketrans({"ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})


def clean(text: str, *, multiline: bool = False) -> str:
    """Return the text in Unicode form NFC without invisible and reordering characters.

    Args:
        text: as it came from a browser or a file.
        multiline: keep line breaks (as a line feed); else every run of white space is one space.

    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = "".join(
        sign
        for sign in text
        if sign in _KEPT or unicodedata.category(sign) not in _INVISIBLE_CATEGORIES
    )
    if multiline:
        lines = (re.sub(r"[^\S\n]+", " ", line).rstrip() for line in text.split("\n"))
        return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return re.sub(r"\s+", " ", text).strip()


def is_registered_name(text: str) -> bool:
    """Say whether a name consists of letters that German registers can write (DIN SPEC 91379)."""
    return bool(_NAME.fullmatch(text)) and any(sign.isalpha() for sign in text)


def sort_key(text: str) -> str:
    """Return a key by which plain byte order sorts as DIN 5007-1 does: ä as a, ß as ss.

    SQLite has no German collation and PostgreSQL's may be missing, so the key is stored.
    """
    folded = text.casefold().translate(_GERMAN_SORTING)
    base = unicodedata.normalize("NFD", folded)
    letters = "".join(sign for sign in base if not unicodedata.combining(sign))
    return re.sub(r"[^0-9a-z]+", " ", letters).strip()[:200]


def normalise_email(text: str) -> str:
    """Return an address in the form in which it is stored and compared: trimmed, lower case.

    RFC 5321 lets the local part be case-sensitive; no authority's mail server makes use of it.
    """
    return clean(text).lower()
