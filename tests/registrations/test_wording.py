"""Every step that the code writes into a history has a German name."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import trainings
from trainings.cli.seed.registrations import FINAL_REASONS, PLACED_AT_ONCE
from trainings.registrations.wording import REASON_NAMES, reason_name

CODE_OF_CALL = {"move", "note_change", "place", "fill", "_fill"}


def codes() -> Iterator[str]:
    """Find the codes in calls of what writes history: by keyword, or the only word given."""
    top = Path(trainings.__file__).parent
    for path in [*top.glob("registrations/*.py"), *top.glob("office/*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call):
                continue
            function = node.func
            name = function.attr if isinstance(function, ast.Attribute) else None
            name = function.id if isinstance(function, ast.Name) else name
            if name not in CODE_OF_CALL:
                continue
            values = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
            for value in [*node.args, *values]:
                yield from (
                    part.value
                    for part in ast.walk(value)
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )


def test_every_code_has_a_name() -> None:
    found = {*codes(), *PLACED_AT_ONCE.values(), *FINAL_REASONS.values()}
    assert {"released", "promoted", "admitted", "not_admitted", "offered"} <= found
    assert {code for code in found if code and code not in REASON_NAMES} == set()


def test_an_unknown_code_is_no_error() -> None:
    assert reason_name("something_new") == "Geändert"
