"""PDFs: accessible, harmless whatever people type, and there whatever letters they use."""

from __future__ import annotations

import io
import unicodedata
from datetime import UTC, datetime, timedelta

import pikepdf
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.pdfs import codes_in, failures_of, opened, tags_of, text_of
from trainings.core.documents import STAND_IN, Document, missing_letters, render
from trainings.core.qr import qr_modules
from trainings.core.text import is_registered_name

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MARKUP = (
    '#import "parts.typ"',
    '#read("/etc/passwd")',
    "$x^2$ \\ *fett* _k_ @w <l>",
    "= `r` // - ~ [a] {b}",
)
DOUBLE_NAME = "Freiherr von Müller-Lüdenscheidt-Hohenstein zu Guttenberg-Sayn-Wittgenstein-Berl"
# The letters of DIN 91379 with several marks or of which Fira Sans has no form.
REGISTERED = "Ạ̈ C̨̆ D̂ H̱ ẖ J̌ ǰ K̕ Ḱ L̥̄ M̂ m̂ Ŋ ŋ N̄̃ P̀ Ṝ S̛̄ Ṯ T̈ Ẕ̤ ə ʒ ʹ ʺ ʿ ˈ ẞ Ǣ Ǿ"


def sheet(*names: str, title: str = "Teilnahmeliste") -> Document:
    """Make a sign-in sheet for these people."""
    people = [
        {"name": name, "organisation": "Stadt Essen", "unit": "", "walk_in": False}
        for name in names
    ]
    session = {"label": "Vormittag", "time": "09:00–12:15 Uhr"}
    data = {
        "number": "2026-014",
        "event": "Professioneller Umgang mit Konflikten",
        "place": "",
        "trainers": [],
        "sheets": [{"day": "Do., 12.03.2026", "sessions": [session]}],
        "people": people,
        "empty_rows": 0,
    }
    return render("sign_in_sheet", data, title=title, at=AT)


def test_document_is_accessible_german_and_has_its_title(app: Flask) -> None:
    made = sheet("Kałuża, Jördis", title="Liste für „Umgang“")
    assert failures_of(made.pdf) == []
    with pikepdf.open(io.BytesIO(made.pdf)) as document:
        assert str(document.Root.Lang) == "de-DE"
        assert bool(document.Root.MarkInfo.Marked)
        assert bool(document.Root.ViewerPreferences.DisplayDocTitle)
        with document.open_metadata() as metadata:
            assert metadata["dc:title"] == "Liste für „Umgang“"
            assert metadata["pdfuaid:part"] == "1"
    tags = tags_of(made.pdf)
    assert {"/H1", "/Table", "/THead", "/TH", "/TR", "/TD"} <= set(tags)


def test_only_the_fonts_of_the_application_are_used(app: Flask) -> None:
    with opened(sheet("Kałuża, Jördis", "Li, 王").pdf) as document:
        fonts = {sign["fontname"].split("+")[-1] for sign in document.pages[0].chars}
    assert {font.split("-")[0] for font in fonts} == {"FiraSans", "NotoSans"}


def test_markup_in_a_name_is_only_text(app: Flask) -> None:
    made = sheet(*MARKUP)
    text = text_of(made.pdf)
    assert [name for name in MARKUP if name not in text] == []
    assert failures_of(made.pdf) == []
    assert made.missing == frozenset()


def test_same_data_gives_the_same_bytes_and_the_time_is_the_given_one(app: Flask) -> None:
    made = sheet("Kałuża, Jördis")
    assert sheet("Kałuża, Jördis").pdf == made.pdf
    data = {"number": "", "event": "", "sheets": [], "people": []}
    first = render("sign_in_sheet", data, title="T", at=AT)
    later = render("sign_in_sheet", data, title="T", at=AT + timedelta(seconds=1))
    assert first.pdf != later.pdf
    with pikepdf.open(io.BytesIO(made.pdf)) as document, document.open_metadata() as metadata:
        assert metadata["xmp:CreateDate"].startswith("2026-03-02")


def test_letters_of_german_registers_are_printed(app: Flask) -> None:
    made = sheet(REGISTERED)
    assert made.missing == frozenset()
    assert STAND_IN not in text_of(made.pdf)


def test_fonts_have_every_letter_that_a_name_may_have() -> None:
    letters = [chr(code) for code in range(0x20, 0x1F00)]
    marks = [sign for sign in letters if unicodedata.combining(sign)]
    allowed = [sign for sign in letters if is_registered_name(f"a{sign}")]
    assert len(allowed) > 800
    assert [sign for sign in allowed if missing_letters(sign)] == []
    assert [
        mark for mark in marks if is_registered_name(f"m{mark}") and missing_letters(f"m{mark}")
    ] == []


@pytest.mark.parametrize(
    ("name", "missing", "printed"),
    [
        ("Li, 王", {"王"}, f"Li, {STAND_IN}"),
        ("Bob 🎉", {"🎉"}, f"Bob {STAND_IN}"),
        ("אבא, Ben", {"א", "ב"}, f"{STAND_IN * 3}, Ben"),
        # A letter and its marks are one: half of it would be another letter.
        ("Da\u20e3n", {"a\u20e3"}, f"D{STAND_IN}n"),
    ],
)
def test_letter_that_no_font_has_is_replaced_and_reported(
    app: Flask, name: str, missing: set[str], printed: str
) -> None:
    made = sheet(name)
    assert made.missing == missing
    assert printed in text_of(made.pdf)
    assert failures_of(made.pdf) == []


def test_signs_that_reorder_or_hide_text_are_left_out(app: Flask) -> None:
    made = sheet("Bei\u202espiel, \u200bA\u0000nna\u2066")
    assert "Beispiel, Anna" in text_of(made.pdf)
    assert made.missing == frozenset()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(name=st.text(max_size=160), title=st.text(max_size=60))
def test_whatever_people_type_there_is_an_accessible_paper(
    app: Flask, name: str, title: str
) -> None:
    made = sheet(name, title=f"Liste {title}")
    assert failures_of(made.pdf) == []


def test_long_names_stay_within_their_column(app: Flask) -> None:
    made = sheet(DOUBLE_NAME, "x" * 80, f"{'Y' * 79}-")
    with opened(made.pdf) as document:
        page = document.pages[0]
        column = min(line["x0"] for line in page.lines if abs(line["x0"] - line["x1"]) < 1)
        names = [sign for sign in page.chars if sign["text"][0] in "xY"]
        assert len(names) >= 159
        assert max(sign["x1"] for sign in names) < column
        left = next(word["x0"] for word in page.extract_words() if word["text"] == "Name,")
        lines = page.crop((left - 1, 0, column, page.height)).extract_text().split("\n")
    assert DOUBLE_NAME in " ".join(lines).replace("- ", "-")


def test_long_list_repeats_its_head_and_loses_nobody(app: Flask) -> None:
    names = [f"Beispiel-{number:03d}, Erika" for number in range(300)]
    made = sheet(*names)
    assert failures_of(made.pdf) == []
    with opened(made.pdf) as document:
        assert len(document.pages) > 10
        pages = [page.extract_text() for page in document.pages]
    assert all("Name, Organisation" in page and "Vormittag, 09:00" in page for page in pages[:-1])
    assert [name for name in names if "".join(pages).count(name) != 1] == []
    # The repeated heads are decoration: a screen reader hears the head once.
    assert tags_of(made.pdf).count("/THead") == 1


def test_empty_list_is_a_paper_too(app: Flask) -> None:
    made = sheet()
    assert failures_of(made.pdf) == []
    assert "Name, Organisation" in text_of(made.pdf)


def test_code_is_drawn_from_its_modules_and_has_words_for_screen_readers(app: Flask) -> None:
    address = "http://trainings.example/veranstaltungen/2026-014"
    data = {
        "number": "2026-014", "event": "Training", "times": [], "venue": None, "contact": [],
        "address": address, "modules": qr_modules(address),
    }  # fmt: skip
    made = render("directions", data, title="Anfahrt", at=AT)
    assert codes_in(made.pdf) == [address]
    assert failures_of(made.pdf) == []
    assert "/Figure" in tags_of(made.pdf)
    with opened(made.pdf) as document:
        assert document.pages[0].images == []


def test_template_that_breaks_is_an_error_and_no_empty_paper(app: Flask) -> None:
    with pytest.raises(RuntimeError, match=r"door_list: .*dictionary does not contain key"):
        render("door_list", {"number": "2026-014"}, title="Liste", at=AT)
