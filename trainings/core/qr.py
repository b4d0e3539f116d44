"""QR codes as drawings (SVG) and as pictures (PNG, for mails)."""

from __future__ import annotations

import io
import struct
import zlib

import qrcode
from markupsafe import Markup, escape
from qrcode.constants import ERROR_CORRECT_M

QUIET_ZONE = 4
"""Modules of white around the code (ISO/IEC 18004)."""
MASK = 0
"""Checkerboard. To find the best of the eight masks takes five times as long as the code itself,
and readers read them all."""


def qr_svg(text: str, label: str) -> Markup:
    """Return a code as an SVG element, black on white in every colour scheme.

    Runs of modules are joined into one stroke, which halves the size.

    Args:
        text: what the code holds.
        label: what a screen reader says.

    """
    rows = qr_modules(text)
    size = len(rows) + 2 * QUIET_ZONE
    path = []
    for y, row in enumerate(rows, start=QUIET_ZONE):
        x = 0
        while x < len(row):
            if not row[x]:
                x += 1
                continue
            begin = x
            while x < len(row) and row[x]:
                x += 1
            path.append(f"M{begin + QUIET_ZONE} {y}h{x - begin}v1h-{x - begin}z")
    return Markup(
        '<svg class="tr-qr" role="img" aria-label="{}" viewBox="0 0 {} {}" '
        'shape-rendering="crispEdges"><path fill="#fff" d="M0 0h{}v{}H0z"/>'
        '<path fill="#000" d="{}"/></svg>'
    ).format(escape(label), size, size, size, size, "".join(path))


def qr_png(text: str, scale: int = 6) -> bytes:
    """Return a code as a PNG picture with one bit a pixel.

    Written by hand (three chunks): the library wants Pillow for it, 20 MB for forty lines.

    Args:
        text: what the code holds.
        scale: pixels for each module.

    """
    rows = qr_modules(text)
    width = (len(rows) + 2 * QUIET_ZONE) * scale
    white = bytes([0]) + b"\xff" * ((width + 7) // 8)
    lines = [white] * (QUIET_ZONE * scale)
    for row in rows:
        bits = "1" * (QUIET_ZONE * scale)
        bits += "".join(("0" if dark else "1") * scale for dark in row)
        bits = bits.ljust((width + 7) // 8 * 8, "1")
        lines += [bytes([0]) + int(bits, 2).to_bytes(len(bits) // 8, "big")] * scale
    lines += [white] * (QUIET_ZONE * scale)
    picture = io.BytesIO()
    picture.write(b"\x89PNG\r\n\x1a\n")
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", width, width, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"".join(lines), 9)),
        (b"IEND", b""),
    ):
        picture.write(struct.pack(">I", len(content)) + name + content)
        picture.write(struct.pack(">I", zlib.crc32(name + content)))
    return picture.getvalue()


def qr_modules(text: str) -> list[list[bool]]:
    """Return the rows of a code, True where it is dark, without the quiet zone."""
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, border=0, mask_pattern=MASK)
    code.add_data(text)
    code.make(fit=True)
    modules: list[list[bool]] = code.modules
    return modules
