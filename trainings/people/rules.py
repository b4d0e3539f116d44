"""Rules about people: pure functions over plain values."""

from __future__ import annotations

import unicodedata

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
FEWEST_DIFFERENT_SIGNS = 5
# A shorter name before the @ may stand in any password by chance.
TELLING_NAME = 4


def mail_domains(email: str) -> tuple[str, ...]:
    """Return the domain of an address and the domains above it, the most specific first.

    A top level domain alone („nrw“) belongs to nobody in particular and is left out.
    """
    labels = email.rpartition("@")[2].split(".")
    return tuple(".".join(labels[index:]) for index in range(len(labels) - 1))


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
