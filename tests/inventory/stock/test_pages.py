"""Stock, stores, bookings and the journal in the browser."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.browser_forms import send, submit
from tests.conftest import NOW
from tests.factories import make_event, make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store, new_key
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.inventory.holds import hold
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Balance, CardType, Edition, Movement, Store, StoreKind
from trainings.inventory.orders.models import OrderState
from trainings.inventory.reports.sweeps import warn_of_low_stock
from trainings.inventory.rules import EVENT, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeState

HOME = "/taschenkarten/"
STORES = "/taschenkarten/lager/"
JOURNAL = "/taschenkarten/bewegungen/"


def make_stock(quantity: int = 100) -> None:
    """Add a card with two editions and a store, both with the id 1, and cards of the first."""
    with transaction() as session:
        card, store = make_card(session, "Schütze dich", editions=2), make_store(session)
        make_store(session, "Keller <b>")
        if quantity:
            fill(session, store, card.editions[0], quantity, now=NOW)


def text(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.get_data(as_text=True).replace("\u202f", " ")


def balance_of(store_id: int = 1, edition_id: int = 1) -> int:
    db.session.remove()
    row = db.session.get(Balance, (store_id, edition_id))
    return row.quantity if row else 0


def movements() -> int:
    db.session.remove()
    return db.session.scalar(select(func.count()).select_from(Movement)) or 0


# Stock


def test_empty_pages_say_what_to_do(office: FlaskClient) -> None:
    assert "Noch keine Karte" in text(office, HOME)
    assert "Noch kein Lager" in text(office, STORES)
    assert "Noch keine Bewegung" in text(office, JOURNAL)
    for work in ("zugang", "umlagern", "ausgabe", "rueckgabe", "verlust"):
        assert submit(office, f"{JOURNAL}{work}").status_code == 422


@pytest.mark.both_databases
def test_the_stock_says_what_lies_is_held_and_free(office: FlaskClient) -> None:
    make_stock(1250)
    with transaction() as session:
        store, edition = session.get_one(Store, 1), session.get_one(Edition, 1)
        second = session.get_one(Edition, 2)
        fill(session, store, second, 40)
        second.withdrawn_at = NOW
        edition.card_type.reorder_level = 1100
        order = make_order(session, state=OrderState.APPROVED)
        locked = lock_stores(session, [store.id], utc_now())
        until = utc_now() + timedelta(days=1)
        hold(locked, order.id, store.id, edition.card_type, quantity=200, until=until)
    html = text(office, HOME)
    for words in ("1 250", "1 050", "Unter dem Meldebestand", "Zurückgezogene Auflagen", ">40<"):
        assert words in html
    assert "1 290" not in html


@pytest.mark.parametrize("page", [HOME, "/taschenkarten/karten/", "/taschenkarten/karten/1"])
def test_cards_in_boxes_are_not_counted_for_the_reorder_level(
    office: FlaskClient, page: str
) -> None:
    make_stock(100)
    with transaction() as session:
        box = make_store(session, "Box Kaluza", person=make_person(session))
        fill(session, box, session.get_one(Edition, 1), 500)
        session.get_one(CardType, 1).reorder_level = 101
    assert "Unter dem Meldebestand" in text(office, page)
    with transaction() as session:
        warned = warn_of_low_stock(session, utc_now())
        session.get_one(CardType, 1).reorder_level = 100
    assert warned == 1
    assert "Über dem Meldebestand" in text(office, page)


def test_contacts_have_orders_and_no_stock(browser: Callable[[Role], FlaskClient]) -> None:
    make_stock()
    contact = browser(Role.CONTACT)
    answer = contact.get(HOME)
    assert (answer.status_code, answer.location) == (302, "/taschenkarten/bestellungen")
    assert contact.get(STORES).status_code == 403
    assert contact.get(JOURNAL).status_code == 403
    assert "Taschenkarten" in text(contact, "/")


# Bookings

BOOKINGS: list[tuple[str, dict[str, str], int]] = [
    ("zugang", {"edition_id": "1", "store_id": "1", "reason": "Lieferschein 4711"}, 150),
    ("umlagern", {"stock": "1-1", "target": "2"}, 50),
    ("ausgabe", {"stock": "1-1", "reason": "Messe"}, 50),
    ("rueckgabe", {"edition_id": "1", "store_id": "1"}, 150),
    ("verlust", {"stock": "1-1", "reason": "Wasser"}, 50),
]


@pytest.mark.parametrize(("work", "typed", "left"), BOOKINGS)
def test_each_work_is_booked_once_however_often_it_is_sent(
    office: FlaskClient, work: str, typed: dict[str, str], left: int
) -> None:
    make_stock()
    url = f"{JOURNAL}{work}"
    page = text(office, url)
    for _ in range(3):
        answer = send(office, url, page, {**typed, "quantity": "50"})
        assert (answer.status_code, answer.location) == (303, f"{JOURNAL}2")
    assert (balance_of(), movements()) == (left, 2)
    assert "50 Karten" in text(office, f"{JOURNAL}2")


@pytest.mark.parametrize(("work", "typed", "left"), BOOKINGS)
@pytest.mark.parametrize(
    "quantity", ["", "0", "-1", "1,5", "1.5", "1e3", "abc", str(10**12), "９", "٣", "9" * 4000]
)
def test_a_quantity_is_a_whole_number(
    office: FlaskClient, work: str, typed: dict[str, str], left: int, quantity: str
) -> None:
    make_stock()
    answer = submit(office, f"{JOURNAL}{work}", {**typed, "quantity": quantity})
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert "Bitte geben Sie eine ganze Zahl von 1 bis 1\u202f000\u202f000 an." in html
    assert (balance_of(), movements()) == (100, 1)


def test_more_than_there_is_is_refused_with_what_there_is(office: FlaskClient) -> None:
    make_stock(40)
    typed = {"stock": "1-1", "quantity": "41", "reason": "Messe"}
    answer = submit(office, f"{JOURNAL}ausgabe", typed)
    assert answer.status_code == 409
    html = answer.get_data(as_text=True)
    assert "sind nur noch 40 Karten" in html
    assert 'value="Messe"' in html
    assert balance_of() == 40


def test_two_pages_opened_at_once_give_the_last_cards_away_once(office: FlaskClient) -> None:
    make_stock(40)
    url, typed = f"{JOURNAL}ausgabe", {"stock": "1-1", "quantity": "40", "reason": "Messe"}
    first, second = text(office, url), text(office, url)
    assert send(office, url, first, typed).status_code == 303
    late = send(office, url, second, typed)
    assert late.status_code == 409
    assert "keine Karte mehr" in late.get_data(as_text=True)
    assert balance_of() == 0


@pytest.mark.parametrize(
    ("work", "typed", "status", "words"),
    [
        ("ausgabe", {"stock": "", "quantity": "1"}, 422, "Bitte wählen Sie einen Eintrag"),
        ("ausgabe", {"stock": "x-1", "quantity": "1"}, 422, "Bitte wählen Sie einen Eintrag"),
        ("ausgabe", {"stock": "1-1", "quantity": "1"}, 422, "wer die Karten bekommt"),
        ("ausgabe", {"stock": "9-1", "quantity": "1", "reason": "x"}, 404, ""),
        ("ausgabe", {"stock": "1-9", "quantity": "1", "reason": "x"}, 404, ""),
        ("verlust", {"stock": "1-1", "quantity": "1"}, 422, "was geschehen ist"),
        ("umlagern", {"stock": "1-1", "target": "1", "quantity": "1"}, 422, "derselbe Ort"),
        ("zugang", {"edition_id": "9", "store_id": "1", "quantity": "1"}, 422, "Bitte wählen Sie"),
        ("zugang", {"edition_id": "1", "store_id": "", "quantity": "1"}, 422, "das Lager"),
    ],
)
def test_wrong_bookings_get_their_sentence(
    office: FlaskClient, work: str, typed: dict[str, str], status: int, words: str
) -> None:
    make_stock()
    answer = submit(office, f"{JOURNAL}{work}", typed)
    assert answer.status_code == status
    assert words in answer.get_data(as_text=True)
    assert (balance_of(), movements()) == (100, 1)


def test_a_withdrawn_edition_is_offered_for_coming_home_and_for_destruction_only(
    office: FlaskClient,
) -> None:
    make_stock()
    with transaction() as session:
        session.get_one(Edition, 1).withdrawn_at = NOW
        make_store(session, "Box", kind=StoreKind.PARTNER)
    for work, offered in (("ausgabe", False), ("umlagern", True), ("verlust", True)):
        assert ('value="1-1"' in text(office, f"{JOURNAL}{work}")) is offered
    assert '<option value="1">' not in text(office, f"{JOURNAL}zugang").split("store_id")[0]
    typed = {"stock": "1-1", "target": "3", "quantity": "5"}
    refused = submit(office, f"{JOURNAL}umlagern", typed)
    assert refused.status_code == 409
    assert "zurückgezogen und wird nicht mehr ausgegeben" in refused.get_data(as_text=True)
    home = {"stock": "1-1", "target": "2", "quantity": "5"}
    assert submit(office, f"{JOURNAL}umlagern", home).status_code == 303


def test_links_fill_a_booking_in_and_rubbish_does_not_break_it(office: FlaskClient) -> None:
    make_stock()
    assert 'selected value="1-1"' in text(office, f"{JOURNAL}ausgabe?lager=1&auflage=1")
    for rubbish in ("lager=x&auflage=1", "lager=9&auflage=9", f"lager={'9' * 50}&auflage=1"):
        assert 'selected value="1-1"' not in text(office, f"{JOURNAL}ausgabe?{rubbish}")


# Journal and reversal


@pytest.mark.both_databases
def test_a_movement_is_taken_back_with_a_reason(office: FlaskClient) -> None:
    make_stock()
    url = f"{JOURNAL}1/zuruecknehmen"
    assert "warum die Bewegung" in submit(office, url, {"reason": " "}).get_data(as_text=True)
    page = text(office, url)
    for _ in range(2):
        done = send(office, url, page, {"reason": "doppelt <i>"})
        assert (done.status_code, done.location) == (303, f"{JOURNAL}2")
    assert (balance_of(), movements()) == (0, 2)
    again = submit(office, url, {"reason": "noch einmal"})
    assert again.status_code == 409
    assert "schon zurückgenommen" in again.get_data(as_text=True)
    reversal = submit(office, f"{JOURNAL}2/zuruecknehmen", {"reason": "doch"})
    assert reversal.status_code == 409
    assert "nimmt selbst eine andere zurück" in reversal.get_data(as_text=True)
    html = text(office, JOURNAL)
    for words in (
        "nimmt Bewegung 1 zurück",
        "zurückgenommen durch Bewegung 2",
        "doppelt &lt;i&gt;",
    ):
        assert words in html
    assert "Zurücknehmen" not in text(office, f"{JOURNAL}1")


def test_what_was_given_away_cannot_be_taken_back_from_the_printer(office: FlaskClient) -> None:
    make_stock()
    typed = {"stock": "1-1", "quantity": "60", "reason": "Messe"}
    submit(office, f"{JOURNAL}ausgabe", typed)
    late = submit(office, f"{JOURNAL}1/zuruecknehmen", {"reason": "falsch"})
    assert late.status_code == 409
    assert "nur noch 40 Karten" in late.get_data(as_text=True)


def test_orders_and_stocktakes_are_named_before_their_movements_are_taken_back(
    office: FlaskClient,
) -> None:
    make_stock()
    with transaction() as session:
        order = make_order(session, number="TK-2026-0007", state=OrderState.APPROVED)
        take = Stocktake(store_id=1, state=StocktakeState.POSTED, opened_at=NOW)
        session.add_all([order, take])
        session.flush()
        locked = lock_stores(session, [1], NOW)
        for values in ({"order_id": order.id}, {"stocktake_id": take.id}):
            booking = Booking(1, 5, in_store(1), EVENT, event_id=make_event(session).id, **values)
            locked.book(SYSTEM, booking, key=new_key())
    assert "Die Bestellung bleibt versendet" in text(office, f"{JOURNAL}2/zuruecknehmen")
    assert "Das Protokoll der Inventur" in text(office, f"{JOURNAL}3/zuruecknehmen")
    assert submit(office, f"{JOURNAL}2/zuruecknehmen", {"reason": "x"}).status_code == 303
    html = text(office, JOURNAL)
    assert "Bestellung TK-2026-0007" in html
    assert "Inventur 1" in html


def make_history() -> str:
    """Book one movement of each kind and return the number of the event."""
    make_stock()
    with transaction() as session:
        essen, event = make_organisation(session, "Stadt Essen"), make_event(session)
        locked = lock_stores(session, [1, 2], NOW + timedelta(days=10))
        places = in_store(1), in_store(2)
        locked.book(SYSTEM, Booking(1, 11, *places), key=new_key())
        given = Booking(1, 12, in_store(1), EVENT, event_id=event.id, organisation_id=essen.id)
        locked.book(SYSTEM, given, key=new_key())
    return event.number


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", {1, 2, 3}),
        ("lager=1", {1, 2, 3}),
        ("lager=2", {2}),
        ("karte=k1", {1, 2, 3}),
        ("karte=a1", {1, 2, 3}),
        ("karte=a2", set()),
        ("ort=printer", {1}),
        ("ort=event", {3}),
        ("organisation=1", set()),
        ("organisation=2", {3}),
        ("veranstaltung=NUMBER", {3}),
        ("veranstaltung=2026-999", set()),
        ("bestellung=tk-2026-0001", set()),
        ("von=2026-03-03", {2, 3}),
        ("bis=02.03.2026", {1}),
        ("von=2026-03-12&bis=2026-03-12", {2, 3}),
        ("von=31.02.2026", {1, 2, 3}),
        ("lager=x&karte=z9&ort=moon&organisation=-1&seite=x", {1, 2, 3}),
        ("seite=99999&veranstaltung=%00", {1, 2, 3}),
    ],
)
def test_the_journal_is_filtered_by_its_address(
    office: FlaskClient, asked: str, shown: set[int]
) -> None:
    number = make_history()
    html = text(office, f"{JOURNAL}?{asked.replace('NUMBER', number)}")
    assert {id_ for id_ in (1, 2, 3) if f'href="{JOURNAL}{id_}"' in html} == shown
    assert ("31.02.2026" not in asked) or "Das ist kein Tag im Kalender" in html


@pytest.mark.both_databases
def test_the_journal_has_pages_that_keep_the_filter(office: FlaskClient) -> None:
    make_stock(1000)
    with transaction() as session:
        locked = lock_stores(session, [1, 2], NOW)
        for _ in range(60):
            locked.book(SYSTEM, Booking(1, 1, in_store(1), in_store(2)), key=new_key())
    html = text(office, f"{JOURNAL}?lager=2")
    assert "50 von 60 Bewegungen" in html
    assert f"{JOURNAL}?lager=2&amp;seite=2" in html
    assert "10 von 60 Bewegungen" in text(office, f"{JOURNAL}?lager=2&seite=2")


# Stores


def test_stores_of_each_kind_are_added_and_changed(office: FlaskClient) -> None:
    with transaction() as session:
        trainer = make_person(session, roles=(Role.TRAINER,), family_name="Kałuża").id
        partner = make_organisation(session, "Stadt Herne").id
    name = {"name": "Lager <b>"}
    for kind, typed in (
        ("geschaeftsstelle", name),
        ("box", {**name, "person_id": str(trainer)}),
        ("partner", {**name, "organisation_id": str(partner)}),
    ):
        assert submit(office, f"{STORES}neu/{kind}", {"name": ""}).status_code == 422
        assert submit(office, f"{STORES}neu/{kind}", typed).status_code == 303
    html = text(office, STORES)
    for words in ("Lager &lt;b&gt;", "Kałuża, Erika", "Stadt Herne"):
        assert words in html
    twice = submit(office, f"{STORES}neu/box", {**name, "person_id": str(trainer)})
    assert twice.status_code == 409
    assert "hat schon eine Box" in twice.get_data(as_text=True)
    assert submit(office, f"{STORES}2/bearbeiten", {"name": "Box 7"}).status_code == 303
    assert "Box 7" in text(office, f"{STORES}2")
    assert office.get(f"{STORES}neu/keller").status_code == 404


@pytest.mark.both_databases
def test_a_store_goes_when_it_is_empty_and_says_why_not(office: FlaskClient) -> None:
    make_stock()
    full = text(office, f"{STORES}1")
    assert "Stilllegen" not in full
    assert "Löschen" not in full
    empty = text(office, f"{STORES}2")
    typed = {"stock": "1-1", "target": "2", "quantity": "5"}
    submit(office, f"{JOURNAL}umlagern", typed)
    for button, words in (("Stilllegen", "liegen noch Karten"), ("Löschen", "bleibt deshalb")):
        late = send(office, f"{STORES}2", empty, button=button)
        assert late.status_code == 303
        assert words in text(office, late.location)
    submit(office, f"{JOURNAL}2/zuruecknehmen", {"reason": "falsch"})
    submit(office, f"{STORES}2", button="Stilllegen")
    assert "Keller" not in text(office, STORES)
    assert "Keller" in text(office, f"{STORES}?alle=1")
    assert ">Keller" not in text(office, f"{JOURNAL}umlagern").split("target")[-1]
    submit(office, f"{STORES}2", button="Wieder aufnehmen")
    assert "Keller" in text(office, STORES)


def test_a_store_without_a_history_is_deleted(office: FlaskClient) -> None:
    make_stock()
    gone = submit(office, f"{STORES}2", button="Löschen")
    assert gone.location == STORES
    assert "Keller" not in text(office, f"{STORES}?alle=1")


# Cost

PAGES = {
    HOME: 6,
    STORES: 6,
    f"{STORES}1": 10,
    f"{STORES}1/bearbeiten": 2,
    f"{STORES}neu/geschaeftsstelle": 1,
    f"{STORES}neu/box": 2,
    f"{STORES}neu/partner": 2,
    JOURNAL: 9,
    f"{JOURNAL}?lager=1&karte=k1": 9,
    f"{JOURNAL}1": 4,
    f"{JOURNAL}1/zuruecknehmen": 4,
    f"{JOURNAL}zugang": 3,
    f"{JOURNAL}umlagern": 6,
    f"{JOURNAL}ausgabe": 6,
    f"{JOURNAL}rueckgabe": 4,
    f"{JOURNAL}verlust": 5,
}


@pytest.mark.both_databases
@pytest.mark.parametrize("rows", [1, 30])
def test_pages_cost_the_same_with_one_row_and_with_thirty(office: FlaskClient, rows: int) -> None:
    with transaction() as session:
        for index in range(rows):
            card, store = make_card(session, f"Karte {index}"), make_store(session, f"L {index}")
            order = make_order(session, number=f"TK-2026-{index:04}", state=OrderState.APPROVED)
            fill(session, store, card.editions[0], 10)
            locked = lock_stores(session, [store.id], NOW)
            given = Booking(
                card.editions[0].id, 1, in_store(store.id), EVENT,
                event_id=make_event(session).id, order_id=order.id,
            )  # fmt: skip
            locked.book(SYSTEM, given, key=new_key())
    costs = {}
    for url in PAGES:
        db.session.remove()
        with counted_statements() as statements:
            text(office, url)
        costs[url] = len([each for each in statements if not each.startswith("PRAGMA")])
    assert costs == PAGES
