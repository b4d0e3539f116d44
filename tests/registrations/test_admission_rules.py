"""The published rules of admission, attacked with any pool and any candidates."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registrations.test_rules import chains, pools, seat_all
from trainings.events.models import Admission, EventState
from trainings.registrations.admission_rules import (
    AdmissionWindow,
    Candidate,
    Rule,
    admission_refusal,
    fingerprint,
    propose,
)
from trainings.registrations.rules import Hold, Places, Seeker, Verdict

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    """Draw up to twelve people who ask, with anything that the rules look at."""
    ranks = draw(st.lists(st.integers(1, 50), max_size=12, unique=True))
    return [
        Candidate(
            id=index,
            person_id=index,
            chain=draw(chains),
            rank=rank,
            organisation_rank=draw(st.none() | st.integers(1, 4)),
            is_priority=draw(st.booleans()),
            attended_before=draw(st.integers(0, 2)),
            turned_away=draw(st.integers(0, 2)),
            elsewhere=draw(st.sampled_from(["", "", "", "2026-014"])),
        )
        for index, rank in enumerate(ranks)
    ]


def seated(places: Places, people: list[Candidate]) -> Places:
    return seat_all(places, [Seeker(one.id, one.person_id, one.chain) for one in people])


def admitted(places: Places, people: list[Candidate]) -> list[int]:
    return [line.candidate.id for line in propose(places, people) if line.admitted]


@given(pools(), candidates())
def test_capacity_contingents_and_limit_hold_for_whoever_is_admitted(
    places: Places, people: list[Candidate]
) -> None:
    for line in propose(places, people):
        if line.admitted:
            assert places.verdict(line.candidate.chain) is Verdict.PLACE
            places = places.with_seat(line.candidate.chain)
    assert places.taken + places.held <= places.capacity
    if places.organisation_limit is not None and people:
        assert all(
            places.seated_of(one.chain) <= max(places.organisation_limit, 0)
            for one in people
            if places.seated_of(one.chain)
        )


@given(pools(), candidates())
def test_everybody_is_in_the_proposal_once_and_nobody_with_a_free_place_is_left_out(
    places: Places, people: list[Candidate]
) -> None:
    lines = propose(places, people)
    assert sorted(line.candidate.id for line in lines) == sorted(one.id for one in people)
    after = seated(places, [line.candidate for line in lines if line.admitted])
    for line in lines:
        if line.candidate.elsewhere:
            assert not line.admitted
        elif not line.admitted:
            assert after.verdict(line.candidate.chain) is not Verdict.PLACE
        assert line.words({}) != ""


@given(pools(), candidates(), st.randoms())
def test_the_order_in_which_candidates_are_given_changes_nothing(
    places: Places, people: list[Candidate], random: object
) -> None:
    before = propose(places, people)
    random.shuffle(people)  # type: ignore[attr-defined]
    after = propose(places, people)
    assert after == before
    assert fingerprint(places, after) == fingerprint(places, before)


@given(pools(), candidates())
def test_nobody_is_admitted_before_somebody_whom_a_higher_rule_puts_first(
    places: Places, people: list[Candidate]
) -> None:
    """Where two could have had the same place, the better tier got it."""
    lines = [line for line in propose(places, people) if not line.candidate.elsewhere]
    general = [line for line in lines if line.admitted and line.rule is not Rule.CONTINGENT]
    after = seated(places, [line.candidate for line in lines if line.admitted])
    for winner in general:
        for loser in lines:
            if not loser.admitted and not after.limit_reached(loser.candidate.chain):
                assert winner.candidate.tier <= loser.candidate.tier


def person(serial: int, authority: int = 4, **values: object) -> Candidate:
    return replace(Candidate(serial, serial, (authority,), serial), **values)  # type: ignore[arg-type]


def rules_of(capacity: int, *people: Candidate, **pool: object) -> list[tuple[int, bool, Rule]]:
    places = replace(Places(capacity), **pool)  # type: ignore[arg-type]
    return [(line.candidate.id, line.admitted, line.rule) for line in propose(places, list(people))]


def test_a_contingent_goes_to_its_own_people_in_their_ranking() -> None:
    people = (
        person(1, authority=5, is_priority=True),
        person(2, organisation_rank=2),
        person(3, organisation_rank=1, attended_before=3),
    )
    lines = propose(Places(2, holds=(Hold(4, 1),)), list(people))
    assert [(line.candidate.id, line.admitted) for line in lines] == [
        (3, True),
        (1, True),
        (2, False),
    ]
    assert lines[0].words({4: "Stadt Essen"}) == "Kontingent: Stadt Essen"


@pytest.mark.parametrize(
    ("better", "worse", "rule"),
    [
        ({"is_priority": True}, {}, Rule.PRIORITY),
        ({}, {"attended_before": 1}, Rule.FIRST_TIME),
        ({"turned_away": 2}, {"turned_away": 1}, Rule.TURNED_AWAY),
        ({"organisation_rank": 1}, {"organisation_rank": 2}, Rule.OWN_ORDER),
        ({"organisation_rank": 9}, {}, Rule.OWN_ORDER),
    ],
)
def test_each_rule_puts_a_later_request_first_and_is_named_on_both_lines(
    better: dict[str, object], worse: dict[str, object], rule: Rule
) -> None:
    assert rules_of(1, person(1, **worse), person(2, **better)) == [
        (2, True, rule),
        (1, False, rule),
    ]


def test_organisations_are_mixed_by_whoever_has_the_fewest_places() -> None:
    people = [person(1), person(2), person(3), person(4, authority=5), person(5, authority=5)]
    assert rules_of(3, *people) == [
        (1, True, Rule.ORDER),
        (4, True, Rule.MIX),
        (2, True, Rule.ORDER),
        (5, False, Rule.ORDER),
        (3, False, Rule.ORDER),
    ]


def test_those_who_have_places_already_count_for_the_mix() -> None:
    lines = rules_of(2, person(1), person(2, authority=5), seated={(4,): 1})
    assert lines == [(2, True, Rule.MIX), (1, False, Rule.MIX)]


def test_where_there_is_a_place_for_all_no_rule_is_named() -> None:
    assert rules_of(2, person(1), person(2)) == [(1, True, Rule.ENOUGH), (2, True, Rule.ENOUGH)]


def test_the_limit_of_an_organisation_is_the_reason_also_where_all_is_full() -> None:
    lines = rules_of(2, person(1), person(2), person(3, authority=5), organisation_limit=1)
    assert lines == [
        (1, True, Rule.ORDER),
        (3, True, Rule.ENOUGH),
        (2, False, Rule.ORGANISATION_FULL),
    ]


def test_a_place_held_for_others_stays_empty_and_is_the_reason() -> None:
    lines = rules_of(1, person(1), holds=(Hold(5, 1),))
    assert lines == [(1, False, Rule.HELD_FOR_OTHERS)]


def test_whoever_sits_elsewhere_stays_without_and_the_event_is_named() -> None:
    (line,) = propose(Places(2), [person(1, elsewhere="2026-014")])
    assert not line.admitted
    assert line.words({}) == "Hat zur selben Zeit einen Platz in 2026-014"


def test_the_fingerprint_tells_changes() -> None:
    people = [person(1), person(2)]
    before = fingerprint(Places(1), propose(Places(1), people))
    assert fingerprint(Places(2), propose(Places(2), people)) != before
    assert fingerprint(Places(1), propose(Places(1), people[:1])) != before


OPEN = AdmissionWindow(
    EventState.PUBLISHED, Admission.BY_OFFICE, None, NOW, NOW + timedelta(days=14)
)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"admission": Admission.IN_ORDER}, "not_by_office"),
        ({"admitted_at": NOW}, "admitted_before"),
        ({"closes_at": NOW + timedelta(seconds=1)}, "registration_open"),
        ({"begins_at": NOW}, "event_over"),
        ({"state": EventState.CANCELLED}, "event_over"),
        ({"state": EventState.DRAFT}, "event_over"),
    ],
)
def test_why_nobody_can_be_admitted(change: dict[str, object], code: str) -> None:
    refusal = admission_refusal(replace(OPEN, **change), NOW)  # type: ignore[arg-type]
    assert refusal is not None
    assert refusal.code == code


def test_admission_opens_when_registration_has_closed() -> None:
    assert admission_refusal(OPEN, NOW) is None
