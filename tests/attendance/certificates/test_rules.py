"""The rules of certificates, by properties and by the cases people ask about."""

from __future__ import annotations

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainings.attendance.certificates.rules import (
    AttendedTime,
    attended_time,
    certificate_number,
    contents_lines,
    hours_words,
    initials,
    kind_due,
    minutes_at,
    units_words,
)
from trainings.attendance.models import AttendanceMark, CertificateKind
from trainings.attendance.rules import NOTHING, THERE, Entry, SessionTime

DAY = date(2026, 3, 12)
PRESENT = AttendanceMark.PRESENT


def lasting(session_id: int, minutes: int) -> SessionTime:
    return SessionTime(session_id, DAY, time(9), time(9 + minutes // 60, minutes % 60), "Vormittag")


MINUTES = st.integers(1, 14 * 60)
MARKS = st.sampled_from([None, *AttendanceMark])
ENTRIES = st.builds(Entry, MARKS, st.integers(0, 900), st.integers(0, 900))
COURSES = st.lists(st.tuples(MINUTES, ENTRIES, st.none() | st.integers(0, 900)), max_size=6)


def time_of(course: list[tuple[int, Entry, int | None]]) -> AttendedTime:
    sessions = [lasting(number, row[0]) for number, row in enumerate(course)]
    made_up = {number: row[2] for number, row in enumerate(course) if row[2] is not None}
    return attended_time(sessions, [row[1] for row in course], made_up)


@given(COURSES)
def test_nobody_attends_more_than_was_planned_of_any_session(
    course: list[tuple[int, Entry, int | None]],
) -> None:
    found = time_of(course)
    assert found.planned == sum(row[0] for row in course)
    assert all(0 <= own <= row[0] for own, row in zip(found.by_session, course, strict=True))


@given(COURSES)
def test_without_presence_and_without_a_made_up_session_nothing_is_attended(
    course: list[tuple[int, Entry, int | None]],
) -> None:
    away = [
        (row[0], Entry(None if row[1].mark is PRESENT else row[1].mark), None) for row in course
    ]
    found = time_of(away)
    assert found.attended == 0
    assert kind_due(found, 1) is None
    assert kind_due(found, 1, below_share=True) is None


@given(COURSES, st.integers(0, 900))
def test_a_session_made_up_never_takes_time_away(
    course: list[tuple[int, Entry, int | None]], minutes: int
) -> None:
    before = time_of([(row[0], row[1], None) for row in course])
    after = time_of([(row[0], row[1], minutes) for row in course])
    assert all(a <= b for a, b in zip(before.by_session, after.by_session, strict=True))


@given(COURSES, st.integers(1, 100))
def test_a_certificate_is_due_exactly_from_the_share_on(
    course: list[tuple[int, Entry, int | None]], share: int
) -> None:
    found = time_of(course)
    due = kind_due(found, share)
    if found.attended == 0:
        assert due is None
    elif found.attended / found.planned * 100 > share + 1e-6:
        assert due is CertificateKind.CERTIFICATE
    elif found.attended / found.planned * 100 < share - 1e-6:
        assert due is CertificateKind.STATEMENT
        assert kind_due(found, share, below_share=True) is CertificateKind.CERTIFICATE


@pytest.mark.parametrize(
    ("attended", "planned", "kind"),
    [
        (624, 780, CertificateKind.CERTIFICATE),
        (623, 780, CertificateKind.STATEMENT),
        (1, 780, CertificateKind.STATEMENT),
        (0, 780, None),
        (0, 0, None),
    ],
)
def test_the_boundary_at_eighty_percent(
    attended: int, planned: int, kind: CertificateKind | None
) -> None:
    assert kind_due(AttendedTime((attended,), planned), 80) is kind


def test_late_and_early_are_taken_off() -> None:
    morning = lasting(1, 195)
    assert minutes_at(morning, Entry(PRESENT, 20, 10)) == 165
    assert minutes_at(morning, THERE) == 195
    assert minutes_at(morning, Entry(AttendanceMark.EXCUSED)) == 0
    assert minutes_at(morning, NOTHING) == 0


def test_a_made_up_session_counts_at_most_its_own_length_and_not_on_top() -> None:
    morning = lasting(1, 180)
    assert attended_time([morning], [NOTHING], {1: 240}).attended == 180
    assert attended_time([morning], [NOTHING], {1: 120}).attended == 120
    assert attended_time([morning], [Entry(PRESENT, 60, 0)], {1: 90}).attended == 120
    assert attended_time([morning], [NOTHING], {2: 90}).attended == 0


def test_numbers_have_three_digits_at_least() -> None:
    assert certificate_number("SIKO", "2026-014", 7) == "SIKO-2026-014-007"
    assert certificate_number("SIKO", "2026-014", 1234) == "SIKO-2026-014-1234"


@pytest.mark.parametrize(
    ("given_name", "family_name", "expected"),
    [
        ("Kübra", "Öztürk-Lindner", "K. Ö."),
        ("Ann-Kathrin", "von der Heide", "A. V."),
        ("", "O'Neill", "O."),
        ("'t", "Hooft", "T. H."),
        ("ßusanne", "…", "SS."),
    ],
)
def test_initials(given_name: str, family_name: str, expected: str) -> None:
    assert initials(given_name, family_name) == expected


@given(st.text(max_size=40), st.text(max_size=40))
def test_initials_never_tell_more_than_two_letters(given_name: str, family_name: str) -> None:
    assert len(initials(given_name, family_name).split()) <= 2


@pytest.mark.parametrize(
    ("minutes", "hours", "units"),
    [
        (450, "7 Stunden 30 Minuten", "10 Unterrichtseinheiten zu 45 Minuten"),
        (45, "45 Minuten", "1 Unterrichtseinheit zu 45 Minuten"),
        (61, "1 Stunde 1 Minute", ""),
        (120, "2 Stunden", ""),
        (0, "0 Minuten", ""),
    ],
)
def test_hours_in_words(minutes: int, hours: str, units: str) -> None:
    assert hours_words(minutes) == hours
    assert units_words(minutes) == units


def test_contents_as_people_type_them() -> None:
    assert contents_lines("- Hintergrund\n\n•  Kommunikation \nKommunikation", ["Ankommen"]) == [
        "Hintergrund",
        "Kommunikation",
    ]
    assert contents_lines(" \n", ["Ankommen", "Übung", "Übung"]) == ["Ankommen", "Übung"]
