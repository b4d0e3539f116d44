"""From what a browser sends to what is counted."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.feedback.factories import SMALL, make_sheet
from trainings.feedback.answers import NO_ANSWER, RefusedSheetError, Sheet, read_sheet, tally
from trainings.feedback.content import Content, Question, QuestionKind, Section
from trainings.feedback.questionnaires.standard import STANDARD

ANYTHING = st.dictionaries(
    st.sampled_from([question.key for question in SMALL.questions] + ["stranger"]),
    st.lists(
        st.text(max_size=12) | st.sampled_from(["1", "5", "6", "yes", "talk", NO_ANSWER, "7"])
    ),
)


def read(sent: dict[str, list[str]], content: Content = SMALL) -> Sheet:
    """Read what a browser sent."""
    return read_sheet(content, lambda key: sent.get(key, []))


# Making many texts is slow where other tests run beside it; nothing is timed here.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ANYTHING)
def test_whatever_is_sent_is_an_answer_or_a_sentence(sent: dict[str, list[str]]) -> None:
    try:
        sheet = read(sent)
    except RefusedSheetError as refusal:
        assert refusal.errors
        assert all(sentence.endswith(".") for sentence in refusal.errors.values())
        return
    assert set(sheet.values) == {"useful", "again", "liked", "often"}
    assert set(sheet.values["useful"]) <= {"1", "2", "3", "4", "5", NO_ANSWER}
    assert set(sheet.values["liked"]) <= {"talk", "play", NO_ANSWER}
    assert Sheet.from_json(sheet.to_json()) == sheet


def test_what_is_left_out_counts_as_no_answer() -> None:
    assert read({}) == Sheet(dict.fromkeys(("useful", "again", "liked", "often"), (NO_ANSWER,)), {})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("useful", ["0"]),
        ("useful", ["6"]),
        ("useful", ["4", "5"]),
        ("useful", ["٣"]),
        ("again", ["vielleicht"]),
        ("liked", ["talk", "food"]),
        ("often", ["-1"]),
        ("often", ["51"]),
        ("often", ["1,5"]),
        ("often", ["1e1"]),
        ("often", ["٣"]),
        ("often", ["9" * 5_000]),
        ("words", ["x" * 2_001]),
    ],
)
def test_what_no_question_offers_is_refused(key: str, values: list[str]) -> None:
    with pytest.raises(RefusedSheetError) as refused:
        read({key: values})
    assert set(refused.value.errors) == {key}


@pytest.mark.parametrize("kind", [kind for kind in QuestionKind if kind is not QuestionKind.TEXT])
def test_a_required_question_asks_for_an_answer(kind: QuestionKind) -> None:
    content = Content("", (Section("", (Question("one", kind, "Und?", required=True),)),))
    with pytest.raises(RefusedSheetError) as refused:
        read({}, content)
    assert set(refused.value.errors) == {"one"}


def test_no_answer_satisfies_a_required_scale() -> None:
    question = Question("one", QuestionKind.SCALE, "Und?", required=True)
    content = Content("", (Section("", (question,)),))
    assert read({"one": [NO_ANSWER]}, content).values == {"one": (NO_ANSWER,)}


def test_free_text_is_cleaned() -> None:
    assert read({"words": [" gut\u202e\r\n\r\n\r\n\x00so "]}).texts == {"words": "gut\n\nso"}


def test_people_are_counted_once_for_each_value() -> None:
    counted = tally([make_sheet("4"), make_sheet("4"), make_sheet("1")])
    assert counted["useful", "4"] == 2
    assert counted["useful", "1"] == 1
    assert counted["liked", "play"] == 3


@pytest.mark.parametrize("content", [content for _, _, content in STANDARD])
def test_the_standard_questionnaires_survive_storing(content: Content) -> None:
    assert Content.from_json(content.to_json()) == content
    keys = [question.key for question in content.questions]
    assert len(keys) == len(set(keys))
    assert NO_ANSWER not in {option.key for each in content.questions for option in each.options}
