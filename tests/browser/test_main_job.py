"""The main job as its users do it: find a date, register, mark attendance, read the figures."""

from __future__ import annotations

import re
from io import BytesIO

import zxingcpp
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import CONTACT, COORDINATOR, PARTICIPANT, TRAINER, Visit

NEW_ADDRESS = "jule.wischnewski@stadt-essen.example"
PUBLIC_EVENT = "Bedrohungsmanagement in der Behörde"
TRAINING = "Professioneller Umgang mit Konflikten"


def test_somebody_new_registers_with_an_address_a_code_and_one_form(phone: Visit) -> None:
    page = phone.page
    phone.open("/")
    page.get_by_role("link", name=PUBLIC_EVENT).click()
    page.get_by_label("Dienstliche E-Mail").fill(NEW_ADDRESS)
    page.get_by_role("button", name="Weiter mit dieser Adresse").click()
    mail = phone.site.wait_for_mail(NEW_ADDRESS, "Code")
    body = mail.get_body(("plain",))
    assert body is not None
    code = re.search(r"\b\d{3} ?\d{3}\b", body.get_content())
    assert code is not None
    page.get_by_label("Sechsstelliger Code").fill(code.group())
    page.get_by_role("button").last.click()
    page.get_by_label("Vorname").fill("Jule")
    page.get_by_label("Nachname").fill("Wischnewski")
    page.get_by_label("Dienststelle oder Abteilung").fill("Jugendamt")
    page.get_by_role("button", name="Verbindlich anmelden").click()
    expect(page.get_by_role("heading", name="Meine Anmeldungen")).to_be_visible()
    expect(page.get_by_text("Sie haben einen Platz")).to_be_visible()
    drawing = page.get_by_role("img", name="QR-Code der Eintrittskarte")
    expect(drawing).to_be_visible()
    (code,) = zxingcpp.read_barcodes(Image.open(BytesIO(drawing.screenshot())))
    assert re.fullmatch(rf"{phone.site.url}/t/[A-Z0-9]{{12}}", code.text)
    confirmation = phone.site.wait_for_mail(NEW_ADDRESS, "Zusage")
    assert "text/calendar" in {part.get_content_type() for part in confirmation.walk()}


def test_an_employee_registers_gives_the_place_back_and_registers_again(visit: Visit) -> None:
    page = visit.page
    visit.log_in(PARTICIPANT)
    visit.open("/veranstaltungen/?frei=y&art=training&ort=Dortmund")
    page.get_by_role("link", name=TRAINING).first.click()
    page.get_by_label("Stufenfreier Zugang").check()
    event_page = page.url
    page.get_by_role("button", name="Verbindlich anmelden").click()
    expect(page.get_by_text("Sie haben einen Platz").first).to_be_visible()
    page.goto(event_page)
    page.get_by_role("link", name="Platz zurückgeben").click()
    page.get_by_role("button", name="Platz zurückgeben").click()
    expect(page.get_by_text("Sie sind abgemeldet")).to_be_visible()
    page.goto(event_page)
    page.get_by_role("button", name="Verbindlich anmelden").click()
    expect(page.get_by_text("Sie haben einen Platz").first).to_be_visible()


def test_an_organisation_releases_a_request_and_the_employee_has_a_place(
    visit: Visit, phone: Visit
) -> None:
    page = visit.page
    visit.log_in(PARTICIPANT)
    visit.open("/veranstaltungen/?art=training&ort=Hagen")
    page.get_by_role("link", name=TRAINING).click()
    page.get_by_role("button", name="Verbindlich anmelden").click()
    expect(page.get_by_text("wartet auf die Freigabe").first).to_be_visible()
    phone.log_in(CONTACT)
    phone.open("/organisation/")
    phone.page.get_by_role("checkbox", name="Kübra Öztürk-Lindner", exact=True).check()
    phone.page.get_by_role("button", name="Ausgewählte freigeben").click()
    expect(phone.page.get_by_text("freigegeben").first).to_be_visible()
    page.reload()
    expect(page.get_by_text("Sie haben einen Platz").first).to_be_visible()
    assert phone.site.wait_for_mail(PARTICIPANT, "Zusage")


def test_a_trainer_marks_attendance_from_the_address_in_the_code(visit: Visit) -> None:
    page = visit.page
    visit.log_in(TRAINER)
    visit.open("/einlass/")
    page.get_by_role("link", name=TRAINING).first.click()
    everyone = page.get_by_role("button", name="Alle übrigen anwesend")
    expect(everyone).to_be_visible()
    unrecorded = page.locator(".tr-names").get_by_text("nicht erfasst")
    before = unrecorded.count()
    page.get_by_role("button", name="da: ").first.click()
    expect(unrecorded).to_have_count(before - 1)
    page.get_by_role("button", name="Rückgängig").click()
    expect(unrecorded).to_have_count(before)
    everyone.click()
    expect(unrecorded).to_have_count(0)


def test_attendance_is_taken_by_keyboard_without_beginning_at_the_top_each_time(
    visit: Visit,
) -> None:
    page = visit.page
    visit.log_in(TRAINER)
    visit.open("/einlass/")
    page.get_by_role("link", name=TRAINING).first.click()
    page.get_by_role("link", name="Nachmittag").first.click()
    expect(page.get_by_role("button", name="Alle übrigen anwesend")).to_be_visible()
    first, second = page.get_by_role("button", name="fehlt: ").all()[:2]
    first.focus()
    page.keyboard.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "true")
    expect(first).to_be_focused()
    for _ in range(4):  # the next name, its card, its „da“, its „fehlt“
        page.keyboard.press("Tab")
    expect(second).to_be_focused()
    page.keyboard.press("Enter")
    expect(second).to_be_focused()
    undo = page.get_by_role("button", name="Rückgängig")
    expect(undo).to_be_in_viewport()
    undo.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "false")
    expect(page.locator("#letzter-schritt")).to_be_focused()
    undo.press("Enter")
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(page.get_by_role("button", name="Alle übrigen anwesend")).to_be_focused()
    field = page.locator(".tr-matrix .tr-cell").first
    size = field.bounding_box()
    assert size is not None and min(size["width"], size["height"]) >= 24
    field.press("Enter")
    page.get_by_label("Minuten später gekommen").press("Enter")
    expect(page.locator(".tr-matrix .tr-cell").first).to_be_focused()


def test_the_coordinator_reads_off_the_published_figures(visit: Visit) -> None:
    page = visit.page
    visit.log_in(COORDINATOR)
    visit.open("/statistik/?art=training&bis=2025-10-23")
    figures = page.locator(".tr-stats")
    expect(figures).to_contain_text("44")
    expect(figures).to_contain_text("428")
    expect(figures).to_contain_text("38")


def test_the_printed_attendance_is_the_matrix_alone(visit: Visit) -> None:
    page = visit.page
    visit.log_in(TRAINER)
    visit.open("/einlass/")
    page.get_by_role("link", name=TRAINING).first.click()
    page.emulate_media(media="print")
    expect(page.locator(".tr-matrix")).to_be_visible()
    expect(page.locator(".tr-tally")).to_be_hidden()  # of a session that paper does not name
    expect(page.get_by_text("Wählen Sie den Namen")).to_be_hidden()
    page.emulate_media(media="screen")
    page.get_by_role("link", name="Liste drucken").click()
    page.emulate_media(media="print")
    expect(page.locator(".tr-matrix")).to_be_visible()
    expect(page.get_by_text("Gedruckt wird nur die Liste")).to_be_hidden()
