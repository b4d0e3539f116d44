"""Cards and editions in the browser, their files, and the public page behind the code."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import timedelta

import pytest
import zxingcpp
from flask.testing import FlaskClient
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from tests.browser_forms import find_form, send, submit
from tests.conftest import NOW
from tests.inventory.cards.files import PDF, SECRET, picture
from tests.inventory.factories import fill, make_card, make_order, make_store
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.inventory.cards.queries import normalised_code
from trainings.inventory.cards.uploads import LARGEST_PDF, LARGEST_PICTURE
from trainings.inventory.holds import hold
from trainings.inventory.ledger import lock_stores
from trainings.inventory.models import CardType, Edition
from trainings.inventory.orders.models import OrderState

CARDS = "/taschenkarten/karten/"
EDITIONS = "/taschenkarten/auflagen/"
CARD = {"title": "Schütze dich", "description": "Für alle\r\nim Dienst", "reorder_level": "500"}
EDITION = {"printed_on": "05.01.2026", "quantity": "10000", "landing_text": "Erste Zeile\r\nZweite"}


def upload(content: bytes, name: str = "karte.png") -> tuple[io.BytesIO, str]:
    return io.BytesIO(content), name


def send_large(client: FlaskClient, url: str, typed: dict[str, object]) -> TestResponse:
    """Fill in a form with a large file; the client's own encoder leaves such files open."""
    values = {**find_form(text(client, url), typed, None).fields, **typed}  # type: ignore[arg-type]
    parts = {
        name: FileStorage(*value) if isinstance(value, tuple) else value
        for name, value in values.items()
    }
    boundary, body = encode_multipart(MultiDict(parts))
    kind = f'multipart/form-data; boundary="{boundary}"'
    return client.post(url, input_stream=io.BytesIO(body), content_length=len(body),
                       content_type=kind)  # fmt: skip


def text(client: FlaskClient, url: str, status: int = 200) -> str:
    answer = client.get(url)
    assert answer.status_code == status, url
    return answer.get_data(as_text=True)


def fresh(card_id: int = 1) -> CardType:
    db.session.remove()
    return db.session.get_one(CardType, card_id)


def fresh_edition(edition_id: int = 1) -> Edition:
    db.session.remove()
    return db.session.get_one(Edition, edition_id)


def make_edition(office: FlaskClient, **typed: object) -> str:
    """Add a card and an edition as the office does, and return the code."""
    assert submit(office, f"{CARDS}neu", {**CARD, "picture": upload(picture())}).status_code == 303
    sent = submit(office, f"{CARDS}1/auflage", {**EDITION, **typed})  # type: ignore[dict-item]
    assert sent.status_code == 303
    return fresh_edition().code


# Cards and editions


@pytest.mark.both_databases
def test_a_card_is_added_changed_retired_and_deleted(office: FlaskClient) -> None:
    added = submit(office, f"{CARDS}neu", {**CARD, "picture": upload(picture("JPEG"))})
    assert (added.status_code, added.location) == (303, f"{CARDS}1")
    assert "Für alle" in text(office, f"{CARDS}1")
    changed = {"title": "Neu <b>", "reorder_level": "0"}
    assert submit(office, f"{CARDS}1/bearbeiten", changed).status_code == 303
    assert "Neu &lt;b&gt;" in text(office, CARDS)
    assert fresh().picture_id is not None
    assert submit(office, f"{CARDS}1/bearbeiten", {"drop_picture": "y"}).status_code == 303
    assert fresh().picture_id is None
    submit(office, f"{CARDS}1", button="Stilllegen")
    assert "Neu" not in text(office, CARDS)
    assert "Neu" in text(office, f"{CARDS}?alle=1")
    submit(office, f"{CARDS}1", button="Wieder aufnehmen")
    assert submit(office, f"{CARDS}1", button="Löschen").location == CARDS
    assert office.get(f"{CARDS}1").status_code == 404


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"title": "\u202e "}, "Bitte geben Sie den Titel ein"),
        ({"title": "x" * 161}, "höchstens 160 Zeichen"),
        ({"reorder_level": "-1"}, "Bitte eine Zahl von 0 bis"),
        ({"reorder_level": "viele"}, "ganze Zahl"),
        ({"picture": upload(b"<svg/>", "karte.png")}, "kein Bild in PNG, JPEG oder WebP"),
        ({"picture": upload(b"x" * (LARGEST_PICTURE + 1))}, "größer als 5 MB"),
    ],
)
def test_a_wrong_card_keeps_what_is_stored_and_what_was_typed(
    office: FlaskClient, typed: dict[str, object], words: str
) -> None:
    submit(office, f"{CARDS}neu", {**CARD, "picture": upload(picture())})
    before = office.get(f"{CARDS}1/bild").get_data()
    if isinstance(typed.get("picture"), tuple):
        typed = {"picture": upload(typed["picture"][0].getvalue())}  # type: ignore[index]
    answer = send_large(office, f"{CARDS}1/bearbeiten", {"description": "anders", **typed})
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert words in html
    assert "anders" in html
    assert fresh().description == "Für alle\nim Dienst"
    assert office.get(f"{CARDS}1/bild").get_data() == before


@pytest.mark.parametrize(
    ("url", "name", "size", "limit"),
    [
        (f"{CARDS}1/bearbeiten", "picture", LARGEST_PICTURE, "5 MB"),
        (f"{CARDS}neu", "picture", LARGEST_PICTURE, "5 MB"),
        (f"{CARDS}1/auflage", "pdf", LARGEST_PDF, "10 MB"),
        (f"{EDITIONS}1/bearbeiten", "pdf", LARGEST_PDF, "10 MB"),
    ],
)
def test_a_body_that_is_far_too_large_is_not_read_and_says_why(
    office: FlaskClient, url: str, name: str, size: int, limit: str
) -> None:
    make_edition(office)
    answer = send_large(office, url, {name: upload(b"%PDF-" + b"x" * (size + 300_000))})
    assert answer.status_code == 413
    html = answer.get_data(as_text=True)
    assert f"größer als {limit}" in html
    assert "Was gespeichert war, ist unverändert" in html
    assert fresh().title == "Schütze dich"


def test_other_forms_take_no_large_bodies(office: FlaskClient) -> None:
    make_edition(office)
    url = f"{EDITIONS}1/zurueckziehen"
    sent = send_large(office, url, {"reason": upload(b"x" * 2_000_000)})
    assert sent.status_code == 413


def test_an_edition_is_added_changed_and_deleted(office: FlaskClient) -> None:
    make_edition(office, pdf=upload(PDF, "../../Kar\u202ete <1>.pdf"))
    html = text(office, f"{EDITIONS}1")
    for words in ("05.01.2026", "10\u202f000 Karten", "Karte &lt;1&gt;.pdf", "Erste Zeile"):
        assert words in html
    assert submit(office, f"{EDITIONS}1/bearbeiten", {"quantity": "9000"}).status_code == 303
    assert fresh_edition().quantity == 9000
    for typed, words in (
        ({"quantity": "0"}, "von 1 bis"),
        ({"quantity": str(10**12)}, "von 1 bis"),
        ({"printed_on": "31.02.2026"}, "kein Tag im Kalender"),
        ({"pdf": upload(b"<html>")}, "Das ist keine PDF-Datei"),
    ):
        wrong = submit(office, f"{EDITIONS}1/bearbeiten", typed)  # type: ignore[arg-type]
        assert wrong.status_code == 422
        assert words in wrong.get_data(as_text=True)
    refused = submit(office, f"{CARDS}1", button="Löschen")
    assert "Sie können die Karte stilllegen" in text(office, refused.location)
    assert submit(office, f"{EDITIONS}1", button="Löschen").location == f"{CARDS}1"
    assert office.get(f"{EDITIONS}1").status_code == 404


def test_an_edition_in_stock_is_not_deleted_but_may_be_withdrawn(office: FlaskClient) -> None:
    with transaction() as session:
        fill(session, make_store(session), make_card(session).editions[0], 5)
    refused = submit(office, f"{EDITIONS}1", button="Löschen")
    assert "Sie können sie zurückziehen" in text(office, refused.location)
    assert fresh_edition()


def test_a_card_is_added_once_however_often_it_is_sent(office: FlaskClient) -> None:
    page = text(office, f"{CARDS}neu")
    for _ in range(2):
        sent = {**CARD, "picture": upload(picture())}
        assert send(office, f"{CARDS}neu", page, sent).location == f"{CARDS}1"  # type: ignore[arg-type]


# Withdrawing


@pytest.mark.both_databases
def test_an_edition_is_withdrawn_and_handed_out_again(office: FlaskClient) -> None:
    with transaction() as session:
        card, store = make_card(session), make_store(session)
        fill(session, store, card.editions[0], 100)
        order = make_order(
            session, card, 70, number="TK-2026-0001", approved=70, state=OrderState.PICKED
        )
        locked = lock_stores(session, [store.id], utc_now())
        until = utc_now() + timedelta(days=9)
        hold(locked, order.id, store.id, card, quantity=70, until=until)
    url = f"{EDITIONS}1/zurueckziehen"
    html = text(office, url)
    for words in ("Lager Essen", "100 Karten", "TK-2026-0001", "70 Karten"):
        assert words in html
    assert submit(office, url, {"reason": ""}).status_code == 422
    assert fresh_edition().withdrawn_at is None
    page = text(office, url)
    for _ in range(2):
        assert send(office, url, page, {"reason": "Fehler <i>"}).status_code == 303
    html = text(office, f"{EDITIONS}1")
    for words in ("Fehler &lt;i&gt;", "TK-2026-0001 (70 Karten)", "Neu zusammenzustellen",
                  "Bestellungen, denen Karten fehlen", "70 Karten fehlen"):  # fmt: skip
        assert words in html
    again = submit(office, url, {"reason": "noch einmal"})
    assert again.status_code == 409
    assert "schon zurückgezogen" in again.get_data(as_text=True)
    back = f"{EDITIONS}1/wieder-ausgeben"
    assert submit(office, back, {"reason": "laune"}).status_code == 422
    assert submit(office, back, {"reason": "checked"}).status_code == 303
    assert fresh_edition().withdrawn_at is None


# The public page and the files


@pytest.mark.both_databases
def test_the_code_leads_to_the_card_however_it_is_typed(
    office: FlaskClient, client: FlaskClient
) -> None:
    code = make_edition(office, pdf=upload(PDF, "x.pdf"))
    spaced = f"{code[:4]}-{code[4:]}"
    for typed in (code, code.lower(), spaced, f" {code[:2]} {code[2:]} ", f"{code[:4]}–{code[4:]}"):
        html = text(client, f"/karte/{typed}")
        for words in ("Schütze dich", "Auflage 1 vom 05.01.2026", "<p>Zweite</p>", "karte.pdf",
                      'href="/taschenkarten/bestellen"', f"{CARDS}1/bild"):  # fmt: skip
            assert words in html
    assert "Zurückziehen" not in html


@pytest.mark.parametrize("typed", ["ABCDEFGH", "x", "0" * 8, "ＡＢＣＤＥＦＧＨ", "%00", "ß" * 4,
                                   "A" * 5000, "<script>"])  # fmt: skip
def test_an_unknown_code_gets_a_polite_page(client: FlaskClient, typed: str) -> None:
    html = text(client, f"/karte/{typed}", 404)
    assert "Diesen Code kennen wir nicht" in html
    assert client.get(f"/karte/{typed}/karte.pdf").status_code == 404


def test_a_code_is_normalised_without_guessing() -> None:
    assert normalised_code("abcd-2345") == "ABCD2345"
    assert normalised_code("ABCD-234O") is None
    assert normalised_code("") is None


@pytest.mark.both_databases
def test_a_withdrawn_edition_names_its_successor_and_keeps_its_pdf_back(
    office: FlaskClient, browser: Callable[[Role], FlaskClient]
) -> None:
    code = make_edition(office, pdf=upload(PDF, "x.pdf"))
    submit(office, f"{EDITIONS}1/zurueckziehen", {"reason": "Druckfehler geheim"})
    visitor = browser(Role.PARTICIPANT)
    html = text(visitor, f"/karte/{code}")
    assert "wird nicht mehr ausgegeben" in html
    assert "Eine neue Auflage gibt es noch nicht" in html
    assert "geheim" not in html
    assert "karte.pdf" not in html
    assert visitor.get(f"/karte/{code}/karte.pdf").status_code == 404
    submit(office, f"{CARDS}1/auflage", {**EDITION, "printed_on": "01.02.2026"})
    html = text(visitor, f"/karte/{code}")
    assert "Auflage 2 vom 01.02.2026" in html
    assert f"/karte/{fresh_edition(2).code}" in html


@pytest.mark.both_databases
def test_files_may_do_nothing_in_the_browser(office: FlaskClient, client: FlaskClient) -> None:
    code = make_edition(office, pdf=upload(PDF, "<script>.pdf"))
    submit(office, f"{CARDS}1/bearbeiten", {"title": 'A"; x=\r\n/../ä<b>'})
    pdf, shown = client.get(f"/karte/{code}/karte.pdf"), client.get(f"{CARDS}1/bild")
    assert (pdf.content_type, pdf.get_data()) == ("application/pdf", PDF)
    assert pdf.headers["Content-Disposition"].startswith("attachment;")
    assert "filename*=UTF-8''A-x-%C3%A4-b-Auflage-1.pdf" in pdf.headers["Content-Disposition"]
    assert shown.content_type == "image/webp"
    assert shown.headers["Content-Disposition"] == "inline; filename=karte-1.webp"
    assert SECRET.encode() not in shown.get_data()
    for answer in (pdf, shown):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; sandbox")
        again = client.get(answer.request.path, headers={"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.get_data()) == (304, b"")
    old = shown.headers["ETag"]
    submit(office, f"{CARDS}1/bearbeiten", {"picture": upload(picture(size=(80, 80)))})
    assert client.get(f"{CARDS}1/bild", headers={"If-None-Match": old}).status_code == 200


def test_what_has_no_file_is_not_found(office: FlaskClient, client: FlaskClient) -> None:
    with transaction() as session:
        code = make_card(session).editions[0].code
    for url in (f"{CARDS}1/bild", f"{CARDS}9/bild", f"/karte/{code}/karte.pdf"):
        assert client.get(url).status_code == 404
    for url in (f"{CARDS}9", f"{CARDS}9/bearbeiten", f"{CARDS}9/auflage", f"{EDITIONS}9",
                f"{EDITIONS}9/code.svg", f"{EDITIONS}9/zurueckziehen"):  # fmt: skip
        assert office.get(url).status_code == 404, url


def test_the_printer_gets_the_code_as_svg_and_png(
    office: FlaskClient, browser: Callable[[Role], FlaskClient]
) -> None:
    code = make_edition(office)
    png, svg = office.get(f"{EDITIONS}1/code.png"), office.get(f"{EDITIONS}1/code.svg")
    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(png.get_data())).convert("L"))
    assert found.text == f"http://trainings.example/karte/{code}"
    assert svg.get_data(as_text=True).startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert svg.content_type.startswith("image/svg+xml")
    for answer in (png, svg):
        assert answer.headers["Content-Disposition"].startswith(f"attachment; filename=qr-{code}")
    assert browser(Role.CONTACT).get(f"{EDITIONS}1/code.png").status_code == 403


# Cost

PAGES = {
    CARDS: 6,
    f"{CARDS}1": 6,
    f"{CARDS}1/bearbeiten": 2,
    f"{CARDS}neu": 1,
    f"{CARDS}1/auflage": 2,
    f"{CARDS}1/bild": 2,
    f"{EDITIONS}1": 7,
    f"{EDITIONS}2": 8,
    f"{EDITIONS}1/bearbeiten": 2,
    f"{EDITIONS}1/zurueckziehen": 7,
    f"{EDITIONS}2/wieder-ausgeben": 2,
    f"{EDITIONS}1/code.svg": 2,
}


@pytest.mark.both_databases
@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_with_one_row_and_with_thirty(office: FlaskClient, rows: int) -> None:
    make_edition(office)
    submit(office, f"{CARDS}1/auflage", EDITION)
    with transaction() as session:
        editions = [session.get_one(Edition, 1), session.get_one(Edition, 2)]
        for index in range(rows):
            store = make_store(session, f"L {index}")
            for edition in editions:
                fill(session, store, edition, 10)
            order = make_order(
                session,
                editions[0].card_type,
                5,
                number=f"TK-{index}",
                approved=5,
                state=OrderState.APPROVED,
            )
            locked = lock_stores(session, [store.id], NOW)
            until = utc_now() + timedelta(days=1)
            hold(locked, order.id, store.id, editions[0].card_type, quantity=4, until=until)
            make_card(session, f"Karte {index}")
        editions[1].withdrawn_at = NOW
    costs = {}
    for url in PAGES:
        db.session.remove()
        with counted_statements() as statements:
            assert office.get(url).status_code == 200
        costs[url] = len([each for each in statements if not each.startswith("PRAGMA")])
    assert costs == PAGES
