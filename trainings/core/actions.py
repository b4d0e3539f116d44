"""What a link in a mail shows and does.

Rooms describe their own links, `web/actions.py` serves them. GET and HEAD only show,
since mail gateways fetch every link; only POST acts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from trainings.core.forms import Form
from trainings.core.tokens import ActionToken

OTHER = "other"
"""Name of the second button."""


@dataclass(frozen=True)
class Question:
    """A choice to make before the button acts; `form.refuse` puts what is wrong beside it.

    Attributes:
        name: of the field.
        words: what is asked.
        answers: pairs of a value and its words.

    """

    name: str
    words: str
    answers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ActionPage:
    """The page that a link opens: what it is about, and the button that acts.

    Attributes:
        title: heading of the page.
        sentences: paragraphs in plain text.
        button: words on the button.
        facts: pairs of a word and a value.
        gives_up: the button gives something up, so it is not the filled one.
        other: words on a second button that answers no; the form then has a field `OTHER`.
        question: one choice to make before; `perform` reads it from the request.

    """

    title: str
    sentences: tuple[str, ...]
    button: str
    facts: tuple[tuple[str, str], ...] = ()
    gives_up: bool = False
    other: str = ""
    question: Question | None = None


@dataclass(frozen=True)
class WayOn:
    """Where a link leads on that does not act any more, for whom the account is no way on.

    Attributes:
        label: words on the button.
        url: where it leads.
        run_out: what is said when the link has run out.

    """

    label: str
    url: str
    run_out: str


def to_the_account(_session: Session, _token: ActionToken, _now: datetime) -> WayOn | None:
    """Offer nothing but the account."""
    return None


@dataclass(frozen=True)
class Action:
    """What a room offers for a purpose.

    Both functions get the living token and `now`. They refuse by `DomainError`, which becomes a
    page.

    Attributes:
        describe: says what the button would do; it changes nothing.
        perform: acts in a transaction of its own and answers, normally by
            `follow(once(form.key(None), now, …))`.
        way_on: says where to go when the link has run out or refuses.

    """

    describe: Callable[[Session, ActionToken, datetime], ActionPage]
    perform: Callable[[ActionToken, Form, datetime], ResponseReturnValue]
    way_on: Callable[[Session, ActionToken, datetime], WayOn | None] = to_the_account


@dataclass(frozen=True)
class PageAction:
    """What a room offers for a purpose that needs more than a text and one button.

    Attributes:
        show: renders the page of the link and its status; it changes nothing.
        perform: as for `Action`; reads the fields of the page from the request itself.
        way_on: as for `Action`.

    """

    show: Callable[[Session, ActionToken, datetime], tuple[str, int]]
    perform: Callable[[ActionToken, Form, datetime], ResponseReturnValue]
    way_on: Callable[[Session, ActionToken, datetime], WayOn | None] = to_the_account
