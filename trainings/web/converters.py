"""Parts of addresses: what has the wrong shape is a 404 before any view or database sees it."""

from __future__ import annotations

from flask import Flask
from werkzeug.routing import BaseConverter, IntegerConverter

from trainings.core.fields import LARGEST_ID


class EventNumberConverter(BaseConverter):
    """An event's number, such as `2026-014`."""

    regex = r"[0-9]{4}-[0-9]{3,5}"


class OrderNumberConverter(BaseConverter):
    """The number of an order of cards, such as `TK-2026-0012`."""

    regex = r"TK-[0-9]{4}-[0-9]{4,6}"


class TokenConverter(BaseConverter):
    """A random token or ticket."""

    regex = r"[A-Za-z0-9_-]{8,80}"


class KeyConverter(BaseConverter):
    """A random key of 16 bytes, written in hexadecimal digits."""

    regex = r"[0-9a-f]{32}"

    def to_python(self, value: str) -> bytes:
        """Return the bytes."""
        return bytes.fromhex(value)

    def to_url(self, value: bytes) -> str:
        """Return the digits."""
        return value.hex()


class RowIdConverter(IntegerConverter):
    """The id of a row; greater numbers than the database can hold do not exist."""

    def __init__(self, url_map: object) -> None:
        super().__init__(url_map, max=LARGEST_ID)  # type: ignore[arg-type]


def install(app: Flask) -> None:
    """Make the converters known to the addresses of all rooms."""
    app.url_map.converters.update(
        number=EventNumberConverter,
        order=OrderNumberConverter,
        token=TokenConverter,
        key=KeyConverter,
        id=RowIdConverter,
    )
