"""Rules about people: pure functions over plain values."""

from __future__ import annotations

import unicodedata

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
FEWEST_DIFFERENT_SIGNS = 5
# A shorter name before the @ may stand in any password by chance.
TELLING_NAME = 4
_TITLES = {"dr": "Dr.", "dr.": "Dr.", "prof": "Prof.", "prof.": "Prof."}
_FORMS_OF_ADDRESS = ("herr", "frau")
_PARTICLES = {
    "von", "vom", "van", "de", "der", "den", "dem", "du", "di", "da", "del", "della", "dos",
    "zu", "zum", "zur", "ter", "ten", "el", "al", "bin", "ben", "le", "la", "af",
}  # fmt: skip
"""Words in small letters with which a family name begins."""


def mail_domains(email: str) -> tuple[str, ...]:
    """Return the domain of an address and the domains above it, the most specific first.

    A top level domain alone („nrw“) belongs to nobody in particular and is left out.
    """
    labels = email.rpartition("@")[2].split(".")
    return tuple(".".join(labels[index:]) for index in range(len(labels) - 1))


def split_name(name: str) -> tuple[str, str, str]:
    """Return title, given name and family name of a name as somebody wrote it.

    „Dr. Jördis Kałuża“ and „Kałuża, Dr. Jördis“ alike; a single word is a family name. A guess that
    a person has to be able to correct: nobody can tell „Anna Maria Luisa“ from a double surname.
    """
    behind, comma, before = name.partition(",")
    words = (before if comma else name).split()
    titles = []
    while words and (words[0].casefold() in (*_TITLES, *_FORMS_OF_ADDRESS)):
        titles.append(_TITLES.get(words.pop(0).casefold(), ""))
    title = " ".join(filter(None, titles))
    if comma:
        return title, " ".join(words), " ".join(behind.split())
    last = len(words) - 1
    begins = next((place for place in range(1, last) if words[place] in _PARTICLES), last)
    return title, " ".join(words[: max(begins, 0)]), " ".join(words[max(begins, 0) :])


def normalise_password(password: str) -> str:
    """Return a password in the form that is hashed: ü is the same sign from every keyboard.

    NIST SP 800-63B, 3.1.1.2: NFKC or NFKD before hashing.
    """
    return unicodedata.normalize("NFKC", password)


def password_weakness(password: str, email: str) -> str | None:
    """Return a sentence that says why a password is too weak, or None.

    Length counts, not a mixture of signs (NIST SP 800-63B, 3.1.1.2; BSI: passwords from 12
    characters on). What is refused beside that is what anybody would try first.
    """
    if len(password) < SHORTEST_PASSWORD:
        return f"Bitte mindestens {SHORTEST_PASSWORD} Zeichen."
    if len(password) > LONGEST_PASSWORD:
        return f"Bitte höchstens {LONGEST_PASSWORD} Zeichen."
    folded = password.casefold()
    name = email.partition("@")[0]
    if len(set(folded)) < FEWEST_DIFFERENT_SIGNS:
        return "Dieses Passwort ist zu leicht zu erraten: Es besteht aus zu wenigen Zeichen."
    if folded in email or (len(name) >= TELLING_NAME and name in folded):
        return "Dieses Passwort ist zu leicht zu erraten: Es enthält Ihre E-Mail-Adresse."
    return None
