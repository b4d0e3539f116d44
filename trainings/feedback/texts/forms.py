"""Forms of the free texts."""

from __future__ import annotations

from wtforms import HiddenField

from trainings.core.forms import Form, TextField, required
from trainings.feedback.content import LONGEST_TEXT


class SeenForm(Form):
    """What a page showed, so that nothing else is changed than what was read."""

    seen = HiddenField()


class RedactForm(SeenForm):
    """What shall become unreadable."""

    passages = TextField(
        "Was soll unkenntlich werden?",
        LONGEST_TEXT,
        [required("Bitte schreiben Sie, was unkenntlich werden soll: je Zeile eine Stelle.")],
        description="Je Zeile ein Wort oder eine Stelle, so wie sie im Text steht. Groß- und "
        "Kleinschreibung ist gleich. Jedes Vorkommen wird durch […] ersetzt.",
    )

    def lines(self) -> list[str]:
        """Return the passages."""
        return (self.passages.data or "").split("\n")
