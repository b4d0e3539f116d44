"""Forms of the questionnaires."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from wtforms import BooleanField, FormField, HiddenField
from wtforms import Form as PlainForm
from wtforms.widgets import TextArea

from trainings.core.fields import (
    ChoiceField,
    NumberField,
    RowsField,
    enum_field,
    given,
    optional_id,
    options,
)
from trainings.core.forms import Form, LineField, TextField, required
from trainings.feedback.content import LARGEST_NUMBER, STEPS, Question, QuestionKind
from trainings.feedback.models import QUESTIONNAIRE_USE_NAMES
from trainings.feedback.questionnaires.checks import (
    FEWEST_OPTIONS,
    LONGEST_HEADING,
    LONGEST_INTRODUCTION,
    LONGEST_LABEL,
    LONGEST_OPTION,
    LONGEST_QUESTION,
    MOST_OPTIONS,
)
from trainings.feedback.questionnaires.plans import USUAL, Asked, Choice
from trainings.feedback.questionnaires.rules import CHOICES, written_options
from trainings.feedback.questionnaires.standard import AGREEMENT

_TITLE = "Bitte geben Sie dem Fragebogen einen Namen."
_SPARE_ROWS = 4


class NewForm(Form):
    """A questionnaire to begin."""

    title = LineField(
        "Name",
        120,
        [required(_TITLE)],
        description="Steht in den Listen. Wer antwortet, sieht ihn nicht.",
    )
    use = enum_field(
        "Wofür?",
        QUESTIONNAIRE_USE_NAMES,
        description="Das bleibt so: Ergebnisse werden danach verglichen.",
    )
    copied_from = ChoiceField("Beginnen mit", coerce=optional_id)

    def offer(self, questionnaires: Iterable[tuple[int, str]]) -> None:
        """Set the choices."""
        copies = ((each, f"einer Kopie von „{title}“") for each, title in questionnaires)
        self.copied_from.choices = options([("", "einem leeren Entwurf"), *copies])


class TitleForm(Form):
    """Another name."""

    title = LineField("Name", 120, [required(_TITLE)])


class DraftForm(Form):
    """A form that changes a draft: it knows which state of it was looked at."""

    seen = HiddenField()

    def key(self, person_id: int | None, *about: object) -> str:
        """Return a key that counts for what was typed: going back and typing else is new."""
        typed = {name: value for name, value in self.data.items() if name != "csrf_token"}
        return super().key(person_id, *about, hashlib.sha256(repr(typed).encode()).hexdigest())


class IntroductionForm(DraftForm):
    """What stands above the questions."""

    text = TextField(
        "Einleitung",
        LONGEST_INTRODUCTION,
        description="Steht über den Fragen. Dass die Rückmeldung freiwillig ist, steht in jedem "
        "Fall dort.",
    )


class SectionForm(DraftForm):
    """A heading."""

    title = LineField(
        "Überschrift", LONGEST_HEADING, [required("Bitte geben Sie eine Überschrift ein.")]
    )


class QuestionForm(DraftForm):
    """What all kinds of questions have."""

    kind: QuestionKind
    text = LineField(
        "Frage", LONGEST_QUESTION, [required("Bitte geben Sie die Frage ein.")],
        widget=TextArea(),
    )  # fmt: skip
    hint = LineField(
        "Hinweis darunter", LONGEST_QUESTION, description="Zum Beispiel, was gemeint ist."
    )

    def question(self, _before: Question | None) -> Question:
        """Return what was written; its key is settled by the operation.

        Args:
            _before: the question that is changed, for what keeps its key; None: it is new.

        """
        return Question("", self.kind, self.text.data, hint=self.hint.data)


class _AnsweredForm(QuestionForm):
    required = BooleanField(
        "Muss beantwortet werden",
        description="Sparsam nutzen: Wer nicht weiterkommt, bricht ab.",
    )

    def _answered(self, **values: Any) -> Question:
        return Question(
            "",
            self.kind,
            self.text.data,
            hint=self.hint.data,
            required=bool(self.required.data),
            **values,
        )


class NumberForm(_AnsweredForm):
    """A question for a number."""

    least = NumberField("Kleinste Zahl", [given("Bitte geben Sie die kleinste Zahl ein.")],
                        most=LARGEST_NUMBER, default=0)  # fmt: skip
    most = NumberField("Größte Zahl", [given("Bitte geben Sie die größte Zahl ein.")],
                       most=LARGEST_NUMBER, default=100)  # fmt: skip

    def validate(self, extra_validators: Any = None) -> bool:
        """Compare both ends."""
        valid = super().validate(extra_validators)
        if valid and self.least.data > self.most.data:
            self.most.errors = ["Die größte Zahl ist kleiner als die kleinste."]
            return False
        return valid

    def question(self, _before: Question | None) -> Question:
        """Return what was written."""
        return self._answered(least=self.least.data, most=self.most.data)


class ScaleForm(_AnsweredForm):
    """A question with five steps; `label_1` to `label_5` are added below."""

    def question(self, _before: Question | None) -> Question:
        """Return what was written."""
        return self._answered(labels=tuple(field.data for field in self.label_fields))

    @property
    def label_fields(self) -> list[Any]:
        """The fields of the steps, from the first to the fifth."""
        return [self[f"label_{step}"] for step in range(1, STEPS + 1)]


for _step, _words in enumerate(AGREEMENT, 1):
    setattr(
        ScaleForm,
        f"label_{_step}",
        LineField(
            f"Stufe {_step}",
            LONGEST_LABEL,
            [required("Bitte beschriften Sie diese Stufe.")],
            default=_words,
        ),
    )


class OptionRow(PlainForm):  # type: ignore[misc]
    """One answer to choose; a row without a text is left out."""

    key = HiddenField()
    label = LineField("Antwort", LONGEST_OPTION)


class ChoiceForm(_AnsweredForm):
    """A question with answers to choose from."""

    options = RowsField(FormField(OptionRow), "Antworten zur Wahl", most=MOST_OPTIONS)

    def validate(self, extra_validators: Any = None) -> bool:
        """Ask for two different answers."""
        valid = super().validate(extra_validators)
        labels = [row.form.label for row in self.options if row.form.label.data]
        seen: set[str] = set()
        for label in labels:
            if label.data.casefold() in seen:
                label.errors = ["Diese Antwort steht schon da."]
                valid = False
            seen.add(label.data.casefold())
        if len(labels) < FEWEST_OPTIONS:
            first_empty = self.options[min(len(labels), len(self.options) - 1)].form.label
            first_empty.errors = [f"Bitte mindestens {FEWEST_OPTIONS} Antworten zur Wahl."]
            valid = False
        return valid

    def question(self, before: Question | None) -> Question:
        """Return what was written; answers that were there keep their keys."""
        typed = ((row.form.key.data or "", row.form.label.data) for row in self.options)
        return self._answered(options=written_options(before.options if before else (), typed))


_FORMS: dict[QuestionKind, type[QuestionForm]] = {
    QuestionKind.SCALE: ScaleForm,
    QuestionKind.SINGLE: ChoiceForm,
    QuestionKind.MULTIPLE: ChoiceForm,
    QuestionKind.NUMBER: NumberForm,
    QuestionKind.TEXT: QuestionForm,
}


def question_form(kind: QuestionKind, question: Question | None, seen: str) -> QuestionForm:
    """Return the form for a question of a kind.

    Args:
        kind: what it is to be.
        question: what it is now, if it is not new; may be of another kind.
        seen: fingerprint of the draft.

    """
    data: dict[str, Any] = {"seen": seen}
    if question is not None:
        data |= {"text": question.text, "hint": question.hint, "required": question.required}
    if question is not None and question.kind is kind:
        data |= {"least": question.least, "most": question.most}
        data |= {f"label_{step}": label for step, label in enumerate(question.labels, 1)}
    if kind in CHOICES:
        data["options"] = _rows(question)
    form = _FORMS[kind](data=data)
    form.kind = kind
    if isinstance(form, ChoiceForm):
        for number, row in enumerate(form.options, 1):
            row.form.label.label.text = f"Antwort {number}"
    return form


def _rows(question: Question | None) -> list[dict[str, str]]:
    written = (
        [{"key": each.key, "label": each.label} for each in question.options] if question else []
    )
    rows = min(MOST_OPTIONS, len(written) + _SPARE_ROWS)
    return written + [{"key": "", "label": ""}] * (rows - len(written))


class ConfirmForm(DraftForm):
    """One question before something that cannot be undone."""


class PlanForm(Form):
    """What the events of a format ask."""

    after = ChoiceField("Nach der Veranstaltung")
    follow_up = ChoiceField("Drei Monate danach")

    def offer(self, questionnaires: Sequence[tuple[int, str]], after: Asked, then: Asked) -> None:
        """Set the choices: what is usual, one of the questionnaires, or none."""
        for field, asked in ((self.after, after), (self.follow_up, then)):
            offered = dict(questionnaires)
            if isinstance(asked.choice, int) and asked.title:
                # What was chosen stays to choose, even if it was taken out of use since.
                offered.setdefault(asked.choice, asked.title)
            usual = f"wie üblich: {asked.usual or 'keiner'}"
            field.choices = options([(USUAL.value, usual), *offered.items(), ("", "keiner")])

    def chosen(self) -> tuple[Choice, Choice]:
        """Return what was chosen, after the event and three months later."""
        first, then = (
            USUAL if field.data == USUAL.value else optional_id(field.data)
            for field in (self.after, self.follow_up)
        )
        return first, then


def plan_values(after: Asked, then: Asked) -> dict[str, str]:
    """Return the values of the form for what is chosen now."""
    return {
        name: USUAL.value if asked.is_usual else str(asked.choice or "")
        for name, asked in (("after", after), ("follow_up", then))
    }
