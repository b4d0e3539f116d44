"""The questions as they are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest
from flask import Flask, render_template_string

from tests.browser_forms import forms_of
from tests.feedback.factories import SMALL
from trainings.core.formats import number
from trainings.feedback.content import LONGEST_TEXT, Content, Question, QuestionKind, Section
from trainings.feedback.questionnaires.standard import AGREEMENT, TRAINING

PAGE = """{% from "feedback/questions.html" import questions, answer_errors -%}
<form method="post">{{ answer_errors(content, errors) }}
{{ questions(content, given, errors) }}</form>"""


def drawn(
    app: Flask,
    content: Content = SMALL,
    given: Mapping[str, Sequence[str]] | None = None,
    errors: Mapping[str, str] | None = None,
) -> str:
    """Draw the questions in a form."""
    with app.test_request_context():
        return render_template_string(PAGE, content=content, given=given or {}, errors=errors or {})


def test_every_question_is_a_field_and_nothing_is_chosen_beforehand(app: Flask) -> None:
    form = forms_of(drawn(app))[0]
    assert form.names == {f"a-{question.key}" for question in SMALL.questions}
    assert {name: value for name, value in form.fields.items() if value != [""]} == {}


def test_what_was_given_stands_in_the_fields_again(app: Flask) -> None:
    given = {
        "useful": ["none"],
        "again": ["no"],
        "liked": ["talk", "play"],
        "often": ["<3>"],
        "words": ["\n</textarea><b>eins</b>"],
    }
    form = forms_of(drawn(app, given=given))[0]
    assert form.fields["a-useful"] == ["none"]
    assert form.fields["a-again"] == ["no"]
    assert form.fields["a-liked"] == ["talk", "play"]
    assert form.fields["a-often"] == ["<3>"]
    assert form.fields["a-words"] == ["</textarea><b>eins</b>"]


def test_each_step_says_its_words_and_a_text_says_its_limit(app: Flask) -> None:
    page = drawn(app)
    for label in (*AGREEMENT, "keine Angabe"):
        assert f"<span>{label}</span></label>" in page
    assert f"Höchstens {number(LONGEST_TEXT)} Zeichen." in page


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("Kurz genügt", "Kurz genügt. Höchstens"),
        ("Kurz genügt.", "Kurz genügt. Höchstens"),
        ("", ">Höchstens"),
    ],
)
def test_a_hint_and_the_limit_are_two_sentences(app: Flask, hint: str, shown: str) -> None:
    asked = Question("words", QuestionKind.TEXT, "Was war gut?", hint=hint)
    page = drawn(app, Content("", (Section("", (asked,)),)))
    assert shown in page


def test_an_error_stands_at_its_question_and_is_linked_above(app: Flask) -> None:
    page = drawn(app, errors={"useful": "Falsch <eins>.", "often": "Falsch zwei."})
    assert page.index("Bitte prüfen Sie 2 Antworten") < page.index("<fieldset")
    assert 'href="#a-useful-0"' in page
    assert 'id="a-useful-0"' in page
    assert 'href="#a-often"' in page
    assert 'aria-describedby="a-useful-fehler"' in page
    assert 'aria-describedby="a-often-hinweis a-often-fehler" aria-invalid="true"' in page
    assert page.count("Falsch &lt;eins&gt;.") == 2


def test_only_what_must_be_answered_says_so(app: Flask) -> None:
    asked = Question("must", QuestionKind.SCALE, "Muss", required=True, labels=AGREEMENT)
    page = drawn(app, Content("", (Section("", (asked,)),)))
    assert page.count("bitte beantworten") == 1
    assert "bitte beantworten" not in drawn(app, TRAINING)
