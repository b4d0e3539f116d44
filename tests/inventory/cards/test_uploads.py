"""Uploaded files: what is taken, what is kept, what is refused."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.inventory.cards.files import PDF, SECRET, bomb, picture
from trainings.core.errors import DomainError
from trainings.inventory.cards.uploads import (
    LARGEST_PDF,
    LARGEST_PICTURE,
    kept_name,
    read_pdf,
    read_picture,
)


def kept(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_a_picture_is_drawn_anew_without_the_notes_of_the_camera(form: str) -> None:
    sent = picture(form, size=(2400, 1200))
    assert SECRET.encode() in sent
    drawn = read_picture("karte.png", sent)
    image = kept(drawn.content)
    assert (image.format, image.size) == ("WEBP", (1200, 600))
    assert not image.getexif()
    assert SECRET.encode() not in drawn.content


def test_a_small_picture_is_not_blown_up_and_stands_upright() -> None:
    assert kept(read_picture("a", picture("JPEG", turned=True)).content).size == (40, 60)


@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA", "I;16"])
def test_all_kinds_of_colours_are_taken(mode: str) -> None:
    image = kept(read_picture("a", picture(mode=mode)).content)
    assert image.mode == ("RGBA" if mode in {"RGBA", "LA"} else "RGB")


def test_what_hides_behind_a_picture_is_gone() -> None:
    assert b"<script>" not in read_picture("a", picture() + b"<script>alert(1)</script>").content


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "no_picture"),
        (b"GIF89a\x01\x00\x01\x00", "no_picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "no_picture"),
        (picture()[:60], "no_picture"),
        (b"\0" * (LARGEST_PICTURE + 1), "picture_too_large"),
        (bomb(), "too_many_pixels"),
        (bomb(10_000, 10_000), "too_many_pixels"),
        (bomb(5001, 5000), "too_many_pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_a_sentence(content: bytes, code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        read_picture("a.png", content)
    assert refusal.value.code == code
    assert "Gespeichert wurde nichts" in refusal.value.sentence


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_damaged_picture_is_drawn_or_refused_and_nothing_else(data: st.DataObject) -> None:
    sent = bytearray(picture(data.draw(st.sampled_from(["PNG", "JPEG", "WEBP"]))))
    for _ in range(data.draw(st.integers(1, 8))):
        sent[data.draw(st.integers(0, len(sent) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(1, len(sent)))
    try:
        read_picture("a", bytes(sent[:cut]))
    except DomainError as refusal:
        assert refusal.code in {"no_picture", "too_many_pixels"}


@pytest.mark.parametrize("form", ["JPEG", "WEBP"])
def test_damaged_words_about_a_picture_do_not_matter(form: str) -> None:
    sent = bytearray(picture(form))
    begin = sent.index(SECRET.encode()) - 26
    assert sent[begin : begin + 2] == b"MM"
    # So many entries as its directory names are not there.
    sent[begin + 8 : begin + 10] = b"\x40\x40"
    assert read_picture("a", bytes(sent)).content


def test_a_pdf_is_known_by_its_first_bytes_and_kept_as_it_is() -> None:
    assert read_pdf("karte.pdf", PDF).content == PDF
    for content, code in (
        (b"", "no_pdf"),
        (b"<html>%PDF-1.7", "no_pdf"),
        (b"%PDF-" + b"\0" * LARGEST_PDF, "pdf_too_large"),
    ):
        with pytest.raises(DomainError) as refusal:
            read_pdf("karte.pdf", content)
        assert refusal.value.code == code


@pytest.mark.parametrize(
    ("name", "kept_as"),
    [
        ("karte.pdf", "karte.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\erika\\Karte.pdf", "Karte.pdf"),
        ("gpj.\u202ekarte\x00\r\n.pdf", "gpj.karte .pdf"),
        ("", "ohne Namen"),
        ("ordner/", "ohne Namen"),
        ("x" * 300 + ".pdf", "x" * 116 + ".pdf"),
        ("a." + "x" * 300, "a." + "x" * 118),
    ],
)
def test_names_of_files_are_hostile(name: str, kept_as: str) -> None:
    assert kept_name(name) == kept_as


@given(st.text(max_size=400))
def test_any_name_can_be_kept(name: str) -> None:
    kept_as = kept_name(name)
    assert 1 <= len(kept_as) <= 120
    assert not {"/", "\\", "\n", "\x00", "\u202e"} & set(kept_as)
