"""axe on the pages of every role, at a desk and on a phone, and no page wider than its screen."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.conftest import (
    CONTACT,
    COORDINATOR,
    DESK,
    PARTICIPANT,
    PHONE,
    TRAINER,
    Site,
    Visit,
)

AXE = Path("node_modules/axe-core/axe.min.js")
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
FIRST = "main li h3 a, main td a"
HELD = "/koordination/veranstaltungen/?stand=held&art=conference"
PAGES: dict[str, tuple[str, ...]] = {
    "": ("/", "/konto/anmelden", "/konto/registrieren", "/impressum", "/datenschutz",
         "/barrierefreiheit", "/hilfe", "/gibt-es-nicht", "/bescheinigung/", "VERIFY",
         "/bescheinigung/UNBEKANNT", "/taschenkarten/bestellen", "/taschenkarten/bestellen/danke",
         "/rueckmeldung/", "/rueckmeldung/danke", "/rueckmeldung/vertraulichkeit",
         "/rueckmeldung/UNBEKANNT"),
    PARTICIPANT: ("/veranstaltungen/", "FIRST", "/meine/anmeldungen", "/konto/",
                  "/bedarf/", "/bedarf/1", "/meine/bescheinigungen",
                  "/veranstaltungen/?art=annual_meeting&monat=2020-01"),
    CONTACT: ("/organisation/", "/organisation/teilnahmen", "/organisation/kurs-anfragen",
              "/taschenkarten/bestellungen", "FIRST", "/taschenkarten/bestellen"),
    TRAINER: ("/einlass/", "FIRST", "SCANNER", "READY", "/einlass/ohne-netz", "/einlass/", "FIRST",
              "main .tr-slim a", "main .tr-cell", "/einlass/", "FIRST", "PAPERS", "GUEST",
              "CLOSING", "CERTIFICATES", "/taschenkarten/veranstaltungen/", "FIRST",
              "/rueckmeldungen/veranstaltungen/", "/rueckmeldungen/veranstaltungen/2026-002",
              "/rueckmeldungen/veranstaltungen/2026-002/ergebnis"),
    COORDINATOR: ("/koordination/", "/koordination/veranstaltungen/",
                  "/koordination/organisationen/", "/koordination/personen/", "/statistik/",
                  "/koordination/bedarf/", "/koordination/mails/", "/koordination/anwesenheit",
                  "/taschenkarten/auswertung?nach=jahr", "/taschenkarten/stand",
                  "/taschenkarten/vorschau", "/taschenkarten/", "/taschenkarten/lager/",
                  "/taschenkarten/bestellungen?stand=requested", "FIRST",
                  "main a[href$='/genehmigen']", "/taschenkarten/bestellen",
                  "/taschenkarten/bestellungen?stand=approved", "FIRST",
                  "/taschenkarten/grenzen", "/taschenkarten/bewegungen/", "FIRST",
                  "/taschenkarten/bewegungen/umlagern", "/taschenkarten/karten/", "FIRST",
                  "/taschenkarten/auflagen/1", "/taschenkarten/auflagen/1/zurueckziehen",
                  "/taschenkarten/inventuren/", "FIRST", "/taschenkarten/inventuren/neu",
                  HELD, "FIRST", "main a[href$='/bescheinigungen']",
                  "main a[href$='/ausstellen']", "CERTIFICATES",
                  "main a[href$='/zurueckziehen']", "CLOSING", "OVERVIEW", "main th a",
                  "main a[href$='/nachholen']",
                  "/rueckmeldungen/auswertung", "FIRST", "/rueckmeldungen/auswertung/gesamt",
                  "/rueckmeldungen/texte/", "main a[href*='/unkenntlich']",
                  "/rueckmeldungen/fragebogen/", "FIRST", "/rueckmeldungen/fragebogen/zuordnung"),
}  # fmt: skip
# Pages of the event that the page before has shown.
BELOW = {
    "SCANNER": "scanner",
    "READY": "bereit",
    "PAPERS": "papiere",
    "GUEST": "ohne-anmeldung",
    "CLOSING": "abschluss",
    "CERTIFICATES": "bescheinigungen",
    "OVERVIEW": "uebersicht",
}


def valid_code(site: Site) -> str:
    """Return the code of a certificate of the demonstration."""
    valid = "SELECT code FROM certificates WHERE voided_at IS NULL ORDER BY id"
    with closing(sqlite3.connect(site.instance / "trainings.sqlite3")) as database:
        return str(database.execute(valid).fetchone()[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("who", list(PAGES))
def test_no_page_has_a_barrier_that_axe_finds_or_scrolls_sideways(
    site: Site, chromium: Browser, who: str, scheme: str
) -> None:
    context = chromium.new_context(
        viewport=DESK,
        locale="de-DE",
        color_scheme=scheme,
        bypass_csp=False,  # type: ignore[arg-type]
    )
    visit = Visit(site, context.new_page())
    if who:
        visit.log_in(who)
    barriers = []
    for path in PAGES[who]:
        if path in BELOW:
            visit.open(f"/einlass/{visit.page.url.split('/einlass/')[1][:8]}/{BELOW[path]}")
        elif path == "VERIFY":
            visit.open(f"/bescheinigung/{valid_code(site)}")
        elif path.startswith("/"):
            visit.open(path)
        else:  # Where the first such link on the page before leads.
            visit.page.set_viewport_size(DESK)
            link = visit.page.locator(FIRST if path == "FIRST" else path).first
            visit.page.goto(link.evaluate("a => a.href"))
        for size in (DESK, PHONE, {"width": 320, "height": 640}):
            visit.page.set_viewport_size(size)
            wider = visit.page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            if wider > 0:
                barriers.append((path, size["width"], f"{wider} px too wide"))
        for size in (PHONE, DESK):
            visit.page.set_viewport_size(size)
            visit.page.evaluate(AXE.read_text(encoding="utf-8"))
            found = visit.page.evaluate("rules => axe.run(document, rules)", RULES)
            barriers += [
                (path, size["width"], violation["id"], violation["nodes"][0]["html"][:120])
                for violation in found["violations"]
            ]
    context.close()
    assert barriers == []
