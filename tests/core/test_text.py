"""Text that people type: cleaned, checked, made sortable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.text import clean, is_registered_name, normalise_email, sort_key


@pytest.mark.parametrize(
    ("typed", "cleaned"),
    [
        ("  Kübra \t Öztürk\u00a0Lindner ", "Kübra Öztürk Lindner"),
        ("Ku\u0308bra", "Kübra"),
        ("\u202eegnirts\u202c", "egnirts"),
        ("a\x00b\x1bc\ufeffd\u200be", "abcde"),
        ("eins\r\nzwei\rdrei", "eins zwei drei"),
        ("Informations\u00adveranstaltung", "Informations\u00adveranstaltung"),
        ("👍🏽 ok", "👍🏽 ok"),
        ("\ud83d", ""),
        ("", ""),
    ],
)
def test_line_is_cleaned(typed: str, cleaned: str) -> None:
    assert clean(typed) == cleaned


def test_paragraphs_stay_in_longer_text() -> None:
    typed = " eins  zwei \r\n\r\n\r\n\r\ndrei\t\tvier\x00 \r"
    assert clean(typed, multiline=True) == "eins zwei\n\ndrei vier"


@given(st.text())
def test_cleaned_text_is_stable_and_holds_nothing_invisible(text: str) -> None:
    for multiline in (False, True):
        once = clean(text, multiline=multiline)
        assert clean(once, multiline=multiline) == once
        allowed = {"\n", "\u00ad"} if multiline else {"\u00ad"}
        for sign in once:
            assert sign in allowed or unicodedata.category(sign)[0] != "C"


@pytest.mark.parametrize(
    "name",
    ["Kałuża", "Öztürk-Lindner", "O'Neil", "O’Neil", "van der Meulen", "Đặng", "Müller (geb. Ş.)"],
)
def test_names_of_german_registers_are_taken(name: str) -> None:
    assert is_registered_name(name)


@pytest.mark.parametrize("name", ["", " ", "-", "<b>", "R2D2", "Иван", "😀", "a\nb", "a@b"])
def test_what_no_register_writes_is_refused(name: str) -> None:
    assert not is_registered_name(name)


def test_names_sort_as_din_5007_wants() -> None:
    names = ["Zahn", "Öztürk", "Oz", "Ärzte", "Arzt", "Straße", "Strasse A", "Łukasz", "Lutz"]
    assert sorted(names, key=sort_key) == [
        "Arzt", "Ärzte", "Łukasz", "Lutz", "Oz", "Öztürk", "Straße", "Strasse A", "Zahn",
    ]  # fmt: skip


@given(st.text())
def test_sort_key_is_short_plain_ascii(text: str) -> None:
    key = sort_key(text)
    assert key.isascii()
    assert len(key) <= 200
    assert key == key.strip().lower()


def test_address_is_stored_trimmed_and_lower_case() -> None:
    assert normalise_email("  Kuebra@Stadt-ESSEN.example\u200b\n") == "kuebra@stadt-essen.example"
