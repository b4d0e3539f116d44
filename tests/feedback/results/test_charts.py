"""Bars of scales as they are drawn."""

from __future__ import annotations

import re

import pytest
from flask import Flask, render_template_string

PAGE = '{% from "layout/charts.html" import diverging_bar %}{{ diverging_bar("Frage", steps, 1) }}'


@pytest.mark.parametrize(
    ("steps", "shares"),
    [
        # Neighbours of a tenth of the picture each would write over one another at 360 px.
        ([0, 0, 2, 2, 6], ["60 %"]),
        ([0, 0, 0, 5, 5], ["50 %", "50 %"]),
    ],
)
def test_a_share_stands_only_above_a_step_that_is_wide_enough(
    app: Flask, steps: list[int], shares: list[str]
) -> None:
    with app.test_request_context():
        drawn = render_template_string(PAGE, steps=steps)
    assert re.findall(r"<text[^>]*>([^<]*)</text>", drawn.replace("\xa0", " ")) == shares
