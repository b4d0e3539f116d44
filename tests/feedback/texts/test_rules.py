"""Marks instead of names, and hints where names may be."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.feedback.models import TextState
from trainings.feedback.texts.rules import (
    MARK,
    fingerprint,
    folded,
    name_parts,
    pieces,
    redact,
)


@pytest.mark.parametrize(
    ("text", "passages", "left"),
    [
        ("Frau Müller war gut.", ["Frau Müller"], "[…] war gut."),
        ("Müller, MÜLLER und müllers", ["müller"], "[…], […] und […]s"),
        ("Herr Groß half.", ["GROSS"], "Herr […] half."),
        ("Herr GROSS half.", ["Groß"], "Herr […] half."),
        ("Die Straße war laut.", ["stras"], "Die […]e war laut."),
        ("Anna-Lena war da.", ["Anna", "Lena"], "[…] war da."),
        ("Anna Lena Muster war da.", ["Anna Lena", "Lena Muster"], "[…] war da."),
        ("Herr\nMüller kam.", ["Herr Müller"], "[…] kam."),
        ("Mül\u00adler kam.", ["Müller"], "[…] kam."),
        ("Mu\u0308ller kam.", ["Müller"], "[…] kam."),
        ("Müller kam.", ["Mu\u0308ller"], "[…] kam."),
        ("Meyer\u2011Schulz kam.", ["Meyer-Schulz"], "[…] kam."),
        ("O\u2019Neill kam.", ["O'Neill"], "[…] kam."),
        ("Herr \u00ad Müller kam.", ["Herr Müller"], "[…] kam."),
        ("ababa und mehr", ["aba"], "[…] und mehr"),
        ("Q\u0308i kam", ["qi"], None),
        ("Bei […] sprach Weiß", ["weiß"], "Bei […] sprach […]"),
        ("Sie sagte „+49 201 1234“.", ["+49 201 1234"], "Sie sagte „[…]“."),
    ],
)
def test_passages_become_marks(text: str, passages: list[str], left: str | None) -> None:
    if left is None:
        with pytest.raises(DomainError) as refusal:
            redact(text, passages)
        assert refusal.value.code == "passage_not_found"
    else:
        assert redact(text, passages) == left


@pytest.mark.parametrize(
    ("passages", "code"),
    [
        ([], "no_passage"),
        (["", "  \n"], "no_passage"),
        (["e"], "passage_too_short"),
        ([" . , "], "passage_too_short"),
        (["[…]"], "passage_too_short"),
        (["Schmidt"], "passage_not_found"),
        (["Müller", "Schmidt"], "passage_not_found"),
        (["Frau Müller war gut"], "nothing_left"),
    ],
)
def test_what_cannot_be_made_unreadable_is_refused(passages: list[str], code: str) -> None:
    with pytest.raises(DomainError) as refusal:
        redact("Frau Müller war gut.", passages)
    assert (refusal.value.code, refusal.value.field) == (code, "passages")


SIGNS = st.sampled_from("aAäÄsSßẞeéiİı qQ\u0308\u0301\u00ad-\u2011'\u2019\n\u00a01[…]ﬁfK\u212a")
TEXTS = st.text(SIGNS, max_size=40)


@given(st.data())
def test_nothing_of_a_passage_remains(data: st.DataObject) -> None:
    text = data.draw(TEXTS)
    slices = st.tuples(st.integers(0, 40), st.integers(2, 8)).map(
        lambda at: text[at[0] : at[0] + at[1]]
    )
    passages = data.draw(st.lists(slices, min_size=1, max_size=4))
    try:
        left = redact(text, passages)
    except DomainError:
        return
    for passage in passages:
        wanted = folded(passage).strip()
        assert not wanted or wanted not in folded(left)
    assert MARK in left


@given(TEXTS, TEXTS, st.integers(2, 60), st.integers(2, 60))
def test_a_mark_does_not_tell_how_long_something_was(
    before: str, after: str, short: int, long: int
) -> None:
    assume("x" not in folded(before + after))
    assume(any(sign.isalnum() for sign in before + after))
    # What follows must not join the last sign of the passage.
    left = [redact(f"{before}{'x' * number}.{after}", ["x" * number]) for number in (short, long)]
    assert left[0] == left[1]


@given(TEXTS)
def test_texts_that_are_the_same_to_a_reader_are_the_same_here(text: str) -> None:
    assert folded(unicodedata.normalize("NFD", text)) == folded(unicodedata.normalize("NFC", text))


def test_a_very_long_text_is_done_at_once() -> None:
    text = "ab" * 1_000
    assert redact(text + " gut", ["ab"]) == "[…] gut"
    for hostile in ("a" * 2_000, "@" * 2_000, "1 " * 1_000, "1" + "/" * 1_999, "Dr " * 600):
        assert "".join(piece.text for piece in pieces(hostile, frozenset({"aa"}))) == hostile


@pytest.mark.parametrize(
    ("text", "hinted"),
    [
        ("Frau Müller war gut.", ["Müller"]),
        ("Der Kollege Yıldız und Dr. Öz-Kaya", ["Yıldız", "Öz-Kaya"]),
        ("Herrn Prof. Dr. Klug danke ich", ["Klug"]),
        ("Die Kollegen haben geholfen, eine Frau hat gelacht.", []),
        ("Schreibt an a.b@stadt-essen.example!", ["a.b@stadt-essen.example"]),
        ("Tel. 0201 475892-0 anrufen", ["0201 475892-0"]),
        ("Dienst-Nr. 47, Personalnummer: 12", ["47", "12"]),
        ("Az. 12 und 501 Js 345/21", ["12", "501 Js 345/21"]),
        ("2026 um 9.00 oder 16:30 Uhr, zwei von 12", []),
        (
            "kaluza war toll, KALUZAS Übung auch, die Lindner-Idee",
            ["kaluza", "KALUZAS", "Lindner-Idee"],
        ),
        ("Alles von der Leyen", ["Leyen"]),
        ("", []),
    ],
)
def test_what_may_name_somebody_has_a_hint(text: str, hinted: list[str]) -> None:
    names = name_parts(["Kaluza", "Öztürk-Lindner", "von der Leyen", "Li"])
    found = pieces(text, names)
    assert "".join(piece.text for piece in found) == text
    assert [piece.text for piece in found if piece.hint] == hinted


@given(TEXTS, st.lists(TEXTS))
def test_hints_never_change_the_text(text: str, names: list[str]) -> None:
    assert "".join(piece.text for piece in pieces(text, name_parts(names))) == text


def test_a_fingerprint_changes_with_state_and_text() -> None:
    seen = {
        fingerprint(state, text)
        for state in (TextState.UNREAD, TextState.SHOWN)
        for text in ("gut", "Gut")
    }
    assert len(seen) == 4
