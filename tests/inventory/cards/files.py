"""Files as an office uploads them, and as somebody hostile would."""

from __future__ import annotations

import io
import struct
import zlib

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
SECRET = "Kamera von Erika Beispiel"


def picture(
    form: str = "PNG", *, size: tuple[int, int] = (60, 40), mode: str = "RGB", turned: bool = False
) -> bytes:
    """Return a picture with notes of a camera; `turned` says it was held upright."""
    image = Image.new(mode, size)
    notes = Image.Exif()
    notes[0x013B] = SECRET
    if turned:
        notes[0x0112] = 6
    content = io.BytesIO()
    image.save(content, form, exif=notes)
    return content.getvalue()


def bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """Return a small PNG that says it has more pixels than a computer has memory for."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
