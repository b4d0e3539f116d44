"""What waits for the next batch lies in random order, so that no backup joins right and answer."""

from __future__ import annotations

import secrets

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from trainings.feedback.answers import Sheet
from trainings.feedback.models import KEY_BYTES, PendingAnswer, PendingRight
from trainings.feedback.shuffling import in_random_order, store_in_order

MIXED_AT_MOST = 50
"""If more wait already, as when many scan their slips at once, a new one is only added: to write
all anew would take long, and the worker counts them within minutes."""


def add_pending(session: Session, survey_id: int, token_hash: bytes, sheet: Sheet) -> None:
    """Let a used right and an answer wait, in a locked survey.

    With them all that wait already are written anew, rights and answers each in a random order of
    their own. Otherwise both tables would be in the order of arrival (a dump and a copied file keep
    it), and on PostgreSQL the transaction of a row (`xmin`) would join the two.
    """
    rights, answers = [token_hash], [sheet.to_json()]
    of_right, of_answer = PendingRight.survey_id == survey_id, PendingAnswer.survey_id == survey_id
    waiting = session.scalars(select(PendingRight.token_hash).where(of_right)).all()
    if len(waiting) < MIXED_AT_MOST:
        rights += waiting
        answers += session.scalars(select(PendingAnswer.content).where(of_answer))
        session.execute(delete(PendingRight).where(of_right))
        session.execute(delete(PendingAnswer).where(of_answer))
    store_in_order(
        session,
        PendingRight,
        [{"token_hash": each, "survey_id": survey_id} for each in in_random_order(rights)],
    )
    store_in_order(
        session,
        PendingAnswer,
        [
            {"key": secrets.token_bytes(KEY_BYTES), "content": each, "survey_id": survey_id}
            for each in in_random_order(answers)
        ],
    )
