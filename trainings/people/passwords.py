"""Passwords as argon2id hashes (RFC 9106)."""

from __future__ import annotations

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from trainings.people.rules import normalise_password

# The OWASP minimum for argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane. More
# would be safer for the hash and worse for the house: in the rush on a new date some hundred people
# log in at once, on two synchronous workers, and a password is only the second way in here.
# Guessing online is limited by the throttle; the minimum is what a stolen table needs.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Of a random password that nobody knows: verified where there is no account or no password, so that
# the answer takes as long as for a wrong one.
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$"
    "8NIO5YflPMeU04Y/3XCi2g$9Rc2cDZxaJntgNFc24PEAL49VQZ5dnZo7SRKoVDopH0"
)


def hash_password(password: str) -> str:
    """Return what is stored of a password."""
    return _HASHER.hash(normalise_password(password))


def password_matches(stored_hash: str | None, password: str) -> bool:
    """Say whether a password is right; takes equally long whether or not there is a hash."""
    try:
        _HASHER.verify(stored_hash or DUMMY_HASH, normalise_password(password))
    except (VerifyMismatchError, InvalidHashError):
        return False
    return stored_hash is not None


def is_current(stored_hash: str) -> bool:
    """Say whether a hash was made with the present parameters."""
    return not _HASHER.check_needs_rehash(stored_hash)
