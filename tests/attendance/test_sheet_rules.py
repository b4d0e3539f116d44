"""Who of a long list is shown: by what is recorded, page by page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.attendance.models import AttendanceMark
from trainings.attendance.rules import NOTHING, THERE, Entry
from trainings.attendance.sheet_rules import PEOPLE_ON_A_PAGE, Only, fits, page_of, pages_of

ABSENT, LATE = Entry(AttendanceMark.ABSENT), Entry(AttendanceMark.PRESENT, late=5)


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ((), ()),
        ((THERE, THERE), ()),
        ((THERE, NOTHING), (Only.OPEN,)),
        ((THERE, ABSENT), (Only.UNUSUAL,)),
        ((LATE,), (Only.UNUSUAL,)),
        ((Entry(AttendanceMark.EXCUSED), NOTHING), (Only.OPEN, Only.UNUSUAL)),
    ],
)
def test_people_are_found_by_what_is_recorded(
    entries: tuple[Entry, ...], expected: tuple[Only, ...]
) -> None:
    assert tuple(only for only in Only if fits(entries, only)) == expected
    assert fits(entries, None)


@given(st.integers(0, 400), st.integers(-5, 10**12))
def test_the_pages_together_show_everybody_once(number: int, absurd: int) -> None:
    people = list(range(number))
    shown = [person for page in range(1, pages_of(number) + 1) for person in page_of(people, page)]
    assert shown == people
    assert page_of(people, None) == people
    assert len(page_of(people, absurd)) <= PEOPLE_ON_A_PAGE
    assert bool(page_of(people, absurd)) == bool(people)
