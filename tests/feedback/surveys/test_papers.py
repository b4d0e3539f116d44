"""The slips as PDF: accessible, readable by machines, and nothing in them is markup."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask

from tests.conftest import NOW
from tests.pdfs import codes_in, failures_of, opened, text_of
from trainings.feedback.surveys.operations import Slips
from trainings.feedback.surveys.papers import slips_paper
from trainings.feedback.surveys.rights import new_code, normalise_code
from trainings.registrations.tickets import in_groups

LONG = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichenverleihungszeremonie "


def slips(number: int, title: str = "Umgang mit Konflikten") -> Slips:
    codes = [new_code() for _ in range(number)]
    return Slips(title, "2026-014", date(2026, 4, 16), date(2026, 4, 17), date(2026, 5, 8), codes)


def test_each_slip_leads_to_its_questionnaire(app: Flask) -> None:
    printed = slips(4)
    pdf = slips_paper(printed, NOW).pdf
    base = "http://trainings.example/rueckmeldung/"
    assert sorted(codes_in(pdf)) == sorted(base + code for code in printed.codes)


def test_a_slip_says_what_has_to_be_known(app: Flask) -> None:
    printed = slips(1)
    text = " ".join(text_of(slips_paper(printed, NOW).pdf).split())
    for words in (
        "Wie war es für Sie?",
        "Umgang mit Konflikten",
        "16.–17.04.2026",
        in_groups(printed.codes[0]),
        "trainings.example/rueckmeldung/",
        "Freiwillig und anonym",
        "08.05.2026",
    ):
        assert words in text


def test_codes_are_typed_as_they_are_printed() -> None:
    code = new_code()
    assert [len(part) for part in in_groups(code).split("-")] == [4, 4, 4, 4]
    assert normalise_code(in_groups(code)) == code


@pytest.mark.parametrize(
    "title", ["Umgang mit Konflikten", (LONG * 3)[:160], "#import $x$ 漢字 \\ <b>"]
)
def test_slips_are_accessible_whatever_the_title(app: Flask, title: str) -> None:
    pdf = slips_paper(slips(3, title), NOW).pdf
    assert failures_of(pdf) == []
    assert len(codes_in(pdf)) == 3


@pytest.mark.parametrize(("number", "pages"), [(1, 1), (10, 1), (11, 2), (64, 7)])
def test_ten_stand_on_a_page(app: Flask, number: int, pages: int) -> None:
    with opened(slips_paper(slips(number, (LONG * 3)[:160]), NOW).pdf) as document:
        assert len(document.pages) == pages
