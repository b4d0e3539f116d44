"""Pocket cards on a phone without script: from an order without an account to the last card."""

from __future__ import annotations

from email.message import EmailMessage

from playwright.sync_api import Browser, expect

from tests.browser.conftest import COORDINATOR, DESK, TRAINER, Site, Visit

CARD = "Schütze dich und dein Team vor Gewalt"
ADDRESS = "ayla.sommerfeld@verein-ruhr.example"
TODAY = "2026-010"


def link_in(mail: EmailMessage) -> str:
    """Return the first address in a mail."""
    body = mail.get_body(("plain",))
    assert body is not None
    return next(word for word in body.get_content().split() if word.startswith("http"))


def is_too_wide(visit: Visit) -> bool:
    return bool(
        visit.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
    )


def test_somebody_without_an_account_orders_and_confirms_the_receipt(
    site: Site, phone: Visit, chromium: Browser
) -> None:
    page = phone.page
    phone.open("/taschenkarten/bestellen")
    page.get_by_label(f"Anzahl: {CARD}").fill("30")
    for label, text in {
        "Name": "Ayla Sommerfeld",
        "Dienstliche E-Mail": ADDRESS,
        "Organisation": "Verein Ruhr e. V.",
        "Empfänger": "Verein Ruhr, Geschäftsstelle",
        "Straße und Hausnummer": "Ufergasse 3",
        "Postleitzahl": "45127",
        "Ort": "Essen",
        "Wofür brauchen Sie die Karten?": "Für die Ehrenamtlichen im Besuchsdienst",
    }.items():
        page.get_by_label(label, exact=True).fill(text)
    page.get_by_role("button", name="Bestellen").click()
    expect(page.get_by_role("heading", name="Bitte bestätigen Sie Ihre Bestellung")).to_be_visible()
    page.goto(link_in(site.wait_for_mail(ADDRESS, "bestätigen")))
    page.locator("main form button").first.click()
    expect(page.get_by_text("eingegangen").first).to_be_visible()
    status = page.url
    assert not is_too_wide(phone)

    context = chromium.new_context(viewport=DESK, locale="de-DE", java_script_enabled=False)
    office = Visit(site, context.new_page())
    office.log_in(COORDINATOR)
    office.open("/koordination/")
    office.page.get_by_role("link", name="Entscheiden: ").click()
    order = office.page.get_by_role("row").filter(has_text="Ayla Sommerfeld")
    order.get_by_role("link").click()
    office.page.get_by_role("link", name="Genehmigen").click()
    office.page.get_by_label(f"Anzahl: {CARD}").fill("20")
    office.page.get_by_role("button", name="Genehmigen und vormerken").click()
    expect(office.page.get_by_text("Sie genehmigen weniger als bestellt").first).to_be_visible()
    office.page.get_by_label("Begründung").fill("Mehr sind bis zum Nachdruck nicht da.")
    office.page.get_by_role("button", name="Genehmigen und vormerken").click()
    expect(office.page.get_by_text("die Karten sind vorgemerkt")).to_be_visible()
    page.goto(status)
    expect(page.get_by_text("Mehr sind bis zum Nachdruck nicht da.").first).to_be_visible()
    office.page.get_by_role("button", name="Ist zusammengestellt").click()
    office.page.get_by_role("button", name="Ist versendet").click()
    expect(office.page.get_by_text("gebucht und unterwegs")).to_be_visible()
    expect(office.page.get_by_text("Es fehlen vorgemerkte Karten")).to_have_count(0)
    context.close()

    page.goto(link_in(site.wait_for_mail(ADDRESS, "ist unterwegs")))
    page.locator("main form button").first.click()
    page.goto(status)
    expect(page.locator(".tr-state").first).to_contain_text("erhalten")


def test_a_trainer_gives_everybody_a_card_and_brings_the_rest_back(phone: Visit) -> None:
    page = phone.page
    phone.log_in(TRAINER)
    phone.open(f"/einlass/{TODAY}")
    give = page.get_by_role("button", name="Karte: ")
    people = page.get_by_role("button", name="hat Karte: ").or_(give).count()
    for given in range(1, people + 1):
        page.get_by_role("button", name="Karte: ").and_(
            page.locator("[aria-pressed=false]")
        ).first.click()
        expect(page.get_by_role("button", name="hat Karte: ")).to_have_count(given)
    phone.open(f"/taschenkarten/veranstaltungen/{TODAY}")
    row = page.get_by_role("row").filter(has_text=CARD).first
    assert row.locator("[data-label='Ausgegeben']").inner_text() == str(people)
    rest = row.locator("[data-label='Rest in der Box']").inner_text()
    assert rest == str(15 - people)
    back = page.locator("form").filter(has=page.get_by_role("button", name="zurückgebracht"))
    back.get_by_label(CARD).fill(rest)
    back.get_by_role("button", name="Als zurückgebracht buchen").click()
    row = page.get_by_role("row").filter(has_text=CARD).first
    expect(row.locator("[data-label='Rest in der Box']")).to_have_text("0")
    expect(row.locator("[data-label='Zurück']")).to_have_text(rest)
    assert not is_too_wide(phone)
