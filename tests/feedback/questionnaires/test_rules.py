"""Keys of questions and options, moving parts, limits, what keeps a draft from being released."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.feedback.factories import SMALL
from trainings.core.errors import DomainError
from trainings.feedback.answers import NO_ANSWER
from trainings.feedback.content import STEPS, Content, Option, Question, QuestionKind, Section
from trainings.feedback.questionnaires import rules
from trainings.feedback.questionnaires.checks import (
    MOST_OPTIONS,
    MOST_QUESTIONS,
    MOST_SECTIONS,
    check_limits,
    obstacles,
)
from trainings.feedback.questionnaires.rules import Change, released_shapes, shape
from trainings.feedback.questionnaires.standard import AGREEMENT, STANDARD

KEYS = st.sampled_from(["useful", "again", "liked", "often", "words"])
WORDS = st.text(alphabet="abc äß", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def questions(draw: st.DrawFn) -> Question:
    kind = draw(st.sampled_from(QuestionKind))
    options: tuple[Option, ...] = ()
    if kind in rules.CHOICES:
        keys = draw(st.lists(st.sampled_from("abcdef"), min_size=2, max_size=5, unique=True))
        options = tuple(Option(key, f"Antwort {key}") for key in keys)
    labels = AGREEMENT if kind is QuestionKind.SCALE else ()
    return Question("", kind, draw(WORDS), labels=labels, options=options)


CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(rules.introduce, WORDS),
    st.builds(rules.add_section, WORDS),
    st.builds(rules.rename_section, st.integers(0, 4), WORDS),
    st.builds(rules.remove_section, st.integers(0, 4)),
    st.builds(rules.move_section, st.integers(0, 4), st.sampled_from([-1, 1])),
    st.builds(rules.add_question, st.integers(0, 4), questions()),
    st.builds(rules.write_question, KEYS, questions()),
    st.builds(rules.remove_question, KEYS),
    st.builds(rules.move_question, KEYS, st.sampled_from([-1, 1])),
    st.builds(
        rules.move_option, KEYS, st.sampled_from(["yes", "talk", "x"]), st.sampled_from([-1, 1])
    ),
)


def after(content: Content, *changes: Change, released: tuple[Content, ...] = ()) -> Content:
    for change in changes:
        content = change(content, released_shapes(released)).content
    return content


@settings(deadline=None)
@given(st.lists(st.lists(CHANGES, max_size=6), max_size=5))
def test_one_key_has_one_shape_through_all_versions(versions: list[list[Change]]) -> None:
    released = [SMALL]
    for changes in versions:
        content = released[-1]
        for change in changes:
            try:
                content = change(content, released_shapes(released)).content
            except DomainError:
                continue
            keys = [question.key for question in content.questions]
            assert len(set(keys)) == len(keys)
        released.append(content)
    shapes: dict[str, rules.Shape] = {}
    for content in released:
        for question in content.questions:
            assert shapes.setdefault(question.key, shape(question)) == shape(question)


def test_moving_loses_and_makes_no_question() -> None:
    content = after(SMALL, rules.add_section("Zwei"), rules.add_section("Drei"))
    before = {question.key: question for question in content.questions}
    for key in before:
        for step in (1, 1, 1, -1):
            content = rules.move_question(key, step)(content, {}).content
            assert {question.key: question for question in content.questions} == before
    assert [section.title for section in content.sections] == ["Fragen", "Zwei", "Drei"]


def test_a_question_moves_over_the_edge_of_its_section_and_back() -> None:
    content = after(SMALL, rules.add_section("Zwei"))
    content = after(content, rules.move_question("words", 1))
    assert [each.key for each in content.sections[1].questions] == ["words"]
    assert after(content, rules.move_question("words", 1)) == content
    assert after(content, rules.move_question("words", -1)).sections[0] == SMALL.sections[0]
    assert after(SMALL, rules.move_question("useful", -1)) == SMALL


def edited(key: str, **values: object) -> Change:
    question = rules.find_question(SMALL, key)
    assert question is not None
    return rules.write_question(key, replace(question, **values))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "values", "stays"),
    [
        ("useful", {"text": "Es war sehr nützlich.", "hint": "x", "required": True}, True),
        ("useful", {"labels": AGREEMENT[::-1]}, True),
        ("useful", {"labels": AGREEMENT[:4]}, False),
        ("useful", {"kind": QuestionKind.TEXT, "labels": ()}, False),
        ("again", {"kind": QuestionKind.MULTIPLE}, False),
        ("again", {"options": (Option("no", "Nein"), Option("yes", "Ja"))}, True),
        ("again", {"options": (Option("yes", "ja"), Option("new", "vielleicht"))}, False),
        ("often", {"most": 99}, True),
    ],
)
def test_a_released_question_keeps_its_key_while_its_answers_mean_the_same(
    key: str, values: dict[str, object], stays: bool
) -> None:
    place = [each.key for each in SMALL.questions].index(key)
    changed = edited(key, **values)(SMALL, released_shapes([SMALL]))
    assert [each.key for each in changed.content.questions][place] == changed.question
    assert (changed.question == key) is stays
    # What was never released may change freely.
    assert edited(key, **values)(SMALL, {}).question == key


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "yes", "no", NO_ANSWER, "1", "<b>"]),
            st.sampled_from(["", "x", "y"]),
        ),
        max_size=8,
    )
)
def test_options_keep_known_keys_and_never_take_one_that_was_sent(
    typed: list[tuple[str, str]],
) -> None:
    before = (Option("yes", "ja"), Option("no", "nein"))
    options = rules.written_options(before, typed)
    assert [option.label for option in options] == [label for _, label in typed if label]
    keys = [option.key for option in options]
    assert len(set(keys)) == len(keys)
    assert NO_ANSWER not in keys
    assert set(keys).isdisjoint({"", "1", "<b>"})
    first_yes = next((label for key, label in typed if key == "yes" and label), None)
    assert next((each.label for each in options if each.key == "yes"), None) == first_yes


def test_options_move_and_keep_their_keys() -> None:
    released = (SMALL,)
    content = after(SMALL, rules.move_option("again", "no", -1), released=released)
    question = rules.find_question(content, "again")
    assert question is not None
    assert [option.key for option in question.options] == ["no", "yes"]
    assert after(content, rules.move_option("again", "no", -1), released=released) == content
    with pytest.raises(DomainError, match="question_gone"):
        after(content, rules.move_option("again", "x", 1))


def test_a_copy_asks_the_same_under_other_keys() -> None:
    copy = rules.copied(SMALL)
    assert {each.key for each in copy.questions}.isdisjoint(each.key for each in SMALL.questions)
    assert [replace(each, key="") for each in copy.questions] == [
        replace(each, key="") for each in SMALL.questions
    ]


def test_sections_are_renamed_moved_and_removed_when_empty() -> None:
    content = after(SMALL, rules.add_section("Zwei"), rules.rename_section(2, "Schluss"))
    content = after(content, rules.move_section(2, -1))
    assert [section.title for section in content.sections] == ["Schluss", "Fragen"]
    assert after(content, rules.move_section(1, -1)) == content
    with pytest.raises(DomainError, match="section_not_empty"):
        after(content, rules.remove_section(2))
    assert after(content, rules.remove_section(1)) == SMALL
    with pytest.raises(DomainError, match="section_gone"):
        after(SMALL, rules.remove_section(2))


def test_the_fingerprint_changes_with_every_word() -> None:
    assert rules.fingerprint(SMALL) == rules.fingerprint(Content.from_json(SMALL.to_json()))
    for change in (rules.introduce("Wie war es"), rules.move_question("again", -1),
                   edited("often", most=51)):  # fmt: skip
        assert rules.fingerprint(after(SMALL, change)) != rules.fingerprint(SMALL)


def test_the_standard_questionnaires_and_the_small_one_may_be_released() -> None:
    for content in (*(each[2] for each in STANDARD), SMALL):
        check_limits(content)
        assert obstacles(content) == []


SCALE = Question("k", QuestionKind.SCALE, "Gut?", labels=AGREEMENT)
SINGLE = Question(
    "k", QuestionKind.SINGLE, "Gut?", options=(Option("a", "ja"), Option("b", "nein"))
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Content("", ()), "noch keine Frage"),
        (Content("", (Section("Eins", ()),)), "noch keine Frage"),
        (Content("", (Section("", (SCALE,)),)), "Abschnitt 1 hat keine Überschrift"),
        (
            Content("", (Section("a", (SCALE,)), Section("b", ()))),
            "Abschnitt 2 („b“) hat keine Frage",
        ),
        (Content("", (Section("a", (replace(SCALE, text=""),)),)), "Frage 1: Der Text fehlt"),
        (Content("", (Section("a", (SCALE, SCALE)),)), "denselben Schlüssel"),
        (Content("", (Section("a", (replace(SCALE, labels=AGREEMENT[:4]),)),)), "fünf Stufen"),
        (
            Content("", (Section("a", (replace(SCALE, labels=("", *AGREEMENT[1:])),)),)),
            "fünf Stufen",
        ),
        (
            Content("", (Section("a", (replace(SINGLE, options=SINGLE.options[:1]),)),)),
            "mindestens 2",
        ),
        (
            Content(
                "",
                (Section("a", (replace(SINGLE, options=(Option("a", "ja"), Option("b", "Ja"))),)),),
            ),
            "denselben Text",
        ),
        (
            Content(
                "",
                (Section("a", (replace(SINGLE, options=(Option("a", "ja"), Option("b", ""))),)),),
            ),
            "keinen Text",
        ),
        (
            Content(
                "",
                (
                    Section(
                        "a", (replace(SINGLE, options=(Option("a", "ja"), Option("a", "nein"))),)
                    ),
                ),
            ),
            "keinen eigenen Schlüssel",
        ),
        (
            Content(
                "",
                (
                    Section(
                        "a", (replace(SINGLE, options=(Option(NO_ANSWER, "ja"), Option("a", "x"))),)
                    ),
                ),
            ),
            "keinen eigenen Schlüssel",
        ),
        (
            Content(
                "", (Section("a", (Question("k", QuestionKind.NUMBER, "n", least=2, most=1),)),)
            ),
            "kleinste Zahl ist größer",
        ),
    ],
)
def test_what_is_missing_is_named(content: Content, words: str) -> None:
    assert any(words in sentence for sentence in obstacles(content))


def test_a_number_may_have_one_value() -> None:
    asked = Question("k", QuestionKind.NUMBER, "n", least=1, most=1)
    assert obstacles(Content("", (Section("a", (asked,)),))) == []


def many(sections: int, questions_: int, options: int = 2) -> Content:
    made = tuple(
        replace(
            SINGLE, key=str(number), options=tuple(Option(str(n), str(n)) for n in range(options))
        )
        for number in range(questions_)
    )
    return Content("", (Section("a", made), *(Section("b", ()) for _ in range(sections - 1))))


@pytest.mark.parametrize(
    ("least", "most", "code"),
    [
        (many(MOST_SECTIONS, 1), many(MOST_SECTIONS + 1, 1), "too_many_sections"),
        (many(1, MOST_QUESTIONS), many(1, MOST_QUESTIONS + 1), "too_many_questions"),
        (many(1, 1, MOST_OPTIONS), many(1, 1, MOST_OPTIONS + 1), "too_many_options"),
        (Content("x" * 1000, ()), Content("x" * 1001, ()), "text_too_long"),
        (
            Content("", (Section("x" * 120, ()),)),
            Content("", (Section("x" * 121, ()),)),
            "text_too_long",
        ),
    ],
)
def test_limits(least: Content, most: Content, code: str) -> None:
    check_limits(least)
    with pytest.raises(DomainError, match=code):
        check_limits(most)


@pytest.mark.parametrize(
    "lengthen",
    [
        lambda words: replace(SCALE, text=words * 61),
        lambda words: replace(SCALE, hint=words * 61),
        lambda words: replace(SCALE, labels=(words * 13,) * STEPS),
        lambda words: replace(SINGLE, options=(Option("a", words * 25),)),
    ],
)
def test_each_text_of_a_question_has_a_limit(lengthen: Callable[[str], Question]) -> None:
    with pytest.raises(DomainError, match="text_too_long"):
        check_limits(Content("", (Section("a", (lengthen("Wort "),)),)))
