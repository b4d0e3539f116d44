"""Ordering in the browser, with and without a login, and what those see who ordered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.browser_forms import send, submit
from tests.conftest import NOW
from tests.factories import make_organisation, make_person
from tests.inventory.orders.browsing import (
    FORM,
    LIST,
    THANKS,
    contact_of,
    logged_in,
    mails,
    new_order,
    orders,
    page,
    typed,
)
from trainings.core.database import db, transaction
from trainings.core.tokens import ActionToken
from trainings.inventory.orders import entry_views
from trainings.inventory.orders.links import signed_path
from trainings.inventory.orders.models import OrderLimit, OrderState
from trainings.organisations.models import Level, Organisation

pytestmark = pytest.mark.both_databases


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
    used = client.get(link)
    assert used.status_code == 410
    assert f'href="{status}"' in used.get_data(as_text=True)
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
                ("1000000000000", "Bitte eine Zahl von 0 bis 10\u202f000"),
                ("-1", "Bitte eine Zahl von 0 bis 10\u202f000"),
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


def test_a_list_without_orders_does_not_speak_of_a_choice(app: Flask, card: int) -> None:
    with transaction() as session:
        city = make_organisation(session, "Stadt Essen").id
    client = contact_of(app, city)
    assert "Noch keine Bestellung" in page(client, LIST)
    assert "Zu dieser Auswahl" in page(client, f"{LIST}?suche=abc")


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


def test_a_missing_number_is_said_with_all_else_at_the_first_card(
    client: FlaskClient, card: int
) -> None:
    wrong = {f"card_{card}": "", "name": "", "street": ""}
    html = submit(client, FORM, typed(card, **wrong)).get_data(as_text=True)
    listed = html[html.index("drei Angaben") :]
    assert "bei mindestens einer Karte" in listed
    assert f'href="#card_{card}"' in listed


def test_a_confirmation_that_has_run_out_leads_to_a_new_order(
    client: FlaskClient, card: int
) -> None:
    submit(client, FORM, typed(card))
    (mail,) = mails()
    assert mail.mail.link
    with transaction() as session:
        session.execute(update(ActionToken).values(expires_at=NOW - timedelta(days=3000)))
    late = client.get(mail.mail.link[1])
    assert late.status_code == 410
    html = late.get_data(as_text=True)
    assert "nicht rechtzeitig bestätigt" in html
    assert f'href="{FORM}"' in html[html.index("<main") : html.index("</main>")]
    assert "loggen Sie sich ein" not in html


def test_errors_are_listed_as_the_fields_stand_on_the_page(client: FlaskClient, card: int) -> None:
    wrong = {f"card_{card}": "abc", "name": "", "street": ""}
    html = submit(client, FORM, typed(card, **wrong)).get_data(as_text=True)
    listed = html[html.index("drei Angaben") :]
    places = [listed.index(f'href="#{name}"') for name in wrong]
    assert places == sorted(places)
