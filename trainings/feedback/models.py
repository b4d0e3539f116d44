"""Tables of the feedback.

Three of them are kept without row numbers, in the order of random keys (SQLite: WITHOUT ROWID), so
that nothing tells in which order their rows came. See docs/feedback-anonymity.md.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from trainings.core.database import Base, choice
from trainings.core.retention import Retention, personal
from trainings.core.settings import SMALLEST_GROUP
from trainings.events.models import Event

KEY_BYTES = 16
HASH_BYTES = 32
TOKEN_LENGTH = 40
QUESTION_KEY_LENGTH = 24
VALUE_LENGTH = 24
_NO_ROW_NUMBERS = {"sqlite_with_rowid": False}


class QuestionnaireUse(StrEnum):
    """What a questionnaire is for; which event asks which one is in `FeedbackPlan`."""

    TRAINING = "training"
    CONFERENCE = "conference"
    FOLLOW_UP = "follow_up"


class VersionState(StrEnum):
    """Where a version is in its life: drafts change, released ones never do."""

    DRAFT = "draft"
    RELEASED = "released"


class SurveyKind(StrEnum):
    """When an event asks."""

    AFTER = "after"
    """After the last session."""
    FOLLOW_UP = "follow_up"
    """Three months later."""


class SurveyState(StrEnum):
    """Where a survey is in its life; the moves are in `rules.SURVEY_MOVES`."""

    PLANNED = "planned"
    """Somebody has chosen how it will be asked; without that no row exists before it opens."""
    OMITTED = "omitted"
    """It will not be asked."""
    OPEN = "open"
    CLOSED = "closed"


class Channel(StrEnum):
    """How people get their right to answer."""

    MAIL = "mail"
    SLIPS = "slips"
    """Printed, drawn blind; then no right goes out by mail."""


class Release(StrEnum):
    """Into which tables the answers of a closed survey flow; see `rules.released`."""

    WAITING = "waiting"
    """Into none: there are too few, and no others yet that could hide them."""
    EVENT = "event"
    """Into the event's own, and into all sums."""
    YEAR = "year"
    """Not into the event's own, but into those of its format and year, and all above."""
    FORMAT = "format"
    """Into those of its format over all years, and into the total."""


class TextState(StrEnum):
    """What the office has made of a free text."""

    UNREAD = "unread"
    SHOWN = "shown"
    """As it was written, or with marks where names stood."""
    REMOVED = "removed"
    """Nothing of it is kept but that there was one."""


QUESTIONNAIRE_USE_NAMES = {
    QuestionnaireUse.TRAINING: "nach Trainings",
    QuestionnaireUse.CONFERENCE: "nach Tagungen und anderen Veranstaltungen",
    QuestionnaireUse.FOLLOW_UP: "drei Monate danach",
}
SURVEY_KIND_NAMES = {
    SurveyKind.AFTER: "Rückmeldung nach der Veranstaltung",
    SurveyKind.FOLLOW_UP: "Nachbefragung nach drei Monaten",
}
SURVEY_STATE_NAMES = {
    SurveyState.PLANNED: "Geplant",
    SurveyState.OMITTED: "Entfällt",
    SurveyState.OPEN: "Läuft",
    SurveyState.CLOSED: "Abgeschlossen",
}
CHANNEL_NAMES = {
    Channel.MAIL: "per Mail",
    Channel.SLIPS: "mit Zetteln vor Ort",
}


class Questionnaire(Base):
    """A questionnaire (Fragebogen); what it asks is in its versions."""

    __tablename__ = "questionnaires"

    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(String(120))
    use: Mapped[QuestionnaireUse] = mapped_column(choice(QuestionnaireUse))
    retired_at: Mapped[datetime | None]

    versions: Mapped[list[QuestionnaireVersion]] = relationship(
        back_populates="questionnaire", order_by="QuestionnaireVersion.number"
    )


class QuestionnaireVersion(Base):
    """What a questionnaire asks; `content.py` reads and writes `content`."""

    __tablename__ = "questionnaire_versions"
    __table_args__ = (
        UniqueConstraint("questionnaire_id", "number"),
        Index(
            "uq_questionnaire_versions_draft",
            "questionnaire_id",
            unique=True,
            sqlite_where=text("state = 'draft'"),
            postgresql_where=text("state = 'draft'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    questionnaire_id: Mapped[int] = mapped_column(ForeignKey("questionnaires.id"))
    number: Mapped[int]
    state: Mapped[VersionState] = mapped_column(choice(VersionState), default=VersionState.DRAFT)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    released_at: Mapped[datetime | None]

    questionnaire: Mapped[Questionnaire] = relationship(back_populates="versions")


class FeedbackPlan(Base):
    """Which questionnaires the events of a format ask; without a row `rules.usual_use` says it."""

    __tablename__ = "feedback_plans"

    template_id: Mapped[int] = mapped_column(ForeignKey("event_templates.id"), primary_key=True)
    after_id: Mapped[int | None] = mapped_column(ForeignKey("questionnaires.id"))
    follow_up_id: Mapped[int | None] = mapped_column(ForeignKey("questionnaires.id"))


class Survey(Base):
    """One event asks those who attended; days are the finest time that is known of it."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("event_id", "kind"),
        CheckConstraint("smallest_group >= 5", name="smallest_group_kept"),
        CheckConstraint("answered >= 0 AND answered <= invited", name="answered_within_invited"),
        CheckConstraint(
            "state IN ('planned', 'omitted') OR "
            "(version_id IS NOT NULL AND opened_on IS NOT NULL AND closes_on IS NOT NULL)",
            name="open_says_what",
        ),
        Index(None, "state", "closes_on"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[int] = mapped_column(ForeignKey("events.id"))
    kind: Mapped[SurveyKind] = mapped_column(choice(SurveyKind))
    state: Mapped[SurveyState] = mapped_column(choice(SurveyState))
    channel: Mapped[Channel] = mapped_column(choice(Channel), default=Channel.MAIL)
    version_id: Mapped[int | None] = mapped_column(
        ForeignKey("questionnaire_versions.id"), index=True
    )
    opened_on: Mapped[date | None]
    closes_on: Mapped[date | None]
    """The last day on which an answer is taken; never earlier than `opened_on`."""
    reminded_on: Mapped[date | None]
    smallest_group: Mapped[int] = mapped_column(default=SMALLEST_GROUP)
    """What was promised to those who were asked."""
    invited: Mapped[int] = mapped_column(default=0)
    """How many rights were given; changes in the transaction that gives them."""
    answered: Mapped[int] = mapped_column(default=0)
    """How many answers were counted; what is pending is not among them."""
    release: Mapped[Release] = mapped_column(choice(Release), default=Release.WAITING)

    event: Mapped[Event] = relationship()
    version: Mapped[QuestionnaireVersion | None] = relationship()


class FeedbackInvitation(Base):
    """Somebody was asked by mail; whether they answered is known nowhere here."""

    __tablename__ = "feedback_invitations"

    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), primary_key=True)
    registration_id: Mapped[int] = mapped_column(
        ForeignKey("registrations.id"), primary_key=True, index=True
    )
    token: Mapped[str] = mapped_column(
        String(TOKEN_LENGTH), default="", info=personal(Retention.FEEDBACK)
    )
    """For the one reminder, and to take the right back from somebody who was absent after all;
    blanked when the reminder is written, at the latest when the survey closes."""


class FeedbackRight(Base):
    """A right to answer that was not used; what is printed or mailed is its token."""

    __tablename__ = "feedback_rights"
    __table_args__ = (_NO_ROW_NUMBERS,)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), index=True)


class PendingRight(Base):
    """A right that was used since the last batch."""

    __tablename__ = "feedback_pending_rights"
    __table_args__ = (_NO_ROW_NUMBERS,)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), index=True)


class UsedRight(Base):
    """A right that was used; all of a survey are written anew with each batch."""

    __tablename__ = "feedback_used_rights"
    __table_args__ = (_NO_ROW_NUMBERS,)

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(HASH_BYTES), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), index=True)


class PendingAnswer(Base):
    """What one person answered, until the next batch; `answers.Sheet` reads and writes it."""

    __tablename__ = "feedback_pending_answers"
    __table_args__ = (_NO_ROW_NUMBERS,)

    key: Mapped[bytes] = mapped_column(LargeBinary(KEY_BYTES), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), index=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON, info=personal(Retention.FEEDBACK))


class FeedbackCount(Base):
    """How many people chose a value of a question: the answers themselves are not kept.

    Rows of answers without a key were the alternative; they would still tell what one person said
    on all questions.
    """

    __tablename__ = "feedback_counts"
    __table_args__ = (CheckConstraint("people >= 1", name="people_positive"), _NO_ROW_NUMBERS)

    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"), primary_key=True)
    question: Mapped[str] = mapped_column(String(QUESTION_KEY_LENGTH), primary_key=True)
    value: Mapped[str] = mapped_column(String(VALUE_LENGTH), primary_key=True)
    """`1` to `5`, the key of an option, a number, or `answers.NO_ANSWER`."""
    people: Mapped[int]


class FeedbackText(Base):
    """A free text, apart from all else that its writer answered; its random key orders it."""

    __tablename__ = "feedback_texts"
    __table_args__ = (Index(None, "survey_id", "question"), _NO_ROW_NUMBERS)

    key: Mapped[bytes] = mapped_column(LargeBinary(KEY_BYTES), primary_key=True)
    survey_id: Mapped[int] = mapped_column(ForeignKey("surveys.id"))
    question: Mapped[str] = mapped_column(String(QUESTION_KEY_LENGTH))
    text: Mapped[str] = mapped_column(Text, info=personal(Retention.FEEDBACK))
    state: Mapped[TextState] = mapped_column(choice(TextState), default=TextState.UNREAD)
