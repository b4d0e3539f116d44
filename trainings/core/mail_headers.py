"""Writes the headers of mails so that every program reads them as they were meant."""

from __future__ import annotations

from email.header import Header
from email.headerregistry import AddressHeader
from email.policy import EmailPolicy
from typing import Any

_LINE = 78
_SPOKEN = {"subject", "from", "to"}
"""Headers with words for people."""


class HeaderPolicy(EmailPolicy):
    """The policy of the library, with long or foreign words encoded as a whole.

    The library encodes single words of a header. Where it breaks such a line, it loses or doubles
    the space between an encoded word and a plain one, cuts words in two, or leaves out the quotes
    that a name with a comma needs. Between encoded words white space does not count (RFC 2047,
    6.2): encoded as a whole, a header says what it said, wherever its lines are broken.
    """

    def fold(self, name: str, value: Any) -> str:
        """Return a header as text, in lines."""
        text = str(value)
        end = ""
        if isinstance(value, AddressHeader):
            (found,) = value.addresses
            text, end = found.display_name, f"{self.linesep} <{found.addr_spec}>"
        fits = text.isascii() and len(f"{name}: {value}") <= _LINE
        if fits or not text or name.lower() not in _SPOKEN:
            return str(super().fold(name, value))
        words = Header(text, "utf-8", header_name=name).encode(linesep=self.linesep)
        return f"{name}: {words}{end}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        """Return a header as it is sent, in lines."""
        return self.fold(name, value).encode("ascii", "surrogateescape")
