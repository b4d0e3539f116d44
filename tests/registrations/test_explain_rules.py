"""„Warum (nicht)?“: which condition decides."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.registrations.test_rules import chains, pools
from trainings.events.models import Admission, EventState
from trainings.registrations.explain_rules import (
    LEFT_OUT,
    NOT_ADMITTED,
    Facts,
    deciding,
    explain,
)
from trainings.registrations.models import RegistrationState
from trainings.registrations.rules import Hold, Places, Verdict, Window

State = RegistrationState
NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
WINDOW = Window(
    EventState.PUBLISHED,
    NOW - timedelta(days=9),
    NOW + timedelta(days=9),
    NOW + timedelta(days=20),
)
WAITING = Facts(
    window=WINDOW,
    needs_release=False,
    admission=Admission.IN_ORDER,
    admitted_at=None,
    places=Places(1, seated={(5,): 1}),
    chain=(4,),
    state=State.WAITING,
    since=NOW,
    last_reason="requested",
)
NOBODY = replace(WAITING, state=None, since=None, last_reason="", places=Places(1))


def decided(facts: Facts, **values: object) -> tuple[str, bool]:
    condition = deciding(replace(facts, **values), NOW)  # type: ignore[arg-type]
    assert condition.words
    return condition.code, condition.met


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "capacity"),
        ({"places": Places(3, seated={(4,): 1}, organisation_limit=1)}, "limit"),
        ({"places": Places(1, holds=(Hold(5, 1),))}, "contingents"),
        ({"places": Places(1), "ahead": 2}, "queue"),
        ({"admission": Admission.BY_OFFICE}, "admission"),
        ({"admission": Admission.BY_OFFICE, "admitted_at": NOW}, "capacity"),
        ({"state": State.AWAITING_RELEASE, "needs_release": True}, "release"),
        ({"elsewhere": "2026-014"}, "overlap"),
        ({"offered": "2026-014"}, "other_offer"),
        ({"window": replace(WINDOW, begins_at=NOW)}, "event"),
        ({"window": replace(WINDOW, state=EventState.CANCELLED)}, "event"),
        ({"state": State.OFFERED, "offer_until": NOW + timedelta(days=1)}, "offer"),
        ({"state": State.WITHDRAWN}, "registered"),
        ({"state": State.EXPIRED, "last_reason": "offer_missed"}, "registered"),
        ({"state": State.DECLINED, "needs_release": True}, "registered"),
    ],
)
def test_what_keeps_somebody_who_asked_from_a_place(values: dict[str, object], code: str) -> None:
    assert decided(WAITING, **values) == (code, False)


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({}, "registered"),
        ({"window": replace(WINDOW, closes_at=NOW)}, "event"),
        ({"window": replace(WINDOW, opens_at=NOW + timedelta(days=1))}, "event"),
        ({"visible": False}, "visible"),
        ({"leads": True}, "leads"),
        ({"elsewhere": "2026-014"}, "overlap"),
        ({"visible": False, "leads": True}, "visible"),
    ],
)
def test_what_keeps_somebody_from_it_who_never_asked(values: dict[str, object], code: str) -> None:
    assert decided(NOBODY, **values) == (code, False)


def test_whoever_has_a_place_reads_by_which_rule() -> None:
    facts = replace(WAITING, state=State.PLACED, last_reason="admitted")
    condition = deciding(facts, NOW)
    assert condition.met
    assert "Von der Geschäftsstelle zugelassen" in condition.words
    unchecked = {condition.code for condition in explain(facts, NOW) if condition.met is None}
    assert unchecked == {"release", "admission", "capacity", "queue"}


@pytest.mark.parametrize("reason", sorted(NOT_ADMITTED))
def test_what_the_admission_decided_counts_until_the_next_step(reason: str) -> None:
    facts = replace(
        WAITING, admission=Admission.BY_OFFICE, admitted_at=NOW, last_reason=reason,
        last_note="Abweichend vom Vorschlag: geheim",
    )  # fmt: skip
    condition = deciding(facts, NOW)
    assert (condition.code, condition.met) == ("admission", False)
    assert "Abweichend vom Vorschlag: geheim" in condition.words
    assert ("geheim" in condition.to_person) is (reason != LEFT_OUT)
    assert decided(facts, last_reason="moved_by_office") == ("capacity", False)


def test_each_condition_has_a_name() -> None:
    full = replace(
        WAITING, missed_offers=1, offered="2026-014",
        places=Places(3, seated={(4,): 1}, organisation_limit=1, holds=(Hold(5, 1),)),
    )  # fmt: skip
    names = [condition.name for condition in explain(full, NOW)]
    assert len(set(names)) == 13


def test_whoever_is_next_reads_so() -> None:
    assert decided(WAITING, places=Places(1)) == ("queue", True)


def test_offers_let_pass_are_named_and_decide_nothing() -> None:
    facts = replace(WAITING, missed_offers=1)
    assert decided(facts) == ("capacity", False)
    assert "1 Angebot verstreichen lassen." in [one.words for one in explain(facts, NOW)]


def test_the_sentence_for_the_person_is_theirs_and_says_when() -> None:
    facts = replace(WAITING, admission=Admission.BY_OFFICE)
    assert "Mi., 11.03.2026" in deciding(facts, NOW).to_person.replace("\u00a0", " ")
    later = deciding(facts, WINDOW.closes_at).to_person
    assert later == "Die Geschäftsstelle entscheidet in Kürze über die Zulassung."
    ahead = deciding(replace(WAITING, places=Places(1), ahead=1), NOW)
    assert ahead.to_person == "Vor Ihnen wartet noch 1 Person."


@given(pools(), chains, st.integers(0, 3))
def test_the_places_decide_as_the_engine_does(
    places: Places, chain: tuple[int, ...], ahead: int
) -> None:
    facts = replace(WAITING, places=places, chain=chain, ahead=ahead)
    condition = deciding(facts, NOW)
    verdict = places.verdict(chain)
    if verdict is Verdict.PLACE:
        assert condition.code == "queue"
    else:
        assert condition.code in {"capacity", "limit", "contingents"}
        assert condition.to_person
