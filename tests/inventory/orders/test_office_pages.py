"""What the office does with orders in the browser."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.browser_forms import send, submit
from tests.factories import make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store
from tests.inventory.orders.browsing import (
    FORM,
    LIST,
    LONG,
    mails,
    new_order,
    orders,
    page,
    typed,
)
from tests.pdfs import failures_of, text_of
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.inventory.models import CardType, Movement
from trainings.inventory.orders.links import signed_path
from trainings.inventory.orders.models import CardOrder, OrderLimit, OrderState
from trainings.organisations.models import Organisation

pytestmark = pytest.mark.both_databases


# The office


def test_the_office_takes_an_order_from_entry_to_receipt(office: FlaskClient, card: int) -> None:
    entered = submit(office, FORM, typed(card, organisation_name=f"Verein {LONG}"))
    url = entered.location
    assert "Ihre Daten bei uns" in mails()[0].mail.information[0]
    assert "1 Bestellung wartet" in page(office, LIST)
    with transaction() as session:
        city = make_organisation(session, "Stadt Essen").id
    assert submit(office, url, {"organisation": str(city)}).status_code == 303
    assert "Stadt Essen" in page(office, url)
    html = page(office, f"{url}/genehmigen")
    assert 'data-label="Frei">530<' in html
    for _ in range(2):
        assert send(office, f"{url}/genehmigen", html).status_code == 303
    html = page(office, f"{url}/packliste")
    assert html.index("Auflage 1") < html.index("Auflage 2")
    assert submit(office, url, button="Ist zusammengestellt").status_code == 303
    pdf = office.get(f"{url}/lieferschein.pdf").data
    assert failures_of(pdf) == []
    html = page(office, url)
    for _ in range(2):
        assert send(office, url, html, button="Ist versendet").status_code == 303
    assert "Es fehlen vorgemerkte Karten" not in page(office, url)
    assert failures_of(office.get(f"{url}/lieferschein.pdf").data) == []
    text = text_of(office.get(f"{url}/lieferschein.pdf").data)
    for words in ("Lieferschein", "Weg 1", "45127 Essen", "Auflage 1 30", "Auflage 2 20", LONG):
        assert words in text
    assert db.session.scalar(select(func.sum(Movement.quantity)).where(Movement.order_id > 0)) == 50
    link = (mails()[-1].mail.link or ("", ""))[1]
    html = page(office, link)
    assert orders()[0].state is OrderState.SENT
    for _ in range(2):
        sent = send(office, link, html, {"note": "<b>Nur 48 Karten</b>"})
        assert sent.status_code == 303
    assert office.get(link).status_code == 410
    assert "Nur 48 Karten" in page(office, signed_path(orders()[0].number))
    assert "&lt;b&gt;Nur 48 Karten&lt;/b&gt;" in page(office, url)
    assert [mail.kind for mail in mails()] == [
        "card_order_received",
        "card_order_approved",
        "card_order_sent",
    ]


def test_the_office_enters_the_receipt(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card, state=OrderState.SENT)}/erhalten"
    in_another_window = page(office, url)
    assert submit(office, url, {"note": "telefonisch"}).status_code == 303
    assert orders()[0].received_note == "telefonisch"
    assert send(office, url, in_another_window).status_code == 409
    assert orders()[0].received_note == "telefonisch"
    assert office.get(url).status_code == 409


def test_the_receipt_is_not_asked_for_before_the_cards_are_sent(
    office: FlaskClient, client: FlaskClient, card: int
) -> None:
    number = new_order(card)
    for browser, url in ((office, f"{LIST}/{number}"), (client, signed_path(number))):
        answer = browser.get(f"{url}/erhalten")
        assert answer.status_code == 409
        assert "inzwischen „eingegangen“" in answer.get_data(as_text=True)


def test_refusals_stand_on_the_page_of_the_approval(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card)}/genehmigen"
    (line,) = db.session.scalars(select(CardOrder)).one().lines
    for quantity, words in (
        ("20", "weniger als bestellt"),
        ("51", "Bitte eine Zahl von 0 bis 50"),
        ("0", "keine einzige Karte"),
        ("1,5", "ganze Zahl"),
    ):
        answer = submit(office, url, {f"line_{line.id}": quantity})
        assert answer.status_code == 422
        assert words in answer.get_data(as_text=True)
    with transaction() as session:
        empty = make_store(session, "Lager Dortmund").id
    answer = submit(office, url, {"store_id": str(empty)})
    assert answer.status_code == 409
    assert "Im Lager „Lager Dortmund“ ist keine Karte mehr" in answer.get_data(as_text=True)
    assert orders()[0].state is OrderState.REQUESTED


def test_declining_needs_a_reason(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card)}"
    assert submit(office, f"{url}/ablehnen", {"reason": " \u200b"}).status_code == 422
    assert submit(office, f"{url}/ablehnen", {"reason": "Kein Vorrat"}).status_code == 303
    assert "Kein Vorrat" in page(office, url)
    assert office.get(f"{url}/ablehnen").status_code == 409


def test_a_changed_hold_is_shown_and_held_anew(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card)}"
    submit(office, f"{url}/genehmigen")
    with transaction() as session:
        # As when an edition is withdrawn and too few others are there.
        order = session.scalars(select(CardOrder)).one()
        order.reservations[0].ended_at = utc_now()
    html = page(office, url)
    assert "30 Karten fehlen" in html
    assert "Ist zusammengestellt" not in html
    assert send(office, url, html, button="Neu vormerken").status_code == 303
    assert "Ist zusammengestellt" in page(office, url)


def test_limits_are_set_and_removed_in_the_browser(office: FlaskClient, card: int) -> None:
    url = "/taschenkarten/grenzen"
    assert "Noch keine Grenze" in page(office, url)
    assert submit(office, url, {"per_year": "500"}).status_code == 303
    assert "Jede Behörde ohne eigene Grenze" in page(office, url)
    for wrong in ("abc", "-1", "1,5", "1e3", "９"):
        assert submit(office, url, {"per_year": wrong}).status_code == 422
    assert submit(office, url, button="Entfernen").status_code == 303
    assert "Noch keine Grenze" in page(office, url)


def test_the_list_is_filtered_and_ignores_what_makes_no_sense(
    office: FlaskClient, card: int
) -> None:
    first = new_order(card)
    second = new_order(card, state=OrderState.DECLINED)
    for query, seen, unseen in (
        ("stand=offen", first, second),
        ("stand=declined", second, first),
        (f"suche={second.lower()}", second, first),
        ("suche=öztürk", first, "Keine Bestellung"),
        ("suche=%25", "Keine Bestellung", first),
        ("organisation=999999", "Keine Bestellung", first),
        ("stand=quatsch&organisation=abc&seite=-1", first, "Keine Bestellung"),
    ):
        html = page(office, f"{LIST}?{query}")
        assert seen in html, query
        assert unseen not in html, query


@pytest.mark.parametrize("path", [LIST, f"{LIST}?organisation=1&suche=a", "page", "approve"])
def test_pages_cost_the_same_with_one_order_and_with_thirty(
    office: FlaskClient, card: int, path: str
) -> None:
    number = new_order(card, organisation=db.session.scalars(select(Organisation)).first())
    url = {"page": f"{LIST}/{number}", "approve": f"{LIST}/{number}/genehmigen"}.get(path, path)
    with counted_statements() as one:
        page(office, url)
    with transaction() as session:
        stored = session.get_one(CardType, card)
        home = session.scalars(select(Organisation)).first()
        for serial in range(30):
            person = make_person(session)
            make_order(session, stored, 5, organisation=home, person=person, at=utc_now())
            extra = make_card(session, f"Karte {serial}")
            fill(session, make_store(session, f"Lager {serial}"), extra.editions[0], 5)
            make_organisation(session, f"Stadt {serial}")
            session.add(OrderLimit(organisation_id=make_organisation(session).id, per_year=3))
    with counted_statements() as thirty:
        page(office, url)
    assert len(thirty) == len(one) <= 12


def test_the_page_of_an_approved_order_keeps_to_its_budget(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card)}"
    submit(office, f"{url}/genehmigen")
    with counted_statements() as statements:
        page(office, url)
    assert len(statements) <= 12


def test_what_is_blanked_still_has_a_page(office: FlaskClient, card: int) -> None:
    number = new_order(card, state=OrderState.RECEIVED)
    with transaction() as session:
        order = session.scalars(select(CardOrder)).one()
        order.name = order.email = order.recipient = order.street = order.purpose = ""
    html = page(office, f"{LIST}/{number}")
    assert "gelöscht" in html
    assert office.get(f"{LIST}/{number}/lieferschein.pdf").status_code == 409
