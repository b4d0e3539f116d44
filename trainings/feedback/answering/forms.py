"""What somebody types who holds a slip."""

from __future__ import annotations

from trainings.core.forms import LineField, QueryForm, required


class CodeForm(QueryForm):
    """The code of a slip. It changes nothing, and there is no cookie that could hold a token."""

    code = LineField(
        "Code",
        60,
        [required("Bitte geben Sie den Code ein, der auf dem Zettel oder in der E-Mail steht.")],
        description="16 Zeichen, groß oder klein, mit oder ohne Bindestriche.",
    )
