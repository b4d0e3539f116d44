"""Fields of forms, with what browsers and robots send."""

from __future__ import annotations

import pytest
from flask import Flask

from trainings.core.fields import NumberField
from trainings.core.forms import Form, LineField, TextField


class _Sample(Form):
    cards = NumberField("Karten", least=-5, most=100)
    line = LineField("Bemerkung", 20)
    text = TextField("Begründung", 20)


@pytest.mark.parametrize("typed", ["--5", "-", "5-", "- 5", "1,5", "1e3", "٣", "５", "5" * 21])
def test_what_is_no_whole_number_is_refused_in_german(app: Flask, typed: str) -> None:
    with app.test_request_context(method="POST", data={"cards": typed}):
        form = _Sample(meta={"csrf": False})
        assert not form.validate()
        assert form.cards.errors == ["Bitte geben Sie eine ganze Zahl ein."]


@pytest.mark.parametrize(("typed", "number"), [("-5", -5), ("007", 7), (" 5\x00", 5), ("", None)])
def test_whole_numbers_are_read(app: Flask, typed: str, number: int | None) -> None:
    with app.test_request_context(method="POST", data={"cards": typed}):
        form = _Sample(meta={"csrf": False})
        assert form.validate()
        assert form.cards.data == number


def test_a_text_that_was_not_sent_is_empty(app: Flask) -> None:
    with app.test_request_context(method="POST", data={"cards": "1"}):
        form = _Sample(meta={"csrf": False})
        assert form.validate()
        assert (form.line.data, form.text.data) == ("", "")
