"""What views share: following an outcome, safe addresses to redirect to, files to download."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from flask import Response as Download
from flask import flash, redirect
from werkzeug.wrappers import Response

from trainings.core.idempotency import Outcome
from trainings.core.spreadsheets import XLSX_TYPE

PIECE_BYTES = 65_536


def follow(outcome: Outcome) -> Response:
    """Redirect (303) to where an accepted form leads; its message stands above that page."""
    if outcome.message:
        flash(outcome.message, "success")
    return redirect(outcome.url, code=303)


def local_address(url: str | None, otherwise: str) -> str:
    """Return the address if it lies within this application, else the other one.

    Redirect targets that came from outside are the classic open redirect: only a path that begins
    with a single slash and holds no backslash or control character is followed.
    """
    if (
        url
        and len(url) <= 200
        and url.startswith("/")
        and not url.startswith("//")
        and "\\" not in url
        and url.isprintable()
    ):
        return url
    return otherwise


def document_response(content: bytes, kind: str, name: str, how: str = "attachment") -> Download:
    """Answer with a file that names employees of authorities: no shared computer should keep it.

    Args:
        content: its bytes.
        kind: its media type.
        name: of the download, with its ending.
        how: `attachment`, or `inline` to open it in the browser.

    """
    response = Download(content, content_type=kind)
    response.headers.set("Content-Disposition", how, filename=name)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def workbook_response(file: IO[bytes], name: str) -> Download:
    """Answer with a workbook piece by piece, and close its file afterwards.

    Args:
        file: as `spreadsheets.write_workbook` returns it.
        name: of the download, without its ending.

    """

    def pieces() -> Iterator[bytes]:
        with file:
            while piece := file.read(PIECE_BYTES):
                yield piece

    response = Download(pieces(), content_type=XLSX_TYPE)
    # Also if nobody reads it.
    response.call_on_close(file.close)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.xlsx")
    return response
