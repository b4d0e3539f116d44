"""Reading a pasted list: whatever comes, nothing is lost and nothing breaks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.core.errors import DomainError
from trainings.core.text import clean
from trainings.registrations.collective_rules import (
    LONGEST_CELL,
    LONGEST_LIST,
    MOST_PEOPLE,
    Column,
    ListedPerson,
    read_list,
    repeated,
)

AYSE = ListedPerson("Ayşe", "Yılmaz", "ayse@stadt.example", "Ordnungsamt", "Leitung")
CELLS = st.text(
    st.characters(codec="utf-8", exclude_characters='\t\n\r\x0b\x0c\x1c\x1d\x1e\x85";,'),
    max_size=30,
)


@pytest.mark.parametrize("separator", ["\t", ";", ","])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_three_separators_and_three_line_endings(separator: str, ending: str) -> None:
    line = separator.join(("Ayşe", "Yılmaz", "ayse@stadt.example", "Ordnungsamt", "Leitung"))
    assert read_list(ending.join((line, "", line))) == [AYSE, AYSE]


def test_a_header_decides_what_the_columns_hold() -> None:
    text = "Nr.\tE-Mail-Adresse\tName\tVorname\n7\tayse@stadt.example\tYılmaz\tAyşe"
    assert read_list(text) == [ListedPerson("Ayşe", "Yılmaz", "ayse@stadt.example")]


def test_a_list_without_header_loses_no_row() -> None:
    assert [row.given_name for row in read_list("Vorname;Nachname\nAyşe;Yılmaz")] == [
        "Vorname",
        "Ayşe",
    ]


def test_quoted_cells_may_hold_the_separator_and_an_open_quote_swallows_nothing() -> None:
    assert read_list('A;B;c@d.example;"Amt 1; Team 2"')[0].unit == "Amt 1; Team 2"
    rows = read_list('"A;B;c@d.example\nE;F;g@h.example')
    assert [row.email for row in rows] == ["c@d.example", "g@h.example"]


def test_hostile_signs_are_left_out_and_formulas_are_text() -> None:
    (row,) = read_list("\ufeffA\x00y\u202eşe\t=HYPERLINK(1)\ta@b.example\t+49\t\u2066Chef")
    assert row == ListedPerson("Ayşe", "=HYPERLINK(1)", "a@b.example", "+49", "Chef")


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\x00" * 1_000_000, "\n" * (LONGEST_LIST + 1)])
def test_a_megabyte_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        read_list(text)
    assert (caught.value.code, caught.value.field) == ("list_too_long", "pasted")


def test_twenty_are_taken_and_more_are_refused_with_their_number() -> None:
    line = "A;B;a@b.example\n"
    assert len(read_list(line * MOST_PEOPLE)) == MOST_PEOPLE
    with pytest.raises(DomainError, match="too_many_people") as caught:
        read_list(line * (MOST_PEOPLE + 1))
    assert "21 Personen" in caught.value.sentence


@given(st.lists(st.lists(CELLS, min_size=5, max_size=5), max_size=MOST_PEOPLE))
def test_what_a_spreadsheet_copies_comes_back_as_it_was(table: list[list[str]]) -> None:
    typed = [[clean(cell) for cell in row] for row in table]
    typed = [["x" + row[0], row[1], "y" + row[2], *row[3:]] for row in typed]
    expected = [ListedPerson(*(clean(cell) for cell in row)) for row in typed]
    assert read_list("\n".join("\t".join(row) for row in typed)) == expected


@given(st.text(max_size=3000))
def test_any_text_gives_rows_of_clean_short_cells_or_a_refusal(text: str) -> None:
    try:
        rows = read_list(text)
    except DomainError as refusal:
        assert refusal.code == "too_many_people"
        return
    for row in rows:
        for column in Column:
            cell = getattr(row, column)
            assert len(cell) <= LONGEST_CELL
            assert cell == clean(cell)
            assert "\x00" not in cell


@given(st.lists(st.sampled_from(["", "a@x.de", "A@X.DE ", "b@x.de"]), max_size=8))
def test_the_first_of_equal_addresses_counts(emails: list[str]) -> None:
    kept = [email.strip().lower() for at, email in enumerate(emails) if at not in repeated(emails)]
    named = [email for email in kept if email]
    assert len(named) == len(set(named))
    assert set(named) == {email.strip().lower() for email in emails} - {""}
