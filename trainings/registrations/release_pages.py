"""What the pages on which requests are decided have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from flask import flash, request
from sqlalchemy.orm import Session

from trainings.core import formats
from trainings.core.database import db
from trainings.core.errors import DomainError, not_found
from trainings.core.idempotency import Outcome, once
from trainings.registrations.models import ReleaseOutcome
from trainings.registrations.release_forms import ReleaseForm
from trainings.registrations.release_operations import Speaker, decide_release
from trainings.registrations.release_queries import EventRequests, named_requests

BUTTON = "decision"
"""Name of the buttons; their values are those of `ReleaseOutcome`."""
MOST_NAMED = 5
"""What could not be decided is named in a cookie, which holds no more than 4 kB."""
_FURTHER = "Weitere ausgewählte Anmeldungen ließen sich aus ähnlichen Gründen nicht entscheiden."
_DONE = {ReleaseOutcome.RELEASED: "freigegeben", ReleaseOutcome.DECLINED: "abgelehnt"}


def pressed() -> ReleaseOutcome | None:
    """Return which decision was pressed, or None."""
    value = request.form.get(BUTTON)
    return ReleaseOutcome(value) if value in set(ReleaseOutcome) else None


def is_anything_to_decide(events: Iterable[EventRequests], person_id: int | None) -> bool:
    """Say whether there is a request that this person may decide: none of their own."""
    return any(row.is_open and row.person_id != person_id for event in events for row in event.rows)


def decide_chosen(
    form: ReleaseForm,
    outcome: ReleaseOutcome,
    speaker_in: Callable[[Session], Speaker],
    now: datetime,
) -> bool:
    """Decide the requests that are ticked, each in a transaction of its own.

    In one transaction for all, the person of the second would be locked after the pool of the
    first, against the order of locks. What cannot be decided is named with its reason and keeps
    nothing else from being decided.

    Args:
        form: valid; gets an error if nothing is ticked.
        outcome: what was pressed.
        speaker_in: returns who decides, as a transaction sees it.
        now: the present instant.

    Returns:
        Whether anything was ticked; what became of it is flashed.

    Raises:
        DomainError: `not_found`, of what the speaker does not oversee; then nothing is decided.

    """
    ids = form.chosen()
    if not ids:
        return False
    speaker = speaker_in(db.session())
    names = named_requests(db.session(), speaker.overseen, ids)
    if len(names) != len(ids):
        raise not_found()
    done, refused = 0, []
    reason = form.reason.data or ""
    for registration_id in ids:

        def work(session: Session, registration_id: int = registration_id) -> Outcome:
            decide_release(
                session,
                speaker_in(session),
                registration_id,
                outcome=outcome,
                reason=reason,
                now=now,
            )
            return Outcome("")

        try:
            once(form.key(speaker.decider.person_id, registration_id, outcome), now, work)
        except DomainError as refusal:
            refused.append(f"{names[registration_id]}: {refusal.sentence}")
        else:
            done += 1
    if done:
        flash(f"{formats.count(done, 'Anmeldung', 'Anmeldungen')} {_DONE[outcome]}.", "success")
    for sentence in refused[:MOST_NAMED]:
        flash(sentence, "danger")
    if len(refused) > MOST_NAMED:
        flash(_FURTHER, "danger")
    return True
