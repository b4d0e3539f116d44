"""The questionnaires that the application brings, and storing them in an empty installation.

They follow the levels of Kirkpatrick (reaction, learning, behaviour): what people thought of it
and learned is asked at once, what they applied after three months. Nothing asks about cases,
about incidents, or about the person who answers.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from trainings.core.actors import SYSTEM
from trainings.core.audit import record
from trainings.feedback.content import Content, Option, Question, QuestionKind, Section
from trainings.feedback.models import (
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    VersionState,
)

AGREEMENT = (
    "trifft gar nicht zu",
    "trifft eher nicht zu",
    "teils, teils",
    "trifft eher zu",
    "trifft voll zu",
)
_NO_NAMES = "Bitte nennen Sie keine Namen und beschreiben Sie keine Fälle aus dem Dienst."


def _statement(key: str, text: str) -> Question:
    return Question(key, QuestionKind.SCALE, text, labels=AGREEMENT)


def _open(key: str, text: str) -> Question:
    return Question(key, QuestionKind.TEXT, text, hint=_NO_NAMES)


TRAINING = Content(
    introduction="Wie war das Training für Sie? Ihre Antworten helfen, das nächste zu verbessern.",
    sections=(
        Section(
            "Wie war es?",
            (
                _statement("relevant", "Die Inhalte passen zu meinem Arbeitsalltag."),
                _statement("clear", "Die Inhalte wurden verständlich vermittelt."),
                _statement("practice", "Übung und Theorie standen im richtigen Verhältnis."),
                _statement("group", "In der Gruppe konnte ich Neues ohne Scheu ausprobieren."),
                _statement(
                    "setting", "Der äußere Rahmen hat gepasst: Räume, Zeiten, Organisation."
                ),
            ),
        ),
        Section(
            "Was haben Sie gelernt?",
            (
                _statement("notice", "Ich erkenne jetzt früher, wenn ein Gespräch schwierig wird."),
                _statement("calm", "Ich kenne mehr Wege, eine angespannte Situation zu beruhigen."),
                _statement("limits", "Ich weiß jetzt besser, wann ich Hilfe holen sollte."),
            ),
        ),
        Section(
            "Was nehmen Sie mit?",
            (
                _statement("apply", "Ich kann das Geübte in meiner Arbeit anwenden."),
                _statement(
                    "support",
                    "An meinem Arbeitsplatz werde ich dabei unterstützt, das Geübte anzuwenden.",
                ),
            ),
        ),
        Section(
            "In Ihren Worten",
            (
                _open("helped", "Was hat Ihnen am meisten gebracht?"),
                _open("change", "Was sollten wir ändern?"),
            ),
        ),
    ),
)

CONFERENCE = Content(
    introduction="Wie war die Veranstaltung für Sie? Mit Ihren Antworten planen wir die nächste.",
    sections=(
        Section(
            "Wie war es?",
            (
                _statement("relevant", "Die Themen waren für meine Arbeit wichtig."),
                _statement("clear", "Die Beiträge waren verständlich."),
                _statement(
                    "mixture", "Der Wechsel von Vorträgen, Gesprächen und Pausen war ausgewogen."
                ),
                _statement(
                    "exchange", "Ich konnte mich gut mit Menschen aus anderen Behörden austauschen."
                ),
                _statement("setting", "Der äußere Rahmen hat gepasst: Ort, Zeiten, Organisation."),
            ),
        ),
        Section(
            "Was nehmen Sie mit?",
            (
                _statement("new", "Ich habe Neues erfahren."),
                _statement("useful", "Ich kann Inhalte der Veranstaltung in meiner Arbeit nutzen."),
                _statement(
                    "contacts", "Ich weiß jetzt besser, wen ich in anderen Behörden fragen kann."
                ),
            ),
        ),
        Section(
            "In Ihren Worten",
            (
                _open("helped", "Was hat Ihnen am meisten gebracht?"),
                _open("change", "Was sollten wir ändern?"),
                _open("topics", "Welche Themen wünschen Sie sich?"),
            ),
        ),
    ),
)

FOLLOW_UP = Content(
    introduction="Vor etwa drei Monaten waren Sie bei unserem Training. Was ist geblieben?",
    sections=(
        Section(
            "Aus dem Training in den Alltag",
            (
                Question(
                    "applied",
                    QuestionKind.SINGLE,
                    "Haben Sie etwas aus dem Training angewendet?",
                    options=(
                        Option("no", "nein"),
                        Option("rarely", "ein- oder zweimal"),
                        Option("often", "mehrmals"),
                        Option("always", "regelmäßig"),
                    ),
                ),
                _statement(
                    "confident",
                    "In schwierigen Gesprächen fühle ich mich sicherer als vor dem Training.",
                ),
                Question(
                    "hindered",
                    QuestionKind.MULTIPLE,
                    "Was hat es erschwert, mehr anzuwenden?",
                    hint="Sie können mehrere Antworten wählen.",
                    options=(
                        Option("nothing", "nichts"),
                        Option("occasion", "keine Gelegenheit"),
                        Option("time", "keine Zeit im Alltag"),
                        Option("support", "keine Unterstützung am Arbeitsplatz"),
                        Option("memory", "Ich erinnere mich zu wenig."),
                        Option("other", "etwas anderes"),
                    ),
                ),
            ),
        ),
        Section(
            "Die Taschenkarte",
            (
                Question(
                    "card",
                    QuestionKind.SINGLE,
                    "Nutzen Sie die Taschenkarte?",
                    options=(
                        Option("uses", "ja"),
                        Option("carries", "nein, aber ich habe sie dabei"),
                        Option("leaves", "nein, sie liegt woanders"),
                        Option("without", "Ich habe keine."),
                    ),
                ),
            ),
        ),
        Section("In Ihren Worten", (_open("refresh", "Was würde Ihnen jetzt helfen?"),)),
    ),
)

STANDARD = (
    ("Training", QuestionnaireUse.TRAINING, TRAINING),
    ("Tagung", QuestionnaireUse.CONFERENCE, CONFERENCE),
    ("Nachbefragung zum Training", QuestionnaireUse.FOLLOW_UP, FOLLOW_UP),
)


def provide_standard(session: Session, now: datetime) -> int:
    """Store the standard questionnaires, released, unless there is any questionnaire.

    Returns:
        How many were stored.

    """
    if session.scalar(select(Questionnaire.id).limit(1)) is not None:
        return 0
    for title, use, content in STANDARD:
        questionnaire = Questionnaire(title=title, use=use)
        questionnaire.versions.append(
            QuestionnaireVersion(
                number=1,
                state=VersionState.RELEASED,
                content=content.to_json(),
                created_at=now,
                released_at=now,
            )
        )
        session.add(questionnaire)
        record(session, SYSTEM, "questionnaire_released", questionnaire, now, version=1)
    session.flush()
    return len(STANDARD)
