"""Reads PDFs with libraries that did not write them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

import page
import pdfplumber
import pikepdf
import zxingcpp
from pdfplumber.pdf import PDF


@contextmanager
def opened(pdf: bytes) -> Iterator[PDF]:
    """Open a PDF for its text and lines."""
    with pdfplumber.open(io.BytesIO(pdf)) as document:
        yield document


def text_of(pdf: bytes) -> str:
    """Return the text of all pages, words divided by one space."""
    with opened(pdf) as document:
        pages = [each.extract_text() for each in document.pages]
    return " ".join(" ".join(pages).replace("\u200b", "").split())


def failures_of(pdf: bytes) -> list[str]:
    """Return what breaks PDF/UA-1; a document that does not claim to follow it breaks it, too."""
    report = page.validate_pdf_bytes(pdf, profile=page.ValidationProfile.PDF_UA_1)
    return [f"{failure.rule_id}: {failure.message}" for failure in report.failures]


def tags_of(pdf: bytes) -> list[str]:
    """Return the names of all tags in reading order."""
    with pikepdf.open(io.BytesIO(pdf)) as document:
        return list(_tags_below(document.Root.StructTreeRoot))


def _tags_below(element: pikepdf.Object) -> Iterator[str]:
    if isinstance(element, pikepdf.Array):
        for each in element:
            yield from _tags_below(each)
    elif isinstance(element, pikepdf.Dictionary):
        if "/S" in element:
            yield str(element.S)
        if "/K" in element:
            yield from _tags_below(element.K)


def codes_in(pdf: bytes) -> list[str]:
    """Return what the QR codes of the first page hold."""
    with opened(pdf) as document:
        picture = document.pages[0].to_image(resolution=150).original
    return [code.text for code in zxingcpp.read_barcodes(picture)]
