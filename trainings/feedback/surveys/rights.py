"""Rights to answer: who holds one may answer once; nothing here says who that is.

A right is a random code. The database knows its hash, and whether it was used; the code itself
stands in the mail or on the slip.
"""

from __future__ import annotations

import secrets

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from trainings.core.tokens import digest
from trainings.feedback.models import FeedbackRight, PendingRight, Survey, UsedRight
from trainings.feedback.shuffling import in_random_order, store_in_order

# Crockford's base 32: no I, L, O and U, so that a code can be read out and typed.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_SIGNS = 16
"""80 bits: nobody guesses one, not even with the hashes at hand."""
ANSWER_PATH = "/rueckmeldung/"
_MISREAD = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def new_code() -> str:
    """Return a random code of 80 bits."""
    return "".join(secrets.choice(ALPHABET) for _ in range(CODE_SIGNS))


def normalise_code(text: str) -> str:
    """Return a code as it is hashed, from what somebody typed: „abcd-efgh-jkmn-pqrs“."""
    signs = (sign for sign in text.upper() if sign.isascii() and sign.isalnum())
    return "".join(signs).translate(_MISREAD)


def answer_path(code: str) -> str:
    """Return the address at which the holder of a code answers; it is printed on slips."""
    return f"{ANSWER_PATH}{code}"


def grant(session: Session, survey: Survey, number: int) -> list[str]:
    """Give rights to answer a locked, open survey; return their codes, which are nowhere stored.

    The hashes are stored in random order: whoever gets the codes one after the other must not be
    found by the order of the rows.
    """
    codes = [new_code() for _ in range(number)]
    shuffled = in_random_order(codes)
    store_in_order(
        session,
        FeedbackRight,
        [{"token_hash": digest(code), "survey_id": survey.id} for code in shuffled],
    )
    survey.invited += number
    return codes


def take_back(session: Session, survey: Survey, hashes: list[bytes]) -> int:
    """Delete rights to answer a locked survey that were not used; return how many.

    The number of the invited stays: if it fell only with unused rights, whoever records somebody as
    absent could read from it whether they have answered.
    """
    result = session.execute(
        delete(FeedbackRight).where(
            FeedbackRight.survey_id == survey.id, FeedbackRight.token_hash.in_(hashes)
        )
    )
    return int(result.rowcount)  # type: ignore[attr-defined]


def count_unused(session: Session, survey_id: int) -> int:
    """Return how many rights of a survey were not used."""
    return (
        session.scalar(
            select(func.count())
            .select_from(FeedbackRight)
            .where(FeedbackRight.survey_id == survey_id)
        )
        or 0
    )


def is_used(session: Session, token_hash: bytes) -> bool:
    """Say whether a right was used, lately or long ago; two statements."""
    return any(
        session.scalar(select(table.survey_id).where(table.token_hash == token_hash)) is not None
        for table in (PendingRight, UsedRight)
    )
