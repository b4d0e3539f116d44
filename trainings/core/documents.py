"""PDFs: templates in Typst, filled with data that can never become markup.

Data travels as JSON (`sys_inputs`), so that a name with `#import` or `$` is only text. Each
document is PDF/UA-1 in German; the same data gives the same bytes. `core.typesetter` sets it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from trainings.core.files import resource_folder
from trainings.core.settings import current_settings
from trainings.core.text import clean

STAND_IN = "\ufffd"
"""Stands for a letter that no font has: Noto Sans has it, a question mark in a diamond."""
MEDIA_TYPE = "application/pdf"
LONGEST_SECONDS = 20
"""Less than a web process may take for an answer; 300 rows take a fifth of a second."""
_TYPESETTER = Path(__file__).with_name("typesetter.py")
_FAMILIES = ("FiraSans", "NotoSans")
_SOFT_HYPHEN = "\u00ad"
# Shown as a break in the line, without a glyph.
_WITHOUT_GLYPH = frozenset({"\n", _SOFT_HYPHEN})


@dataclass(frozen=True)
class Document:
    """A finished PDF.

    Attributes:
        pdf: its bytes.
        missing: letters that no font has; `STAND_IN` is printed for them.

    """

    pdf: bytes
    missing: frozenset[str]


@dataclass(frozen=True)
class Paper:
    """What is to become a PDF.

    Attributes:
        template: name of a file in `templates/documents/`, without its ending.
        data: what the template shows: texts, numbers, None, sequences and mappings of these.
        title: of the document, as a reader shows it.
        at: when it was made; stands in the metadata instead of the present.

    """

    template: str
    data: Mapping[str, object]
    title: str
    at: datetime


def render(template: str, data: Mapping[str, object], *, title: str, at: datetime) -> Document:
    """Make a PDF; see `Paper` for what it is made of, `render_all` for how."""
    (document,) = render_all([Paper(template, data, title, at)])
    return document


def render_all(papers: Sequence[Paper]) -> list[Document]:
    """Make PDFs, several in one go: to start the typesetter takes longer than to set a page.

    A letter that no font has would stop the making of an accessible PDF; a stand-in is printed for
    it and it is reported, so that there always is a paper.
    """
    folder = resource_folder("templates") / "documents"
    missing: list[set[str]] = [set() for _ in papers]
    jobs = [
        {
            "template": str(folder / f"{paper.template}.typ"),
            "data": _inputs(paper, letters),
            "at": int(paper.at.timestamp()),
        }
        for paper, letters in zip(papers, missing, strict=True)
    ]
    work = {"root": str(folder), "fonts": str(_font_files()[0].parent), "jobs": jobs}
    names = ", ".join(sorted({paper.template for paper in papers}))
    pdfs = _typeset(names, json.dumps(work).encode())
    return [Document(pdf, frozenset(letters)) for pdf, letters in zip(pdfs, missing, strict=True)]


def _inputs(paper: Paper, missing: set[str]) -> str:
    inputs = {
        "title": _printable(paper.title, missing),
        "office": _printable(current_settings().office, missing),
        "written": _printable_all(paper.data, missing),
    }
    return json.dumps(inputs, ensure_ascii=False, sort_keys=True)


def _typeset(names: str, work: bytes) -> Iterator[bytes]:
    """Run the typesetter, isolated (`-I`) from the environment's and the current folder's modules.

    Raises:
        RuntimeError: a template is wrong, or it took too long.

    """
    program = [sys.executable, "-I", str(_TYPESETTER)]
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program; what people typed is in its input
            program, input=work, capture_output=True, timeout=LONGEST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{names}: took too long") from None
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise RuntimeError(f"{names}: {reason}")
    lengths, _, papers = done.stdout.partition(b"\n")
    begin = 0
    for length in json.loads(lengths):
        yield papers[begin : begin + length]
        begin += length


def missing_letters(text: str) -> frozenset[str]:
    """Return the letters of a text that no font of the documents has, with their marks."""
    missing: set[str] = set()
    _printable(text, missing)
    return frozenset(missing)


def _printable_all(value: object, missing: set[str]) -> object:
    """Return data with every text in it made printable."""
    if isinstance(value, str):
        return _printable(value, missing)
    if isinstance(value, Mapping):
        return {key: _printable_all(each, missing) for key, each in value.items()}
    if isinstance(value, Sequence):
        return [_printable_all(each, missing) for each in value]
    return value


def _printable(text: str, missing: set[str]) -> str:
    """Return a text that the fonts can print; what they cannot is added to `missing`."""
    text = clean(text, multiline=True)
    if text.isascii() or any(covered.issuperset(text) for covered in _coverage()):
        return text
    letters = []
    for letter in _letters(text):
        if any(covered.issuperset(letter) for covered in _coverage()):
            letters.append(letter)
        else:
            missing.add(letter)
            letters.append(STAND_IN)
    return "".join(letters)


def _letters(text: str) -> Iterator[str]:
    """Yield each letter with the marks that belong to it: one font has to have both."""
    letter = ""
    for sign in text:
        if letter and not unicodedata.category(sign).startswith("M"):
            yield letter
            letter = ""
        letter += sign
    if letter:
        yield letter


def _font_files(family: str = "") -> list[Path]:
    folder = resource_folder("static") / "build" / "pdf-fonts"
    found = sorted(folder.glob(f"{family}*.ttf"))
    if not found:
        raise FileNotFoundError(f"Schriften für Papiere fehlen: {folder}")
    return found


@cache
def _coverage() -> tuple[frozenset[str], ...]:
    """Return the signs of each family that all of its weights have, read once."""
    # Costs 30 ms, which no process pays that prints nothing but ASCII.
    from fontTools.ttLib import TTFont

    def signs_of(path: Path) -> set[str]:
        with TTFont(path, lazy=True) as font:
            return set(map(chr, font.getBestCmap()))

    return tuple(
        frozenset(set.intersection(*map(signs_of, _font_files(family)))) | _WITHOUT_GLYPH
        for family in _FAMILIES
    )
