"""What the log must not say: when somebody answered a questionnaire, and what."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

Work = Callable[[datetime], int]
_MARK = "leaves_no_line"


def leaves_no_line(work: Work) -> Work:
    """Mark a job of the worker: that there was something to do is not logged, as it had a time."""
    setattr(work, _MARK, True)
    return work


def is_discreet(work: Work) -> bool:
    """Say whether a job is marked so."""
    return bool(getattr(work, _MARK, False))


def kind_and_place(error: BaseException | None, trace: TracebackType | None) -> str:
    """Return the kind of an error and the lines of the program: enough to find it.

    Its message is left out: what a database or a library says of an error may quote an answer.
    """
    lines = [f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
    return f"{type(error).__name__ if error else 'no error'} at {' '.join(lines)}"
