"""The scanner as a trainer uses it: a phone, a camera, sometimes no network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import COORDINATOR, PHONE, TRAINER, Site, Visit
from tests.browser.door import Door, camera, film, make_door, scan_by_hardware
from tests.browser.wire import Wire
from trainings.core.clock import berlin_day, utc_now
from trainings.people import demo

PATIENCE = 20_000
"""Milliseconds for what another process or the network has to do first."""

DECODER_BYTES, SCANNER_BYTES = 480_000, 230_000


@pytest.fixture
def door(site: Site) -> Door:
    return make_door(site, TRAINER)


@pytest.fixture
def blind(site: Site, chromium: Browser) -> Iterator[Visit]:
    """Open a phone without a camera, with script."""
    with camera(chromium.browser_type, None) as browser:
        yield visiting(site, browser)


def visiting(
    site: Site, browser: Browser, service_workers: Literal["allow", "block"] = "allow"
) -> Visit:
    context = browser.new_context(
        viewport=PHONE, locale="de-DE", has_touch=True, service_workers=service_workers
    )
    return Visit(site, context.new_page())


_cookies: dict[tuple[str, str], Any] = {}


def enter(visit: Visit, who: str) -> None:
    """Log in; once for each person, since too many logins in a row are taken for an attack."""
    known = (visit.site.url, who)
    if known in _cookies:
        visit.page.context.add_cookies(_cookies[known])
    else:
        visit.log_in(who)
        _cookies[known] = visit.page.context.cookies()


TWENTY_FRAMES = """video => new Promise((done) => {
  let frames = 0;
  const next = () => (++frames > 20 ? done() : video.requestVideoFrameCallback(next));
  next();
})"""


def open_scanner(visit: Visit, door: Door, who: str = TRAINER) -> Page:
    """Log in and open the scanner; return when it would start without a network, too."""
    enter(visit, who)
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
    with camera(
        chromium.browser_type, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    ) as browser:
        page = open_scanner(visiting(site, browser), door)
        answer(page, "Da", "Ağaoğlu")
        expect(page.locator("#antwort")).to_contain_text("Stadt Essen")
        expect(page.locator("#antwort")).to_have_class("tr-answer tr-ok")
        # The code stands before the camera all the time; it is recorded once.
        all_sent(page)
        expect(page.locator("#fehlende-zahl")).to_have_text("3")
        expect(page.locator("#antwort")).to_have_class("tr-answer tr-ok")
        for _ in range(5):
            scan_by_hardware(page, door.code("Ağaoğlu"))
        expect(page.locator("#antwort")).to_have_class("tr-answer tr-ok")
        assert door.recorded() == ["Ağaoğlu"]
        milliseconds = page.evaluate(
            "performance.getEntriesByName('frame-to-answer').map((entry) => entry.duration)"
        )
        assert milliseconds and milliseconds[0] < 500, milliseconds


def test_a_ticket_that_is_held_before_the_camera_waits_for_the_names(
    site: Site, chromium: Browser, door: Door, tmp_path: Path
) -> None:
    with camera(
        chromium.browser_type, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    ) as browser:
        visit = visiting(site, browser, service_workers="block")
        enter(visit, TRAINER)
        page = visit.page

        def hold(route: Route) -> None:
            """Keep the names back until the route is lifted."""

        page.route("**/roster.json", hold)
        visit.open(door.scanner)
        page.locator("#bild").evaluate(TWENTY_FRAMES)
        page.unroute("**/roster.json")
        answer(page, "Da", "Ağaoğlu")
        assert door.recorded() == ["Ağaoğlu"]


def test_what_is_recorded_without_a_network_arrives_exactly_once(
    site: Site, chromium: Browser, door: Door, tmp_path: Path
) -> None:
    with camera(
        chromium.browser_type, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    ) as browser:
        visit = visiting(site, browser)
        page = visit.page
        enter(visit, TRAINER)
        visit.open(f"/einlass/{door.number}/bereit")
        ready = page.get_by_text("Bereit ohne Netz: 4 Personen, Stand")
        expect(ready).to_be_visible(timeout=PATIENCE)
        page.context.set_offline(True)
        visit.open(door.scanner)
        answer(page, "Da", "Ağaoğlu")
        expect(page.locator("#antwort")).to_contain_text("Ohne Netz erfasst")
        expect(page.locator("#ungesendet-zahl")).to_have_text("1 noch nicht gesendet")
        page.get_by_label("Name suchen").fill("brugg")
        page.locator("#gefunden").get_by_role("button", name="da: Brüggemann").click()
        answer(page, "Da", "Brüggemann")
        page.reload()
        expect(page.locator("#fehlende-zahl")).to_have_text("2")
        answer(page, "Schon erfasst", "Ağaoğlu")  # the camera starts again and sees the same ticket
        scan_by_hardware(page, door.code("Czerwiński"))
        answer(page, "Da", "Czerwiński")
        assert door.recorded() == []
        visit.open("/einlass/")
        expect(page.get_by_role("heading", name="Kein Netz")).to_be_visible()
        page.get_by_role("link", name=door.number).click()
        expect(page.locator("#fehlende-zahl")).to_have_text("1")
        page.context.set_offline(False)
        all_sent(page)
        assert sorted(set(door.recorded())) == ["Ağaoğlu", "Brüggemann", "Czerwiński"]


def test_two_phones_record_at_the_same_time(
    site: Site, blind: Visit, chromium: Browser, door: Door
) -> None:
    with camera(chromium.browser_type, None) as browser:
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
    expect(page.locator("#antwort")).to_contain_text("Suchen Sie den Namen")
    expect(page.locator("#antwort")).not_to_contain_text("vor die Kamera")
    page.get_by_text("Code eintippen").click()
    page.get_by_label("Code der Eintrittskarte").fill(door.tickets["Ağaoğlu"].lower())
    page.get_by_role("button", name="Als da erfassen").click()
    answer(page, "Da", "Ağaoğlu")
    page.get_by_text("Ohne Anmeldung", exact=True).click()
    page.get_by_label("Vor- und Nachname").fill("<b>Ute</b> Özdemir")
    page.get_by_role("button", name="Ohne Anmeldung erfassen").click()
    answer(page, "Ohne Anmeldung erfasst", "<b>Ute</b> Özdemir")
    expect(page.locator("#antwort")).to_be_in_viewport()
    all_sent(page)
    assert door.walk_ins() == ["<b>Ute</b> Özdemir"]
    page.get_by_text("Wer fehlt noch? (3)").click()
    missing = page.locator("#fehlende")
    missing.get_by_role("button", name="da: ").first.click()
    answer(page, "Da", "Brüggemann")
    page.get_by_role("button", name="Rückgängig").press("Enter")
    answer(page, "Zurückgenommen", "Brüggemann")
    expect(page.locator("#antwort")).to_be_focused()
    expect(page.locator("#fehlende-zahl")).to_have_text("3")
    page.get_by_role("button", name="Alle übrigen anwesend").click()
    answer(page, "Alle übrigen als da erfasst", "3 Personen")
    expect(page.locator("#antwort")).to_be_focused()
    expect(page.get_by_text("Alle sind da.")).to_be_visible()
    all_sent(page)
    assert set(door.recorded()) == set(door.tickets)


def test_the_search_stays_where_it_is_when_the_missing_are_shown(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    height = "document.getElementById('name').getBoundingClientRect().top + scrollY"
    before = page.evaluate(height)
    page.get_by_text("Wer fehlt noch?").click()
    expect(page.locator("#fehlende li")).to_have_count(4)
    assert page.evaluate(height) == before


def test_nobody_is_missing_before_a_session_is_chosen(blind: Visit, site: Site) -> None:
    page = open_scanner(blind, make_door(site, TRAINER, ahead=1))
    expect(page.get_by_text("Heute ist kein Termin.")).to_be_visible()
    expect(page.locator("#namen")).to_be_hidden()
    page.get_by_label("Termin", exact=True).select_option(index=1)
    expect(page.get_by_text("Wer fehlt noch? (4)")).to_be_visible()


def test_a_camera_that_is_refused_is_said_and_typing_works(
    site: Site, chromium: Browser, door: Door, tmp_path: Path
) -> None:
    shown = film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    with camera(chromium.browser_type, shown, allowed=False) as browser:
        page = open_scanner(visiting(site, browser), door)
        expect(page.locator("#keine-kamera")).to_contain_text("Die Kamera ist nicht freigegeben.")
        # Wherever the focus is, a hardware scanner leaves nothing in a field.
        page.get_by_label("Name suchen").focus()
        scan_by_hardware(page, door.code("Ağaoğlu"))
        answer(page, "Da", "Ağaoğlu")
        expect(page.get_by_label("Name suchen")).to_have_value("")


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
    assert page.evaluate(NAMES_GO)
    context.unroute("**/abgleich")
    open_scanner(blind, door, COORDINATOR)
    expect(page.locator("#fremde")).to_contain_text("wartet noch eine Erfassung von Dr. Jördis")
    assert door.recorded() == []
    context.clear_cookies()
    open_scanner(blind, door)
    all_sent(page)
    assert door.recorded() == ["Ağaoğlu"]


def test_logging_out_forgets_the_scanner_and_keeps_the_page_for_no_network(
    blind: Visit, door: Door
) -> None:
    page = open_scanner(blind, door)
    blind.open("/konto/abmelden")
    page.get_by_role("main").get_by_role("button", name="Ausloggen").click()
    expect(page.get_by_text("Sie sind ausgeloggt.")).to_be_visible()
    kept = page.evaluate(
        """async () => {
          for (let turn = 0; turn < 100; turn += 1) {
            const pages = await (await caches.open("einlass-seiten")).keys();
            const paths = pages.map(({ url }) => new URL(url).pathname);
            if (!paths.some((path) => path.endsWith("/scanner"))) return paths;
            await new Promise((resolve) => { setTimeout(resolve, 100); });
          }
          return null;
        }"""
    )
    assert kept == ["/einlass/ohne-netz"]


def test_when_the_login_has_ended_scans_wait_for_the_next_one(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    page.context.clear_cookies()
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    obstacle = page.locator("#hindernis")
    expect(obstacle).to_contain_text("Bitte loggen Sie sich ein; Ihre Erfassung bleibt auf diesem")
    scan_by_hardware(page, door.code("Brüggemann"))
    expect(obstacle).to_contain_text("Ihre 2 Erfassungen bleiben auf diesem Gerät")
    assert page.evaluate(NAMES_GO)
    obstacle.get_by_role("link", name="Einloggen").click()
    page.get_by_label("Dienstliche E-Mail").fill(TRAINER)
    page.get_by_label("Passwort").fill(demo.PASSWORD)
    page.get_by_role("button", name="Weiter").click()
    expect(page).to_have_url(f"{blind.site.url}{door.scanner}")
    expect(page.locator("#fehlende-zahl")).to_have_text("2")
    all_sent(page)
    assert door.recorded() == ["Ağaoğlu", "Brüggemann"]


def test_names_stay_off_the_device_where_the_event_says_so(blind: Visit, site: Site) -> None:
    door = make_door(site, TRAINER, offline=False)
    page = open_scanner(blind, door)
    expect(page.locator("#nur-netz")).to_contain_text("arbeitet nur mit Netz")
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    assert page.evaluate(NAMES_GO)
    blind.open(f"/einlass/{door.number}/bereit")
    expect(page.get_by_text("Nur mit Netz")).to_be_visible()


def test_names_expire_by_themselves_without_a_network(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    page.context.set_offline(True)
    page.reload()
    expect(page.locator("#fehlende-zahl")).to_have_text("4")
    page.clock.set_system_time(utc_now() + timedelta(days=3))
    page.reload()
    expect(page.locator("#hindernis")).to_contain_text("keine Namen dieser Veranstaltung")
    expect(page.locator("#namen")).to_be_hidden()
    assert page.evaluate(NAMES_GO)
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Nicht bereit")


def test_a_browser_that_stores_nothing_says_so_and_works_with_a_network(
    blind: Visit, door: Door
) -> None:
    page = blind.page
    page.add_init_script(
        "IDBFactory.prototype.open = () => { throw new DOMException('', 'SecurityError'); };"
    )
    open_scanner(blind, door)
    expect(page.locator("#fluechtig")).to_contain_text("Dieses Gerät speichert nichts")
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    all_sent(page)
    assert door.recorded() == ["Ağaoğlu"]
    blind.open(f"/einlass/{door.number}/bereit")
    expect(page.locator("#bereit")).to_contain_text("Nicht bereit")


def test_what_the_server_refuses_is_listed_until_it_was_read(
    blind: Visit, door: Door, site: Site
) -> None:
    other = make_door(site, COORDINATOR)
    page = open_scanner(blind, door)
    page.context.set_offline(True)
    scan_by_hardware(page, other.code("Ağaoğlu"))
    answer(page, "Unbekannt", "steht nicht in der Liste auf diesem Gerät")
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    page.evaluate(SPOIL, door.number)
    page.context.set_offline(False)
    refused = page.locator("#abgelehnt-liste li")
    expect(refused).to_have_count(2, timeout=PATIENCE)
    expect(refused.nth(0)).to_contain_text("Andere Veranstaltung")
    expect(refused.nth(1)).to_contain_text("Nicht lesbar")
    all_sent(page)
    page.reload()
    expect(refused).to_have_count(2)
    refused.nth(0).get_by_role("button", name="Gelesen").press("Enter")
    expect(refused).to_have_count(1)
    expect(refused.get_by_role("button", name="Gelesen")).to_be_focused()
    assert door.recorded() == ["Ağaoğlu"]


def test_the_phone_says_what_the_office_made_of_what_was_refused(
    blind: Visit, door: Door, site: Site
) -> None:
    other = make_door(site, COORDINATOR)
    page = open_scanner(blind, door)
    page.context.set_offline(True)
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    scan_by_hardware(page, other.code("Ağaoğlu"))
    answer(page, "Unbekannt")
    # What is read on the screen when the answer comes is not listed; these two are not.
    scan_by_hardware(page, door.code("Brüggemann"))
    answer(page, "Da", "Brüggemann")
    refused = page.locator("#abgelehnt-liste li")
    with door.waiting("Ağaoğlu"):
        page.context.set_offline(False)
        expect(refused).to_have_count(2, timeout=PATIENCE)
        all_sent(page)
    expect(refused.nth(0)).not_to_contain_text("Geschäftsstelle hat das")
    page.context.set_offline(True)
    door.settle()
    page.reload()
    expect(refused.nth(0)).not_to_contain_text("Geschäftsstelle hat das")
    page.context.set_offline(False)
    today = f"{berlin_day(utc_now()):%d.%m.}"
    told = refused.nth(0).get_by_text(f"{today}: Die Geschäftsstelle hat das übernommen.")
    expect(told).to_be_visible(timeout=PATIENCE)
    expect(refused.nth(1)).to_contain_text(f"{today}: Die Geschäftsstelle hat das verworfen.")
    assert door.recorded() == ["Ağaoğlu", "Brüggemann"]
    # The device has noted it: it still says so without a network, until it was read.
    page.context.set_offline(True)
    page.reload()
    expect(told).to_be_visible()
    refused.nth(0).get_by_role("button", name="Gelesen").click()
    expect(refused).to_have_count(1)
    expect(refused).to_contain_text("verworfen")


def test_the_scanner_is_light(site: Site, chromium: Browser, door: Door, tmp_path: Path) -> None:
    with camera(
        chromium.browser_type, film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    ) as browser:
        # Without the service worker the page itself loads everything, where it can be weighed.
        visit = visiting(site, browser, service_workers="block")
        enter(visit, TRAINER)
        wire = Wire(visit.page)
        visit.open(door.scanner)
        answer(visit.page, "Da", "Ağaoğlu")
    assert 0 < wire.decoder < DECODER_BYTES, wire.decoder
    assert wire.others < SCANNER_BYTES, wire.others


def test_what_a_former_trainer_recorded_reaches_the_office(blind: Visit, door: Door) -> None:
    page = open_scanner(blind, door)
    page.context.set_offline(True)
    scan_by_hardware(page, door.code("Ağaoğlu"))
    answer(page, "Da", "Ağaoğlu")
    with door.without_role(TRAINER):
        # Begun anew while there is no network: the page before must not get the answer, or it has
        # been read there and stands in no list.
        page.reload()
        expect(page.locator("#ungesendet-liste li")).to_have_count(1, timeout=PATIENCE)
        page.context.set_offline(False)
        expect(page.locator("#hindernis")).to_contain_text("Bitte fragen Sie die Geschäftsstelle")
        expect(page.locator("#abgelehnt-liste li")).to_have_count(1, timeout=PATIENCE)
        expect(page.locator("#namen")).to_be_hidden()
        all_sent(page)
    assert door.recorded() == []
    assert door.refused() == ["not_allowed"]


# Waits until the device holds no names; says whether it came to that.
NAMES_GO = """async () => {
  for (let turn = 0; turn < 100; turn += 1) {
    const opened = indexedDB.open("einlass", 1);
    const database = await new Promise((resolve, reject) => {
      opened.onsuccess = () => resolve(opened.result);
      opened.onupgradeneeded = () => reject(new Error("The scanner has stored nothing yet."));
    });
    const all = database.transaction("rosters").objectStore("rosters").getAll();
    const rosters = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
    database.close();
    if (rosters.length === 0) return true;
    await new Promise((resolve) => { setTimeout(resolve, 50); });
  }
  return false;
}"""

# Puts a recording into the queue that no server can read.
SPOIL = """async (number) => {
  const opened = indexedDB.open("einlass");
  const database = await new Promise((resolve) => {
    opened.onsuccess = () => resolve(opened.result);
  });
  const queue = database.transaction("queue", "readwrite").objectStore("queue");
  const all = queue.getAll();
  const [first] = await new Promise((resolve) => { all.onsuccess = () => resolve(all.result); });
  const { nr, ...copy } = first;
  const recording = { ...first.recording, key: crypto.randomUUID(), kind: "nonsense" };
  const added = queue.add({ ...copy, event: number, recording });
  await new Promise((resolve) => { added.onsuccess = resolve; });
  database.close();
}"""
