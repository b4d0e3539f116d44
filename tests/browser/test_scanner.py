"""The scanner as a trainer uses it: a phone, a camera, sometimes no network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import COORDINATOR, PHONE, TRAINER, Site, Visit
from tests.browser.door import Door, camera, film, make_door, scan_by_hardware

PATIENCE = 20_000
"""Milliseconds for what another process or the network has to do first."""


@pytest.fixture
def door(site: Site) -> Door:
    return make_door(site, TRAINER)


@pytest.fixture
def blind(site: Site, chromium: Browser) -> Iterator[Visit]:
    """Open a phone without a camera, with script."""
    with camera(chromium, None) as browser:
        yield visiting(site, browser)


def visiting(site: Site, browser: Browser) -> Visit:
    context = browser.new_context(viewport=PHONE, locale="de-DE", has_touch=True)
    return Visit(site, context.new_page())


def open_scanner(visit: Visit, door: Door, who: str = TRAINER) -> Page:
    """Log in and open the scanner; return when it would start without a network, too."""
    visit.log_in(who)
    visit.open(door.scanner)
    expect(visit.page.locator("#scanner[data-ready]")).to_be_attached(timeout=PATIENCE)
    return visit.page


def answer(page: Page, word: str, name: str = "") -> None:
    expect(page.locator("#antwort")).to_contain_text(word)
    expect(page.locator("#antwort")).to_contain_text(name)


def all_sent(page: Page) -> None:
    expect(page.locator("#ungesendet")).to_be_hidden(timeout=PATIENCE)


def test_a_ticket_before_the_camera_is_recorded_once(
    site: Site, chromium: Browser, door: Door, tmp_path: Path
) -> None:
    with camera(chromium, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))) as browser:
        page = open_scanner(visiting(site, browser), door)
        answer(page, "Da", "Ağaoğlu")
        expect(page.locator("#antwort")).to_contain_text("Stadt Essen")
        expect(page.locator("#antwort")).to_have_class("tr-answer tr-ok")
        # The code stands before the camera all the time; it is recorded once.
        all_sent(page)
        expect(page.locator("#fehlende-zahl")).to_have_text("3")
        assert door.recorded() == ["Ağaoğlu"]
        milliseconds = page.evaluate(
            "performance.getEntriesByName('frame-to-answer').map((entry) => entry.duration)"
        )
        assert milliseconds and milliseconds[0] < 500, milliseconds


def test_what_is_recorded_without_a_network_arrives_exactly_once(
    site: Site, chromium: Browser, door: Door, tmp_path: Path
) -> None:
    with camera(chromium, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))) as browser:
        visit = visiting(site, browser)
        page = visit.page
        visit.log_in(TRAINER)
        visit.open(f"/einlass/{door.number}/bereit")
        ready = page.get_by_text("Bereit ohne Netz: 4 Personen, Stand")
        expect(ready).to_be_visible(timeout=PATIENCE)
        page.context.set_offline(True)
        visit.open(door.scanner)
        answer(page, "Da", "Ağaoğlu")
        expect(page.locator("#antwort")).to_contain_text("Ohne Netz erfasst")
        expect(page.locator("#ungesendet-zahl")).to_have_text("1 noch nicht gesendet")
        page.get_by_label("Name suchen").fill("brugg")
        page.locator("#gefunden").get_by_role("button", name="da", exact=True).click()
        answer(page, "Da", "Brüggemann")
        page.reload()
        expect(page.locator("#fehlende-zahl")).to_have_text("2")
        scan_by_hardware(page, door.code("Czerwiński"))
        answer(page, "Da", "Czerwiński")
        assert door.recorded() == []
        page.context.set_offline(False)
        all_sent(page)
        assert sorted(set(door.recorded())) == ["Ağaoğlu", "Brüggemann", "Czerwiński"]


def test_two_phones_record_at_the_same_time(
    site: Site, blind: Visit, chromium: Browser, door: Door
) -> None:
    with camera(chromium, None) as browser:
        other = visiting(site, browser)
        pages = [open_scanner(blind, door), open_scanner(other, door, COORDINATOR)]
        pages[1].context.set_offline(True)
        scan_by_hardware(pages[0], door.code("Ağaoğlu"))
        scan_by_hardware(pages[1], door.code("Ağaoğlu"))
        answer(pages[1], "Da", "Ağaoğlu")
        scan_by_hardware(pages[1], door.code("Brüggemann"))
        answer(pages[0], "Da", "Ağaoğlu")
        answer(pages[1], "Da", "Brüggemann")
        pages[1].context.set_offline(False)
        for page in pages:
            all_sent(page)
        # Both have seen the first one; what they come to is one mark.
        assert door.recorded() == ["Ağaoğlu", "Ağaoğlu", "Brüggemann"]
        scan_by_hardware(pages[0], door.code("Brüggemann"))
        answer(pages[0], "Schon erfasst", "Brüggemann")


def test_without_a_camera_names_codes_and_walk_ins_do(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    expect(page.locator("#keine-kamera")).to_contain_text("Kamera")
    page.get_by_text("Code eintippen").click()
    page.get_by_label("Code der Eintrittskarte").fill(door.tickets["Ağaoğlu"].lower())
    page.get_by_role("button", name="Als da erfassen").click()
    answer(page, "Da", "Ağaoğlu")
    page.get_by_text("Ohne Anmeldung", exact=True).click()
    page.get_by_label("Vor- und Nachname").fill("<b>Ute</b> Özdemir")
    page.get_by_role("button", name="Ohne Anmeldung erfassen").click()
    answer(page, "Ohne Anmeldung erfasst", "<b>Ute</b> Özdemir")
    all_sent(page)
    assert door.walk_ins() == ["<b>Ute</b> Özdemir"]
    page.get_by_text("Wer fehlt noch? (3)").click()
    missing = page.locator("#fehlende")
    missing.get_by_role("button", name="da", exact=True).first.click()
    answer(page, "Da", "Brüggemann")
    page.get_by_role("button", name="Rückgängig").click()
    answer(page, "Zurückgenommen", "Brüggemann")
    expect(page.locator("#fehlende-zahl")).to_have_text("3")
    page.get_by_role("button", name="Alle übrigen anwesend").click()
    answer(page, "Alle übrigen als da erfasst")
    expect(page.get_by_text("Alle sind da.")).to_be_visible()
    all_sent(page)
    assert set(door.recorded()) == set(door.tickets)


def test_a_camera_that_is_refused_is_said_and_typing_works(
    site: Site, chromium: Browser, door: Door
) -> None:
    context = chromium.new_context(viewport=PHONE, locale="de-DE", permissions=[])
    page = open_scanner(Visit(site, context.new_page()), door)
    expect(page.locator("#keine-kamera")).to_contain_text("Die Kamera ist nicht freigegeben.")
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    context.close()


def test_other_codes_are_answered_in_words(blind: Visit, door: Door, site: Site) -> None:
    other = make_door(site, COORDINATOR)
    page = open_scanner(blind, door)
    scan_by_hardware(page, "https://example.org/t/ABCDEFGHJKLM")
    answer(page, "Unbekannt", "keine Eintrittskarte")
    expect(page.locator("#antwort")).to_have_class("tr-answer tr-bad")
    scan_by_hardware(page, f"{site.url}/t/ABCDEFGHJKLM")
    answer(page, "Unbekannter Code")
    all_sent(page)
    scan_by_hardware(page, other.code("Ağaoğlu"))
    answer(page, "Andere Veranstaltung")
    all_sent(page)
    assert door.recorded() == other.recorded() == []
    assert door.refused() == ["other_event", "unknown_ticket"]


def test_recordings_outlive_a_logout_and_wait_for_their_person(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    context = page.context
    context.route("**/abgleich", lambda route: route.abort())
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    expect(page.locator("#ungesendet-zahl")).to_have_text("1 noch nicht gesendet")
    blind.open("/konto/abmelden")
    page.get_by_role("main").get_by_role("button", name="Ausloggen").click()
    expect(page.get_by_text("Sie sind ausgeloggt.")).to_be_visible()
    page.wait_for_function(ROSTERS_ARE_GONE)
    open_scanner(blind, door, COORDINATOR)
    expect(page.locator("#fremde")).to_contain_text("wartet noch eine Erfassung von Jördis Kałuża")
    context.unroute("**/abgleich")
    context.clear_cookies()
    open_scanner(blind, door)
    all_sent(page)
    assert door.recorded() == ["Ağaoğlu"]


ROSTERS_ARE_GONE = """async () => {
  const opened = indexedDB.open("einlass");
  const database = await new Promise((resolve) => {
    opened.onsuccess = () => resolve(opened.result);
  });
  const all = database.transaction("rosters").objectStore("rosters").getAll();
  const rosters = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
  database.close();
  return rosters.length === 0 && !(await caches.has("einlass-seiten"));
}"""
