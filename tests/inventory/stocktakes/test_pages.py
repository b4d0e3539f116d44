"""Stocktakes in the browser: opening, counting line by line, posting, the papers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.browser_forms import send, submit
from tests.factories import log_in, make_person
from tests.inventory.factories import fill, make_card, make_order, make_store, new_key
from tests.pdfs import failures_of, tags_of, text_of
from tests.statements import counted_statements
from trainings.core.actors import SYSTEM
from trainings.core.clock import to_berlin, utc_now
from trainings.core.database import db, transaction
from trainings.core.permissions import Role
from trainings.inventory.holds import hold
from trainings.inventory.ledger import Booking, lock_stores
from trainings.inventory.models import Balance, Edition, Store
from trainings.inventory.rules import OTHER, in_store
from trainings.inventory.stocktakes.models import Stocktake, StocktakeLine, StocktakeState

pytestmark = pytest.mark.both_databases
ALL = "/taschenkarten/inventuren/"
LONG = "Schütze-dich-und-dein-Team-" + "Gewaltpräventionskonzeptionsbeauftragte" * 2
HOSTILE = '<script>"#$[*_]x</script> ' + LONG


@dataclass
class Desk:
    """An office with a store of 100 cards of an edition with a hostile title."""

    app: Flask
    client: FlaskClient
    store_id: int
    edition_id: int
    card_id: int

    def open(self) -> str:
        answer = submit(self.client, f"{ALL}neu", {"store_id": str(self.store_id)})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return str(answer.headers["Location"])

    @property
    def field(self) -> str:
        return f"auflage-{self.edition_id}"

    def html(self, url: str) -> str:
        answer = self.client.get(url)
        assert answer.status_code == 200, (url, answer.status_code)
        return answer.get_data(as_text=True)

    def line(self) -> StocktakeLine:
        db.session.remove()
        query = select(StocktakeLine).where(StocktakeLine.edition_id == self.edition_id)
        return db.session.scalars(query).one()

    def balance(self) -> int:
        db.session.remove()
        return db.session.get_one(Balance, (self.store_id, self.edition_id)).quantity

    def browser(self, person_id: int) -> FlaskClient:
        g.pop("_login_user", None)
        client = self.app.test_client()
        log_in(client, person_id)
        return client


@pytest.fixture
def desk(app: Flask) -> Desk:
    with transaction() as session:
        person = make_person(session, given_name="Wiebke", roles=(Role.COORDINATOR,)).id
        card, store = make_card(session, HOSTILE), make_store(session, f"Lager {LONG}"[:120])
        fill(session, store, card.editions[0], 100)
        made = Desk(app, app.test_client(), store.id, card.editions[0].id, card.id)
    log_in(made.client, person)
    return made


def test_a_stocktake_from_opening_to_the_document(desk: Desk) -> None:
    page = desk.open()
    html = desk.html(page)
    assert "Noch nicht gezählt" in html
    assert "<script>&#34;" not in html.replace("&lt;script&gt;&#34;", "")
    saved = submit(desk.client, page, {desk.field: "97"})
    assert saved.status_code == 303
    assert (desk.line().counted, desk.line().book) == (97, 100)
    html = desk.html(page)
    assert "Gezählt: 97" in html
    review = f"{page}/pruefen"
    html = desk.html(review)
    assert "−3" in html
    refused = submit(desk.client, review)
    assert refused.status_code == 422
    assert "Bitte schreiben Sie, woran das liegt" in refused.get_data(as_text=True)
    reason = "Feucht geworden <b>#x</b>"
    assert submit(desk.client, review, {"reason": reason}).headers["Location"] == page
    assert desk.balance() == 97
    html = desk.html(page)
    assert "Feucht geworden &lt;b&gt;" in html
    assert "Speichern" not in html
    assert "gebucht" in desk.html(ALL)
    assert desk.client.get(review).headers["Location"] == page


def test_counting_is_blind(desk: Desk) -> None:
    page = desk.open()
    with transaction() as session:
        fill(session, session.get_one(Store, desk.store_id),
             session.get_one(Edition, desk.edition_id), 4711)  # fmt: skip
    assert "4\u202f811" not in desk.html(page)
    assert "4\u202f811" not in text_of(desk.client.get(f"{page}/zaehlliste.pdf").data)


@pytest.mark.parametrize(
    "typed", ["abc", "-1", "1,5", "1e3", "1000000000000", "\uff11\uff12", "1000001", "\x00"]
)
def test_what_is_no_number_of_cards_stays_in_its_field(desk: Desk, typed: str) -> None:
    page = desk.open()
    answer = submit(desk.client, page, {desk.field: typed})
    html = answer.get_data(as_text=True)
    if typed == "\uff11\uff12" and answer.status_code == 303:
        assert desk.line().counted == 12
        return
    assert answer.status_code == 422
    assert "ganze Zahl" in html or "Bitte eine Zahl von" in html or "mindestens einer" in html
    assert desk.line().counted is None


def test_zero_is_a_count_and_nothing_is_none(desk: Desk) -> None:
    page = desk.open()
    assert submit(desk.client, page).status_code == 422
    assert submit(desk.client, page, {desk.field: "0"}).status_code == 303
    assert desk.line().counted == 0


def test_a_form_sent_twice_counts_once_and_another_number_counts_anew(desk: Desk) -> None:
    page = desk.open()
    html = desk.html(page)
    assert send(desk.client, page, html, {desk.field: "100"}).status_code == 303
    with transaction() as session:
        booking = Booking(desk.edition_id, 10, in_store(desk.store_id), OTHER)
        lock_stores(session, [desk.store_id], utc_now()).book(SYSTEM, booking, key=new_key())
    assert send(desk.client, page, html, {desk.field: "100"}).status_code == 303
    assert desk.line().book == 100
    assert send(desk.client, page, html, {desk.field: "90"}).status_code == 303
    assert (desk.line().counted, desk.line().book) == (90, 90)


def test_a_review_sent_twice_posts_once(desk: Desk) -> None:
    page = desk.open()
    submit(desk.client, page, {desk.field: "90"})
    html = desk.html(f"{page}/pruefen")
    for _ in range(2):
        answer = send(desk.client, f"{page}/pruefen", html, {"reason": "verlegt"})
        assert answer.headers["Location"] == page
    assert desk.balance() == 90
    late = send(desk.client, f"{page}/pruefen", html.replace("form_key", "other"), {"reason": "x"})
    assert late.headers["Location"] == page
    assert "schon gebucht" in desk.html(page)


def test_a_count_that_comes_after_posting_is_told_so(desk: Desk) -> None:
    page = desk.open()
    stale = desk.html(page)
    submit(desk.client, page, {desk.field: "100"})
    submit(desk.client, f"{page}/pruefen")
    answer = send(desk.client, page, stale, {desk.field: "5"})
    assert answer.headers["Location"] == page
    assert "schon gebucht" in desk.html(page)
    assert desk.line().counted == 100


def test_a_list_on_paper_is_typed_with_its_moment(desk: Desk) -> None:
    page = desk.open()
    with transaction() as session:
        stocktake = session.scalars(select(Stocktake)).one()
        stocktake.opened_at = utc_now() - timedelta(hours=3)
        at = utc_now() - timedelta(hours=1)
        booking = Booking(desk.edition_id, 10, in_store(desk.store_id), OTHER)
        lock_stores(session, [desk.store_id], at).book(SYSTEM, booking, key=new_key())
    moment = to_berlin(utc_now() - timedelta(hours=2))
    typed = {desk.field: "100", "day": moment.strftime("%d.%m.%Y"), "clock": f"{moment:%H:%M}"}
    half = submit(desk.client, page, {**typed, "clock": ""})
    assert "Bitte ausfüllen" in half.get_data(as_text=True)
    tomorrow = (moment + timedelta(days=2)).strftime("%Y-%m-%d")
    future = submit(desk.client, page, {**typed, "day": tomorrow})
    assert "in der Zukunft" in future.get_data(as_text=True)
    before = submit(desk.client, page, {**typed, "day": "2020-01-01"})
    assert "erst am" in before.get_data(as_text=True)
    done = submit(desk.client, page, typed)
    assert (desk.line().counted, desk.line().book) == (100, 100)
    html = desk.html(done.headers["Location"])
    assert f'value="{moment:%Y-%m-%d}"' in html
    assert "Sie übertragen eine Liste auf Papier" in html
    assert "Sie übertragen" not in desk.html(page)
    for rubbish in ("?day=x&clock=y", "?day=2026-02-31", "?clock=25:00&day=2026-01-01"):
        desk.html(page + rubbish)


def test_an_edition_that_is_not_listed_is_added(desk: Desk) -> None:
    page = desk.open()
    with transaction() as session:
        other = make_card(session, "Andere Karte").editions[0]
        other.withdrawn_at = utc_now()
        other_id = other.id
    assert "Andere Karte, Auflage 1 (zurückgezogen)" in desk.html(page)
    for wrong in ("", "99", "x", str(desk.edition_id)):
        assert submit(desk.client, page, {"edition_id": wrong}).status_code == 422, wrong
    assert submit(desk.client, page, {"edition_id": str(other_id)}).status_code == 303
    assert f'name="auflage-{other_id}"' in desk.html(page)
    submit(desk.client, page, {f"auflage-{other_id}": "4"})
    review = f"{page}/pruefen"
    missing = submit(desk.client, review, {"reason": "gefunden"})
    assert "Noch nicht gezählt" in missing.get_data(as_text=True)
    done = submit(desk.client, review, {"reason": "gefunden", "left_out": [str(desk.edition_id)]})
    assert done.status_code == 303
    assert "nicht gezählt" in desk.html(page)
    assert "nicht gezählt" in text_of(desk.client.get(f"{page}/protokoll.pdf").data)


def test_orders_that_lack_cards_are_named(desk: Desk) -> None:
    page = desk.open()
    with transaction() as session:
        locked = lock_stores(session, [desk.store_id], utc_now())
        card = session.get_one(Edition, desk.edition_id).card_type
        order = make_order(session, number="TK-2026-0042")
        until = utc_now() + timedelta(days=5)
        hold(locked, order.id, desk.store_id, card, quantity=80, until=until)
    submit(desk.client, page, {desk.field: "70"})
    review = f"{page}/pruefen"
    line = 'href="/taschenkarten/bestellungen/TK-2026-0042">TK-2026-0042</a> (80)'
    assert f"70 da, 80 vorgemerkt für <a {line}" in desk.html(review)
    assert submit(desk.client, review, {"reason": "weg"}).status_code == 303
    assert f"70 da, 80 vorgemerkt für <a {line}" in desk.html(page)


def test_what_was_taken_since_is_told_and_nothing_is_booked(desk: Desk) -> None:
    page = desk.open()
    submit(desk.client, page, {desk.field: "40"})
    with transaction() as session:
        booking = Booking(desk.edition_id, 70, in_store(desk.store_id), OTHER)
        lock_stores(session, [desk.store_id], utc_now()).book(SYSTEM, booking, key=new_key())
    review = f"{page}/pruefen"
    assert "−70" in desk.html(review)
    answer = submit(desk.client, review, {"reason": "weg"})
    assert answer.status_code == 409
    assert "noch einmal" in answer.get_data(as_text=True)
    assert desk.balance() == 30


def test_giving_up(desk: Desk) -> None:
    page = desk.open()
    assert submit(desk.client, f"{page}/abbrechen", {"reason": " "}).status_code == 422
    assert submit(desk.client, f"{page}/abbrechen", {"reason": "verzählt"}).status_code == 303
    assert "verzählt" in desk.html(page)
    assert "nichts gebucht" in text_of(desk.client.get(f"{page}/protokoll.pdf").data)
    assert desk.client.get(f"{page}/zaehlliste.pdf").status_code == 404
    assert desk.open() != page


def test_the_papers_are_accessible_and_nothing_is_cut(desk: Desk) -> None:
    page = desk.open()
    assert desk.client.get(f"{page}/protokoll.pdf").status_code == 404
    blank = desk.client.get(f"{page}/zaehlliste.pdf")
    assert blank.headers["Content-Type"] == "application/pdf"
    assert failures_of(blank.data) == []
    assert {"/H1", "/Table", "/TH"} <= set(tags_of(blank.data))
    words = text_of(blank.data)
    assert "Zählliste" in words
    assert "Auflage 1" in words
    assert "Name und Unterschrift" in words
    assert LONG[-8:] in words
    submit(desk.client, page, {desk.field: "88"})
    submit(desk.client, f"{page}/pruefen", {"reason": '#import "x" $ *verlegt*'})
    pdf = desk.client.get(f"{page}/protokoll.pdf").data
    assert failures_of(pdf) == []
    words = text_of(pdf)
    for each in ('#import "x" $ *verlegt*', "−12", "88", "100", "Wiebke", "12 Karten fehlen"):
        assert each in words, each
    assert desk.client.get(f"{page}/protokoll.pdf").data == pdf


def test_a_trainer_counts_the_own_box_and_sees_no_other(desk: Desk) -> None:
    foreign = desk.open()
    with transaction() as session:
        trainer = make_person(session, roles=(Role.TRAINER,))
        without_box = make_person(session, roles=(Role.TRAINER,)).id
        contact = make_person(session, roles=(Role.CONTACT,)).id
        box = make_store(session, "Box Jördis", person=trainer)
        fill(session, box, session.get_one(Edition, desk.edition_id), 30)
        trainer_id = trainer.id
    client = desk.browser(trainer_id)
    for path in ("", "/pruefen", "/abbrechen", "/zaehlliste.pdf", "/protokoll.pdf"):
        assert client.get(foreign + path).status_code == 404, path
    html = client.get(ALL).get_data(as_text=True)
    assert "Lager" + LONG[:5] not in html
    assert "tr-tabs" not in html
    assert 'href="/taschenkarten/veranstaltungen/"' in html[html.index("<main") :]
    assert 'href="/taschenkarten/veranstaltungen/" aria-current="page"' in html
    opened = submit(client, f"{ALL}neu")
    page = opened.headers["Location"]
    submit(client, page, {desk.field: "28"})
    assert submit(client, f"{page}/pruefen", {"reason": "verteilt"}).status_code == 303
    assert "Box Jördis" in client.get(ALL).get_data(as_text=True)
    assert "keine Box" in desk.browser(without_box).get(ALL).get_data(as_text=True)
    assert desk.browser(contact).get(ALL).status_code == 403


def test_a_second_stocktake_of_a_store_is_refused_in_the_form(desk: Desk) -> None:
    desk.open()
    answer = submit(desk.client, f"{ALL}neu", {"store_id": str(desk.store_id)})
    assert answer.status_code == 409
    assert "läuft schon eine Inventur" in answer.get_data(as_text=True)


def test_the_list_is_filtered_by_store(desk: Desk) -> None:
    desk.open()
    with transaction() as session:
        other = make_store(session, "Zweites").id
    assert "Noch keine Inventur" in desk.html(f"{ALL}?lager={other}")
    assert "Inventur Nr." in desk.html(f"{ALL}?lager={desk.store_id}")
    for rubbish in ("x", "-1", "9" * 30):
        desk.html(f"{ALL}?lager={rubbish}")


def test_pages_cost_the_same_with_1_and_with_30_lines(desk: Desk) -> None:
    page = desk.open()

    def costs() -> list[int]:
        found = []
        for url in (ALL, page, f"{page}/pruefen", f"{page}/zaehlliste.pdf"):
            with counted_statements() as statements:
                desk.client.get(url)
            found.append(len(statements))
        return found

    submit(desk.client, page, {desk.field: "99"})
    few = costs()
    with transaction() as session:
        stocktake_id = session.scalars(select(Stocktake.id)).one()
        store = session.get_one(Store, desk.store_id)
        for number in range(30):
            edition = make_card(session, f"Karte {number}").editions[0]
            fill(session, store, edition, 5)
            session.add(
                StocktakeLine(
                    stocktake_id=stocktake_id, edition_id=edition.id, counted=4, book=5,
                    counted_at=utc_now(),
                )
            )  # fmt: skip
            make_store_counted(session, number)
    assert costs() == few
    assert max(few) <= 12


def make_store_counted(session: object, number: int) -> None:
    store = make_store(session, f"Lager {number}")  # type: ignore[arg-type]
    session.add(  # type: ignore[attr-defined]
        Stocktake(store_id=store.id, state=StocktakeState.COUNTING, opened_at=utc_now())
    )
