"""One more button beside each name of the list at the door, offered by a room above this one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from flask import Flask, current_app
from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from trainings.core.actors import Actor
from trainings.core.errors import not_found
from trainings.core.fields import parse_id

_OFFERS = "attendance_extras"
_ON, _OFF = "on", "off"


class Press(Protocol):
    """Does what the button says, in an open transaction, and returns what the page says then.

    It refuses by a `DomainError`, `not_found` for somebody of another event, and is harmless when
    repeated: all buttons of the list share one form without a key.
    """

    def __call__(
        self,
        session: Session,
        actor: Actor,
        event_id: int,
        registration_id: int,
        now: datetime,
        *,
        gets: bool,
    ) -> str:
        """Press the button; see the class."""


@dataclass(frozen=True)
class ExtraOffer:
    """What a room does beside the names.

    Attributes:
        concerns: returns the condition on an event that it has these buttons; it is a column of the
            statement that loads the event, so that other events cost nothing more.
        done: returns the registrations of an event whose button is pressed.
        press: runs the button.
        word: on the button.
        done_word: on the button that is pressed.
        icon: on the button.

    """

    concerns: Callable[[], ColumnElement[bool]]
    done: Callable[[Session, int], frozenset[int]]
    press: Press
    word: str
    done_word: str
    icon: str


@dataclass(frozen=True)
class Extra:
    """The buttons of one room in a list.

    Attributes:
        source: the name under which the room offers them.
        offer: what it does.
        done: registrations whose button is pressed.

    """

    source: str
    offer: ExtraOffer
    done: frozenset[int]

    def value(self, registration_id: int) -> str:
        """Return what the button beside a name sends."""
        return f"{self.source}-{registration_id}-{_OFF if registration_id in self.done else _ON}"


def offer_extra(app: Flask, source: str, offer: ExtraOffer) -> None:
    """Let the list at the door have a button of a room: this floor knows none above it.

    Args:
        app: the application.
        source: name of the button, letters only.
        offer: what it does.

    """
    app.extensions.setdefault(_OFFERS, {})[source] = offer


def offered() -> Mapping[str, ExtraOffer]:
    """Return what rooms have offered, by name."""
    offers: Mapping[str, ExtraOffer] = current_app.extensions.get(_OFFERS, {})
    return offers


def load_extras(session: Session, event_id: int, concerned: Iterable[str]) -> tuple[Extra, ...]:
    """Return the buttons that concern an event."""
    offers = offered()
    return tuple(
        Extra(source, offers[source], offers[source].done(session, event_id))
        for source in concerned
    )


def press_extra(
    session: Session, actor: Actor, event_id: int, value: str, now: datetime
) -> tuple[int, str]:
    """Run the button that sent a value; return whose it is and what the page says then.

    Raises:
        DomainError: `not_found` for what no button sends, else what the room refuses.

    """
    source, _, rest = value.partition("-")
    id_text, _, wanted = rest.partition("-")
    registration_id, offer = parse_id(id_text), offered().get(source)
    if offer is None or registration_id is None or wanted not in (_ON, _OFF):
        raise not_found()
    message = offer.press(session, actor, event_id, registration_id, now, gets=wanted == _ON)
    return registration_id, message
