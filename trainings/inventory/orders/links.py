"""Addresses of an order: its number, and the page that shows it without a login."""

from __future__ import annotations

import hashlib

from itsdangerous import Signer

from trainings.core.settings import current_settings


def signed_path(number: str) -> str:
    """Return an address that shows an order without login, and lets whoever ordered cancel it.

    It is bound to this purpose by its signature; the number alone opens nothing.
    """
    signature = _signer().get_signature(number.encode()).decode("ascii")
    return f"/taschenkarten/bestellung/{number}/{signature}"


def is_signed(number: str, signature: str) -> bool:
    """Say whether a signature belongs to the number of an order."""
    return _signer().verify_signature(number.encode(), signature)


def _signer() -> Signer:
    return Signer(current_settings().secret_key, salt="card-order", digest_method=hashlib.sha256)
