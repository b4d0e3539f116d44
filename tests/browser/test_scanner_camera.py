"""The scanner's light and choice of a camera, on a device that has both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import TRAINER, Site, Visit
from tests.browser.door import Door, camera, film, make_door
from tests.browser.test_scanner import answer, open_scanner, visiting

# Chromium's camera stays beneath: only what it lacks, a light and a second lens, is put on top.
TWO_CAMERAS = """
const media = navigator.mediaDevices;
const open = media.getUserMedia.bind(media);
const lenses = [["back", "Rückkamera"], ["macro", "Makro"]];
window.asked = [];
window.lit = [];
window.broken = false;
window.gone = localStorage.getItem("test-gone");
media.enumerateDevices = async () => lenses
  .filter(([id]) => id !== window.gone)
  .map(([deviceId, label]) => ({ kind: "videoinput", deviceId, label, groupId: "" }));
media.getUserMedia = async ({ audio, video: { deviceId, facingMode, ...size } }) => {
  const wanted = deviceId?.exact;
  window.asked.push(wanted ?? facingMode);
  if (wanted && wanted === window.gone) throw new OverconstrainedError("deviceId");
  const stream = await open({ audio, video: size });
  const [track] = stream.getVideoTracks();
  const [settings, capabilities] = [track.getSettings(), track.getCapabilities()];
  track.getSettings = () => ({ ...settings, deviceId: wanted ?? "back" });
  track.getCapabilities = () => ({ ...capabilities, torch: wanted !== "macro" });
  track.applyConstraints = async (constraints) => {
    if (window.broken) throw new OverconstrainedError("torch");
    window.lit.push(constraints.advanced[0].torch);
  };
  return stream;
};
"""


@pytest.fixture
def door(site: Site) -> Door:
    return make_door(site, TRAINER)


@pytest.fixture
def visit(site: Site, chromium: Browser, door: Door, tmp_path: Path) -> Iterator[Visit]:
    """Open a phone with two lenses, of which one has a light."""
    shown = film(tmp_path / "ticket.y4m", door.code("Ağaoğlu"))
    with camera(chromium.browser_type, shown) as browser:
        visit = visiting(site, browser)
        visit.page.context.add_init_script(TWO_CAMERAS)
        yield visit


def test_the_light_is_switched_and_says_whether_it_is_on(visit: Visit, door: Door) -> None:
    page = open_scanner(visit, door)
    light = page.get_by_role("button", name="Licht")
    expect(light).to_have_text("Licht: aus")
    for text, pressed in (("Licht: an", "true"), ("Licht: aus", "false")):
        light.click()
        expect(light).to_have_text(text)
        expect(light).to_have_attribute("aria-pressed", pressed)
    assert page.evaluate("window.lit") == [True, False]
    page.evaluate("window.broken = true")
    light.click()
    expect(page.get_by_text("Das Licht lässt sich gerade nicht schalten.")).to_be_visible()
    expect(light).to_have_text("Licht: aus")
    page.evaluate("window.broken = false")
    light.click()
    expect(light).to_have_text("Licht: an")
    expect(page.get_by_text("Das Licht lässt sich gerade nicht schalten.")).to_be_hidden()
    answer(page, "Da", "Ağaoğlu")


def test_another_camera_is_asked_for_by_its_id_and_remembered(visit: Visit, door: Door) -> None:
    page = open_scanner(visit, door)
    choice = page.get_by_label("Kamera", exact=True)
    expect(choice).to_have_value("back")
    page.get_by_role("button", name="Licht").click()
    choice.select_option(label="Makro")
    expect(page.get_by_role("button", name="Licht")).to_be_hidden()
    expect(choice).to_have_value("macro")
    assert asked(page) == ["environment", "macro"]
    answer(page, "Da", "Ağaoğlu")
    page.reload()
    expect(choice).to_have_value("macro")
    assert asked(page) == ["macro"]
    choice.select_option(label="Rückkamera")
    expect(page.get_by_role("button", name="Licht")).to_have_text("Licht: aus")
    page.reload()
    expect(choice).to_have_value("back")
    assert asked(page) == ["back"]


def test_a_remembered_camera_that_is_gone_makes_way_for_the_one_at_the_back(
    visit: Visit, door: Door
) -> None:
    page = open_scanner(visit, door)
    page.get_by_label("Kamera", exact=True).select_option(label="Makro")
    expect(page.get_by_role("button", name="Licht")).to_be_hidden()
    page.evaluate("localStorage.setItem('test-gone', 'macro')")
    page.reload()
    expect(page.get_by_role("button", name="Licht")).to_be_visible()
    expect(page.locator("#keine-kamera")).to_be_hidden()
    expect(page.locator("#kamera-wahl")).to_be_hidden()
    assert asked(page) == ["macro", "environment"]


def asked(page: Page) -> list[str]:
    """Return which cameras the page has asked for since it was loaded."""
    found: list[str] = page.evaluate("window.asked")
    return found
