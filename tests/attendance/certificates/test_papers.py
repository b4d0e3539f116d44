"""The paper itself, read by libraries that did not write it."""

from __future__ import annotations

import io
import zipfile
from datetime import timedelta
from typing import Any

import pikepdf
import pytest
from flask import Flask

from tests.attendance.certified import CLOSED_AT
from tests.pdfs import codes_in, failures_of, opened, tags_of, text_of
from trainings.attendance.certificates.papers import certificate_document, certificates_zip
from trainings.attendance.models import Certificate, CertificateKind

CODE = "7F3K2Q9MXW4T7F3K2Q9M"
LONG_NAME = "Wolfeschlegelsteinhausenbergerdorff-" * 2 + "Öztürk von und zu Mühlhausen"
MARKUP = '#import "x" $x^2$ *fett* \\ <label> @ref = Titel'


def paper(
    *,
    kind: CertificateKind = CertificateKind.CERTIFICATE,
    attended: tuple[int, ...] = (195, 195, 195, 195),
    **values: Any,
) -> Certificate:
    """Return a certificate of a course of two days."""
    times = [("09:00", "12:15", "Vormittag"), ("13:15", "16:30", "Nachmittag")] * 2
    content = {
        "name": "Dr. Kübra Öztürk-Lindner",
        "initials": "K. Ö.",
        "organisation": "Stadt Essen",
        "kind_name": "Training",
        "title": "Professioneller Umgang mit Konflikten",
        "event_number": "2026-014",
        "contents": ["Hintergrundwissen", "interkulturelle Kompetenz", "Kommunikation"],
        "sessions": [
            {"day": f"2026-03-{12 + index // 2}", "begins": begins, "ends": ends, "label": label,
             "attended": attended[index]}
            for index, (begins, ends, label) in enumerate(times)
        ],
        "town": "Essen",
        "trainers": ["Jördis Kałuża"],
        "office": "Sicherheitskooperation Ruhr",
        **values,
    }  # fmt: skip
    return Certificate(
        id=1,
        number="SIKO-2026-014-007",
        code=CODE,
        kind=kind,
        content=content,
        attended_minutes=sum(attended),
        planned_minutes=780,
        issued_at=CLOSED_AT,
    )


def pdf_of(*papers: Certificate) -> bytes:
    return certificate_document(papers).pdf


def test_it_says_who_what_when_and_how_long(app: Flask) -> None:
    text = text_of(pdf_of(paper()))
    for words in (
        "Sicherheitskooperation Ruhr",
        "Teilnahmebescheinigung",
        "Dr. Kübra Öztürk-Lindner",
        "Stadt Essen",
        "Professioneller Umgang mit Konflikten",
        "Do., 12.03.2026, 09:00–12:15 Uhr",
        "Fr., 13.03.2026, 13:15–16:30 Uhr",
        "13 Stunden",
        "interkulturelle Kompetenz",
        "SIKO-2026-014-007",
        "Essen, 13.03.2026",
        "Leitung: Jördis Kałuża",
        "7F3K-2Q9M-XW4T-7F3K-2Q9M",
        "Maschinell erstellt",
    ):
        assert words in text
    assert "von geplanten" not in text


def test_a_statement_says_of_each_session_how_much_was_attended(app: Flask) -> None:
    text = text_of(pdf_of(paper(kind=CertificateKind.STATEMENT, attended=(195, 0, 120, 0))))
    assert "Bescheinigung über die besuchten Stunden" in text
    assert "Teilnahmebescheinigung" not in text
    assert "12:15 Uhr: 3 Stunden 15 Minuten" in text
    assert "16:30 Uhr: nicht besucht" in text
    assert "5 Stunden 15 Minuten (7 Unterrichtseinheiten zu 45 Minuten)" in text
    assert "von geplanten 13 Stunden" in text


def test_the_code_leads_to_the_page_that_verifies(app: Flask) -> None:
    assert codes_in(pdf_of(paper())) == [f"http://trainings.example/bescheinigung/{CODE}"]


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"contents": [], "trainers": [], "town": "", "organisation": ""},
        {"name": LONG_NAME, "title": MARKUP, "contents": [MARKUP] * 30, "organisation": MARKUP},
        {"name": "Łukasz Ğ ǅ Ṩ\u0331 田中 😀 \u202eevil"},
    ],
)
def test_each_follows_pdf_ua(app: Flask, values: dict[str, Any]) -> None:
    pdf = pdf_of(paper(**values))
    assert failures_of(pdf) == []
    assert {"/H1", "/Figure"} <= set(tags_of(pdf))


def test_text_is_never_markup(app: Flask) -> None:
    assert MARKUP.split()[2] in text_of(pdf_of(paper(title=MARKUP, contents=[MARKUP])))


def test_a_long_name_is_neither_cut_nor_leaves_the_page(app: Flask) -> None:
    pdf = pdf_of(paper(name=LONG_NAME))
    assert LONG_NAME.split("-", maxsplit=1)[0] in text_of(pdf).replace(" ", "")
    with opened(pdf) as document:
        assert len(document.pages) == 1
        page = document.pages[0]
        assert max(word["x1"] for word in page.extract_words()) < page.width - 50


def test_it_has_language_title_and_date(app: Flask) -> None:
    with pikepdf.open(io.BytesIO(pdf_of(paper()))) as document:
        assert str(document.Root.Lang).startswith("de")
        assert str(document.docinfo["/Title"]) == "Teilnahmebescheinigung SIKO-2026-014-007"


def test_many_in_one_have_a_page_each(app: Flask) -> None:
    pdf = pdf_of(paper(name="Erste"), paper(name="Zweite"), paper(name="Dritte"))
    with opened(pdf) as document:
        pages = [each.extract_text() for each in document.pages]
    found = [next(name for name in ("Erste", "Zweite", "Dritte") if name in text) for text in pages]
    assert found == ["Erste", "Zweite", "Dritte"]
    assert failures_of(pdf) == []


def test_letters_without_a_font_are_told(app: Flask) -> None:
    assert certificate_document([paper()]).missing == frozenset()
    assert certificate_document([paper(name="田中")]).missing == {"田", "中"}


def test_the_same_certificate_gives_the_same_bytes(app: Flask) -> None:
    assert pdf_of(paper()) == pdf_of(paper())
    assert certificates_zip([paper()]) == certificates_zip([paper()])
    later = paper()
    later.issued_at += timedelta(days=1)
    assert pdf_of(later) != pdf_of(paper())


def test_names_in_a_zip_are_harmless(app: Flask) -> None:
    packed = certificates_zip([paper(name="../../etc\\passwd\x00/ß")])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["SIKO-2026-014-007-etc-passwd-ss.pdf"]
