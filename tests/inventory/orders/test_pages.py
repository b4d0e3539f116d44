"""The pages of the orders in the browser: who orders, who looks, what the office does."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tests.browser_forms import send, submit
from tests.factories import log_in, make_organisation, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store
from tests.pdfs import failures_of, text_of
from tests.statements import counted_statements
from trainings.core.clock import utc_now
from trainings.core.database import db, transaction
from trainings.core.outbox import OutgoingMail
from trainings.core.permissions import Role
from trainings.inventory.models import CardType, Movement
from trainings.inventory.orders import entry_views
from trainings.inventory.orders.links import signed_path
from trainings.inventory.orders.models import CardOrder, OrderLimit, OrderState
from trainings.organisations.models import Level, Organisation
from trainings.people.models import OrganisationContact

pytestmark = pytest.mark.both_databases
FORM = "/taschenkarten/bestellen"
THANKS = "/taschenkarten/bestellen/danke"
LIST = "/taschenkarten/bestellungen"
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"


@pytest.fixture
def card(app: Flask) -> int:
    with transaction() as session:
        card, store = make_card(session, editions=2), make_store(session)
        fill(session, store, card.editions[0], 30)
        fill(session, store, card.editions[1], 500)
        return card.id


@pytest.fixture
def office(app: Flask) -> FlaskClient:
    return logged_in(app, lambda session: make_person(session, roles=(Role.COORDINATOR,)).id)


def logged_in(app: Flask, make: Callable[[Session], int]) -> FlaskClient:
    with transaction() as session:
        person_id = make(session)
    client = app.test_client()
    log_in(client, person_id)
    return client


def contact_of(app: Flask, organisation_id: int) -> FlaskClient:
    def make(session: Session) -> int:
        home = session.get_one(Organisation, organisation_id)
        person = make_person(session, home, roles=(Role.CONTACT,))
        session.add(OrganisationContact(organisation_id=home.id, person_id=person.id))
        return person.id

    return logged_in(app, make)


def typed(card: int, **changes: str) -> dict[str, str]:
    return {
        f"card_{card}": "50",
        "name": "Käthe Öztürk",
        "email": "Kaethe@Stadt.example",
        "organisation_name": "Verein Ruhr",
        "recipient": "Poststelle",
        "street": "Weg 1",
        "postcode": "45127",
        "town": "Essen",
        "purpose": "Für die Streifen",
        **changes,
    }


def orders() -> list[CardOrder]:
    db.session.remove()
    return list(db.session.scalars(select(CardOrder).order_by(CardOrder.id)))


def mails() -> list[OutgoingMail]:
    db.session.remove()
    return list(db.session.scalars(select(OutgoingMail).order_by(OutgoingMail.id)))


def page(client: FlaskClient, url: str) -> str:
    answer = client.get(url)
    assert answer.status_code == 200, url
    return answer.get_data(as_text=True)


def new_order(card: int, **changes: object) -> str:
    with transaction() as session:
        at = utc_now()
        stored = session.get_one(CardType, card)
        return make_order(session, stored, 50, at=at, **changes).number  # type: ignore[arg-type]


# Without a login


def test_a_visitor_orders_confirms_and_cancels(client: FlaskClient, card: int) -> None:
    answer = submit(client, FORM, typed(card))
    assert (answer.status_code, answer.location) == (303, THANKS)
    assert "innerhalb von 48 Stunden" in page(client, THANKS)
    (order,) = orders()
    assert (order.state, order.email) == (OrderState.UNCONFIRMED, "kaethe@stadt.example")
    (mail,) = mails()
    written = mail.mail
    assert written.link and written.way_out
    link, status = written.link[1], signed_path(order.number)
    assert written.way_out[1] == status
    assert "Weg 1" in page(client, link)
    assert orders()[0].state is OrderState.UNCONFIRMED
    confirmed = submit(client, link)
    assert confirmed.location == status
    assert "eingegangen" in page(client, confirmed.location)
    assert client.get(link).status_code == 410
    cancelled = submit(client, confirmed.location, button="Bestellung stornieren")
    assert "storniert" in page(client, cancelled.location)
    assert orders()[0].state is OrderState.CANCELLED
    assert [mail.kind for mail in mails()] == [
        "card_order_unconfirmed",
        "card_order_received",
        "card_order_cancelled",
    ]


def test_robots_get_the_same_answer_and_nothing_is_kept(client: FlaskClient, card: int) -> None:
    answer = submit(client, FORM, typed(card, remark="http://spam.example"))
    assert (answer.status_code, answer.location) == (303, THANKS)
    assert orders() == []
    assert mails() == []


def test_an_address_gets_few_mails_and_nobody_learns_of_it(client: FlaskClient, card: int) -> None:
    for _ in range(entry_views.MOST_PER_ADDRESS + 2):
        assert submit(client, FORM, typed(card)).location == THANKS
    assert len(mails()) == len(orders()) == entry_views.MOST_PER_ADDRESS


def test_a_network_may_not_order_without_end(
    client: FlaskClient, card: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_views, "MOST_PER_NETWORK", 2)
    for serial in range(3):
        answer = submit(client, FORM, typed(card, email=f"k{serial}@stadt.example"))
    assert answer.status_code == 429
    assert "zu viele Versuche" in answer.get_data(as_text=True)
    assert len(orders()) == 2


def test_a_form_sent_twice_orders_once(client: FlaskClient, card: int) -> None:
    html = page(client, FORM)
    for _ in range(2):
        assert send(client, FORM, html, typed(card)).location == THANKS
    assert len(orders()) == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        *[
            ({"card": number}, words)
            for number, words in (
                ("abc", "Bitte geben Sie eine ganze Zahl ein"),
                ("1,5", "Bitte geben Sie eine ganze Zahl ein"),
                ("1e3", "Bitte geben Sie eine ganze Zahl ein"),
                ("１２", "Bitte geben Sie eine ganze Zahl ein"),
                ("1000000000000", "Bitte geben Sie eine ganze Zahl ein"),
                ("-1", "Bitte eine Zahl von 0 bis 10000"),
                ("0", "bei mindestens einer Karte"),
                ("", "bei mindestens einer Karte"),
            )
        ],
        ({"postcode": "4512"}, "Bitte fünf Ziffern"),
        ({"postcode": "４５１２７"}, "Bitte fünf Ziffern"),
        ({"email": "kein Ort"}, "keine E-Mail-Adresse"),
        ({"name": "<script>"}, "darf nur Buchstaben"),
        ({"wanted_by": "2001-01-01"}, "Dieser Tag ist schon vorbei"),
        ({"wanted_by": "31.02.2026"}, "kein Tag im Kalender"),
        ({"purpose": "x" * 501}, "höchstens 500"),
    ],
)
def test_bad_input_stays_on_the_page_with_a_sentence(
    client: FlaskClient, card: int, changes: dict[str, str], words: str
) -> None:
    wrong = {f"card_{card}" if name == "card" else name: value for name, value in changes.items()}
    answer = submit(client, FORM, typed(card, **wrong))
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert words in html
    assert "Verein Ruhr" in html
    assert orders() == []


def test_a_name_of_the_register_is_the_organisation_there(client: FlaskClient, card: int) -> None:
    with transaction() as session:
        city = make_organisation(session, "Stadt Mülheim an der Ruhr").id
        unit_above = make_organisation(session, "Kreis Unna")
        make_organisation(session, "Geheime Dienststelle", parent=unit_above, level=Level.UNIT)
    html = page(client, FORM)
    assert '<option value="Stadt Mülheim an der Ruhr">' in html
    assert "Geheime Dienststelle" not in html
    submit(client, FORM, typed(card, organisation_name="stadt mülheim  an der ruhr"))
    submit(client, FORM, typed(card, organisation_name="Geheime Dienststelle"))
    assert [order.organisation_id for order in orders()] == [city, None]


def test_without_cards_there_is_nothing_to_order(client: FlaskClient) -> None:
    assert "Zurzeit keine Karten" in page(client, FORM)
    assert client.post(FORM, data={"name": "x"}).status_code == 422


def test_the_signed_address_opens_one_order_and_no_other(client: FlaskClient, card: int) -> None:
    first, second = (new_order(card) for _ in range(2))
    assert "Käthe Öztürk" in page(client, signed_path(first))
    signature = signed_path(first).rsplit("/", 1)[1]
    for wrong in (signature, "B" * 24, "ü"):
        for end in ("", "/erhalten"):
            url = f"/taschenkarten/bestellung/{second}/{wrong}{end}"
            assert client.get(url).status_code == 404
    assert client.get(signed_path(first)).headers["Cache-Control"] == "private, no-store"


# With a login


def test_a_contact_orders_without_confirming_and_sees_only_their_orders(
    app: Flask, card: int
) -> None:
    with transaction() as session:
        essen, bochum = (make_organisation(session, name) for name in ("Stadt Essen", "Bochum"))
        unit = make_organisation(session, "Ordnungsamt", parent=essen, level=Level.UNIT)
        ids = essen.id, bochum.id, unit.id
    foreign = new_order(card, organisation=db.session.get_one(Organisation, ids[1]))
    below = new_order(card, organisation=db.session.get_one(Organisation, ids[2]))
    unconfirmed = new_order(
        card, organisation=db.session.get_one(Organisation, ids[0]), state=OrderState.UNCONFIRMED
    )
    client = contact_of(app, ids[0])
    html = page(client, FORM)
    assert "Ordnungsamt" in html
    assert "Bochum" not in html
    values = typed(card, organisation_id=str(ids[2]))
    values = {name: value for name, value in values.items() if name not in
              {"name", "email", "organisation_name"}}  # fmt: skip
    answer = submit(client, FORM, values)
    assert answer.status_code == 303
    assert "Vielen Dank" in page(client, answer.location)
    mine = answer.location.rsplit("/", 1)[1]
    listed = page(client, LIST)
    assert mine in listed
    assert below in listed
    assert foreign not in listed
    assert unconfirmed not in listed
    for number in (foreign, unconfirmed, "TK-2026-9999"):
        for end in ("", "/erhalten", "/lieferschein.pdf"):
            assert client.get(f"{LIST}/{number}{end}").status_code == 404
        assert client.post(f"{LIST}/{number}/stornieren").status_code == 404
    # Of a colleague: to be seen, not to be taken back; and nothing of what the office does.
    assert "stornieren" not in page(client, f"{LIST}/{below}")
    assert client.post(f"{LIST}/{below}/stornieren").status_code == 404
    assert "Genehmigen" not in page(client, f"{LIST}/{mine}")
    assert client.get(f"{LIST}/{mine}/genehmigen").status_code == 403
    assert 'value="Weg 1"' in page(client, FORM)
    cancelled = submit(client, f"{LIST}/{mine}", button="Bestellung stornieren")
    assert "storniert" in page(client, cancelled.location)


def test_a_contact_is_told_how_many_are_left(app: Flask, card: int) -> None:
    with transaction() as session:
        city = make_organisation(session, "Stadt Essen").id
        session.add(OrderLimit(is_default=True, per_year=49))
    client = contact_of(app, city)
    fields = ("street", "postcode", "town", "purpose", "recipient", f"card_{card}")
    values = {name: typed(card)[name] for name in fields}
    answer = submit(client, FORM, values)
    assert answer.status_code == 409
    assert "noch 49 Karten" in answer.get_data(as_text=True)
    assert submit(client, FORM, {**values, f"card_{card}": "49"}).status_code == 303


def test_a_participant_is_led_to_the_page_without_login(app: Flask, card: int) -> None:
    client = logged_in(app, lambda session: make_person(session).id)
    fields = ("street", "postcode", "town", "purpose", f"card_{card}")
    answer = submit(client, FORM, {name: typed(card)[name] for name in fields})
    (order,) = orders()
    assert (order.state, answer.location) == (OrderState.REQUESTED, signed_path(order.number))
    assert client.get(LIST).status_code == 403


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
    assert "530 frei" in html
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
    assert "&lt;b&gt;Nur 48 Karten&lt;/b&gt;" in page(office, url)
    assert [mail.kind for mail in mails()] == [
        "card_order_received",
        "card_order_approved",
        "card_order_sent",
    ]


def test_the_office_enters_the_receipt(office: FlaskClient, card: int) -> None:
    url = f"{LIST}/{new_order(card, state=OrderState.SENT)}"
    assert submit(office, f"{url}/erhalten", {"note": "telefonisch"}).status_code == 303
    assert orders()[0].received_note == "telefonisch"
    late = submit(office, f"{url}/erhalten", {})
    assert late.status_code == 409


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
