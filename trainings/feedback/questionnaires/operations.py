"""Writing questionnaires: drafts, their release, taking a questionnaire out of use.

Each locks the questionnaire first. A draft may change until it is released; a released version
never does.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, event, inspect, select
from sqlalchemy.orm import Mapper, Session, object_session

from trainings.core.actors import Actor
from trainings.core.audit import record
from trainings.core.errors import DomainError, not_found
from trainings.core.formats import join_words
from trainings.events.models import EventTemplate
from trainings.feedback.content import Content
from trainings.feedback.models import (
    FeedbackPlan,
    Questionnaire,
    QuestionnaireUse,
    QuestionnaireVersion,
    VersionState,
)
from trainings.feedback.questionnaires.checks import check_limits, obstacles
from trainings.feedback.questionnaires.rules import (
    Change,
    Changed,
    copied,
    fingerprint,
    released_shapes,
)


def lock_questionnaire(session: Session, questionnaire_id: int) -> Questionnaire:
    """Lock a questionnaire and read it anew.

    Raises:
        DomainError: `not_found`.

    """
    questionnaire = session.scalar(
        select(Questionnaire)
        .where(Questionnaire.id == questionnaire_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if questionnaire is None:
        raise not_found()
    return questionnaire


def create_questionnaire(
    session: Session,
    actor: Actor,
    title: str,
    use: QuestionnaireUse,
    now: datetime,
    *,
    copied_from: int | None = None,
) -> Questionnaire:
    """Begin a questionnaire with a draft: an empty one, or what another asks.

    Args:
        session: the open transaction.
        actor: the office.
        title: its name in the lists, 1 to 120 letters.
        use: what it is for; it never changes, since results are compared by it.
        now: the present instant.
        copied_from: a questionnaire whose latest version, or else draft, is copied. Its questions
            become questions of their own.

    Raises:
        DomainError: `not_found` or `title_taken`.

    """
    _check_title(session, title, None)
    content = Content("", ())
    if copied_from is not None:
        source = lock_questionnaire(session, copied_from)
        latest = _latest(session, source.id, VersionState.RELEASED)
        latest = latest or _latest(session, source.id, VersionState.DRAFT)
        content = copied(Content.from_json(latest.content)) if latest else content
    questionnaire = Questionnaire(title=title, use=use)
    session.add(questionnaire)
    session.flush()
    _add_draft(session, questionnaire, 1, content, now)
    record(
        session, actor, "questionnaire_created", questionnaire, now,
        use=use.value, copied_from=copied_from,
    )  # fmt: skip
    return questionnaire


def rename_questionnaire(
    session: Session, actor: Actor, questionnaire_id: int, title: str, now: datetime
) -> None:
    """Change the name in the lists; people who answer never see it.

    Raises:
        DomainError: `not_found` or `title_taken`.

    """
    questionnaire = lock_questionnaire(session, questionnaire_id)
    _check_title(session, title, questionnaire_id)
    questionnaire.title = title
    session.flush()
    record(session, actor, "questionnaire_renamed", questionnaire, now)


def begin_draft(
    session: Session, actor: Actor, questionnaire_id: int, now: datetime
) -> QuestionnaireVersion:
    """Begin the next version with what the latest one asks; a draft that exists is returned.

    Raises:
        DomainError: `not_found` or `questionnaire_retired`.

    """
    questionnaire = lock_questionnaire(session, questionnaire_id)
    _check_in_use(questionnaire)
    draft = _latest(session, questionnaire_id, VersionState.DRAFT)
    if draft is not None:
        return draft
    latest = _latest(session, questionnaire_id, VersionState.RELEASED)
    content = Content.from_json(latest.content) if latest else Content("", ())
    number = latest.number + 1 if latest else 1
    draft = _add_draft(session, questionnaire, number, content, now)
    record(session, actor, "questionnaire_draft_begun", questionnaire, now, version=number)
    return draft


def change_draft(
    session: Session,
    actor: Actor,
    questionnaire_id: int,
    change: Change,
    *,
    seen: str,
    now: datetime,
) -> Changed:
    """Change what a draft asks.

    Args:
        session: the open transaction.
        actor: the office.
        questionnaire_id: which questionnaire.
        change: made by one of the functions of `rules.py`.
        seen: `rules.fingerprint` of the draft that was looked at.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `no_draft`, `changed_meanwhile`, what the change itself refuses,
            and what `checks.check_limits` does.

    """
    questionnaire, draft = _lock_draft(session, questionnaire_id)
    before = _seen_content(draft, seen)
    changed = change(before, released_shapes(_released_contents(session, questionnaire_id)))
    check_limits(changed.content)
    draft.content = changed.content.to_json()
    session.flush()
    record(session, actor, "questionnaire_draft_changed", questionnaire, now, version=draft.number)
    return changed


def discard_draft(
    session: Session, actor: Actor, questionnaire_id: int, *, seen: str, now: datetime
) -> bool:
    """Delete a draft, and with it a questionnaire that was never released.

    Args:
        session: the open transaction.
        actor: the office.
        questionnaire_id: which questionnaire.
        seen: `rules.fingerprint` of the draft that was looked at.
        now: the present instant.

    Returns:
        Whether the questionnaire is still there.

    Raises:
        DomainError: `not_found`, `no_draft` or `changed_meanwhile`.

    """
    questionnaire, draft = _lock_draft(session, questionnaire_id)
    _seen_content(draft, seen)
    number = draft.number
    session.delete(draft)
    session.flush()
    record(session, actor, "questionnaire_draft_discarded", questionnaire, now, version=number)
    if _latest(session, questionnaire_id, VersionState.RELEASED) is not None:
        return True
    session.delete(questionnaire)
    session.flush()
    return False


def release_draft(
    session: Session, actor: Actor, questionnaire_id: int, *, seen: str, now: datetime
) -> QuestionnaireVersion:
    """Let surveys that open from now on ask what the draft says; it never changes again.

    Surveys that are open keep the version with which they were opened.

    Args:
        session: the open transaction.
        actor: the office.
        questionnaire_id: which questionnaire.
        seen: `rules.fingerprint` of the draft that was looked at.
        now: the present instant.

    Raises:
        DomainError: `not_found`, `no_draft`, `changed_meanwhile`, `questionnaire_retired`, or
            `not_ready` with what is missing.

    """
    questionnaire, draft = _lock_draft(session, questionnaire_id)
    _check_in_use(questionnaire)
    content = _seen_content(draft, seen)
    check_limits(content)
    missing = obstacles(content)
    if missing:
        raise DomainError(
            "not_ready", f"Die Fassung kann noch nicht freigegeben werden. {missing[0]}", status=422
        )
    draft.state, draft.released_at = VersionState.RELEASED, now
    session.flush()
    record(session, actor, "questionnaire_released", questionnaire, now, version=draft.number)
    return draft


def set_retired(
    session: Session, actor: Actor, questionnaire_id: int, *, retired: bool, now: datetime
) -> None:
    """Take a questionnaire out of use, or up again; surveys that are open go on.

    Raises:
        DomainError: `not_found`, or `still_chosen` with the formats that ask it.

    """
    questionnaire = lock_questionnaire(session, questionnaire_id)
    if retired == (questionnaire.retired_at is not None):
        return
    formats = choosing_formats(session, questionnaire_id) if retired else []
    if formats:
        names = join_words([f"„{title}“" for title in formats])
        raise DomainError(
            "still_chosen",
            f"Dieser Fragebogen ist noch zugeordnet: {names}. Bitte ändern Sie zuerst die "
            "Zuordnung.",
        )
    questionnaire.retired_at = now if retired else None
    session.flush()
    action = "questionnaire_retired" if retired else "questionnaire_taken_up"
    record(session, actor, action, questionnaire, now)


def choosing_formats(session: Session, questionnaire_id: int) -> list[str]:
    """Return the titles of the formats in use for which a questionnaire is chosen."""
    return list(
        session.scalars(
            select(EventTemplate.title)
            .join(FeedbackPlan, FeedbackPlan.template_id == EventTemplate.id)
            .where(
                EventTemplate.retired_at.is_(None),
                (FeedbackPlan.after_id == questionnaire_id)
                | (FeedbackPlan.follow_up_id == questionnaire_id),
            )
            .order_by(EventTemplate.title, EventTemplate.id)
        )
    )


def _add_draft(
    session: Session, questionnaire: Questionnaire, number: int, content: Content, now: datetime
) -> QuestionnaireVersion:
    draft = QuestionnaireVersion(
        questionnaire_id=questionnaire.id,
        number=number,
        state=VersionState.DRAFT,
        content=content.to_json(),
        created_at=now,
    )
    session.add(draft)
    session.flush()
    return draft


def _lock_draft(
    session: Session, questionnaire_id: int
) -> tuple[Questionnaire, QuestionnaireVersion]:
    questionnaire = lock_questionnaire(session, questionnaire_id)
    draft = _latest(session, questionnaire_id, VersionState.DRAFT)
    if draft is None:
        raise DomainError(
            "no_draft",
            "Diesen Entwurf gibt es nicht mehr: Er wurde inzwischen freigegeben oder verworfen. "
            "Bitte beginnen Sie eine neue Fassung.",
        )
    return questionnaire, draft


def _latest(
    session: Session, questionnaire_id: int, state: VersionState
) -> QuestionnaireVersion | None:
    return session.scalar(
        select(QuestionnaireVersion)
        .where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.state == state,
        )
        .order_by(QuestionnaireVersion.number.desc())
        .limit(1)
        .execution_options(populate_existing=True)
    )


def _released_contents(session: Session, questionnaire_id: int) -> list[Content]:
    stored = session.scalars(
        select(QuestionnaireVersion.content).where(
            QuestionnaireVersion.questionnaire_id == questionnaire_id,
            QuestionnaireVersion.state == VersionState.RELEASED,
        )
    )
    return [Content.from_json(each) for each in stored]


def _seen_content(draft: QuestionnaireVersion, seen: str) -> Content:
    content = Content.from_json(draft.content)
    if fingerprint(content) != seen:
        raise DomainError(
            "changed_meanwhile",
            "Der Entwurf wurde inzwischen geändert, von Ihnen oder von jemand anderem. Es wurde "
            "nichts gespeichert. Bitte sehen Sie sich an, wie er jetzt aussieht, und versuchen Sie "
            "es noch einmal.",
        )
    return content


def _check_title(session: Session, title: str, own_id: int | None) -> None:
    used = session.execute(select(Questionnaire.id, Questionnaire.title))
    if any(each.id != own_id and each.title.casefold() == title.casefold() for each in used):
        raise DomainError(
            "title_taken",
            "Einen Fragebogen mit diesem Namen gibt es schon. Bitte wählen Sie einen anderen.",
            field="title",
            status=422,
        )


def _check_in_use(questionnaire: Questionnaire) -> None:
    if questionnaire.retired_at is not None:
        raise DomainError(
            "questionnaire_retired",
            "Dieser Fragebogen ist stillgelegt. Bitte nehmen Sie ihn vorher wieder auf.",
        )


@event.listens_for(QuestionnaireVersion, "before_update")
@event.listens_for(QuestionnaireVersion, "before_delete")
def _refuse_changes(
    _mapper: Mapper[Any], _connection: Connection, version: QuestionnaireVersion
) -> None:
    session = object_session(version)
    touched = session is not None and (version in session.deleted or session.is_modified(version))
    before = inspect(version).attrs.state.history
    if touched and [*before.deleted, *before.unchanged] == [VersionState.RELEASED]:
        raise RuntimeError(f"Version {version.id} is released: it never changes.")
