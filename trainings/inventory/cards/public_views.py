"""What everybody sees: the page behind the code on a card, its picture and its PDF."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import quote

from flask import render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from trainings.core.database import db
from trainings.core.errors import not_found
from trainings.core.permissions import Permission, requires
from trainings.inventory.cards.blueprint import blueprint
from trainings.inventory.cards.queries import content_of, landing_page, picture_of
from trainings.inventory.ledger import name_of
from trainings.inventory.models import CardFile
from trainings.people.sessions import current_actor

ORDER = "/taschenkarten/bestellen"
FILE_POLICY = "default-src 'none'; sandbox; frame-ancestors 'none'"
"""What somebody uploaded may do nothing, should a browser ever show it as a page."""
_PICTURE_LIVES = "public, max-age=600"
"""Pages ask with the id of the file in the address, so that a new picture is seen at once."""


def code_path(code: str) -> str:
    """Return the path that is printed on the cards of an edition."""
    return f"/karte/{code}"


@blueprint.get("/karte/<code>")
@requires(Permission.PUBLIC)
def landing(code: str) -> ResponseReturnValue:
    """Show the card on which a code is printed."""
    found = landing_page(db.session(), code)
    if found is None:
        return render_template("inventory/landing_unknown.html", order=ORDER), 404
    return render_template("inventory/landing.html", found=found, order=ORDER)


@blueprint.get("/karte/<code>/karte.pdf")
@requires(Permission.PUBLIC)
def card_pdf(code: str) -> Response:
    """Hand out the PDF of a card; of a withdrawn edition to the office only."""
    found = landing_page(db.session(), code)
    if found is None or found.edition.pdf is None:
        raise not_found()
    if found.edition.withdrawn_at is not None and not current_actor().may(Permission.OFFICE):
        raise not_found()
    stem = re.sub(r"[^\w]+", "-", name_of(found.edition)).strip("-")
    return _answer(found.edition.pdf, f"{stem}.pdf", "attachment", "private, no-cache")


@blueprint.get("/taschenkarten/karten/<id:card_id>/bild")
@requires(Permission.PUBLIC)
def card_picture(card_id: int) -> Response:
    """Show the picture of a card."""
    picture = picture_of(db.session(), card_id)
    if picture is None:
        raise not_found()
    return _answer(picture, f"karte-{card_id}.webp", "inline", _PICTURE_LIVES)


def send_file(content: bytes, media_type: str, name: str, how: str = "attachment") -> Response:
    """Return a file that may do nothing in the browser.

    Args:
        content: its bytes.
        media_type: what it is; browsers are told not to guess.
        name: under which it is saved.
        how: `attachment` or `inline`.

    """
    response = Response(content, content_type=media_type)
    # Headers are Latin-1 at best: browsers read the second name (RFC 6266), old ones the first.
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    names = (
        {"filename": plain}
        if plain == name
        else {"filename": plain, "filename*": f"UTF-8''{quote(name)}"}
    )
    response.headers.set("Content-Disposition", how, **names)
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response


def _answer(file: CardFile, name: str, how: str, lives: str) -> Response:
    # An upload is a new row, and on SQLite a new row may get the id of a deleted one.
    tag = f"{file.id}-{file.uploaded_at.timestamp():.6f}"
    if request.if_none_match.contains(tag):
        response = Response(status=304)
    else:
        response = send_file(content_of(db.session(), file.id), file.media_type, name, how)
    response.set_etag(tag)
    response.headers["Cache-Control"] = lives
    return response
