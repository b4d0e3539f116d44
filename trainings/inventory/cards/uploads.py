"""Files that the office uploads: what is taken, and what is kept of it.

Nothing is stored as it came: a picture is drawn anew, so that neither what a camera notes about
place and person nor anything hidden behind the picture is passed on. A PDF is kept byte by byte,
and only ever handed out as a download.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

from PIL import Image, ImageOps

from trainings.core.errors import DomainError
from trainings.core.text import clean

LARGEST_PICTURE = 5_000_000
LARGEST_PDF = 10_000_000
MOST_PIXELS = 25_000_000
"""A photo of a good camera; unpacked it takes 75 MB, a bomb would take gigabytes."""
WIDEST = 1200
_HIGHEST = 2400
_QUALITY = 85
PICTURE_TYPE = "image/webp"
PDF_TYPE = "application/pdf"
_FORMATS = ("PNG", "JPEG", "WEBP")
_LONGEST_NAME = 120


@dataclass(frozen=True)
class CheckedFile:
    """A file that may be stored; `read_picture` and `read_pdf` make them, nobody else.

    Attributes:
        name: as the office sees it, 1 to 120 letters.
        media_type: `PICTURE_TYPE` or `PDF_TYPE`.
        content: the bytes that are stored.

    """

    name: str
    media_type: str
    content: bytes


def read_picture(name: str, content: bytes) -> CheckedFile:
    """Return a picture as WebP, at most 1200 pixels wide, with nothing but its pixels.

    Takes up to a second: call it before the transaction begins.

    Args:
        name: of the file, as the browser says it.
        content: PNG, JPEG or WebP, at most 5 MB and 25 million pixels.

    Raises:
        DomainError: `picture_too_large`, `no_picture` or `too_many_pixels`, status 422.

    """
    if len(content) > LARGEST_PICTURE:
        raise _refused("picture_too_large", "picture", "Das Bild ist größer als 5 MB. {}")
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        # Damaged words about a sound picture: they are left out with all others.
        warnings.simplefilter("ignore", UserWarning)
        return CheckedFile(kept_name(name), PICTURE_TYPE, _read(content))


def _read(content: bytes) -> bytes:
    try:
        picture = Image.open(io.BytesIO(content), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels() from error
    except (OSError, SyntaxError, ValueError) as error:
        raise _no_picture() from error
    with picture:
        if picture.width * picture.height > MOST_PIXELS:
            raise _too_many_pixels()
        try:
            return _redraw(picture)
        except (OSError, SyntaxError, ValueError) as error:
            # Cut off or damaged behind a sound beginning.
            raise _no_picture() from error


def _redraw(picture: Image.Image) -> bytes:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((WIDEST, _HIGHEST))
    mode = "RGBA" if upright.has_transparency_data else "RGB"
    # Onto a new sheet: `convert` and `save` would carry along what the file says besides pixels.
    sheet = Image.new(mode, upright.size)
    sheet.paste(upright.convert(mode))
    drawn = io.BytesIO()
    sheet.save(drawn, "WEBP", quality=_QUALITY)
    return drawn.getvalue()


def read_pdf(name: str, content: bytes) -> CheckedFile:
    """Return a PDF as it came, known by its first bytes.

    Args:
        name: of the file, as the browser says it.
        content: at most 10 MB.

    Raises:
        DomainError: `pdf_too_large` or `no_pdf`, status 422.

    """
    if len(content) > LARGEST_PDF:
        raise _refused("pdf_too_large", "pdf", "Die Datei ist größer als 10 MB. {}")
    if not content.startswith(b"%PDF-"):
        raise _refused("no_pdf", "pdf", "Das ist keine PDF-Datei. {}")
    return CheckedFile(kept_name(name), PDF_TYPE, content)


def kept_name(name: str) -> str:
    """Return the name of an uploaded file without folders and invisible signs, to be shown."""
    last = clean(name).replace("\\", "/").rsplit("/", 1)[-1].strip()
    if len(last) > _LONGEST_NAME:
        stem, dot, ending = last.rpartition(".")
        room = _LONGEST_NAME - len(dot + ending)
        last = f"{stem[:room]}{dot}{ending}" if stem and room > 0 else last[:_LONGEST_NAME]
    return last or "ohne Namen"


def _no_picture() -> DomainError:
    return _refused("no_picture", "picture", "Das ist kein Bild in PNG, JPEG oder WebP. {}")


def _too_many_pixels() -> DomainError:
    return _refused(
        "too_many_pixels", "picture", "Das Bild hat mehr als 25 Millionen Bildpunkte. {}"
    )


def _refused(code: str, field: str, sentence: str) -> DomainError:
    kept = "Gespeichert wurde nichts. Bitte wählen Sie eine andere Datei."
    return DomainError(code, sentence.format(kept), field=field, status=422)
