"""The head of the page, as each role sees it on a desk."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import CONTACT, COORDINATOR, PARTICIPANT, TRAINER, Visit

ADMINISTRATOR = "hauke.brinkmann@sikoruhr.example"
WIDTHS = (1440, 1280)
HOMES = {
    PARTICIPANT: "/",
    CONTACT: "/",
    TRAINER: "/",
    COORDINATOR: "/koordination/",
    ADMINISTRATOR: "/koordination/",
}


@pytest.mark.parametrize("who", list(HOMES))
def test_all_links_stand_in_one_line(visit: Visit, who: str) -> None:
    visit.log_in(who)
    visit.open(HOMES[who])
    links = visit.page.get_by_role("navigation", name="Hauptnavigation").get_by_role("link")
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 900})
        expect(links.first).to_be_visible()
        heights = links.evaluate_all("all => all.map(a => a.getBoundingClientRect().top)")
        assert len(set(heights)) == 1, width


def test_a_long_name_does_not_push_links_down(visit: Visit) -> None:
    visit.log_in(TRAINER)
    visit.open("/")
    page = visit.page
    page.locator(".tr-person a").evaluate(
        "a => { a.textContent = 'Prof. Dr. Ann-Kathrin Oberschelp-Großeholthaus' }"
    )
    links = page.get_by_role("navigation", name="Hauptnavigation").get_by_role("link")
    heights = links.evaluate_all("all => all.map(a => a.getBoundingClientRect().top)")
    assert len(set(heights)) == 1
